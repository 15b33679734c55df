"""Motion: a system's own equation, solved from any state on, and how it is filmed."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from physprobe.config import kinds
from physprobe.store.inputs import Inputs

START = "start_"
"""What labels begin with that say the state at the first frame."""


@dataclass(frozen=True)
class Motion:
    """The equation that clips obey, with each clip's own parameters.

    Attributes
    ----------
    names : tuple of str
        States that all else follows from, such as angles and their velocities.
    angles : tuple of str
        Those of them that are angles [rad].
    known : tuple of str
        All states that the equation gives.
    solve : callable
        From labels (row,) of a start and a number of frames to the field (row, time, ...), and
        states (row, time).
    labels : mapping of str to (clip,)
    step : int
        Frames from one token to the next.
    draw : callable, optional
        From the field (time, ...) of a clip to frames (time, y, x, rgb) uint8.
    """

    names: tuple[str, ...]
    angles: tuple[str, ...]
    known: tuple[str, ...]
    solve: Callable[[dict[str, np.ndarray], int], tuple[np.ndarray, dict[str, np.ndarray]]]
    labels: dict[str, np.ndarray]
    step: int
    draw: Callable[[np.ndarray], np.ndarray] | None = None

    @classmethod
    def of(cls, found: Inputs) -> "Motion | None":
        """That of a simulation; None if its kind can't be started from any state.

        It can if it has a label ``start_<state>`` of some of its states.
        """
        kind, spec = kinds.parse("simulate", json.dumps(found.system.attrs["spec"]))
        labels = found.labels
        names = tuple(name for name in kind.STATES if START + name in labels)
        if not names or "frames" not in type(spec).model_fields or len(found.frames) < 2:
            return None

        def solve(
            rows: dict[str, np.ndarray], frames: int
        ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
            return kind.solved(spec.model_copy(update={"frames": frames}), rows)

        angles = tuple(name for name in names if kind.STATES[name] == "rad")
        step = int(np.median(np.diff(found.frames)))
        return cls(names, angles, tuple(kind.STATES), solve, labels, step)

    def filmed(self, render: dict) -> Self:
        """The same as a renderer draws it.

        Parameters
        ----------
        render : dict
            Spec of the renderer.
        """
        kind, spec = kinds.parse("render", json.dumps(render))
        return replace(self, draw=lambda field: kind.frames(spec, field))

    def ahead(self, clips: np.ndarray, start: np.ndarray, tokens: int) -> dict[str, np.ndarray]:
        """States (row, token) at a start and the tokens after it.

        Parameters
        ----------
        clips : (row,)
            Whose parameters are taken.
        start : (row, state)
            In the order of ``names``.
        tokens : int
            How many after the start; 0: what else follows from the start itself.
        """
        _, states = self._solved(clips, start, tokens * self.step + 1)
        return {name: values[:, :: self.step] for name, values in states.items()}

    def frames(self, clips: np.ndarray, states: np.ndarray) -> np.ndarray:
        """Frames (row, y, x, rgb) uint8 of states (row, state).

        Raises
        ------
        ValueError
            If no renderer is known.
        """
        if self.draw is None:
            raise ValueError("nothing says how the system is filmed. Hint: name it by filmed.")
        field, _ = self._solved(clips, states, 1)
        return self.draw(field[:, 0])

    def _solved(
        self, clips: np.ndarray, start: np.ndarray, frames: int
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        rows = {
            name: values[clips] for name, values in self.labels.items() if values.dtype.kind in "fi"
        }
        rows |= {START + name: start[:, place] for place, name in enumerate(self.names)}
        return self.solve(rows, frames)
