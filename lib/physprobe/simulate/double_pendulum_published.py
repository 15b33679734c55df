"""Double pendulum as published: one coarse Runge-Kutta step a frame, turning one way at first.

Equal masses and rods, 1 kg and 1 m, 9.81 m/s^2, no friction, and a classic step of order 4 every
0.05 s, by which energy is not kept: in 30 frames half of the clips change theirs by more than
0.1 J, one in ten by more than 1.3 J, of up to 140; after a thousand frames half of them by more
than 10 J. Angles and both angular velocities are uniform from 0 to 2 pi: both rods start turning
the same way, counted in rad/s, and there is nothing to infer but the motion. Nothing here is meant
to be right: ``check`` wants finite numbers alone. Kept to show what a published forecast was
compared with.

References
----------
Draws, equation and steps as in jepa_first_study (MarcTasca), ``src/dataset.py``; written anew.
"""

from collections.abc import Iterator, Mapping
from typing import Literal

import numpy as np
from pydantic import Field

from physprobe.config.spec import Spec as Base
from physprobe.scenes import rods
from physprobe.simulate import _gates, _pendulum

FIELD, FIELD_UNIT, GRID, GROUPED = "rods", rods.UNIT, False, False
STATES, TOGETHER = _pendulum.STATES, 1024
UNITS = {
    **{"energy": "J", "energy_error": "J"},
    **{f"start_{name}": _pendulum.STATES[name] for name in _pendulum.MOTION},
}

SEED, INTERVAL = 42, 0.05
MADE = {"mass1": 1.0, "mass2": 1.0, "length1": 1.0, "length2": 1.0, "gravity": 9.81, "damping": 0.0}


class Spec(Base):
    """Published double pendulums: everything but their number and length is fixed."""

    kind: Literal["double_pendulum_published"] = "double_pendulum_published"
    """Double pendulums by the published coarse steps, which don't keep energy."""
    clips: int = Field(400, gt=0, le=100_000)
    """Number of clips: the first ones of the published draws."""
    frames: int = Field(30, gt=1, le=1000)
    """Frames of a clip, 0.05 s apart; published: 30 to train on, 1000 of a film."""


def draw(spec: Spec) -> dict[str, np.ndarray]:
    """Labels of every clip.

    Parameters
    ----------
    spec : Spec

    Returns
    -------
    dict of str to (clip,)
        ``start_theta1`` and so on, the state at the first frame; ``energy`` [J] there, above
        hanging at rest, and ``energy_error``, by how much it is another at the last frame.
    """
    drawn = np.random.RandomState(SEED).uniform(0, 2 * np.pi, (spec.clips, 4))
    labels = {f"start_{name}": drawn[:, n].copy() for n, name in enumerate(_pendulum.MOTION)}
    bodies = _bodies(spec.clips)
    *_, last = _steps(bodies, drawn.T, spec.frames)
    first, last = bodies.energy(drawn.T), bodies.energy(last)
    return labels | {"energy": first, "energy_error": np.abs(last - first)}


def coords(spec: Spec) -> dict[str, np.ndarray]:
    """Times [s] of the frames, and names of the rods' quantities."""
    return {"time": np.arange(spec.frames) * INTERVAL, "quantity": np.array(rods.QUANTITIES)}


def solved(
    spec: Spec, labels: Mapping[str, np.ndarray]
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Several clips at once: rods (clip, time, quantity) float32, and states (clip, time).

    Parameters
    ----------
    spec : Spec
    labels : mapping of str to (clip,)
        ``start_theta1`` and so on.
    """
    start = np.stack([np.asarray(labels[f"start_{n}"], float) for n in _pendulum.MOTION])
    bodies = _bodies(start.shape[1])
    moved = np.stack(list(_steps(bodies, start, spec.frames)), axis=-1)
    states = _pendulum.described(bodies, moved, np.zeros_like(moved[0]))
    return rods.drawn((moved[0], moved[1]), (np.array(1.0), np.array(1.0)), 2 * rods.MARGIN), states


def field(spec: Spec, labels: Mapping[str, float]) -> np.ndarray:
    """Rods (time, quantity) float32 of one clip, from its labels."""
    return solved(spec, {name: np.array([value]) for name, value in labels.items()})[0][0]


def check(spec: Spec, labels: Mapping[str, float], field: np.ndarray) -> None:
    """Let only finite numbers pass: this system is here to break the law.

    Raises
    ------
    ValueError
        If a value is not finite; the message names the frame.
    """
    if (frame := _gates.first(np.isfinite(field).all(1))) is not None:
        raise ValueError(f"finite values: frame {frame} has others.")


def _bodies(clips: int) -> _pendulum.Bodies:
    return _pendulum.Bodies.of({name: np.full(clips, value) for name, value in MADE.items()})


def _steps(bodies: _pendulum.Bodies, start: np.ndarray, frames: int) -> Iterator[np.ndarray]:
    """States (4, clip) by classic steps of order 4, one a frame."""
    equation = _pendulum.rates(bodies)

    def rate(state: np.ndarray) -> np.ndarray:
        found = np.empty((5, state.shape[1]))
        equation(state, found)
        return found[:4]

    state = start.copy()
    for frame in range(frames):
        if frame:
            first = rate(state)
            second = rate(state + INTERVAL / 2 * first)
            third = rate(state + INTERVAL / 2 * second)
            fourth = rate(state + INTERVAL * third)
            state = state + INTERVAL / 6 * (first + 2 * second + 2 * third + fourth)
        yield state
