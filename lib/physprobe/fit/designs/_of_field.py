"""Field's readout: from the features of tokens to the field, learnt on clips whose field is known.

    v_i(t, cell) = b_i,cell + w_i,cell . x(t, token),    i = 1, 2, 3: the first powers of the field
    u(t, cell) = a polynomial of degree 3 in v_1, v_2, v_3,    the same for all cells

A token covers a square of the field, of which its features know more than the mean: a readout into
cells sees shorter waves than a grid of tokens does. Colours and networks bend a field: no linear
readout is straight in it, but of a few that are bent differently a polynomial is. Both steps are
ridge in closed form, from second moments that are added up clip by clip; one penalty for all cells,
by leaving out some of the clips in turn. The same clips tell how much is read wrongly: what a law
gets wrong below that is no evidence against it, as the errors of reading follow no law.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations_with_replacement

import numpy as np

from physprobe.statistics.dense import eigen
from physprobe.statistics.ridge import best_penalty

Clips = Callable[[], Iterable[tuple[np.ndarray, np.ndarray]]]
"""Tokens (time, y, x, feature) and fields (time, row, column) of clips; read twice."""
FEWEST, PARTS = 2, 8  # clips that it takes, and parts that are left out in turn
PENALTIES = tuple(10.0**power for power in range(-9, 4))
VIEWS, DEGREE = 3, 3
CONSTANT = 1e-12  # of the largest variance: a feature that varies less is left out
OFTEN = 0.95  # part of the clips that are read with less than the error that is told


@dataclass(frozen=True)
class Linear:
    """A linear readout into cells."""

    weights: np.ndarray
    """(feature + 1, cell, view), the last of the features the intercept."""
    penalty: float
    """Relative to the mean eigenvalue, as in `ridge`."""
    edge_hit: bool
    """Whether that is the first or the last one that was tried."""
    r2: float
    """Of clips that were left out."""

    def read(self, features: np.ndarray) -> np.ndarray:
        """Views (time, row, column, view) of features (time, y, x, feature)."""
        cells = np.tensordot(features.astype(float), self.weights[:-1], 1) + self.weights[-1]
        return joined(cells)


@dataclass(frozen=True)
class Readout:
    """Both steps."""

    views: Linear
    straight: Linear
    clips: int
    """It was learnt on so many."""
    error: np.ndarray
    """(period) squared amplitude of a wave of 0, 1, 2, ... periods per side by which 19 of 20 of
    those are read wrongly at most, each left out."""

    def read(self, tokens: np.ndarray) -> np.ndarray:
        """Field (time, row, column, 1) of the tokens (time, y, x, feature) of one clip."""
        return self.straight.read(_terms(self.views.read(tokens)))


def learn(clips: Clips) -> Readout:
    """Learn a readout.

    Parameters
    ----------
    clips : callable
        Gives tokens and field of each clip, the field as a part of the range of its colours.

    Raises
    ------
    ValueError
        If there are too few clips, or all features are constant.
    """
    moments = [_Moments.of(tokens, _powers(field)) for tokens, field in clips()]
    views = _linear(moments)
    terms = ((_terms(views.read(tokens)), field[..., None]) for tokens, field in clips())
    straight = _linear([_Moments.of(*pair) for pair in terms])
    return Readout(views, straight, len(moments), _error(clips, moments, views, straight))


def _error(
    clips: Clips, moments: Sequence["_Moments"], views: Linear, straight: Linear
) -> np.ndarray:
    """See :attr:`Readout.error`; the polynomial, of a few numbers, is that of all clips."""
    apart: dict[int, Linear] = {}
    for held in _parts(len(moments)):
        (weights,) = _solved(_Moments.total(_rest(moments, held)), (views.penalty,))
        apart |= dict.fromkeys(held, replace(views, weights=weights))
    power = []
    for clip, (tokens, field) in enumerate(clips()):
        wrong = straight.read(_terms(apart[clip].read(tokens)))[..., 0] - field
        ring = periods(field.shape[1:])
        squares = (np.abs(np.fft.fft2(wrong, norm="forward")) ** 2).mean(0)
        power.append(np.bincount(ring.ravel(), squares.ravel()))
    waves = np.bincount(ring.ravel())
    whole = np.sum(np.stack(power)[:, 1:], axis=1)
    return np.mean(power, axis=0) / waves * np.quantile(whole, OFTEN) / whole.mean()


def periods(shape: tuple[int, ...]) -> np.ndarray:
    """Periods per side (row, column), rounded, of the waves of a discrete Fourier transform."""
    number = [np.fft.fftfreq(size, 1 / size) for size in shape]
    return np.rint(np.hypot(number[0][:, None], number[1])).astype(int)


def split(field: np.ndarray, tokens: int) -> np.ndarray:
    """Cells (time, y, x, cell, view) of each token of fields (time, row, column, view)."""
    times, rows, columns, views = field.shape
    side = rows // tokens
    parts = field.reshape(times, tokens, side, columns // side, side, views).swapaxes(2, 3)
    return parts.reshape(times, tokens, columns // side, side**2, views)


def joined(cells: np.ndarray) -> np.ndarray:
    """Fields (time, row, column, view) of the cells of each token: undoes `split`."""
    times, rows, columns, count, views = cells.shape
    side = round(count**0.5)
    parts = cells.reshape(times, rows, columns, side, side, views).swapaxes(2, 3)
    return parts.reshape(times, rows * side, columns * side, views)


def _powers(field: np.ndarray) -> np.ndarray:
    """First Chebyshev polynomials (..., view) of a field (...) from 0 to 1."""
    return np.polynomial.chebyshev.chebvander(2 * field - 1, VIEWS)[..., 1:]


def _terms(views: np.ndarray) -> np.ndarray:
    """Products (..., term) of up to three views (..., view)."""
    found = [
        np.prod(views[..., list(chosen)], axis=-1)
        for degree in range(1, DEGREE + 1)
        for chosen in combinations_with_replacement(range(views.shape[-1]), degree)
    ]
    return np.stack(found, axis=-1)


@dataclass(frozen=True)
class _Moments:
    """Second moments of some clips, a one beside the features."""

    gram: np.ndarray
    """(feature + 1, feature + 1)"""
    cross: np.ndarray
    """(feature + 1, cell, view)"""
    square: float
    """Sum of squares of what is asked."""

    @classmethod
    def of(cls, features: np.ndarray, field: np.ndarray) -> "_Moments":
        """Moments of one clip: features (time, y, x, feature), fields (time, row, column, view)."""
        rows = features.reshape(-1, features.shape[-1]).astype(float)
        known = np.concatenate([rows, np.ones((len(rows), 1))], axis=1)
        asked = split(field, features.shape[1]).astype(float)
        cross = np.tensordot(known.T, asked.reshape(len(rows), *asked.shape[3:]), 1)
        return cls(known.T @ known, cross, float((asked**2).sum()))

    @classmethod
    def total(cls, parts: Sequence["_Moments"]) -> "_Moments":
        """Moments of all of them."""
        return cls(
            np.sum([part.gram for part in parts], 0),
            np.sum([part.cross for part in parts], 0),
            float(sum(part.square for part in parts)),
        )

    def error(self, weights: np.ndarray) -> float:
        """Sum of squared errors of weights (feature + 1, cell, view)."""
        made = np.tensordot(self.gram, weights, 1)
        return float((made * weights).sum() - 2 * (weights * self.cross).sum() + self.square)


def _linear(moments: Sequence[_Moments]) -> Linear:
    """Ridge from the moments of each clip."""
    if len(moments) < FEWEST:
        raise ValueError(
            f"readout: {len(moments)} clip{'s' * (len(moments) != 1)}, expected {FEWEST} at least,"
            " as one is left out in turn."
        )
    errors, spread = np.zeros(len(PENALTIES)), 0.0
    for held in _parts(len(moments)):
        rest = _Moments.total(_rest(moments, held))
        left = _Moments.total([moments[clip] for clip in held])
        errors += [left.error(weights) for weights in _solved(rest, PENALTIES)]
        mean = np.zeros_like(rest.cross)
        mean[-1] = rest.cross[-1] / rest.gram[-1, -1]
        spread += left.error(mean)
    best = int(best_penalty(errors / spread))
    (weights,) = _solved(_Moments.total(moments), PENALTIES[best : best + 1])
    return Linear(
        weights,
        penalty=PENALTIES[best],
        edge_hit=best in (0, len(PENALTIES) - 1),
        r2=1 - errors[best] / spread,
    )


def _parts(clips: int) -> list[range]:
    """Places of clips that are left out together."""
    return [range(clips)[first::PARTS] for first in range(min(PARTS, clips))]


def _rest(moments: Sequence[_Moments], held: range) -> list[_Moments]:
    return [one for clip, one in enumerate(moments) if clip not in held]


def _solved(moments: _Moments, penalties: Sequence[float]) -> list[np.ndarray]:
    """Weights (feature + 1, cell, view) at each penalty, with none on the intercept."""
    count = moments.gram[-1, -1]
    mean, level = moments.gram[-1, :-1] / count, moments.cross[-1] / count
    gram = moments.gram[:-1, :-1] / count - np.outer(mean, mean)
    cross = moments.cross[:-1] / count - np.multiply.outer(mean, level)
    variance = np.diag(gram)
    if not variance.max() > 0:
        raise ValueError("readout: the features are constant. Hint: leave this encoder out.")
    varies = variance > CONSTANT * variance.max()
    scale = np.sqrt(variance[varies])
    spectrum, axes = eigen(gram[np.ix_(varies, varies)] / np.outer(scale, scale))
    along = np.tensordot(axes.T, cross[varies] / scale[:, None, None], 1)
    found = []
    for penalty in penalties:
        least = np.maximum(spectrum, 0) + penalty * spectrum.mean()
        weights = np.zeros((len(mean) + 1, *level.shape))
        weights[:-1][varies] = np.tensordot(axes, along / least[:, None, None], 1)
        weights[:-1][varies] /= scale[:, None, None]
        weights[-1] = level - np.tensordot(mean, weights[:-1], 1)
        found.append(weights)
    return found
