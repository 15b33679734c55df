"""Diffusion: a pattern is smoothed where it is, on a periodic square; the twin of ``heat``.

    du/dt = alpha lap(u),    u(x, 0) a pattern of ``_initial``

Solved exactly, mode by mode: no time-step error, no stability limit. The first frame is the initial
condition, frame n the field at t = n. The field stays between 0 and 1; render every clip on that
range. Unlike ``heat`` it has no walls, and starts from the patterns that the other equations on
this square start from.

For 128 x 128 cells and 64 frames alpha is uniform in its logarithm from 0.2 to 2 px^2/s: stripes
three to a side lose 24 to 93 % of their contrast over a clip. Other sizes and numbers of frames
scale the range, so that a clip looks alike.
"""

from collections.abc import Mapping
from typing import Literal

import numpy as np
from pydantic import Field, ValidationInfo, field_validator

from physprobe.simulate import _balance, _draws, _gates, _initial, _periodic, _spectral

FIELD, FIELD_UNIT = "concentration", "1"
RESOLUTION = 2.0**-20  # as stored: finer than any colour scale, and compressible
UNITS = {"alpha": "px^2/s"}
RANGE = (0.0, 1.0)

coords = _periodic.coords


class Spec(_balance.Square):
    """Diffusion: grid, frames, and the draw of each clip's diffusivity."""

    kind: Literal["diffusion"] = "diffusion"
    """Diffusion on a periodic square, solved exactly."""
    alpha: _draws.Range = Field(default_factory=_periodic.scaled(0.2, 2.0, size=2, frames=-1))
    """Diffusivity [px^2/s]: ends of the draw, uniform in the logarithm; by default 0.2 to 2, in
    proportion to (size / 128)^2 (64 / frames)."""

    @field_validator("alpha")
    @classmethod
    def _leaves_a_pattern(
        cls, alpha: tuple[float, float], info: ValidationInfo
    ) -> tuple[float, float]:
        return _periodic.bounded(alpha, info, 0.05, "nothing would be left to see", size=2)


def draw(spec: Spec) -> dict[str, np.ndarray]:
    """Labels of every clip.

    Parameters
    ----------
    spec : Spec

    Returns
    -------
    dict of str to (clip,)
        ``alpha`` [px^2/s], float64; ``ic_id`` and ``group``, the number of the clip's initial
        condition, int64.
    """

    def propose(rng: np.random.Generator) -> dict[str, float]:
        return {"alpha": _draws.log_uniform(rng, spec.alpha)}

    suits = _balance.suits(spec, lambda labels, time: _factors(spec, labels, time))
    return _draws.clipwise("diffusion", spec.seed, spec.clips, propose, suits)


def field(spec: Spec, labels: Mapping[str, float]) -> np.ndarray:
    """Concentration of one clip.

    Parameters
    ----------
    spec : Spec
    labels : mapping of str to float
        ``alpha``, ``ic_id`` of the clip.

    Returns
    -------
    (time, y, x) float32
        Concentration [1].
    """
    start = _initial.series(spec.seed, labels["ic_id"])
    return _spectral.film(start * _factors(spec, labels, coords(spec)["time"]), spec.size)


def check(spec: Spec, labels: Mapping[str, float], field: np.ndarray) -> None:
    """Let only diffusion pass: range, maximum principle, budget, motion, decay of every mode.

    Parameters
    ----------
    spec : Spec
    labels : mapping of str to float
        ``alpha`` of the clip.
    field : (time, y, x) float32

    Raises
    ------
    ValueError
        If a gate is broken: which, where, expected, got.
    """
    _gates.within(field, *RANGE, _initial.BETWEEN_CELLS)
    _gates.maximum_principle(field)
    _gates.budget(field)
    _gates.moves(field, *RANGE)
    _gates.every_mode(field, _factors(spec, labels, coords(spec)["time"]))


def check_labels(spec: Spec, labels: Mapping[str, np.ndarray]) -> None:
    """Refuse labels (clip,) that have collapsed to a few values.

    Raises
    ------
    ValueError
        If alpha takes fewer than 20 distinct values in 20 clips or more.
    """
    _gates.varied(labels, UNITS)


def _factors(spec: Spec, labels: Mapping[str, float], time: np.ndarray) -> np.ndarray:
    return _spectral.transport(_initial.BAND, spec.size, labels["alpha"], (0, 0), time).real
