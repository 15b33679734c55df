"""Scores, and how sure we are of them: everything from sums per clip.

A score of many rows is a function of sums over clips. So a bootstrap over clips only reweights the
sums, and thousands of draws for thousands of scores are one matrix product.

A score of an encoder that has several members, independently seeded or trained networks, is the
mean of theirs. Then every draw weighs the members too:

    w = 1 + sqrt(M / chi2) (e - mean e),    e: M standard normal numbers,
                                            chi2: of M - 1 degrees of freedom

so that the mean of M normal scores that all clips agree on has Student's t interval. Members drawn
with replacement would be too alike: five of them give 80 % of the variance, with a normal's ends.

What the score of a fitted model owes to the clips that it was fitted to, no weight of held-out
clips shows. Halves do: the fits are redone on either half of the clips, and both are scored on all
of them. The two have no clip in common to learn from, so that their difference is what training
sets of half the size bring. Relative to the error it is taken to be the same at full size:

    error = error of the drawn clips x exp(sqrt(2 / S) sum_s z_s d_s),    z standard normal
    d_s = 1/2 log(error by the first half of split s / error by the second),    S splits

A clip that is hard to predict is often a bad one to learn from too, and what is learned from a clip
of like use to others: what clips bring as held-out and as training ones hangs together. So the
deviation of the drawn clips' error is made f times as large,

    f^2 = 1 + mean_s(D_s T_s) / V

with D_s the difference of the two halves' scores, T_s that of what the halves' clips, held out,
bring to the score, and V its variance over held-out clips.

Where clips are windows of one long film, blocks of neighbours are drawn in place of groups; see
``statistics.blocks``.

References
----------
Hesterberg, "What teachers should know about the bootstrap", The American Statistician 69 (2015):
why the bootstrap of few is too narrow;
Shao, Wu, "A general theory for jackknife variance estimation", Annals of Statistics 17 (1989): what
half-samples know of models that are no smooth function of their clips.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple, Self

import numpy as np

from physprobe.statistics import blocks, seeds

Statistic = Callable[[np.ndarray], np.ndarray]
"""From totals (..., part) to a score (...)."""
Members = tuple[tuple[str, int], ...]
"""Encoders that have several members, by name, and how many: one name, one draw of its members."""


ESTIMAND = "data sets"
"""Of an interval: the mean score over data sets of this size, fits and all."""
FIXED = "these fits"
"""Of an interval: the score of these very fits on other clips, as if none had been fitted to."""
ERROR = 1
"""Place of the squared error in sums of `r2_sums`."""
RARELY = 50
"""Of so many draws one may be without a score, such as R2 where all labels drawn are alike."""
TIED = 1e-9
"""Probabilities that differ by no more are equal: no fit is more exact."""


class Halves(NamedTuple):
    """What scores owe to the clips that models are fitted to, from fits to halves of them."""

    deviations: np.ndarray
    """(..., split, part) half the logarithm of a part's total by the fits to the first half over
    that by the second; 0 of parts that no fit has to do with. The others are positive."""
    signs: np.ndarray
    """(split, clip) 1 of clips in the first half, -1 of those in the second; of a group alike."""
    wide: np.ndarray | None = None
    """(..., part) how many times as far away the draws' totals are, once that is known: it is that
    of the score which the part belongs to."""

    @classmethod
    def at(cls, place: int, parts: int, ratios: np.ndarray, signs: np.ndarray) -> "Halves | None":
        """Of sums with one part that fits have to do with, from its own deviations (..., split).

        None if fits were redone on no half: they are held fixed then.
        """
        if not np.shape(ratios)[-1]:
            return None
        found = np.zeros((*np.shape(ratios), parts))
        found[..., place] = ratios
        return cls(found, np.asarray(signs, float))

    def of(self, clips: np.ndarray) -> "Halves":
        """The same about some of the clips, or all in another order."""
        return Halves(self.deviations, self.signs[:, clips], self.wide)


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


class _Drawn(NamedTuple):
    """What an interval follows from."""

    value: np.ndarray
    """(...) the score."""
    drawn: np.ndarray
    """(draw, ...) the score in each draw."""
    left: np.ndarray
    """(..., unit) the score without each unit, as far away as its draws are."""
    apart: np.ndarray
    """(..., split) the score by the first half's fits less that by the second's."""
    others: np.ndarray
    """(...) variance that comes of members."""


class _Series(NamedTuple):
    """How scores of windows of one film are drawn."""

    lengths: np.ndarray
    """(...) windows of a block."""
    again: Callable[[int], _Drawn]
    """Draws of blocks of another length, of all scores."""

    def at(self, *place: int) -> "_Series":
        """Of one of several scores."""

        def again(length: int) -> _Drawn:
            where: tuple[slice | int, ...] = (slice(None), *place)
            found = self.again(length)
            return _Drawn(
                found.value[place], found.drawn[where], found.left[place], found.apart[place],
                found.others[place],
            )  # fmt: skip

        return _Series(self.lengths[place], again)


class Resampled(Interval):
    """An interval of :func:`bootstrap`, which keeps the draws that it follows from."""

    drawn: np.ndarray
    """(draw, ...) the score in each."""
    left: np.ndarray
    """(..., unit) the score without each clip, or group of clips."""
    apart: np.ndarray
    """(..., split) the score by the first half's fits less that by the second's."""
    seed: int
    estimand: str
    """What the interval is about: `ESTIMAND` or `FIXED`."""
    series: "_Series | None" = None
    """Of windows of one film, how long blocks are, and the draws of blocks of other lengths."""

    @classmethod
    def of(cls, interval: Interval, found: _Drawn, seed: int, estimand: str) -> Self:
        """An interval with its draws."""
        kept = cls(*interval)
        _, kept.drawn, kept.left, kept.apart, _ = found
        kept.seed, kept.estimand = seed, estimand
        return kept

    @property
    def units(self) -> np.ndarray:
        """How many independent units each score is over: groups, clips, or blocks of windows."""
        many = float(self.left.shape[-1])
        return np.full(np.shape(self.value), many) / (self.series.lengths if self.series else 1.0)

    def at(self, *place: int) -> "Resampled":
        """One of several scores, without a view of the others' draws."""
        where: tuple[slice | int, ...] = (slice(None), *place)
        own = _Drawn(
            self.value[place], self.drawn[where].copy(), self.left[place].copy(),
            self.apart[place].copy(), np.zeros(()),
        )  # fmt: skip
        found = Resampled.of(super().at(*place), own, self.seed, self.estimand)
        found.series = self.series and self.series.at(*place)
        return found

    def row(self, undefined: str | None = None) -> dict:
        """Columns, what the interval is about, and the interval itself as ``interval``."""
        columns = self.columns(undefined)
        about = None if columns["ci_low"] is None else self.estimand
        return columns | {"estimand": about, "interval": self}


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


