"""Measure: from held-out clips to a score of every layer, by sums per clip."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from physprobe.statistics import orders, scores

WORDS = {
    "r2": "R2",
    "accuracy": "accuracy",
    "auc": "AUC",
    "relative_accuracy": "relative accuracy",
}


@dataclass(frozen=True)
class Measure:
    """Sums per clip, and the score of their totals, for layers that are read on the same clips."""

    sums: np.ndarray
    """(layer, clip, part)"""
    score: Callable[[np.ndarray], np.ndarray]
    """From totals (layer, ..., part) to scores (layer, ...)."""
    errors: bool = False
    """Whether 1 - score is an error without an upper end, whose logarithm spreads more evenly."""
    shared: bool = False
    """Whether the sums are the clips' weights themselves: the same for every encoder."""

    def band(self, **draws: object) -> scores.Interval:
        """Score of each layer (layer,) with a 95 % band that holds all layers at once."""
        if not self.errors:
            # shares: the band's straight edges would leave 0 to 1
            value, *edges = _certain(scores.band(self.sums, self.score, **draws), draws)
            return scores.Interval(value, *np.clip(edges, 0.0, 1.0))

        def log_error(totals: np.ndarray) -> np.ndarray:
            return np.log(np.maximum(1.0 - self.score(totals), 1e-12))

        value, low, high = scores.band(self.sums, log_error, **draws)
        return scores.Interval(1 - np.exp(value), 1 - np.exp(high), 1 - np.exp(low))

    def above(self, others: Sequence["Measure"], **draws: object) -> scores.Interval:
        """Each layer's score less the best of others, found anew in every draw, with a band.

        Parameters
        ----------
        others : sequence of Measure
            Of one layer each.
        **draws
            As for ``scores.band``.
        """
        every = (self, *others)
        layers, clips = self.sums.shape[:2]
        if self.shared:
            sums, ends = self.sums, None
        else:
            parts = [np.broadcast_to(m.sums, (layers, clips, m.sums.shape[2])) for m in every]
            sums, ends = np.concatenate(parts, -1), np.cumsum([p.shape[2] for p in parts])[:-1]

        def difference(totals: np.ndarray) -> np.ndarray:
            each = [totals] * len(every) if ends is None else np.split(totals, ends, axis=-1)
            found = [m.score(part) for m, part in zip(every, each, strict=True)]
            return found[0] - np.max(found[1:], axis=0)

        return _certain(scores.band(sums, difference, **draws), draws)


def of_classes(
    metric: str,
    held_out: Sequence[Mapping],
    truth: np.ndarray,
    fold: np.ndarray,
    groups: np.ndarray,
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
    """
    predicted = [np.asarray(layer["log_probability"], float)[:, None] for layer in held_out]
    match metric:
        case "auc":
            pairs = [orders.Pairs.of(layer, truth, fold).mean() for layer in predicted]
            clips = len(truth)
            weights = np.broadcast_to(np.eye(clips), (len(predicted), clips, clips))

            def score(totals: np.ndarray) -> np.ndarray:
                if len(pairs) == 1:
                    return pairs[0].auc(totals)
                return np.stack([p.auc(part) for p, part in zip(pairs, totals, strict=True)])

            return Measure(weights, score, shared=True)
        case "relative_accuracy":
            sums = [orders.relative_sums(layer, truth, groups) for layer in predicted]
        case _:
            right = [np.asarray(layer["correct"], float) for layer in held_out]
            sums = [np.stack([values, np.ones_like(values)], -1) for values in right]
    return Measure(np.stack(sums), scores.share_of)


def of_errors(truth: np.ndarray, squared: np.ndarray) -> Measure:
    """R2 from truth (clip, column) and squared errors (layer, clip)."""
    return Measure(scores.pooled_r2_sums(truth, squared), scores.r2_of, errors=True)


def _certain(band: scores.Interval, draws: Mapping) -> scores.Interval:
    """The same; a layer whose score is the same in every draw has no width, and is certain."""
    value, low, high = band
    if len(np.unique(draws["groups"])) < 2:
        return band
    still = np.isnan(low) & np.isfinite(value)
    return scores.Interval(value, np.where(still, value, low), np.where(still, value, high))
