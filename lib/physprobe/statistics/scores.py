"""Scores: of predictions, and as functions of sums per clip.

A score of many rows is a function of sums over clips: what draws of clips reweight.
"""

from collections.abc import Callable

import numpy as np

Statistic = Callable[[np.ndarray], np.ndarray]
"""From totals (..., part) to a score (...)."""
ERROR = 1
"""Place of the squared error in sums of `r2_sums`."""


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


def gain_of(totals: np.ndarray) -> np.ndarray:
    """What is spared of a whole, from totals of (SSE, lower SSE, SSE of the whole)."""
    whole = totals[..., 2]
    return (totals[..., 0] - totals[..., 1]) / np.where(whole > 0, whole, np.nan)


def _ratio_skill(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """1 - part / whole; nan where the whole is nothing."""
    return 1.0 - part / np.where(whole > 0, whole, np.nan)