def half_ratios(errors: np.ndarray, least: float = 0.0) -> np.ndarray:
    """Half the logarithm of the error by one half's fits over that by the other's.

    Parameters
    ----------
    errors : (..., split, 2)
        Totals over the same clips.
    least : float
        Added to both, where errors are counts that may be none.

    Returns
    -------
    (..., split)
    """
    errors = np.maximum(errors + least, np.finfo(float).tiny)
    return 0.5 * np.log(errors[..., 0] / errors[..., 1])


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
    """Share from totals of (part, whole): 0 to 1, whatever fits add to a draw."""
    return np.clip(mean_of(totals), 0.0, 1.0)


def accuracy_of(totals: np.ndarray) -> np.ndarray:
    """Accuracy from totals of (wrong, whole)."""
    return np.clip(1.0 - mean_of(totals), 0.0, 1.0)


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
        Score from totals (..., part), for instance `r2_of`; with members from totals and, behind
        them, the weight of each member, 1 in the score itself.
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
    order, by_unit = blocks.ordered(groups), by_group(sums, groups)
    if order is not None and len(order) > 1:
        return _of_series(_in_time(sums, statistic, groups, order, draws, seed, members, halves))
    if by_unit.shape[-2] < 2:
        value = statistic(weighed(by_unit.sum(-2), members))
        return Interval(value, np.full_like(value, np.nan), np.full_like(value, np.nan))
    with np.errstate(invalid="ignore", divide="ignore"):
        about = _by_unit_of(halves, groups)
        found = _resampled(by_unit, statistic, draws, seed, members, about)
        return Resampled.of(_interval(found), found, seed, FIXED if about is None else ESTIMAND)


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
    series = [part.series for part in parts if part.series]
    if series:  # blocks as long as the longest, so that all are drawn alike
        longest = max(int(each.lengths) for each in series)
        again = [each.again(longest) for each in series]
        parts = [
            Resampled.of(part, new, part.seed, part.estimand)
            for part, new in zip(parts, again, strict=True)
        ]
    each = np.stack([part.drawn for part in parts], -1)
    weights = _member_weights(name, len(parts), len(first.drawn), first.seed)
    own = np.array([part.value for part in parts])
    members = _jackknife((own.sum() - own) / max(len(own) - 1, 1))
    with np.errstate(invalid="ignore", divide="ignore"):
        return _interval(
            _Drawn(
                own.mean(),
                (each * weights).mean(-1),
                np.mean([part.left for part in parts], axis=0),
                np.mean([part.apart for part in parts], axis=0),
                members,
            )
        )


