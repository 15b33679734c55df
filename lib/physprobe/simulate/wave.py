"""Wave: a pattern is let go and runs apart in waves that fade, on a periodic square.

    d2u/dt2 + gamma du/dt = c^2 lap(u),    u(x, 0) a pattern of ``_initial``,    du/dt(x, 0) = 0

Solved exactly, mode by mode: no dispersion that the equation doesn't have, no time-step error. The
first frame is the initial condition, frame n the field at t = n. The field stays between -1 and 1,
since the amplitudes of a pattern's modes add up to 1 and none of them ever grows; render every clip
on that range. Its mean stays what it is, as that of the other equations does.

For 128 x 128 cells and 64 frames c is uniform in its logarithm from 0.4 to 1.5 px/s: waves run 25
to 95 px, and stripes three to a side swing through 0.6 to 2.2 periods. gamma is uniform in its
logarithm from 0.005 to 0.05 1/s: waves keep 85 to 21 % of their amplitude. Other sizes and numbers
of frames scale the ranges, so that a clip looks alike. Both are drawn independently.
"""

from collections.abc import Mapping
from typing import Literal

import numpy as np
from pydantic import Field, ValidationInfo, field_validator

from physprobe.simulate import _balance, _draws, _gates, _initial, _periodic, _spectral

FIELD, FIELD_UNIT = "displacement", "1"
RESOLUTION = 2.0**-20  # as stored: finer than any colour scale, and compressible
UNITS = {"c": "px/s", "gamma": "1/s"}
RANGE = (-1.0, 1.0)
# Energy is compared to 1e-4 of the least that a first frame can have, in modes of up to two radians
# per frame.
ENERGY, FASTEST = 1e-4, 2.0

coords = _periodic.coords


class Spec(_balance.Square):
    """Damped waves: grid, frames, and the draws of each clip's parameters."""

    kind: Literal["wave"] = "wave"
    """Damped waves on a periodic square, starting at rest, solved exactly."""
    c: _draws.Range = Field(default_factory=_periodic.scaled(0.4, 1.5, size=1, frames=-1))
    """Speed of the waves [px/s]: ends of the draw, uniform in the logarithm; by default 0.4 to 1.5,
    in proportion to (size / 128) (64 / frames)."""
    gamma: _draws.Range = Field(default_factory=_periodic.scaled(0.005, 0.05, frames=-1))
    """Damping [1/s]: ends of the draw, uniform in the logarithm; by default 0.005 to 0.05, in
    proportion to 64 / frames."""

    @field_validator("c")
    @classmethod
    def _goes_round_once(cls, c: tuple[float, float], info: ValidationInfo) -> tuple[float, float]:
        return _periodic.bounded(c, info, 1.5, "waves would go around the square", size=1)

    @field_validator("gamma")
    @classmethod
    def _leaves_a_wave(
        cls, gamma: tuple[float, float], info: ValidationInfo
    ) -> tuple[float, float]:
        return _periodic.bounded(gamma, info, 20, "no wave would be left to see")


def draw(spec: Spec) -> dict[str, np.ndarray]:
    """Labels of every clip, drawn independently of each other where no motion is declared.

    Parameters
    ----------
    spec : Spec

    Returns
    -------
    dict of str to (clip,)
        ``c`` [px/s] and ``gamma`` [1/s], float64; ``ic_id`` and ``group``, the number of the clip's
        initial condition, int64.
    """

    def propose(rng: np.random.Generator) -> dict[str, float]:
        return {name: _draws.log_uniform(rng, getattr(spec, name)) for name in UNITS}

    suits = _balance.suits(spec, lambda labels, time: _factors(spec, labels, time)[0])
    return _draws.clipwise("wave", spec.seed, spec.clips, propose, suits)


def field(spec: Spec, labels: Mapping[str, float]) -> np.ndarray:
    """Displacement of one clip.

    Parameters
    ----------
    spec : Spec
    labels : mapping of str to float
        ``c``, ``gamma``, ``ic_id`` of the clip.

    Returns
    -------
    (time, y, x) float32
        Displacement [1].
    """
    start = _initial.series(spec.seed, labels["ic_id"])
    return _spectral.film(start * _factors(spec, labels, coords(spec)["time"])[0], spec.size)


def check(spec: Spec, labels: Mapping[str, float], field: np.ndarray) -> None:
    """Let only damped waves pass: range, budget, motion, energy, course of every mode.

    Parameters
    ----------
    spec : Spec
    labels : mapping of str to float
        ``c``, ``gamma`` of the clip.
    field : (time, y, x) float32

    Raises
    ------
    ValueError
        If a gate is broken: which, where, expected, got.
    """
    _gates.within(field, *RANGE)
    _gates.budget(field)
    _gates.moves(field, *RANGE)
    energy_law(spec, labels, field)
    _gates.every_mode(field, _factors(spec, labels, coords(spec)["time"])[0])


def energies(spec: Spec, labels: Mapping[str, float], field: np.ndarray) -> np.ndarray:
    """Energy of every frame but the last: mean of ((du/dt)^2 + c^2 |grad u|^2) / 2.

    A mode's amplitude at one frame and a frame later give its rate at the first, exactly: one
    damped wave alone leads from here to there. For modes of more than two radians per frame
    rounding shows, and they are left out.

    Parameters
    ----------
    spec : Spec
    labels : mapping of str to float
        ``c``, ``gamma`` of the clip.
    field : (time, y, x) float32

    Returns
    -------
    (time,) float64
        Energy [1/s^2].
    """
    y, x = _spectral.waves(_initial.BAND, spec.size)
    stiffness = labels["c"] ** 2 * (y**2 + x**2)
    step = _spectral.vibration(_initial.BAND, spec.size, labels["c"], labels["gamma"], np.ones(1))
    # Modes with x = 0 stand for themselves alone, the others also for their mirror image.
    counted = np.where(x > 0, 2.0, 1.0) * (stiffness > 0) * (stiffness <= FASTEST**2)
    kept, pushed = step[0][0], -step[1][0] / np.where(counted, stiffness, 1)
    modes = _spectral.analyse(field, _initial.BAND)
    rate = (modes[1:] - kept * modes[:-1]) / np.where(counted, pushed, 1)
    density = np.abs(rate) ** 2 + stiffness * np.abs(modes[:-1]) ** 2
    return (density * counted).sum((1, 2)) / 2


def energy_law(spec: Spec, labels: Mapping[str, float], field: np.ndarray) -> None:
    """Damping only takes: no frame has more energy than the frame before it had."""
    energy = energies(spec, labels, field)
    # what the same contrast would have if it were all in the slowest mode
    least = (2 * np.pi * labels["c"] / spec.size) ** 2 * field[0].var(dtype=float) / 2
    sound = np.diff(energy) <= ENERGY * least
    if not sound.all():
        frame = int(np.argmin(sound)) + 1
        raise ValueError(
            f"energy: frame {frame} has {energy[frame]:.6g} 1/s^2; expected no more than the"
            f" {energy[frame - 1]:.6g} of frame {frame - 1}."
        )


def check_labels(spec: Spec, labels: Mapping[str, np.ndarray]) -> None:
    """Refuse labels (clip,) that have collapsed to a few values.

    Raises
    ------
    ValueError
        If a parameter takes fewer than 20 distinct values in 20 clips or more.
    """
    _gates.varied(labels, UNITS)


def _factors(
    spec: Spec, labels: Mapping[str, float], time: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    return _spectral.vibration(_initial.BAND, spec.size, labels["c"], labels["gamma"], time)
