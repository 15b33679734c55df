"""Reaction-diffusion: spots that grow, divide and run into each other, on a periodic square.

The model of Gray and Scott: a substrate u is fed, an activator v uses it up and is removed,

    du/dt = alpha lap(u)     + r (F (1 - u) - u v^2)
    dv/dt = alpha/2 lap(v)   + r (u v^2 - (F + k) v)

with feed F, kill k and a rate r that sets the pace. The field is the substrate used up, 1 - u. It
stays between 0 and 1 (to 0.01: as far as steps and modes go); render every clip on that range. The
squared pattern of ``_initial`` is where it starts, 0.6 high, with 0.4 of activator. No mode goes
its own way here, and no linear law fits: of such a clip a judge of laws should say "cannot tell".

Solved by exponential steps of fourth order on 48 x 48 cells, whatever ``size`` is. Halving the
steps, or the cells, changes the values of a clip by 2e-4, and by less than 2e-3 in 99 of 100 clips;
more where a pattern only just lives on or dies.

For 128 x 128 cells and 64 frames alpha is uniform in its logarithm from 5 to 13 px^2/s; it sets the
length scale, sqrt(alpha / 0.16 r) of 2.8 to 4.5 px, of which a spot is about ten wide. F is uniform
from 0.03 to 0.05 and k from 0.055 to 0.06, where most patterns spread, and nine in ten neither die
nor fill the square within a clip; r is 4 1/s. Other sizes and numbers of frames scale alpha and r,
so that a clip looks alike. Labels are drawn independently.

References
----------
Pearson, Complex patterns in a simple system, Science 261 (1993) 189-192. Cox and Matthews,
Exponential time differencing for stiff systems, Journal of Computational Physics 176 (2002)
430-455.
"""

from collections.abc import Mapping
from typing import Literal

import numpy as np
from pydantic import Field, ValidationInfo, field_validator

from physprobe.simulate import _cells, _draws, _initial, _periodic, _spectral

FIELD, FIELD_UNIT, RESOLUTION = "concentration", "1", _cells.RESOLUTION
UNITS = {"alpha": "px^2/s", "feed": "1", "kill": "1"}

draw, coords = _periodic.draw, _cells.coords
check, check_labels = _periodic.check, _periodic.check_labels

GRID = 48
# Largest step in units of 1 / r, and smallest alpha for which a cell is fine enough, in units of
# r cell^2: in both the model's usual unit of length is sqrt(alpha / 0.16 r).
STEP, FINEST = 2.0, 0.16


class Spec(_periodic.Square):
    """Reaction-diffusion: grid, frames, and the draws of each clip's parameters."""

    kind: Literal["reaction_diffusion"] = "reaction_diffusion"
    """Gray-Scott model on a periodic square, by exponential steps."""
    rate: _draws.Positive = Field(default_factory=_periodic.scaled(4.0, frames=-1))
    """Rate r of the reaction [1/s], the same for all clips; by default 4 (64 / frames)."""
    alpha: _draws.Range = Field(default_factory=_periodic.scaled(5.0, 13.0, size=2, frames=-1))
    """Diffusivity of the substrate [px^2/s]: ends of the draw, uniform in the logarithm; by default
    5 to 13, in proportion to (size / 128)^2 (64 / frames)."""
    feed: _draws.Range = (0.03, 0.05)
    """Feed F [1]: low and high end of the uniform draw."""
    kill: _draws.Range = (0.055, 0.06)
    """Kill k [1]: low and high end of the uniform draw."""

    SLACK = 0.01  # as far as steps and modes go

    @field_validator("alpha")
    @classmethod
    def _is_resolved(cls, alpha: tuple[float, float], info: ValidationInfo) -> tuple[float, float]:
        if {"size", "rate"} <= info.data.keys():
            least = FINEST * info.data["rate"] * (info.data["size"] / GRID) ** 2
            if alpha[0] < least:
                raise ValueError(
                    f"{alpha[0]:g} is less than {least:g}: structures would be too fine for"
                    f" {GRID} x {GRID} cells"
                )
        return alpha

    @field_validator("feed", "kill")
    @classmethod
    def _reacts(cls, ends: tuple[float, float]) -> tuple[float, float]:
        if ends[1] > 0.1:
            raise ValueError(f"{ends[1]:g} is more than 0.1: no pattern lives there")
        return ends

    def propose(self, rng: np.random.Generator) -> dict[str, float]:
        """``alpha``, ``feed`` and ``kill`` of one clip."""
        return {
            "alpha": _draws.log_uniform(rng, self.alpha),
            "feed": float(rng.uniform(*self.feed)),
            "kill": float(rng.uniform(*self.kill)),
        }


