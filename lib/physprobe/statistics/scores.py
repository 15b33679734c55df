"""Scores, and how sure we are of them: everything from sums per clip.

A score of many rows is a function of sums over clips. So a bootstrap over clips only reweights the
sums, and thousands of draws for thousands of scores are one matrix product.

A score of an encoder that has several members, independently seeded or trained networks, is the
mean of theirs. Then every draw weighs the members too:

    w = 1 + sqrt(M / chi2) (e - mean e),    e: M standard normal numbers,
                                            chi2: of M - 1 degrees of freedom

so that the mean of M normal scores that all clips agree on has Student's t interval. Members drawn
with replacement would be too alike: five of them give 80 % of the variance, with a normal's ends.

References
----------
Hesterberg, "What teachers should know about the bootstrap", The American Statistician 69 (2015):
why the bootstrap of few is too narrow.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple, Self

import numpy as np

from physprobe.statistics import seeds

Statistic = Callable[[np.ndarray], np.ndarray]
"""From totals (..., part) to a score (...)."""
Members = tuple[tuple[str, int], ...]
"""Encoders that have several members, by name, and how many: one name, one draw of its members."""


TIED = 1e-9
"""Probabilities that differ by no more are equal: no fit is more exact."""


class Interval(NamedTuple):
    """A score with its 95 % interval, each (...)."""

    value: np.ndarray
    low: np.ndarray
    high: np.ndarray

    def at(self, *place: int) -> "Interval":
        """One of several scores."""
        return Interval(*(part[place] for part in self))

    def columns(self, undefined: str | None = None) -> dict:
        """Columns of a result's row; of a score that is not finite the note that says why."""
        value, low, high = (float(part) for part in self)
        if not np.isfinite(value):
            nothing = dict.fromkeys(("value", "ci_low", "ci_high"))
            return nothing | ({"note": undefined} if undefined else {})
        return {"value": value, "ci_low": low, "ci_high": high}

    def row(self, undefined: str | None = None) -> dict:
        """Columns, and what a mean over members needs besides, if the interval has kept it."""
        return self.columns(undefined)


class Resampled(Interval):
    """An interval of :func:`bootstrap`, which keeps the draws that it follows from."""

    drawn: np.ndarray
    """(draw, ...) the score in each."""
    left: np.ndarray
    """(..., unit) the score without each clip, or group of clips."""
    seed: int

    @classmethod
    def of(cls, interval: Interval, drawn: np.ndarray, left: np.ndarray, seed: int) -> Self:
        """An interval with its draws."""
        found = cls(*interval)
        found.drawn, found.left, found.seed = drawn, left, seed
        return found

    def at(self, *place: int) -> "Resampled":
        """One of several scores, without a view of the others' draws."""
        where: tuple[slice | int, ...] = (slice(None), *place)
        drawn, left = self.drawn[where].copy(), self.left[place].copy()
        return Resampled.of(super().at(*place), drawn, left, self.seed)

    def row(self, undefined: str | None = None) -> dict:
        """Columns, and the interval itself as ``interval``."""
        return self.columns(undefined) | {"interval": self}


def r2(truth: np.ndarray, prediction: np.ndarray, axis: int = -1) -> np.ndarray:
    """1 - SSE / SST, with SST about the mean of the held-out truth itself.

    Of all constants that mean makes SST smallest, so this is the strictest choice: a mean over
    training clips could only raise the score. Undefined (nan) if the truth is constant.
    """
    truth, prediction = np.asarray(truth, float), np.asarray(prediction, float)
    spread = ((truth - truth.mean(axis, keepdims=True)) ** 2).sum(axis)
    spread = np.where(np.ptp(truth, axis) > 0, spread, 0.0)  # rounding is no variance
    return _ratio_skill(((truth - prediction) ** 2).sum(axis), spread)


def mae(truth: np.ndarray, prediction: np.ndarray, axis: int = -1) -> np.ndarray:
    """Mean absolute error, in the truth's unit."""
    return np.abs(np.asarray(truth, float) - np.asarray(prediction, float)).mean(axis)


