"""Bootstrap: how sure we are of scores, from draws of the clips that they are read on.

Intervals of single scores, bands of curves, and p of a value, all from the same draws of the same
seed (``statistics.resampling``).
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Self

import numpy as np

from physprobe.statistics import ensemble, seeds
from physprobe.statistics.ensemble import Members
from physprobe.statistics.half_samples import Halves
from physprobe.statistics.intervals import Interval
from physprobe.statistics.resampling import Draws, Groups, Resampling
from physprobe.statistics.scores import Statistic

ESTIMAND = "data sets"
"""Of an interval: the mean score over data sets of this size, fits and all."""
FIXED = "these fits"
"""Of an interval: the score of these very fits on other clips, as if none had been fitted to."""
RARELY = 50
"""Of so many draws one may be without a score, such as R2 where all labels drawn are alike."""


class Resampled(Interval):
    """An interval of :func:`interval`, which keeps the draws that it follows from."""

    found: Mapping[int, Draws]
    """Draws by how many units a block has."""
    lengths: np.ndarray
    """(...) units of each score's blocks; 1 of what is drawn by itself."""
    again: Callable[[int], Draws]
    """Draws in blocks of another length."""
    total: int
    """Units that there are."""
    seed: int
    estimand: str
    """What the interval is about: `ESTIMAND` or `FIXED`."""

    @classmethod
    def of(cls, again: Resampling) -> Self:
        """BCa interval of scores (...), each in blocks of its own length."""
        lengths = again.lengths()
        found = {int(length): again.drawn(int(length)) for length in np.unique(lengths)}
        ends = {length: _corrected(each) for length, each in found.items()}
        low, high = (
            _by_length(lengths, {length: each[end] for length, each in ends.items()})
            for end in (1, 2)
        )
        kept = cls(next(iter(ends.values())).value, low[()], high[()])
        kept.found, kept.lengths, kept.again = found, lengths, again.drawn
        kept.total, kept.seed = again.units.count, again.seed
        kept.estimand = FIXED if again.units.halves is None else ESTIMAND
        return kept

    @property
    def drawn(self) -> np.ndarray:
        """The score in each draw (draw, ...)."""
        return _by_length(self.lengths, {length: own.drawn for length, own in self.found.items()})

    @property
    def units(self) -> np.ndarray:
        """How many independent units each score is over: groups, clips, or blocks of windows."""
        return self.total / self.lengths

    def at(self, *place: int) -> "Resampled":
        """One of several scores, without a view of the others' draws."""
        one = Resampled(*super().at(*place))
        one.lengths = self.lengths[place]
        mine = np.unique(one.lengths)
        one.found = {length: own.at(*place) for length, own in self.found.items() if length in mine}
        one.again = partial(_at, self.again, place)
        one.total, one.seed, one.estimand = self.total, self.seed, self.estimand
        return one

    def row(self, undefined: str | None = None) -> dict:
        """Columns, what the interval is about, and the interval itself as ``interval``."""
        columns = self.columns(undefined)
        about = None if columns["ci_low"] is None else self.estimand
        return columns | {"estimand": about, "interval": self}


def interval(
    sums: np.ndarray,
    statistic: Statistic,
    *,
    groups: Groups = None,
    draws: int = 2000,
    seed: int = 0,
    members: Members = (),
    halves: Halves | None = None,
) -> Interval:
    """95 % interval of scores by bootstrap over clips, or over whole groups of clips.

    The interval is bias-corrected and accelerated (BCa); where the draws say nothing about the
    bias (all on one side), it is the percentile interval. Of few groups the draws are widened, as
    Student's t is wider than a normal. The interval says how the score varies with the clips that
    it is read on; with halves also how it varies with those that models are fitted to, so that it
    is about the mean score over data sets of this size. With members, it says how the score varies
    with the networks too.

    Parameters
    ----------
    sums : (..., clip, part)
        Sums per clip.
    statistic : callable
        Score from totals (..., part), for instance `scores.r2_of`; with members from totals and,
        behind them, the weight of each member, 1 in the score itself.
    groups : (clip,), optional
        Clips of one group are drawn together; those of parts of one film, numbered from
        `blocks.SERIES` on, in blocks of neighbours.
    draws : int
    seed : int
        Same seed and groups, same draws: intervals of two calls are paired.
    members : sequence of (str, int), optional
        Encoders of several members that the score depends on.
    halves : Halves, optional
        What fits to halves of the clips say; none if the fits are to be held fixed.

    Returns
    -------
    Interval
        nan where the score is undefined; no ends where too many draws leave it so.

    References
    ----------
    Efron, "Better bootstrap confidence intervals", JASA 82 (1987).
    """
    again = Resampling.of(sums, statistic, groups, draws, seed, members, halves)
    return Interval.without_ends(again.value) if again.units.count < 2 else Resampled.of(again)