def _in_time(
    sums: np.ndarray,
    statistic: Statistic,
    groups: Sequence | np.ndarray | None,
    order: np.ndarray,
    draws: int,
    seed: int,
    members: Members,
    halves: Halves | None,
) -> "_Windows":
    """Windows of one film, in their order in time (clip,)."""
    sums = np.asarray(sums, float)
    if halves is not None and halves.wide is None:
        # fits are redone on halves of whole parts of the film
        halves = halves._replace(wide=stretched(sums, statistic, groups, halves))
    return _Windows(
        sums[..., order, :], statistic, draws, seed, members, halves and halves.of(order)
    )


class _Windows(NamedTuple):
    """Scores of windows of one film."""

    sums: np.ndarray
    """(..., window, part) in the order of time."""
    statistic: Statistic
    draws: int
    seed: int
    members: Members
    halves: Halves | None

    def resampled(self, length: int) -> _Drawn:
        """Score and its draws, in blocks of so many windows."""
        return _resampled(
            self.sums, self.statistic, self.draws, self.seed, self.members, self.halves, length
        )

    def without(self) -> np.ndarray:
        """Scores (..., window) without each window."""
        total = self.sums.sum(-2)[..., None, :]
        return self.statistic(weighed(total - self.sums, self.members))

    def lengths(self) -> np.ndarray:
        """Windows of a block (...), by what each window does to the score."""
        return np.ceil(np.apply_along_axis(blocks.length, -1, self.without())).astype(int)


def _of_series(windows: _Windows) -> Interval:
    """BCa interval of scores (...), each by blocks of its own length."""
    with np.errstate(invalid="ignore", divide="ignore"):
        lengths = windows.lengths()
        each = {int(length): windows.resampled(int(length)) for length in np.unique(lengths)}
        ends = {length: _interval(found) for length, found in each.items()}
        value, _, _, apart, others = first = next(iter(each.values()))
        low, high, drawn = (np.full_like(part, np.nan) for part in (value, value, first.drawn))
        for length, found in each.items():
            own = lengths == length
            low = np.where(own, ends[length].low, low)
            high = np.where(own, ends[length].high, high)
            drawn = np.where(own, found.drawn, drawn)
        whole = _Drawn(value, drawn, windows.without(), apart, others)
    estimand = FIXED if windows.halves is None else ESTIMAND
    kept = Resampled.of(Interval(value, low[()], high[()]), whole, windows.seed, estimand)
    kept.series = _Series(lengths, windows.resampled)
    return kept


def _interval(found: _Drawn) -> Interval:
    """BCa interval of scores (...)."""
    from scipy.special import ndtr, ndtri

    bias, skew = _corrections(found)
    ordered, ends = np.sort(found.drawn, axis=0), []
    for z in ndtri((0.025, 0.975)):
        level = ndtr(bias + (bias + z) / (1 - skew * (bias + z)))
        ends.append(_quantile(ordered, level))
    there = np.isfinite(ends).all(0)  # draws without a score, all of one clip for instance
    return Interval(found.value, *(np.where(there, end, np.nan)[()] for end in ends))


def bootstrap_p(
    sums: np.ndarray,
    statistic: Statistic,
    at: float = 0.0,
    *,
    groups: Sequence | np.ndarray | None = None,
    draws: int = 2000,
    seed: int = 0,
    members: Members = (),
    halves: Halves | None = None,
) -> float:
    """Two-sided p of one score against the value ``at``, by the same bootstrap over clips.

    It is below 0.05 where ``at`` lies outside of `bootstrap`'s interval, and never below
    1 / (draws + 1).

    Parameters
    ----------
    sums : (clip, part)
    statistic : callable
    at : float
    groups, draws, seed, members, halves
        As for `bootstrap`.

    Returns
    -------
    float
        nan where the score is undefined.
    """
    from scipy.special import ndtr, ndtri

    order, by_unit = blocks.ordered(groups), by_group(sums, groups)
    if len(by_unit) < 2:
        return float("nan")
    with np.errstate(invalid="ignore", divide="ignore"):
        if order is not None:
            windows = _in_time(sums, statistic, groups, order, draws, seed, members, halves)
            found = windows.resampled(int(windows.lengths()))
        else:
            about = _by_unit_of(halves, groups)
            found = _resampled(by_unit, statistic, draws, seed, members, about)
        (bias, skew), (value, drawn, *_) = _corrections(found), found
        if not np.isfinite(value) or not np.isfinite(drawn).all():
            return float("nan")
        share = (drawn < at).mean() + 0.5 * (drawn == at).mean()
        # the level of the interval whose end is `at`
        away = ndtri(np.clip(share, 0.5 / draws, 1 - 0.5 / draws)) - bias
        tail = float(ndtr(away / (1 + skew * away) - bias))
    return max(min(1.0, 2 * min(tail, 1 - tail)), 1 / (draws + 1))


