"""What fits to halves of the training clips say of the scores of classes."""

from typing import NamedTuple

import numpy as np

from physprobe.fit.methods._class_scores import hits, losses, orderings
from physprobe.statistics import half_samples, orders, resampling

COUNTED = ("accuracy", "auc", "log_loss", "relative_accuracy")


class Ratios(NamedTuple):
    """What halves say of one score; see ``half_samples.ratios``."""

    mean: np.ndarray
    """(split,) of the mean over token times."""
    each: np.ndarray
    """(time, split) of each token time."""


def ratios(
    halved: np.ndarray, truth: np.ndarray, fold: np.ndarray, groups: np.ndarray
) -> dict[str, Ratios]:
    """What fits to halves say of every score.

    Half a clip, or half a group, is added to counts of what is wrong, which may be none.

    Parameters
    ----------
    halved : (split, half, clip, time, class)
        Log-probabilities.
    truth, fold, groups : (clip,)
    """
    count, _, clips, times, classes = halved.shape
    if not count:
        return dict.fromkeys(COUNTED, Ratios(np.zeros(0), np.zeros((times, 0))))
    found = halved.transpose(2, 3, 4, 0, 1).reshape(clips, times, classes, 2 * count)
    labels = np.repeat(truth[:, None], 2 * count, axis=1)
    wins, pairs = (np.sum(each, axis=0) for each in zip(*(
        orderings(found[fold == number], labels[fold == number]) for number in np.unique(fold)
    ), strict=True))  # fmt: skip
    ordered, compared = orders.contrasted(found, labels, groups)
    compared = compared.sum(0)
    half = 0.5 / len(np.unique(groups))
    with np.errstate(invalid="ignore", divide="ignore"):
        errors = {
            "accuracy": half + 1.0 - hits(found, labels[:, None]).mean(0),
            "auc": half + 1.0 - (wins / pairs).mean(1),
            "log_loss": losses(found, labels[:, None]).mean(0),
            "relative_accuracy": (0.5 + compared - ordered.sum(0)) / np.maximum(compared, 1),
        }
    by_clip = {
        "accuracy": 1.0 - hits(found, labels[:, None]).mean(1),
        "relative_accuracy": -ordered.mean(1),
    }  # fmt: skip
    said = {}
    for metric, error in errors.items():
        each = np.nan_to_num(error, nan=1.0).reshape(times, count, 2)
        share = 1.0
        if metric in by_clip:
            values = by_clip[metric]
            if metric != "relative_accuracy":
                values = resampling.by_group(values, groups)
            share = _in_common(np.nan_to_num(values).reshape(len(values), count, 2))
        mean, each = half_samples.ratios(each.mean(0)), half_samples.ratios(each)
        said[metric] = Ratios(share * mean, share * each)
    return said


def _in_common(errors: np.ndarray) -> float:
    """Share of the halves' deviations that groups of clips have in common.

    Whether a clip is right flips from fit to fit, clip by clip. So far as it does, errors of fixed
    fits scatter over clips just as much, and hold it already. Half of that is taken off, for what
    halves know nothing of, choices and folds.

    Parameters
    ----------
    errors : (group, split, half)
        Of each group of clips.
    """
    apart = errors[..., 0] - errors[..., 1]
    whole = (apart.sum(0) ** 2).mean()
    own = ((apart - apart.mean(0)) ** 2).sum(0).mean()
    return float(np.sqrt(max(0.0, 1.0 - 0.5 * own / whole))) if whole > 0 else 1.0