def skill(sse: np.ndarray, baseline: np.ndarray) -> np.ndarray:
    """1 - SSE / SSE(baseline): 0 is as good as the baseline, 1 perfect; nan if it is perfect."""
    return _ratio_skill(np.asarray(sse, float), np.asarray(baseline, float))


def cosine(a: np.ndarray, b: np.ndarray, axis: int = -1) -> np.ndarray:
    """Uncentred cosine of vectors along an axis; for comparison with published numbers only."""
    a, b = np.asarray(a, float), np.asarray(b, float)
    norms = np.linalg.norm(a, axis=axis) * np.linalg.norm(b, axis=axis)
    return (a * b).sum(axis) / np.where(norms > 0, norms, np.nan)


def r2_sums(truth: np.ndarray, squared_error: np.ndarray) -> np.ndarray:
    """Per-clip sums that `r2_of` needs.

    Parameters
    ----------
    truth : (..., clip)
    squared_error : (..., clip)
        Of the clip's prediction; its mean over tokens if there are several.

    Returns
    -------
    (..., clip, 4)
    """
    return pooled_r2_sums(np.asarray(truth)[..., None], squared_error)


def pooled_r2_sums(truth: np.ndarray, squared_error: np.ndarray) -> np.ndarray:
    """Per-clip sums for `r2_of` of targets with several columns, scored together.

        R2 = 1 - sum over columns of SSE / sum over columns of SST

    Parameters
    ----------
    truth : (..., clip, column)
        A column of zeros changes nothing.
    squared_error : (..., clip)
        Summed over columns.

    Returns
    -------
    (..., clip, 3 + column)
    """
    # A shift changes no score and spares the variance its cancellation.
    centred = truth - truth.mean(-2, keepdims=True)
    squared, error = np.broadcast_arrays((centred**2).sum(-1), squared_error)
    centred = np.broadcast_to(centred, (*error.shape, centred.shape[-1]))
    sums = np.stack([np.ones_like(squared), error, squared], axis=-1)
    return np.concatenate([sums, centred], axis=-1)


def r2_of(totals: np.ndarray) -> np.ndarray:
    """R2 from totals of `r2_sums`, or of `pooled_r2_sums`."""
    count, sse, squared = np.moveaxis(totals[..., :3], -1, 0)
    return _ratio_skill(sse, squared - (totals[..., 3:] ** 2).sum(-1) / count)


def log_error_of(totals: np.ndarray) -> np.ndarray:
    """log(1 - R2) from totals of `r2_sums`; its draws spread more evenly than those of R2."""
    return np.log(np.maximum(1.0 - r2_of(totals), 1e-12))


def mean_of(totals: np.ndarray) -> np.ndarray:
    """Mean from totals of (value, count); mean absolute error, for one."""
    return totals[..., 0] / totals[..., 1]


def share_of(totals: np.ndarray) -> np.ndarray:
    """Share from totals of (part, whole): 0 to 1, whatever influences on fits add to a draw."""
    return np.clip(mean_of(totals), 0.0, 1.0)


def skill_of(totals: np.ndarray) -> np.ndarray:
    """Skill from totals of (SSE, SSE of the baseline)."""
    return _ratio_skill(totals[..., 0], totals[..., 1])


def bootstrap(
    sums: np.ndarray,
    statistic: Statistic,
    *,
    groups: Sequence | np.ndarray | None = None,
    draws: int = 2000,
    seed: int = 0,
    members: Members = (),
) -> Interval:
    """95 % interval of scores by bootstrap over clips, or over whole groups of clips.

    The interval is bias-corrected and accelerated (BCa); where the draws say nothing about the
    bias (all on one side), it is the percentile interval. It says how the score varies with the
    clips that it is read on; and with those that models are fitted to as far as the sums hold each
    clip's influence on the fits, as those of ridge probes do. With members, it says how the score
    varies with the networks too.

    Parameters
    ----------
    sums : (..., clip, part)
        Sums per clip.
    statistic : callable
        Score from totals (..., part), for instance `r2_of`; with members from totals and, behind
        them, the weight of each member, 1 in the score itself.
    groups : (clip,), optional
        Clips of one group are drawn together.
    draws : int
    seed : int
        Same seed and groups, same draws: intervals of two calls are paired.
    members : sequence of (str, int), optional
        Encoders of several members that the score depends on.

    Returns
    -------
    Interval
        nan where the score is undefined; no ends where too many draws leave it so.

    References
    ----------
    Efron, "Better bootstrap confidence intervals", JASA 82 (1987).
    """
    by_unit = _by_unit(sums, groups)
    if by_unit.shape[-2] < 2:
        value = statistic(weighed(by_unit.sum(-2), members))
        return Interval(value, np.full_like(value, np.nan), np.full_like(value, np.nan))
    with np.errstate(invalid="ignore", divide="ignore"):
        value, drawn, left, without = _resampled(by_unit, statistic, draws, seed, members)
        interval = _interval(value, drawn, left, without)
    return Resampled.of(interval, drawn, left, seed)