def field(spec: Spec, labels: Mapping[str, float]) -> np.ndarray:
    """Substrate used up in one clip.

    Parameters
    ----------
    spec : Spec
    labels : mapping of str to float
        ``alpha``, ``feed``, ``kill``, ``ic_id`` of the clip.

    Returns
    -------
    (time, y, x) float32
        Concentration [1]: 1 - u.
    """
    modes = _initial.series(spec.seed, int(labels["ic_id"]))
    highest = _spectral.synthesise(modes, _initial.FINE).max()
    pattern = (_spectral.synthesise(modes, GRID) / highest) ** 2
    used = solve(
        np.stack([0.6 * pattern, 0.4 * pattern]),
        labels["alpha"] / spec.rate * (GRID / spec.size) ** 2,
        labels["feed"],
        labels["kill"],
        spec.rate,
        spec.frames,
    )[:, 0]
    band = (min(GRID, spec.size) - 1) // 2
    return _spectral.film(_spectral.analyse(used, band), spec.size)


def solve(
    start: np.ndarray,
    alpha: float,
    feed: float,
    kill: float,
    duration: float,
    frames: int,
    *,
    step: float = STEP,
) -> np.ndarray:
    """Solve the Gray-Scott model, with 1 / r as the unit of time and a cell as that of length.

    Diffusion and the linear terms of a = 1 - u and v are exact, mode by mode; steps of ETDRK4 are
    for u v^2 alone.

    Parameters
    ----------
    start : (2, y, x)
        Used-up substrate a and activator v.
    alpha : float
        Diffusivity of the substrate; that of the activator is half of it.
    feed, kill : float
        F and k.
    duration : float
        Time from one frame to the next.
    frames : int
        Frames, ``start`` being the first.
    step : float
        Largest step.

    Returns
    -------
    (time, 2, y, x) float32
        a and v.
    """
    from scipy import fft

    cells = start.shape[1:]
    steps = int(np.ceil(duration / step))
    square = sum(k**2 for k in np.meshgrid(*_wavenumbers(*cells), indexing="ij"))
    rates = np.stack([alpha * square + feed, alpha / 2 * square + feed + kill])
    half, whole, middle, first, inner, last = _weights(-rates * duration / steps, duration / steps)

    def reaction(modes: np.ndarray) -> np.ndarray:
        a, v = fft.irfft2(modes, cells)
        return fft.rfft2((1 - a) * v * v)

    modes = fft.rfft2(start.astype(np.float32))
    solution = np.empty((frames, *start.shape), np.float32)
    solution[0] = start
    for frame in solution[1:]:
        for _ in range(steps):
            here = reaction(modes)
            halfway = half * modes
            there = halfway + middle * here
            guess = reaction(there)
            better = reaction(halfway + middle * guess)
            end = reaction(half * there + middle * (2 * better - here))
            modes = whole * modes + first * here + inner * (guess + better) + last * end
        frame[:] = fft.irfft2(modes, cells)
    return solution


def _wavenumbers(rows: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
    return 2 * np.pi * np.fft.fftfreq(rows), 2 * np.pi * np.fft.rfftfreq(columns)


def _weights(z: np.ndarray, step: float) -> tuple[np.ndarray, ...]:
    """Weights of a step of ETDRK4 (Cox and Matthews, eqs 26 to 29), all z = rate x step below 0."""
    whole = np.exp(z)
    weights = (
        np.exp(z / 2),
        whole,
        step * np.expm1(z / 2) / z,
        step * (-4 - z + whole * (4 - 3 * z + z**2)) / z**3,
        step * 2 * (2 + z + whole * (z - 2)) / z**3,
        step * (-4 - 3 * z - z**2 + whole * (4 - z)) / z**3,
    )
    return tuple(weight.astype(np.float32) for weight in weights)
