"""Paired: how far a score is above others that are read on the same clips.

An encoder against its controls, and all else of this kind. Clips of one group are drawn together,
and the best of several others is found anew in every draw, so that choosing it costs what it
should. Fits to halves of the clips go with them, the same halves for all. Where an encoder has
several members its score is their mean, and they are drawn as well: those of one encoder together,
those of two encoders apart.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from physprobe.statistics import bootstrap, ensemble, resampling
from physprobe.statistics.ensemble import Members
from physprobe.statistics.half_samples import Halves
from physprobe.statistics.intervals import Interval
from physprobe.statistics.scores import Statistic

Combine = Callable[[Sequence[np.ndarray]], np.ndarray]
"""From several scores, each (...), to one (...)."""


@dataclass(frozen=True)
class Scored:
    """A score, and the clips that it is read on."""

    sums: np.ndarray
    """(..., clip, part) what the score follows from."""
    statistic: Statistic
    """From totals (..., part) to the score; with members from their weights too."""
    groups: np.ndarray
    """(clip,) clips that are drawn together."""
    members: Members = ()
    """Encoders of several members that the score depends on."""
    halves: Halves | None = None
    """What it owes to the clips that models are fitted to; none if the fits are held fixed."""

    @property
    def value(self) -> np.ndarray:
        """The score itself."""
        return self.statistic(ensemble.weighed(self.sums.sum(-2), self.members))

    @property
    def still(self) -> "Scored":
        """The same with its members held fixed: as if there were no other networks."""

        def score(totals: np.ndarray) -> np.ndarray:
            return self.statistic(ensemble.weighed(totals, self.members))

        return Scored(self.sums, score, self.groups, halves=self.halves)

    def of(self, clips: np.ndarray) -> Self:
        """The same of some of its clips, or of all in another order."""
        halves = self.halves and self.halves.of(clips)
        sums, groups = self.sums[..., clips, :], self.groups[clips]
        return replace(self, sums=sums, groups=groups, halves=halves)

    def interval(self, draws: int, seed: int = 0) -> Interval:
        """Score with its 95 % interval."""
        return bootstrap.interval(
            self.sums,
            self.statistic,
            groups=self.groups,
            draws=draws,
            seed=seed,
            members=self.members,
            halves=self.halves,
        )

    def row(self, metric: str, draws: int, undefined: str | None = None) -> dict:
        """Columns of a result's row; of a score that is not finite the note that says why."""
        columns = self.interval(draws).within(metric).columns(undefined)
        fits = bootstrap.FIXED if self.halves is None else bootstrap.ESTIMAND
        about = None if columns["ci_low"] is None else fits
        return {"metric": metric, **columns, "estimand": about, "n_clips": len(self.groups)}

    def p(self, at: float, draws: int, seed: int = 0) -> float:
        """Two-sided p of one score against a value, by the draws of its interval."""
        return bootstrap.p(
            self.sums,
            self.statistic,
            at,
            groups=self.groups,
            draws=draws,
            seed=seed,
            members=self.members,
            halves=self.halves,
        )


def combined(parts: Sequence[Scored], combine: Combine) -> Scored:
    """Several scores on the same clips as one.

    Raises
    ------
    ValueError
        If they are read on different clips.
    """
    return _joined(parts, lambda found, _: combine(found))


def apart(parts: Sequence[Scored]) -> list[Scored]:
    """Scores on clips of their own, each as if it were read on all clips: others count nothing."""
    starts = np.cumsum([0, *(len(part.groups) for part in parts)])
    numbers = [np.unique(part.groups, return_inverse=True)[1].ravel() for part in parts]
    first = np.cumsum([0, *(number.max() + 1 for number in numbers)])
    groups = np.concatenate([own + start for own, start in zip(numbers, first[:-1], strict=True)])
    splits = max(0 if part.halves is None else len(part.halves.signs) for part in parts)
    signs = np.concatenate([_signs(part, splits) for part in parts], axis=1)
    found = []
    for start, part in zip(starts[:-1], parts, strict=True):
        own = slice(start, start + len(part.groups))
        sums = np.zeros((*part.sums.shape[:-2], len(groups), part.sums.shape[-1]))
        sums[..., own, :] = part.sums
        halves = part.halves
        if halves is not None:
            known = resampling.widened(part.sums, part.statistic, part.groups, halves)
            halves = known._replace(signs=signs)
        found.append(replace(part, sums=sums, groups=groups, halves=halves))
    return found


