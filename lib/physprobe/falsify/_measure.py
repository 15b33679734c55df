"""Measure: from held-out clips to a score of every layer, by sums per clip."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from physprobe.statistics import bootstrap, orders, paired, scores
from physprobe.statistics.half_samples import Halves
from physprobe.statistics.intervals import Interval
from physprobe.statistics.paired import Scored

WORDS = {
    "r2": "R2",
    "accuracy": "accuracy",
    "auc": "AUC",
    "relative_accuracy": "relative accuracy",
}


@dataclass(frozen=True)
class Measure(Scored):
    """Scores (layer,) of layers that are read on the same clips, from sums (layer, clip, part)."""

    errors: bool = False
    """Whether 1 - score is an error without an upper end, whose logarithm spreads more evenly."""

    def band(self, **draws: int) -> Interval:
        """Score of each layer (layer,) with a 95 % band that holds all layers at once."""
        if not self.errors:
            # shares: the band's straight edges would leave 0 to 1
            value, *edges = _certain(self, draws)
            return Interval(value, *np.clip(edges, 0.0, 1.0))

        def log_error(totals: np.ndarray) -> np.ndarray:
            return np.log(np.maximum(1.0 - self.statistic(totals), 1e-12))

        about = {"groups": self.groups, "members": self.members, "halves": self.halves}
        told: dict[str, Any] = {**about, **draws}
        value, low, high = bootstrap.band(self.sums, log_error, **told)
        return Interval(1 - np.exp(value), 1 - np.exp(high), 1 - np.exp(low))

    def above(self, others: Sequence["Measure"], **draws: int) -> Interval:
        """Each layer's score less the best of others, found anew in every draw, with a band.

        Parameters
        ----------
        others : sequence of Measure
            Of one layer each.
        **draws
            As for ``bootstrap.band``.
        """
        return _certain(paired.above(self, *others), draws)


def of_members(parts: Sequence[Measure], name: str) -> Measure:
    """Mean over the members of an encoder."""
    found = paired.mean_of_members(parts, name)
    return Measure(**vars(found) | {"errors": parts[0].errors})


def of_classes(
    metric: str,
    held_out: Sequence[Mapping],
    truth: np.ndarray,
    fold: np.ndarray,
    groups: np.ndarray,
    halves: Halves | None = None,
) -> Measure:
    """Measure of a probe of classes.

    Parameters
    ----------
    metric : str
        ``accuracy``, ``auc`` or ``relative_accuracy``.
    held_out : sequence over layers of mapping
        ``log_probability`` (clip, class) and ``correct`` (clip,).
    truth : (clip,) int
        Number of each clip's class.
    fold, groups : (clip,)
    halves : Halves, optional
        What fits to halves of the clips say of the sums' first part, what is wrong.
    """
    predicted = [np.asarray(layer["log_probability"], float)[:, None] for layer in held_out]
    match metric:
        case "auc":
            sums = [orders.auc_sums(layer, truth, fold) for layer in predicted]
        case "relative_accuracy":
            sums = [orders.relative_sums(layer, truth, groups) for layer in predicted]
        case _:
            wrong = [1.0 - np.asarray(layer["correct"], float) for layer in held_out]
            sums = [np.stack([values, np.ones_like(values)], -1) for values in wrong]
    return Measure(np.stack(sums), scores.accuracy_of, groups, halves=halves)


def of_errors(
    truth: np.ndarray, squared: np.ndarray, groups: np.ndarray, halves: Halves | None = None
) -> Measure:
    """R2 from truth (clip, column) and squared errors (layer, clip); groups (clip,)."""
    sums = scores.pooled_r2_sums(truth, squared)
    return Measure(sums, scores.r2_of, groups, halves=halves, errors=True)


def _certain(found: Scored, draws: Mapping[str, int]) -> Interval:
    """Band; a layer whose score is the same in every draw has no width, and is certain."""
    about = {"groups": found.groups, "members": found.members, "halves": found.halves}
    told: dict[str, Any] = {**about, **draws}
    band = bootstrap.band(found.sums, found.statistic, **told)
    value, low, high = band
    if len(np.unique(found.groups)) < 2:
        return band
    still = np.isnan(low) & np.isfinite(value)
    return Interval(value, np.where(still, value, low), np.where(still, value, high))
