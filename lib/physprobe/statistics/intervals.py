"""Intervals: a score with its 95 % interval, and how both stand in a result's row."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

REACH = {
    **dict.fromkeys(
        ("r2", "group_r2", "skill", "skill_by_equation", "rollout_skill"), (-np.inf, 1.0)
    ),
    **dict.fromkeys(
        ("accuracy", "auc", "relative_accuracy", "both_right", "ece", "iou"), (0.0, 1.0)
    ),
    "ssim": (-1.0, 1.0),
    **dict.fromkeys(
        (
            "mae",
            "group_mae",
            "z_mse",
            "group_z_mse",
            "circular_mae",
            "log_loss",
            "mse",
            "state_error",
            "error_ratio",
        ),
        (0.0, np.inf),
    ),
}
"""What scores can be: Student's t knows no bounds, and of few members it is wide."""


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

    def within(self, metric: str) -> "Interval":
        """The same with ends no further than the values of a metric reach."""
        return Interval(self.value, *np.clip(self[1:3], *REACH.get(metric, (-np.inf, np.inf))))

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