def mean_of_members(parts: Sequence[Resampled], name: str) -> Interval:
    """Mean of the scores () of an encoder's members, whose draws of clips are the same.

    Parameters
    ----------
    parts : sequence of Resampled
        Of one score each, in the order of the members; blocks are as long as the longest of them,
        so that all are drawn alike.
    name : str
        Of the encoder: one name, one draw of its members.

    Raises
    ------
    ValueError
        If they were drawn in different ways.
    """
    if len({(part.drawn.shape, part.total, part.seed) for part in parts}) > 1:
        raise ValueError("Scores of members that are drawn in different ways have no mean.")
    longest = max(int(part.lengths) for part in parts)
    each = [part.found.get(longest) or part.again(longest) for part in parts]
    drawn, own = np.stack([one.drawn for one in each], -1), np.array([one.value for one in each])
    weights = ensemble.weights(name, len(parts), len(drawn), parts[0].seed)
    members = ensemble.jackknife((own.sum() - own) / max(len(own) - 1, 1))
    with np.errstate(invalid="ignore"):
        mean = (drawn * weights).mean(-1)
    left, apart = (
        np.mean(side, axis=0) for side in ([one.left for one in each], [one.apart for one in each])
    )
    return _corrected(Draws(own.mean(), mean, left, apart, members))


def p(
    sums: np.ndarray,
    statistic: Statistic,
    at: float = 0.0,
    *,
    groups: Groups = None,
    draws: int = 2000,
    seed: int = 0,
    members: Members = (),
    halves: Halves | None = None,
) -> float:
    """Two-sided p of one score against the value ``at``, by the same bootstrap over clips.

    It is below 0.05 where ``at`` lies outside of `interval`, and never below 1 / (draws + 1).

    Parameters
    ----------
    sums : (clip, part)
    statistic : callable
    at : float
    groups, draws, seed, members, halves
        As for `interval`.

    Returns
    -------
    float
        nan where the score is undefined.
    """
    from scipy.special import ndtr, ndtri

    again = Resampling.of(sums, statistic, groups, draws, seed, members, halves)
    if again.units.count < 2:
        return float("nan")
    found = again.drawn(int(again.lengths()))
    value, drawn, *_ = found
    if not np.isfinite(value) or not np.isfinite(drawn).all():
        return float("nan")
    bias, skew = _corrections(found)
    share = (drawn < at).mean() + 0.5 * (drawn == at).mean()
    # the level of the interval whose end is `at`
    away = ndtri(np.clip(share, 0.5 / draws, 1 - 0.5 / draws)) - bias
    tail = float(ndtr(away / (1 + skew * away) - bias))
    return max(min(1.0, 2 * min(tail, 1 - tail)), 1 / (draws + 1))


def band(
    sums: np.ndarray,
    statistic: Statistic,
    *,
    groups: Groups = None,
    draws: int = 2000,
    seed: int = 0,
    members: Members = (),
    halves: Halves | None = None,
) -> Interval:
    """95 % band of a curve by bootstrap over clips: it holds all points at once.

        value +- c x deviation of the draws,    c: 95th percentile of max over points |draw - value|
                                                   in units of that deviation

    Parameters
    ----------
    sums : (point, clip, part)
        Sums per clip; all points are read on the same clips, and drawn at once: in blocks as long
        as any of them needs.
    statistic : callable
        From totals (..., part), best on a scale on which its draws spread evenly, such as
        `scores.log_error_of` rather than R2.
    groups, draws, seed, members, halves
        As for `interval`.

    Returns
    -------
    Interval
        Each (point,); nan where the score is undefined or never varies.

    References
    ----------
    Romano, Wolf, "Exact and approximate stepdown methods for multiple hypothesis testing",
    JASA 100 (2005).
    """
    again = Resampling.of(sums, statistic, groups, draws, seed, members, halves)
    if again.units.count < 2:
        return Interval.without_ends(again.value)
    value, drawn, *_ = again.drawn(int(again.lengths().max()))
    with np.errstate(invalid="ignore", divide="ignore"):
        deviation = drawn.std(0)
        deviation[~(deviation > 0)] = np.nan
        distance = np.abs(drawn - value) / deviation
    if np.isnan(deviation).all():
        return Interval.without_ends(value)
    reach = deviation * np.quantile(np.nanmax(distance, axis=1), 0.95)
    return Interval(value, value - reach, value + reach)