def _resampled(
    by_unit: np.ndarray,
    statistic: Statistic,
    draws: int,
    seed: int,
    members: Members,
    halves: Halves | None,
    length: int = 0,
) -> _Drawn:
    """Score and its draws, of single units or, if they are windows in time, in blocks of them."""
    total, units = by_unit.sum(-2), by_unit.shape[-2]
    value = statistic(weighed(total, members))
    others, apart = np.zeros_like(value), np.zeros((*value.shape, 0))
    if length:
        often, single = blocks.weights(units, length, draws, seed), blocks.cut(by_unit, length)
    else:
        often, single = _weights(units, draws, seed), by_unit
    wide = _widening(units / max(length, 1))
    factor, of_fits = np.ones(()), np.zeros(by_unit.shape[-1], bool)
    if halves is not None:
        logs, signs, known = halves
        wide = wide * (_stretch(by_unit, statistic, halves) if known is None else known)
        apart = _apart(total, statistic, halves, members)
        normal = _split_weights(len(signs), draws, seed)
        of_fits = (logs != 0).any(tuple(range(logs.ndim - 1)))
        factor = np.exp(np.sqrt(2 / len(signs)) * (normal @ logs))
    left = statistic(weighed(total[..., None, :] - single * wide[..., None, :], members))
    totals = _wider(often @ by_unit, by_unit, wide, of_fits) * factor
    weights = [_member_weights(*member, draws, seed) for member in members]
    drawn = np.moveaxis(statistic(weighed(totals, members, weights)), -1, 0)
    for place, (_, count) in enumerate(members):
        # the mean of the others: a weight of 0, the rest in its place
        less = [np.ones((count, other)) for _, other in members]
        less[place] = (1.0 - np.eye(count)) * (count / max(count - 1, 1))
        shape = (*total.shape[:-1], count, total.shape[-1])
        again = np.broadcast_to(total[..., None, :], shape)
        others = others + _jackknife(statistic(weighed(again, members, less)))
    return _Drawn(value, drawn, left, apart, others)


def stretched(
    sums: np.ndarray,
    statistic: Statistic,
    groups: Sequence | np.ndarray | None,
    halves: Halves,
) -> np.ndarray:
    """How many times as far away draws of clips are, by part; see :func:`_stretch`."""
    by_unit = halves if groups is None else halves.of(np.unique(groups, return_index=True)[1])
    return _stretch(by_group(sums, groups), statistic, by_unit)


def _stretch(by_unit: np.ndarray, statistic: Statistic, halves: Halves) -> np.ndarray:
    """How many times as far away draws of clips are because clips are fitted to as well: f above.

    The square is at most 2: what clips do in both of their roles can't hang together any closer.

    Parameters
    ----------
    by_unit : (..., unit, part)
        Sums of what is drawn together.
    statistic : callable
    halves : Halves
        With the signs of units.

    Returns
    -------
    (..., part)
        The same for all parts.
    """
    total = by_unit.sum(-2)
    with np.errstate(invalid="ignore", divide="ignore"):
        left = statistic(total[..., None, :] - by_unit)
        own = left.mean(-1, keepdims=True) - left
        apart = _apart(total, statistic, halves, ())
        together = (apart * (own @ halves.signs.T)).mean(-1) / (own**2).sum(-1)
    found = np.sqrt(1.0 + np.clip(np.nan_to_num(together), 0.0, 1.0))
    return np.repeat(found[..., None], by_unit.shape[-1], axis=-1)


def _apart(total: np.ndarray, statistic: Statistic, halves: Halves, members: Members) -> np.ndarray:
    """Score by the first half's fits less that by the second's (..., split)."""
    first, second = (
        statistic(weighed(total[..., None, :] * np.exp(side * halves.deviations), members))
        for side in (1.0, -1.0)
    )
    return first - second


