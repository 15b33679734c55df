"""Resampling: draws of the units that clips are independent in, and scores in every draw.

A score of many rows is a function of sums over clips. So a draw only reweights the sums, and
thousands of draws for thousands of scores are one matrix product.

Units are groups of clips, or single clips, each drawn by itself; where clips are windows of one
long film, blocks of neighbours are drawn in their place (``statistics.blocks``), of a length of its
own for each score. Which of the two it is, is asked once, in :func:`Resampling.of`; groups are
blocks of one unit. Draws of few units are widened, as Student's t is wider than a normal. What fits
add is in ``statistics.half_samples``, what members of an encoder add in ``statistics.ensemble``.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, Self

import numpy as np

from physprobe.statistics import blocks, ensemble, seeds
from physprobe.statistics.ensemble import Members
from physprobe.statistics.half_samples import Halves
from physprobe.statistics.scores import Statistic

Groups = Sequence | np.ndarray | None
"""(clip,) which clips are drawn together; none: each by itself."""


@dataclass(frozen=True)
class Units:
    """Units that know nothing of each other: each is drawn by itself, a block of length 1."""

    sums: np.ndarray
    """(..., unit, part)"""
    halves: Halves | None = None
    """What fits to halves of the clips say, with the sign of each unit."""

    @property
    def count(self) -> int:
        """How many there are."""
        return self.sums.shape[-2]

    def lengths(self, score: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        """Units of a block (...), for scores that follow from totals (..., part)."""
        return np.ones_like(score(self.sums.sum(-2)), dtype=int)

    def blocks(self, length: int) -> np.ndarray:
        """Sums (..., block, part) of what is left out at once."""
        return self.sums

    def weights(self, length: int, draws: int, seed: int) -> np.ndarray:
        """How often each unit is in each draw: (draw, unit)."""
        return _weights(self.count, draws, seed)


class Windows(Units):
    """Windows of one film, in the order of time: blocks of neighbours are drawn."""

    def lengths(self, score: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        """Windows of a block (...), by what each window does to the score."""
        without = score(self.sums.sum(-2)[..., None, :] - self.sums)
        return np.ceil(np.apply_along_axis(blocks.length, -1, without)).astype(int)

    def blocks(self, length: int) -> np.ndarray:
        """Sums (..., block, part) of neighbours."""
        return blocks.cut(self.sums, length)

    def weights(self, length: int, draws: int, seed: int) -> np.ndarray:
        """How often each window is in each draw of blocks: (draw, window)."""
        return blocks.weights(self.count, length, draws, seed)


class Draws(NamedTuple):
    """Scores in draws of units, in blocks of one length: what an interval follows from."""

    value: np.ndarray
    """(...) the score."""
    drawn: np.ndarray
    """(draw, ...) the score in each draw."""
    left: np.ndarray
    """(..., block) the score without each block, as far away as its draws are."""
    apart: np.ndarray
    """(..., split) the score by the first half's fits less that by the second's."""
    others: np.ndarray
    """(...) variance that comes of members."""

    def at(self, *place: int) -> "Draws":
        """Of one of several scores, without a view of the others' draws."""
        where: tuple[slice | int, ...] = (slice(None), *place)
        return Draws(
            self.value[place], self.drawn[where].copy(), self.left[place].copy(),
            self.apart[place].copy(), self.others[place],
        )  # fmt: skip