def median(values: np.ndarray, draws: int, seed: int) -> tuple[float, float, float, int]:
    """Median of clips with its 95 % interval from a bootstrap over them; how many have a value."""
    sound = values[np.isfinite(values)]
    if not len(sound):
        return np.nan, np.nan, np.nan, 0
    rng = seeds.rng("dispersion", "median", seed)
    drawn = np.median(sound[rng.integers(len(sound), size=(draws, len(sound)))], axis=1)
    low, high = np.quantile(drawn, (0.025, 0.975)) if len(sound) > 1 else (np.nan, np.nan)
    return float(np.median(sound)), float(low), float(high), len(sound)


def _corrected(found: Draws) -> Interval:
    """BCa interval of scores (...)."""
    from scipy.special import ndtr, ndtri

    bias, skew = _corrections(found)
    ordered, ends = np.sort(found.drawn, axis=0), []
    with np.errstate(invalid="ignore", divide="ignore"):
        for z in ndtri((0.025, 0.975)):
            level = ndtr(bias + (bias + z) / (1 - skew * (bias + z)))
            ends.append(_quantile(ordered, level))
    there = np.isfinite(ends).all(0)  # draws without a score, all of one clip for instance
    return Interval(found.value, *(np.where(there, end, np.nan)[()] for end in ends))


def _corrections(found: Draws) -> tuple[np.ndarray, np.ndarray]:
    """Bias and acceleration (...) of draws; what isn't the units' is symmetric, and without part.

    Its variance adds to that over units, by which the skewness of the units' part is measured.
    """
    from scipy.special import ndtri

    value, drawn, left, apart, others = found
    others = others + (apart**2).sum(-1) / (2 * max(apart.shape[-1], 1))
    with np.errstate(invalid="ignore", divide="ignore"):
        bias, units = (
            ndtri((drawn < value).mean(0) + 0.5 * (drawn == value).mean(0)),
            left.shape[-1],
        )
        spread = (left.mean(-1, keepdims=True) - left) * ((units - 1) / units)
        skew = (spread**3).sum(-1) / (6 * ((spread**2).sum(-1) + others) ** 1.5)
    usable = np.isfinite(bias) & np.isfinite(skew)
    return np.where(usable, bias, 0.0), np.where(usable, skew, 0.0)


def _by_length(lengths: np.ndarray, found: Mapping[int, np.ndarray]) -> np.ndarray:
    """Of what is known (..., score) for blocks of each length, what is each score's own."""
    return np.select([lengths == length for length in found], list(found.values()), np.nan)


def _at(again: Callable[[int], Draws], place: tuple[int, ...], length: int) -> Draws:
    """Draws of one of several scores."""
    return again(length).at(*place)


def _quantile(drawn: np.ndarray, level: np.ndarray) -> np.ndarray:
    """Quantile of sorted draws (draw, ...) at a level of its own for each score (...).

    Of the draws that have a score; nan if more than one in `RARELY` have none.
    """
    there = np.isfinite(drawn).sum(0)
    place = np.clip(level, 0.0, 1.0) * np.maximum(there - 1, 0)
    below = np.floor(place).astype(int)
    above = np.minimum(below + 1, np.maximum(there - 1, 0))
    low = np.take_along_axis(drawn, below[None], 0)[0]
    high = np.take_along_axis(drawn, above[None], 0)[0]
    found = low + (place - below) * (high - low)
    return np.where(len(drawn) - there > len(drawn) / RARELY, np.nan, found)
