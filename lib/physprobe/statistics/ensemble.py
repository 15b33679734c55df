"""Ensemble: how a score varies with an encoder's members, networks independently seeded or trained.

The score of an encoder that has several is the mean of theirs. Then every draw weighs the members
too:

    w = 1 + sqrt(M / chi2) (e - mean e),    e: M standard normal numbers,
                                            chi2: of M - 1 degrees of freedom

so that the mean of M normal scores that all clips agree on has Student's t interval. Members drawn
with replacement would be too alike: five of them give 80 % of the variance, with a normal's ends.

References
----------
Hesterberg, "What teachers should know about the bootstrap", The American Statistician 69 (2015):
why the bootstrap of few is too narrow.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from physprobe.statistics import seeds

Members = tuple[tuple[str, int], ...]
"""Encoders that have several members, by name, and how many: one name, one draw of its members."""


def weighed(
    totals: np.ndarray, members: Members, weights: Sequence[np.ndarray] | None = None
) -> np.ndarray:
    """Totals (..., part + member): with the weight of each member behind them, 1 by default."""
    if not members:
        return totals
    found = [np.ones(count) for _, count in members] if weights is None else weights
    each = [np.broadcast_to(part, (*totals.shape[:-1], part.shape[-1])) for part in found]
    return np.concatenate([totals, *each], axis=-1)


@lru_cache(16)
def weights(name: str, count: int, draws: int, seed: int) -> np.ndarray:
    """Weight of each of an encoder's members in each draw: (draw, member), of mean 1; see above."""
    rng = seeds.rng("members", name, seed, count)
    normal = rng.normal(size=(draws, count))
    scale = np.sqrt(count / rng.chisquare(max(count - 1, 1), size=(draws, 1)))
    return 1.0 + scale * (normal - normal.mean(1, keepdims=True))


def without_each(members: Members) -> list[list[np.ndarray]]:
    """Weights (member, member) of the mean over the others, for each encoder in its turn."""
    found = []
    for place, (_, count) in enumerate(members):
        # the mean of the others: a weight of 0, the rest in its place
        less = [np.ones((count, other)) for _, other in members]
        less[place] = (1.0 - np.eye(count)) * (count / max(count - 1, 1))
        found.append(less)
    return found


def jackknife(left: np.ndarray) -> np.ndarray:
    """Variance (...) of a score from what it is without each of its members (..., member)."""
    count = left.shape[-1]
    apart = (left - left.mean(-1, keepdims=True)) * (count - 1) / count
    return (apart**2).sum(-1)
