"""Reading: parameters of an equation from what is seen of a clip, by least squares.

Of a linear equation on a periodic square from modes, whose initial condition need not be known:

    minimise  sum over k, t of |a_k(t) - a_k(0) A_k(t; parameters)|^2

over parameters, a_k(0) being the best for each (variable projection). Bytes of a rendered clip are
off by up to half a step of the scale of colours, nearly independently from cell to cell and frame
to frame. All modes then have one noise, so that squares need no weights, and each mode counts by
how much there is of it. To move cells towards what the equation says of them, as far as their bytes
allow, and to read once more changes estimates by a tenth of their error, and is left out.

References
----------
Golub and Pereyra, The differentiation of pseudo-inverses and nonlinear least squares problems whose
variables separate, SIAM J. Numerical Analysis 10 (1973) 413-432.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from physprobe.simulate import _spectral
from physprobe.statistics import descent

STARTS, FOLLOWED = 600, 3
"""Draws of the parameters that a reading may start from, and how many of the best it does."""
LOW, APART = 6, 4
"""Periods per side, and every how many frames, of what they are chosen by."""
BEYOND = 2.0
"""How far beyond its draws a parameter may be, in widths of theirs, or of a factor of e."""


class Course(NamedTuple):
    """What an equation makes of every mode, and from where a reading of it may start."""

    band: int
    """Most periods per side of the modes."""
    factors: Callable[[Mapping[str, float]], np.ndarray]
    """(time, mode_y, mode_x), in the order of :func:`_spectral.waves`, from parameters by name."""
    starts: Sequence[Mapping[str, float]]
    """Parameters as they are drawn; those that are positive in all of them are so in a clip."""
    coarse: np.ndarray
    """(start, time, mode_y, mode_x) complex64: factors of each, few modes and frames, norm 1."""


def course(
    band: int,
    factors: Callable[[Mapping[str, float]], np.ndarray],
    propose: Callable[[np.random.Generator], Mapping[str, float]],
) -> Course:
    """Course of an equation, from its factors and how a clip's parameters are drawn."""
    rng = np.random.default_rng(0)
    starts = [propose(rng) for _ in range(STARTS)]
    coarse = np.stack([_low(factors(start), band) for start in starts]).astype(np.complex64)
    norm = np.sqrt((np.abs(coarse) ** 2).sum(1, keepdims=True))
    return Course(band, factors, starts, coarse / np.maximum(norm, 1e-20))


def modes(course: Course, field: np.ndarray) -> dict[str, float]:
    """Parameters of a clip of a linear equation.

    Parameters
    ----------
    course : Course
    field : (time, y, x)
        As it was, or as it is read off bytes.

    Returns
    -------
    dict of str to float
        Parameters, and ``misfit``: root of the share of what changes over the clip that the
        equation leaves unexplained, 0 where it holds exactly.
    """
    found = _spectral.analyse(np.asarray(field, np.float32), course.band).astype(complex)
    # modes with x = 0 stand for themselves alone, the others also for their mirror image
    weight = np.where(np.arange(course.band + 1) > 0, 2.0, 1.0)
    low = _low(found, course.band)
    like = np.abs((course.coarse.conj() * low).sum(1)) ** 2
    best = np.argsort(-(like * weight[: like.shape[2]]).sum((1, 2)), kind="stable")[:FOLLOWED]
    names = list(course.starts[0])
    positive = [all(start[name] > 0 for start in course.starts) for name in names]
    drawn = np.array([[start[name] for name in names] for start in course.starts])
    drawn[:, positive] = np.log(drawn[:, positive])
    least, most = drawn.min(0), drawn.max(0)
    room = BEYOND * np.maximum(most - least, np.where(positive, 1.0, 0.0))
    whole = np.sqrt((np.abs(found) ** 2 * weight).sum())

    def parameters(at: np.ndarray) -> dict[str, float]:
        return {
            name: float(np.exp(value) if log else value)
            for name, value, log in zip(names, at, positive, strict=True)
        }

    def residual(at: np.ndarray) -> np.ndarray:
        if (at < least - room).any() or (at > most + room).any():
            return np.array([np.nan])
        factors = course.factors(parameters(at))
        norm = np.maximum((np.abs(factors) ** 2).sum(0), 1e-30)
        start = (factors.conj() * found).sum(0) / norm
        left = ((found - start * factors) * np.sqrt(weight) / whole).ravel()
        return np.concatenate([left.real, left.imag])

    fits = [descent.least_squares(residual, drawn[number]) for number in best]
    at, squares = min(fits, key=lambda fit: fit[1])
    changes = (np.abs(found - found.mean(0)) ** 2 * weight).sum() / whole**2
    return parameters(at) | {"misfit": float(np.sqrt(squares / max(changes, 1e-30)))}


def _low(factors: np.ndarray, band: int) -> np.ndarray:
    """Of few modes and frames."""
    low = min(LOW, band)
    return factors[::APART, band - low : band + low + 1, : low + 1]
