"""Advection-diffusion: a pattern is carried along and smoothed, on a periodic square.

    du/dt + v . grad u = alpha lap(u),    u(x, 0) a pattern of ``_initial``

Solved exactly, mode by mode: shifts by any part of a cell, no time-step error. The first frame is
the initial condition, frame n the field at t = n. The field stays between 0 and 1 (to 0.01: what a
pattern has between its cells comes to light as it moves); render every clip on that range.

For 128 x 128 cells and 64 frames vx and vy are uniform up to 1.5 px/s either way: the pattern goes
by 12 to 134 px over a clip, less than once around the square along either axis. Only the slowest
1.2 % are left out. alpha is uniform in its logarithm from 0.2 to 2 px^2/s: stripes three to a side
lose 24 to 93 % of their contrast. Other sizes and numbers of frames scale the ranges, so that a
clip looks alike. All three are drawn independently.
"""

from collections.abc import Mapping
from typing import Literal

import numpy as np
from pydantic import Field, ValidationInfo, field_validator

from physprobe.simulate import _balance, _draws, _gates, _initial, _periodic, _spectral

FIELD, FIELD_UNIT = "concentration", "1"
RESOLUTION = 2.0**-20  # as stored: finer than any colour scale, and compressible
UNITS = {"alpha": "px^2/s", "vy": "px/s", "vx": "px/s"}
RANGE = (0.0, 1.0)

coords = _periodic.coords


class Spec(_balance.Square):
    """Advection-diffusion: grid, frames, and the draws of each clip's parameters."""

    kind: Literal["advection_diffusion"] = "advection_diffusion"
    """Advection and diffusion on a periodic square, solved exactly."""
    alpha: _draws.Range = Field(default_factory=_periodic.scaled(0.2, 2.0, size=2, frames=-1))
    """Diffusivity [px^2/s]: ends of the draw, uniform in the logarithm; by default 0.2 to 2, in
    proportion to (size / 128)^2 (64 / frames)."""
    speed: _draws.Positive = Field(default_factory=_periodic.scaled(1.5, size=1, frames=-1))
    """Largest speed along each axis [px/s]; velocities are uniform up to it, either way; with
    ``motion``, they have any direction and a size uniform in the logarithm, from a 32nd of it. By
    default 1.5, in proportion to (size / 128) (64 / frames)."""

    @field_validator("alpha")
    @classmethod
    def _leaves_a_pattern(
        cls, alpha: tuple[float, float], info: ValidationInfo
    ) -> tuple[float, float]:
        return _periodic.bounded(alpha, info, 0.05, "nothing would be left to see", size=2)

    @field_validator("speed")
    @classmethod
    def _goes_round_once(cls, speed: float, info: ValidationInfo) -> float:
        return _periodic.bounded(speed, info, 1.5, "clips would go around the square", size=1)


def draw(spec: Spec) -> dict[str, np.ndarray]:
    """Labels of every clip, drawn independently of each other where no motion is declared.

    Parameters
    ----------
    spec : Spec

    Returns
    -------
    dict of str to (clip,)
        ``alpha`` [px^2/s] and the velocity ``vy``, ``vx`` [px/s], float64; ``ic_id`` and ``group``,
        the number of the clip's initial condition, int64.
    """

    def propose(rng: np.random.Generator) -> dict[str, float]:
        return {"alpha": _draws.log_uniform(rng, spec.alpha), **_balance.velocity(spec, rng)}

    suits = _balance.suits(spec, lambda labels, time: _factors(spec, labels, time))
    return _draws.clipwise("advection_diffusion", spec.seed, spec.clips, propose, suits)


def field(spec: Spec, labels: Mapping[str, float]) -> np.ndarray:
    """Concentration of one clip.

    Parameters
    ----------
    spec : Spec
    labels : mapping of str to float
        ``alpha``, ``vy``, ``vx``, ``ic_id`` of the clip.

    Returns
    -------
    (time, y, x) float32
        Concentration [1].
    """
    start = _initial.series(spec.seed, labels["ic_id"])
    return _spectral.film(start * _factors(spec, labels, coords(spec)["time"]), spec.size)


def check(spec: Spec, labels: Mapping[str, float], field: np.ndarray) -> None:
    """Let only advection-diffusion pass: range, budget, motion, course of every mode.

    Parameters
    ----------
    spec : Spec
    labels : mapping of str to float
        ``alpha``, ``vy``, ``vx`` of the clip.
    field : (time, y, x) float32

    Raises
    ------
    ValueError
        If a gate is broken: which, where, expected, got.
    """
    _gates.within(field, *RANGE, _initial.BETWEEN_CELLS)
    _gates.budget(field)
    _gates.moves(field, *RANGE)
    _gates.every_mode(field, _factors(spec, labels, coords(spec)["time"]))


def check_labels(spec: Spec, labels: Mapping[str, np.ndarray]) -> None:
    """Refuse labels (clip,) that have collapsed to a few values.

    Raises
    ------
    ValueError
        If a parameter takes fewer than 20 distinct values in 20 clips or more.
    """
    _gates.varied(labels, UNITS)


def _factors(spec: Spec, labels: Mapping[str, float], time: np.ndarray) -> np.ndarray:
    velocity = (labels["vy"], labels["vx"])
    return _spectral.transport(_initial.BAND, spec.size, labels["alpha"], velocity, time)