def mean_of_members(parts: Sequence[Resampled], name: str) -> Interval:
    """Mean of the scores () of an encoder's members, whose draws of clips are the same.

    Parameters
    ----------
    parts : sequence of Resampled
        Of one score each, in the order of the members.
    name : str
        Of the encoder: one name, one draw of its members.

    Raises
    ------
    ValueError
        If they were drawn in different ways.
    """
    first = parts[0]
    shapes = {(part.drawn.shape, part.left.shape, part.seed) for part in parts}
    if len(shapes) > 1:
        raise ValueError("Scores of members that are drawn in different ways have no mean.")
    each = np.stack([part.drawn for part in parts], -1)
    weights = _member_weights(name, len(parts), len(first.drawn), first.seed)
    own = np.array([part.value for part in parts])
    with np.errstate(invalid="ignore", divide="ignore"):
        return _interval(
            own.mean(),
            (each * weights).mean(-1),
            np.mean([part.left for part in parts], axis=0),
            [(own.sum() - own) / max(len(own) - 1, 1)],
        )


def _interval(
    value: np.ndarray, drawn: np.ndarray, left: np.ndarray, without: Sequence[np.ndarray]
) -> Interval:
    """BCa interval of scores (...) from what :func:`_resampled` returns."""
    from scipy.special import ndtr, ndtri

    bias, skew = _corrections(value, drawn, left, without)
    ordered, ends = np.sort(drawn, axis=0), []
    for z in ndtri((0.025, 0.975)):
        level = ndtr(bias + (bias + z) / (1 - skew * (bias + z)))
        ends.append(_quantile(ordered, level))
    there = np.isfinite(ends).all(0)  # draws without a score, all of one clip for instance
    return Interval(value, *(np.where(there, end, np.nan)[()] for end in ends))


def bootstrap_p(
    sums: np.ndarray,
    statistic: Statistic,
    at: float = 0.0,
    *,
    groups: Sequence | np.ndarray | None = None,
    draws: int = 2000,
    seed: int = 0,
    members: Members = (),
) -> float:
    """Two-sided p of one score against the value ``at``, by the same bootstrap over clips.

    It is below 0.05 where ``at`` lies outside of `bootstrap`'s interval, and never below
    1 / (draws + 1).

    Parameters
    ----------
    sums : (clip, part)
    statistic : callable
    at : float
    groups, draws, seed, members
        As for `bootstrap`.

    Returns
    -------
    float
        nan where the score is undefined.
    """
    from scipy.special import ndtr, ndtri

    by_unit = _by_unit(sums, groups)
    if len(by_unit) < 2:
        return float("nan")
    with np.errstate(invalid="ignore", divide="ignore"):
        value, drawn, left, without = _resampled(by_unit, statistic, draws, seed, members)
        bias, skew = _corrections(value, drawn, left, without)
        if not np.isfinite(value) or not np.isfinite(drawn).all():
            return float("nan")
        share = (drawn < at).mean() + 0.5 * (drawn == at).mean()
        # the level of the interval whose end is `at`
        away = ndtri(np.clip(share, 0.5 / draws, 1 - 0.5 / draws)) - bias
        tail = float(ndtr(away / (1 + skew * away) - bias))
    return max(min(1.0, 2 * min(tail, 1 - tail)), 1 / (draws + 1))


