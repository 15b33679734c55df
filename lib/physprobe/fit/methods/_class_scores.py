"""Scores of classes from log-probabilities: loss, hits, order, calibration."""

import numpy as np

from physprobe.statistics import logistic, orders

BINS = 10


def scored(
    log_probabilities: np.ndarray, truth: np.ndarray, groups: np.ndarray, parts: np.ndarray
) -> dict[str, np.ndarray]:
    """Sums over each part of the held-out clips: fields of ``OfClasses``.

    Parameters
    ----------
    log_probabilities : (clip, time, class, column)
    truth : (clip, column) int
    groups : (clip,)
    parts : (part, clip) bool
    """
    kept = []
    for part in parts:
        mine, asked = log_probabilities[part], truth[part]
        wins, pairs = orderings(mine, asked)
        ordered, compared = orders.contrasted(mine, asked, groups[part])
        kept.append(
            {
                "loss": losses(mine, asked[:, None]).sum(0),
                "correct": hits(mine, asked[:, None]).sum(0),
                "wins": wins,
                "pairs": pairs,
                "ordered": ordered.sum(0),
                "compared": compared.sum(0),
            }
        )
    return {name: np.stack([part[name] for part in kept]) for name in kept[0]}


def losses(log_probabilities: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Log loss (clip, time, column) from (clip, time, class, column) and numbers of classes."""
    truth = np.broadcast_to(truth, np.delete(log_probabilities.shape, 2))
    return -np.take_along_axis(log_probabilities, truth[:, :, None], 2)[:, :, 0]


def hits(log_probabilities: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Whether the most probable class is the true one (clip, time, column); those tied share."""
    best = log_probabilities >= log_probabilities.max(2, keepdims=True) - orders.TIED
    truth = np.broadcast_to(truth, np.delete(log_probabilities.shape, 2))
    return np.take_along_axis(best, truth[:, :, None], 2)[:, :, 0] / best.sum(2)


def orderings(log_probabilities: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of clips in the right order, of one class and another: AUC is their share.

    Parameters
    ----------
    log_probabilities : (clip, time, class, column)
    truth : (clip, column) int

    Returns
    -------
    wins : (time, one-against-rest, column)
        Clips at the same token time are compared; a tie counts half.
    pairs : (one-against-rest, column)
    """
    marks = orders.ranked(log_probabilities)
    order = marks.argsort(0, kind="stable")
    ranks = np.empty(marks.shape)
    numbers = np.arange(1.0, len(marks) + 1).reshape(-1, 1, 1, 1)
    np.put_along_axis(ranks, order, numbers, 0)
    backwards = np.empty(marks.shape)
    np.put_along_axis(backwards, marks[::-1].argsort(0, kind="stable"), numbers, 0)
    ranks = 0.5 * (ranks + backwards[::-1])  # ties share their mean rank
    member = truth[:, None] == orders.numbers_of(log_probabilities.shape[2])[:, None]
    inside = member.sum(0)
    wins = np.einsum("ntac,nac->tac", ranks, member.astype(float)) - inside * (inside + 1) / 2
    return wins, inside * (len(truth) - inside)


def reliability(probability: np.ndarray, correct: np.ndarray) -> np.ndarray:
    """Sums per clip that `ece_of` needs: (clip, 3 x bin), from (clip, time)."""
    place = np.minimum((probability * BINS).astype(int), BINS - 1)
    inside = place[..., None] == np.arange(BINS)
    parts = (np.ones_like(probability), correct, probability)
    return np.concatenate([(inside * part[..., None]).mean(1) for part in parts], axis=-1)


def ece_of(totals: np.ndarray) -> np.ndarray:
    """Expected calibration error from totals of `reliability`."""
    count, correct, probability = np.split(totals, 3, axis=-1)
    return np.abs(correct - probability).sum(-1) / count.sum(-1)


def recalibrated(predicted: np.ndarray, truth: np.ndarray) -> tuple[float, float] | None:
    """Intercept and slope of the truth's log-odds on the predicted ones; 0 and 1 are calibrated.

    None if the predictions separate the classes, or are all the same: no line is best then.
    """
    odds = (predicted[:, :, 1] - predicted[:, :, 0]).reshape(-1, 1)
    rows = np.repeat(truth, predicted.shape[1])
    low, high = odds[rows == 0], odds[rows == 1]
    if low.max() <= high.min() or high.max() <= low.min():
        return None
    basis = logistic.Basis(odds)
    if len(basis.spectrum) < 2:
        return None
    slope, intercept = basis.weights(logistic.fit(basis, rows[:, None], 2, 0.0))
    return float(intercept[0, 0]), float(slope[0, 0, 0])
