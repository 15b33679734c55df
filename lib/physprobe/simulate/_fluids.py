"""Fluids: what the systems of named fields share, whose clips are windows of long trajectories.

A trajectory is solved once for all of its windows, which lie in one file of the store; where a run
was interrupted it goes on with the next trajectory. A window's labels are its trajectory's
parameters, and ``t0``, when it begins; all windows of a trajectory are one group.
"""

from collections.abc import Callable, Mapping
from typing import Any, Literal

import numpy as np
from pydantic import Field, model_validator

from physprobe.config.spec import Spec as Base
from physprobe.statistics import seeds

FIELD, FIELD_UNIT, GRID = "fluid", "1", False
DIMENSIONS = {"time": "1", "y": "1", "x": "1"}
"""Equations are without dimensions."""


class Fluid(Base):
    """How many trajectories there are, and which windows of them are clips."""

    trajectories: int = Field(gt=0)
    """Trajectories, each from an initial condition of its own."""
    initial_conditions: int = Field(1, gt=0)
    """Trajectories in a row that share their parameters."""
    windows: int = Field(1, gt=0)
    """Clips of each trajectory; they begin at random, and may overlap."""
    frames: int = Field(16, gt=1)
    """Frames of a clip."""
    stride: int = Field(1, gt=0)
    """Stored frames from one frame of a clip to the next."""
    start: int = Field(0, ge=0)
    """Stored frame from which on windows begin."""
    length: int = Field(gt=1)
    """Frames of a trajectory, that of its initial condition among them."""
    group: Literal["trajectory", "parameters"] = "trajectory"
    """What is never split: windows of one trajectory, or of all that share their parameters."""
    seed: int = Field(0, ge=0, lt=2**32)
    """Seed of parameters, initial conditions and windows."""

    @property
    def clips(self) -> int:
        """Windows of all trajectories."""
        return self.trajectories * self.windows

    @property
    def latest(self) -> int:
        """Stored frame at which the last possible window begins."""
        return self.length - (self.frames - 1) * self.stride - 1

    @model_validator(mode="after")
    def _fits(self) -> "Fluid":
        if self.latest < self.start:
            raise ValueError(
                f"frames: {self.frames} with a stride of {self.stride} from frame {self.start} on"
                f" don't fit into a trajectory of {self.length}"
            )
        return self


def together(spec: Fluid) -> int:
    """Clips that are solved at once: those of a trajectory."""
    return spec.windows


def draw(
    spec: Fluid,
    kind: str,
    interval: float,
    propose: Callable[[np.random.Generator], dict[str, float]],
) -> dict[str, np.ndarray]:
    """Labels (clip,) of every window.

    Parameters
    ----------
    spec : Fluid
    kind : str
        System; every trajectory of every system has a stream of its own.
    interval : float
        Time from one stored frame to the next.
    propose : callable
        Parameters by name, from a generator.

    Returns
    -------
    dict of str to (clip,)
        The parameters; ``t0``; ``trajectory``, and ``group``. More trajectories leave the first
        ones as they were.
    """
    rows = []
    for trajectory in range(spec.trajectories):
        family = trajectory // spec.initial_conditions
        parameters = propose(seeds.rng(kind, spec.seed, "parameters", family))
        rng = seeds.rng(kind, spec.seed, "windows", trajectory)
        starts = np.sort(rng.integers(spec.start, spec.latest + 1, spec.windows))
        group = trajectory if spec.group == "trajectory" else family
        numbers = {"trajectory": trajectory, "group": group}
        rows += [parameters | {"t0": start * interval} | numbers for start in starts]
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def windows(
    spec: Fluid,
    labels: Mapping[str, np.ndarray],
    interval: float,
    solve: Callable[[dict[str, float], np.random.Generator], np.ndarray],
    kind: str,
) -> np.ndarray:
    """Windows (clip, time, y, x, channel) float32 of some labels, each trajectory solved once.

    Parameters
    ----------
    spec : Fluid
    labels : mapping of str to (clip,)
        As ``draw`` gives them.
    interval : float
    solve : callable
        Whole trajectory (time, y, x, channel) from its parameters and the generator of its initial
        condition; raises ValueError where a gate is broken.
    kind : str

    Raises
    ------
    ValueError
        What ``solve`` raises; the message names the trajectory.
    """
    found: list[np.ndarray] = []
    known, whole = None, np.empty(0)
    for clip, trajectory in enumerate(labels["trajectory"]):
        if trajectory != known:
            own = {name: float(values[clip]) for name, values in labels.items()}
            try:
                whole = solve(own, seeds.rng(kind, spec.seed, "initial", int(trajectory)))
            except ValueError as error:
                raise ValueError(f"trajectory {trajectory} of {kind}: {error}") from None
            known = trajectory
        first = round(labels["t0"][clip] / interval)
        times = first + spec.stride * np.arange(spec.frames)
        found.append(whole[times].astype(np.float32))
    return np.stack(found)


def solvers(
    trajectory: Callable[..., np.ndarray],
) -> tuple[Callable[..., tuple[np.ndarray, dict]], Callable[..., np.ndarray]]:
    """A system's ``solved`` and ``field``, from what solves a whole trajectory.

    Parameters
    ----------
    trajectory : callable
        From spec, parameters and the generator of the initial condition, as for ``windows``.
    """

    def solved(
        spec: Any, labels: Mapping[str, np.ndarray]
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Several windows (clip, time, y, x, channel) float32, and no states.

        Raises
        ------
        ValueError
            If a trajectory breaks a gate; the message names it.
        """

        def solve(own: dict[str, float], rng: np.random.Generator) -> np.ndarray:
            return trajectory(spec, own, rng)

        return windows(spec, labels, spec.interval, solve, spec.kind), {}

    def field(spec: Any, labels: Mapping[str, float]) -> np.ndarray:
        """One window (time, y, x, channel) float32, from its labels."""
        return solved(spec, {name: np.array([value]) for name, value in labels.items()})[0][0]

    return solved, field