def _resampled(
    by_unit: np.ndarray, statistic: Statistic, draws: int, seed: int, members: Members
) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[np.ndarray]]:
    """Score, its draws (draw, ...), what it is without each unit, and without each member."""
    total, units = by_unit.sum(-2), by_unit.shape[-2]
    value = statistic(weighed(total, members))
    weights = [_member_weights(*member, draws, seed) for member in members]
    totals = _weights(units, draws, seed) @ by_unit
    drawn = np.moveaxis(statistic(weighed(totals, members, weights)), -1, 0)
    left = statistic(weighed(total[..., None, :] - by_unit, members))
    without = []
    for place, (_, count) in enumerate(members):
        # the mean of the others: a weight of 0, the rest in its place
        less = [np.ones((count, other)) for _, other in members]
        less[place] = (1.0 - np.eye(count)) * (count / max(count - 1, 1))
        shape = (*total.shape[:-1], count, total.shape[-1])
        again = np.broadcast_to(total[..., None, :], shape)
        without.append(statistic(weighed(again, members, less)))
    return value, drawn, left, without


def _corrections(
    value: np.ndarray, drawn: np.ndarray, left: np.ndarray, without: Sequence[np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Bias and acceleration (...) of draws; those of members are symmetric and have no part in it.

    The jackknife over members adds their variance to that over clips, by which the skewness of the
    clips' part is measured.
    """
    from scipy.special import ndtri

    bias = ndtri((drawn < value).mean(0) + 0.5 * (drawn == value).mean(0))
    spread = left.mean(-1, keepdims=True) - left
    squares = (spread**2).sum(-1)
    if len(without):
        clips = left.shape[-1]
        spread, squares = spread * ((clips - 1) / clips), squares * ((clips - 1) / clips) ** 2
    for other in without:
        count = other.shape[-1]
        apart = (other - other.mean(-1, keepdims=True)) * (count - 1) / count
        squares = squares + (apart**2).sum(-1)
    skew = (spread**3).sum(-1) / (6 * squares**1.5)
    usable = np.isfinite(bias) & np.isfinite(skew)
    return np.where(usable, bias, 0.0), np.where(usable, skew, 0.0)


def weighed(
    totals: np.ndarray, members: Members, weights: Sequence[np.ndarray] | None = None
) -> np.ndarray:
    """Totals (..., part + member): with the weight of each member behind them, 1 by default."""
    if not members:
        return totals
    found = [np.ones(count) for _, count in members] if weights is None else weights
    each = [np.broadcast_to(part, (*totals.shape[:-1], part.shape[-1])) for part in found]
    return np.concatenate([totals, *each], axis=-1)


def band(
    sums: np.ndarray,
    statistic: Statistic,
    *,
    groups: Sequence | np.ndarray | None = None,
    draws: int = 2000,
    seed: int = 0,
    members: Members = (),
) -> Interval:
    """95 % band of a curve by bootstrap over clips: it holds all points at once.

        value +- c x deviation of the draws,    c: 95th percentile of max over points |draw - value|
                                                   in units of that deviation

    Parameters
    ----------
    sums : (point, clip, part)
        Sums per clip; all points are read on the same clips.
    statistic : callable
        From totals (..., part), best on a scale on which its draws spread evenly, such as
        `log_error_of` rather than R2.
    groups, draws, seed, members
        As for `bootstrap`.

    Returns
    -------
    Interval
        Each (point,); nan where the score is undefined or never varies.

    References
    ----------
    Romano, Wolf, "Exact and approximate stepdown methods for multiple hypothesis testing",
    JASA 100 (2005).
    """
    by_unit = _by_unit(sums, groups)
    value, units = statistic(weighed(by_unit.sum(-2), members)), by_unit.shape[-2]
    with np.errstate(invalid="ignore", divide="ignore"):
        drawn = value[:, None]
        if units > 1:
            weights = [_member_weights(*member, draws, seed) for member in members]
            totals = _weights(units, draws, seed) @ by_unit
            drawn = statistic(weighed(totals, members, weights))
        deviation = drawn.std(-1)
        deviation[~(deviation > 0)] = np.nan
        distance = np.abs(drawn - value[:, None]) / deviation[:, None]
    if np.isnan(deviation).all():
        return Interval(value, np.full_like(value, np.nan), np.full_like(value, np.nan))
    reach = deviation * np.quantile(np.nanmax(distance, axis=0), 0.95)
    return Interval(value, value - reach, value + reach)


def contrasts(
    marks: np.ndarray, truth: np.ndarray, groups: Sequence | np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Which groups have their clips of the second class above those of the first; ties count half.

    The mean mark of a group's clips of either class is compared: of twins, a choice between two; of
    two possible and two impossible movies, scene-relative accuracy. That a readout sums the same
    frames for both classes makes a tie, and no error.

    Parameters
    ----------
    marks : (clip, ..., column)
        Probability of the second class, or anything that rises with it.
    truth : (clip, column) of 0 or 1
        Class of each clip.
    groups : (clip,)

    Returns
    -------
    ordered : (group, ..., column)
        1, 0, or 1/2 for means within ``TIED`` of each other; 0 where a group lacks a class.
    compared : (group, column)
        1 where a group has clips of both classes, else 0.
    """
    _, member = np.unique(groups, return_inverse=True)
    units = (member == np.arange(member.max() + 1)[:, None]).astype(float)
    between = (slice(None), *(None,) * (marks.ndim - 2), slice(None))
    means, there = [], []
    for number in (0, 1):
        inside = (truth == number).astype(float)
        count = units @ inside
        total = np.tensordot(units, marks * inside[between], 1)
        means.append(total / np.maximum(count, 1)[between])
        there.append(count > 0)
    compared = (there[0] & there[1]).astype(float)
    gap = means[1] - means[0]
    ordered = np.where(np.abs(gap) <= TIED, 0.5, (gap > 0).astype(float))
    return ordered * compared[between], compared


def median(values: np.ndarray, draws: int, seed: int) -> tuple[float, float, float, int]:
    """Median of clips with its 95 % interval from a bootstrap over them; how many have a value."""
    sound = values[np.isfinite(values)]
    if not len(sound):
        return np.nan, np.nan, np.nan, 0
    rng = seeds.rng("dispersion", "median", seed)
    drawn = np.median(sound[rng.integers(len(sound), size=(draws, len(sound)))], axis=1)
    low, high = np.quantile(drawn, (0.025, 0.975)) if len(sound) > 1 else (np.nan, np.nan)
    return float(np.median(sound)), float(low), float(high), len(sound)


def _by_unit(sums: np.ndarray, groups: Sequence | np.ndarray | None) -> np.ndarray:
    """Sums (..., unit, part) of what is drawn together."""
    sums = np.asarray(sums, float)
    if groups is None:
        return sums
    _, member = np.unique(groups, return_inverse=True)
    units = np.zeros((member.max() + 1, sums.shape[-2]))
    units[member, np.arange(len(member))] = 1.0
    return units @ sums


@lru_cache(2)
def _weights(units: int, draws: int, seed: int) -> np.ndarray:
    """How often each unit is in each draw: (draw, unit)."""
    rng = seeds.rng("bootstrap", seed, units)
    return rng.multinomial(units, np.full(units, 1 / units), size=draws).astype(float)


@lru_cache(16)
def _member_weights(name: str, count: int, draws: int, seed: int) -> np.ndarray:
    """Weight of each of an encoder's members in each draw: (draw, member), of mean 1; see above."""
    rng = seeds.rng("members", name, seed, count)
    normal = rng.normal(size=(draws, count))
    scale = np.sqrt(count / rng.chisquare(max(count - 1, 1), size=(draws, 1)))
    return 1.0 + scale * (normal - normal.mean(1, keepdims=True))


def _ratio_skill(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """1 - part / whole; nan where the whole is nothing."""
    return 1.0 - part / np.where(whole > 0, whole, np.nan)


def _quantile(drawn: np.ndarray, level: np.ndarray) -> np.ndarray:
    """Quantile of sorted draws (draw, ...) at a level of its own for each score (...)."""
    place = np.clip(level, 0.0, 1.0) * (len(drawn) - 1)
    below = np.floor(place).astype(int)
    above = np.minimum(below + 1, len(drawn) - 1)
    low = np.take_along_axis(drawn, below[None], 0)[0]
    high = np.take_along_axis(drawn, above[None], 0)[0]
    return low + (place - below) * (high - low)