def _signs(part: Scored, splits: int) -> np.ndarray:
    """In which half (split, clip) clips are, 1 or -1; 1 where fits are held fixed."""
    return np.ones((splits, len(part.groups))) if part.halves is None else part.halves.signs


def mean_of_members(parts: Sequence[Scored], name: str) -> Scored:
    """Mean of the scores of an encoder's members, in their order.

    Parameters
    ----------
    parts : sequence of Scored
        On the same clips; a single one is the score itself.
    name : str
        Of the encoder: scores of one name have the same members, which are drawn together.

    Raises
    ------
    ValueError
        If they are read on different clips.
    """
    if len(parts) == 1:
        return parts[0]

    def mean(found: Sequence[np.ndarray], weights: np.ndarray) -> np.ndarray:
        each = np.moveaxis(weights, -1, 0)
        return sum(w * one for w, one in zip(each, found, strict=True)) / len(parts)

    return _joined(parts, mean, ((name, len(parts)),))


def _joined(
    parts: Sequence[Scored],
    combine: Callable[[Sequence[np.ndarray], np.ndarray], np.ndarray],
    own: Members = (),
) -> Scored:
    """One score of several, and of the weights (..., member) of members of its own."""
    first = parts[0]
    if not all(np.array_equal(part.groups, first.groups) for part in parts):
        raise ValueError("Scores of different clips can't be compared clip by clip.")
    members = tuple(dict.fromkeys([*own, *(each for part in parts for each in part.members)]))
    shape = first.sums.shape[:-1]
    sides = [np.broadcast_to(part.sums, (*shape, part.sums.shape[-1])) for part in parts]
    sums, ends = np.concatenate(sides, -1), np.cumsum([s.shape[-1] for s in sides])[:-1]
    counts = np.cumsum([sums.shape[-1], *(count for _, count in members)])

    def score(totals: np.ndarray) -> np.ndarray:
        totals, *weights = np.split(totals, counts[:-1], axis=-1) if members else [totals]
        each = np.split(totals, ends, axis=-1)
        of = dict(zip(members, weights, strict=True))
        found = [
            part.statistic(np.concatenate([mine, *(of[m] for m in part.members)], -1))
            if part.members
            else part.statistic(mine)
            for part, mine in zip(parts, each, strict=True)
        ]
        return combine(found, np.concatenate([totals[..., :0], *(of[m] for m in own)], -1))

    return Scored(sums, score, first.groups, members, _halves(parts, shape))


def _halves(parts: Sequence[Scored], shape: tuple[int, ...]) -> Halves | None:
    """Halves of several scores side by side; 0 of those whose fits are held fixed."""
    known = [part.halves for part in parts if part.halves is not None]
    if not known:
        return None
    signs = known[0].signs
    if not all(np.array_equal(each.signs, signs) for each in known):
        raise ValueError("Scores whose fits are redone on different halves can't be compared.")
    deviations, wide = [], []
    for part in parts:
        count = part.sums.shape[-1]
        own = part.halves or Halves(np.zeros(count), signs, np.ones(count))
        own = resampling.widened(part.sums, part.statistic, part.groups, own)
        deviations.append(np.broadcast_to(own.deviations, (*shape[:-1], len(signs), count)))
        wide.append(np.broadcast_to(np.asarray(own.wide), (*shape[:-1], count)))
    return Halves(np.concatenate(deviations, -1), signs, np.concatenate(wide, -1))


def above(own: Scored, *others: Scored) -> Scored:
    """A score less the best of others."""
    return combined((own, *others), lambda found: found[0] - np.max(found[1:], axis=0))


def above_mean(own: Scored, *others: Scored) -> Scored:
    """A score less the mean of others."""
    return combined((own, *others), lambda found: found[0] - np.mean(found[1:], axis=0))


def best(others: Mapping[str, Scored]) -> str:
    """Name of the highest score; of equal ones the first."""
    return max(others, key=lambda name: float(others[name].value))
