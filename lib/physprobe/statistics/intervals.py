"""Intervals: a score with its 95 % interval, and how both stand in a result's row."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class Interval(NamedTuple):
    """A score with its 95 % interval, each (...)."""

    value: np.ndarray
    low: np.ndarray
    high: np.ndarray

    @classmethod
    def without_ends(cls, value: np.ndarray) -> "Interval":
        """A score that no interval is known of."""
        return cls(value, np.full_like(value, np.nan), np.full_like(value, np.nan))

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