@dataclass(frozen=True)
class Resampling:
    """Scores (...) of clips, and all that their draws depend on."""

    units: Units
    statistic: Statistic
    draws: int
    seed: int
    members: Members

    @classmethod
    def of(
        cls,
        sums: np.ndarray,
        statistic: Statistic,
        groups: Groups,
        draws: int,
        seed: int,
        members: Members,
        halves: Halves | None,
    ) -> Self:
        """Draws in what clips are independent in: groups, or blocks of windows of one film.

        Parameters
        ----------
        sums : (..., clip, part)
        statistic, groups, draws, seed, members, halves
            As for ``bootstrap.interval``.
        """
        if halves is not None:  # fits are redone on halves of whole groups, parts of a film too
            halves = widened(sums, statistic, groups, halves)
        order = blocks.ordered(groups)
        if order is None:
            units = Units(by_group(sums, groups), halves and _by_unit(halves, groups))
        else:
            in_time = np.asarray(sums, float)[..., order, :]
            units = Windows(in_time, halves and halves.of(order))
        return cls(units, statistic, draws, seed, members)

    @property
    def value(self) -> np.ndarray:
        """The scores themselves."""
        return self._score(self.units.sums.sum(-2))

    def lengths(self) -> np.ndarray:
        """Units of a block (...), each score's own."""
        return self.units.lengths(self._score)

    def drawn(self, length: int) -> Draws:
        """Draws in blocks of so many units."""
        units, total = self.units, self.units.sums.sum(-2)
        value = self._score(total)
        wide, factors = widening(units.count / length), np.ones(())
        fitted, apart = np.zeros(total.shape[-1], bool), np.zeros((*value.shape, 0))
        with np.errstate(invalid="ignore", divide="ignore"):
            if units.halves is not None:
                wide = wide * units.halves.wide
                apart = units.halves.apart(total, self.statistic, self.members)
                fitted, factors = units.halves.fitted, units.halves.factors(self.draws, self.seed)
            left = self._score(total[..., None, :] - units.blocks(length) * wide[..., None, :])
            often = units.weights(length, self.draws, self.seed)
            totals = _wider(often @ units.sums, units.sums, wide, fitted) * factors
        weights = [ensemble.weights(*each, self.draws, self.seed) for each in self.members]
        drawn = np.moveaxis(self._score(totals, weights), -1, 0)
        return Draws(value, drawn, left, apart, self._of_members(total))

    def _of_members(self, total: np.ndarray) -> np.ndarray:
        """Variance (...) of the score that comes of encoders' members."""
        found = np.zeros_like(self._score(total))
        for (_, count), less in zip(self.members, ensemble.without_each(self.members), strict=True):
            shape = (*total.shape[:-1], count, total.shape[-1])
            again = np.broadcast_to(total[..., None, :], shape)
            found = found + ensemble.jackknife(self._score(again, less))
        return found

    def _score(self, totals: np.ndarray, weights: Sequence[np.ndarray] | None = None) -> np.ndarray:
        """Scores from totals (..., part) and the weights of members, 1 by default."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return self.statistic(ensemble.weighed(totals, self.members, weights))


def by_group(sums: np.ndarray, groups: Groups) -> np.ndarray:
    """Sums (..., unit, part) of what is drawn together, from those of clips (..., clip, part)."""
    sums = np.asarray(sums, float)
    if groups is None:
        return sums
    _, member, counts = np.unique(groups, return_inverse=True, return_counts=True)
    order = np.argsort(member, kind="stable")
    return np.add.reduceat(sums[..., order, :], np.cumsum(counts) - counts, axis=-2)


def widened(sums: np.ndarray, statistic: Statistic, groups: Groups, halves: Halves) -> Halves:
    """Halves that know how many times as far away draws are; see ``half_samples``."""
    if halves.wide is not None:
        return halves
    found = _by_unit(halves, groups).stretch(by_group(sums, groups), statistic)
    return halves._replace(wide=found)


def widening(units: float) -> np.ndarray:
    """How much wider draws of few units have to be: t over normal, and n - 1 in place of n."""
    from scipy.special import ndtri, stdtrit

    found = stdtrit(units - 1, 0.975) / ndtri(0.975) * np.sqrt(units / (units - 1))
    return np.full(1, found)


def _by_unit(halves: Halves, groups: Groups) -> Halves:
    """Halves with the sign of each unit."""
    return halves if groups is None else halves.of(np.unique(groups, return_index=True)[1])


@lru_cache(2)
def _weights(units: int, draws: int, seed: int) -> np.ndarray:
    """How often each unit is in each draw: (draw, unit)."""
    rng = seeds.rng("bootstrap", seed, units)
    return rng.multinomial(units, np.full(units, 1 / units), size=draws).astype(float)


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