def _wider(
    totals: np.ndarray, by_unit: np.ndarray, wide: np.ndarray, fitted: np.ndarray
) -> np.ndarray:
    """Draws' totals (..., draw, part), so many times (..., part) as far away from the units' own.

    As if units had been drawn so much more unevenly, some of them less than never; but errors of
    fits, ``fitted`` (part,), are positive and are scaled on the scale of their logarithm.
    """
    own = by_unit.sum(-2)[..., None, :]
    wide = np.broadcast_to(wide[..., None, :], own.shape)
    found = own + (totals - own) * wide
    one, all_, power = own[..., fitted], totals[..., fitted], wide[..., fitted]
    found[..., fitted] = np.where(one > 0, one * (np.maximum(all_, 0.0) / one) ** power, all_)
    return found


def _widening(units: float) -> np.ndarray:
    """How much wider draws of few units have to be: t over normal, and n - 1 in place of n."""
    from scipy.special import ndtri, stdtrit

    found = stdtrit(units - 1, 0.975) / ndtri(0.975) * np.sqrt(units / (units - 1))
    return np.full(1, found)


def _jackknife(left: np.ndarray) -> np.ndarray:
    """Variance (...) of a score from what it is without each of its members (..., member)."""
    count = left.shape[-1]
    apart = (left - left.mean(-1, keepdims=True)) * (count - 1) / count
    return (apart**2).sum(-1)


def _corrections(found: _Drawn) -> tuple[np.ndarray, np.ndarray]:
    """Bias and acceleration (...) of draws; what isn't the units' is symmetric, and without part.

    Its variance adds to that over units, by which the skewness of the units' part is measured.
    """
    from scipy.special import ndtri

    value, drawn, left, apart, others = found
    others = others + (apart**2).sum(-1) / (2 * max(apart.shape[-1], 1))
    bias, units = ndtri((drawn < value).mean(0) + 0.5 * (drawn == value).mean(0)), left.shape[-1]
    spread = (left.mean(-1, keepdims=True) - left) * ((units - 1) / units)
    skew = (spread**3).sum(-1) / (6 * ((spread**2).sum(-1) + others) ** 1.5)
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
    halves: Halves | None = None,
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
    groups, draws, seed, members, halves
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
    order, by_unit = blocks.ordered(groups), by_group(sums, groups)
    value, units = statistic(weighed(by_unit.sum(-2), members)), by_unit.shape[-2]
    with np.errstate(invalid="ignore", divide="ignore"):
        drawn = value[:, None]
        if units > 1:
            if order is None:
                about = _by_unit_of(halves, groups)
                found = _resampled(by_unit, statistic, draws, seed, members, about)
            else:  # all points at once, so in blocks as long as any of them needs
                windows = _in_time(sums, statistic, groups, order, draws, seed, members, halves)
                found = windows.resampled(int(windows.lengths().max()))
            drawn = np.moveaxis(found.drawn, 0, -1)
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


def by_group(sums: np.ndarray, groups: Sequence | np.ndarray | None) -> np.ndarray:
    """Sums (..., unit, part) of what is drawn together, from those of clips (..., clip, part)."""
    sums = np.asarray(sums, float)
    if groups is None:
        return sums
    _, member, counts = np.unique(groups, return_inverse=True, return_counts=True)
    order = np.argsort(member, kind="stable")
    return np.add.reduceat(sums[..., order, :], np.cumsum(counts) - counts, axis=-2)


def _by_unit_of(halves: Halves | None, groups: Sequence | np.ndarray | None) -> Halves | None:
    """Halves with the sign of each unit."""
    if halves is None or groups is None:
        return halves
    return halves.of(np.unique(groups, return_index=True)[1])


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


@lru_cache(4)
def _split_weights(splits: int, draws: int, seed: int) -> np.ndarray:
    """How far each draw goes along each split: (draw, split), of Student's t in any direction."""
    rng = seeds.rng("halves", seed, splits)
    normal = rng.normal(size=(draws, splits))
    return normal * np.sqrt(splits / rng.chisquare(splits, size=(draws, 1)))


def _ratio_skill(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """1 - part / whole; nan where the whole is nothing."""
    return 1.0 - part / np.where(whole > 0, whole, np.nan)


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


def share(happened: Sequence[bool]) -> Interval:
    """Share of what happened, with Wilson's interval.

    References
    ----------
    Wilson, Probable inference, the law of succession, and statistical inference, J. Am. Stat.
    Assoc. 22 (1927) 209-212.
    """
    from scipy.stats import binomtest

    test = binomtest(sum(happened), len(happened))
    low, high = test.proportion_ci(method="wilson")
    return Interval(test.statistic, low, high)
