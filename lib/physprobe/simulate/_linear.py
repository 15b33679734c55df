"""Linear: equations with constant coefficients on a periodic square, exact mode by mode.

    u(x, t) = sum over k of a_k A_k(t) exp(i k . x),    u(x, 0) a pattern of ``_initial``

An equation is its factors A_k(t) and the draws of its parameters; a module that says these, and
takes the rest of a system from here, is short. The first frame is the initial condition, frame n
the field at t = n: no time-step error, no stability limit.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated

import numpy as np
from pydantic import Field

from physprobe.simulate import (
    _balance,
    _cells,
    _draws,
    _gates,
    _initial,
    _periodic,
    _reading,
    _spectral,
)

RESOLUTION = _cells.RESOLUTION
coords, draw = _cells.coords, _periodic.draw
check, check_labels = _periodic.check, _periodic.check_labels


class Equation(_balance.Square):
    """Clips of a linear equation."""

    def laws(self, labels: Mapping[str, float], field: np.ndarray) -> None:
        """Budget, and the course of every mode."""
        _gates.budget(field)
        _gates.every_mode(field, self.factors(labels, coords(self)["time"]))

    def transport(
        self, alpha: float, velocity: tuple[float, float], time: np.ndarray
    ) -> np.ndarray:
        """Factors of diffusion [px^2/s] and of a velocity along y and x [px/s]."""
        return _spectral.transport(_initial.BAND, self.size, alpha, velocity, time)


class Diffusing(Equation):
    """Clips that are smoothed."""

    alpha: Annotated[
        _draws.Range, _periodic.bounded(0.05, "nothing would be left to see", size=2)
    ] = Field(default_factory=_periodic.scaled(0.2, 2.0, size=2, frames=-1))
    """Diffusivity [px^2/s]: ends of the draw, uniform in the logarithm; by default 0.2 to 2, in
    proportion to (size / 128)^2 (64 / frames)."""

    def diffusivity(self, rng: np.random.Generator) -> dict[str, float]:
        """``alpha`` of one clip [px^2/s]."""
        return {"alpha": _draws.log_uniform(rng, self.alpha)}


class Carried(Equation):
    """Clips that are carried along."""

    speed: Annotated[
        _draws.Positive, _periodic.bounded(1.5, "clips would go around the square", size=1)
    ] = Field(default_factory=_periodic.scaled(1.5, size=1, frames=-1))
    """Largest speed along each axis [px/s]; velocities are uniform up to it, either way; with
    ``motion``, they have any direction and a size uniform in the logarithm, from a 32nd of it. By
    default 1.5, in proportion to (size / 128) (64 / frames)."""

    def velocity(self, rng: np.random.Generator) -> dict[str, float]:
        """``vy`` and ``vx`` of one clip [px/s]: as they come, or of every size if balanced.

        Where a clip's motion is declared, that alone says which velocities are too slow to be seen.
        """
        draw = _draws.velocity if self.motion is None else _draws.pace
        return draw(rng, self.speed)


def field(spec: Equation, labels: Mapping[str, float]) -> np.ndarray:
    """Solution for one clip.

    Parameters
    ----------
    spec : Equation
    labels : mapping of str to float
        Parameters and ``ic_id`` of the clip.

    Returns
    -------
    (time, y, x) float32
    """
    start = _initial.series(spec.seed, int(labels["ic_id"]))
    return _spectral.film(start * spec.factors(labels, coords(spec)["time"]), spec.size)


def told(spec: Equation, field: np.ndarray) -> dict[str, float]:
    """Parameters of a clip, by its modes and the equation alone; see ``_reading``.

    Parameters
    ----------
    spec : Equation
    field : (time, y, x)
        As it was, or as it is read off bytes.

    Returns
    -------
    dict of str to float
        Parameters as they are drawn, and ``misfit``, what the equation leaves unexplained.
    """
    return _reading.modes(_course(spec), field)


@lru_cache(maxsize=4)
def _course(spec: Equation) -> _reading.Course:
    time = coords(spec)["time"]
    return _reading.course(_initial.BAND, lambda labels: spec.factors(labels, time), spec.propose)
