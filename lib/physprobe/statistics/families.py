"""Families: p values of several claims that are made at once.

An adjusted p is the smallest level of the family at which a claim is told. Of p(1) <= ... <= p(m):

    Holm                  max over j <= i of (m - j + 1) p(j)    chance of any false claim
    Benjamini, Hochberg   min over j >= i of m p(j) / j          share of false ones of those told

Holm holds however claims hang together; Benjamini and Hochberg where they do so positively. Of a
two-sided p the claim is told in the direction in which its value lies; the wrong one is an error
that Holm counts with the others (Shaffer).

References
----------
Holm, "A simple sequentially rejective multiple test procedure", Scand. J. Stat. 6 (1979);
Shaffer, "Control of directional errors with stagewise multiple test procedures", Annals of
Statistics 8 (1980); Benjamini, Hochberg, "Controlling the false discovery rate", JRSS B 57 (1995).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

Values = Sequence[float] | np.ndarray


class Adjusted(NamedTuple):
    """What a family makes of its p values."""

    p: np.ndarray
    """(claim,) adjusted; nan of what has none, which is no part of the family."""
    members: int
    """How many claims the family has."""
    required: float
    """What the p of one claim more would have to be below to be told, all others as they are."""


def holm(p: Values, level: float) -> Adjusted:
    """Hold the family-wise error; p (claim,)."""
    ordered, order = _ordered(p)
    count = len(ordered)
    found = np.maximum.accumulate(np.arange(count, 0, -1) * ordered)
    told = int((found < level).sum())
    return Adjusted(_placed(p, order, found), count, level / max(count - told, 1))


def benjamini_hochberg(p: Values, level: float) -> Adjusted:
    """Hold the rate of false discoveries; p (claim,)."""
    ordered, order = _ordered(p)
    count = len(ordered)
    found = count / np.arange(1, count + 1) * ordered
    found = np.minimum.accumulate(found[::-1])[::-1]
    told = int((found < level).sum())
    return Adjusted(_placed(p, order, found), count, level * min(told + 1, count) / max(count, 1))


def _ordered(p: Values) -> tuple[np.ndarray, np.ndarray]:
    """Defined values, ascending, and their places."""
    values = np.asarray(p, float)
    known = np.flatnonzero(np.isfinite(values))
    order = known[np.argsort(values[known], kind="stable")]
    return values[order], order


def _placed(p: Values, order: np.ndarray, found: np.ndarray) -> np.ndarray:
    placed = np.full(len(p), np.nan)
    placed[order] = np.minimum(found, 1.0)
    return placed
