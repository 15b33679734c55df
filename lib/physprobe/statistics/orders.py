"""Orders: which clips of one class are above those of another, and what follows from that."""

from collections.abc import Sequence

import numpy as np

TIED = 1e-9
"""Probabilities that differ by no more are equal: no fit is more exact."""


def ranked(log_probabilities: np.ndarray) -> np.ndarray:
    """What puts clips in order (clip, time, one-against-rest, ...): log-odds, of two classes."""
    if log_probabilities.shape[2] == 2:
        log_probabilities = log_probabilities[:, :, 1:] - log_probabilities[:, :, :1]
    # what differs by rounding alone is tied
    return np.round(log_probabilities, 9)


def numbers_of(classes: int) -> np.ndarray:
    """Classes that are put against the rest: of two, the second."""
    return np.arange(1, 2) if classes == 2 else np.arange(classes)


def contrasts(
    marks: np.ndarray, truth: np.ndarray, groups: Sequence | np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Which groups have their clips of the second class above those of the first; ties count half.

    The mean mark of a group's clips of either class is compared: of twins, a choice between two; of
    two possible and two impossible movies, scene-relative accuracy. That a readout sums the same
    frames for both classes makes a tie, and no error.

    Parameters
    ----------
    marks : (clip, ..., column)
        Probability of the second class, or anything that rises with it.
    truth : (clip, column) of 0 or 1
        Class of each clip.
    groups : (clip,)

    Returns
    -------
    ordered : (group, ..., column)
        1, 0, or 1/2 for means within ``TIED`` of each other; 0 where a group lacks a class.
    compared : (group, column)
        1 where a group has clips of both classes, else 0.
    """
    _, member = np.unique(groups, return_inverse=True)
    units = (member == np.arange(member.max() + 1)[:, None]).astype(float)
    between = (slice(None), *(None,) * (marks.ndim - 2), slice(None))
    means, there = [], []
    for number in (0, 1):
        inside = (truth == number).astype(float)
        count = units @ inside
        total = np.tensordot(units, marks * inside[between], 1)
        means.append(total / np.maximum(count, 1)[between])
        there.append(count > 0)
    compared = (there[0] & there[1]).astype(float)
    gap = means[1] - means[0]
    ordered = np.where(np.abs(gap) <= TIED, 0.5, (gap > 0).astype(float))
    return ordered * compared[between], compared


def contrasted(
    log_probabilities: np.ndarray, truth: np.ndarray, groups: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Groups in order (group, time, column), and those compared, by :func:`contrasts`.

    Only two classes can be put in order: of several, no group is compared.
    """
    if log_probabilities.shape[2] == 2 and len(truth):
        return contrasts(np.exp(log_probabilities[:, :, 1]), truth, groups)
    nothing = np.zeros((1, log_probabilities.shape[1], truth.shape[1]))
    return nothing, nothing[:, 0]


def auc_sums(predicted: np.ndarray, truth: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """Sums per clip (clip, 2) whose ratio is 1 - AUC, of (wrong, whole).

    AUC is the share of pairs in the right order; with several classes, the mean of one against
    rest. Only clips of the same outer fold are compared: another fold's model has another scale.
    A clip's share of what is wrong is that of all, less n times the derivative of AUC by the clip's
    weight: ratios of drawn clips are those of the pairs themselves, but for terms of order 1/n.

    Parameters
    ----------
    predicted : (clip, time, class)
        Log-probabilities; clips are compared at the same time.
    truth, fold : (clip,)

    References
    ----------
    DeLong, DeLong, Clarke-Pearson, "Comparing the areas under two or more correlated receiver
    operating characteristic curves", Biometrics 44 (1988).
    """
    marks = ranked(predicted).transpose(1, 2, 0)
    member = truth == numbers_of(predicted.shape[2])[:, None]
    wins, pairs = np.zeros(member.shape), np.zeros(member.shape)
    for number in np.unique(fold):
        clips = np.flatnonzero(fold == number)
        for place, inside in enumerate(member[:, clips]):
            mine, rest = clips[inside], clips[~inside]
            pairs[place, mine], pairs[place, rest] = len(rest), len(mine)
            for each in marks[:, place]:
                wins[place, mine] += _below(each[rest], each[mine]) / len(marks)
                wins[place, rest] += _below(-each[mine], -each[rest]) / len(marks)
    whole = pairs.sum(-1, keepdims=True) / 2
    whole = np.where(whole > 0, whole, np.nan)
    auc = wins.sum(-1, keepdims=True) / (2 * whole)
    wrong = 1.0 - auc - len(truth) * (wins - auc * pairs) / whole
    return np.stack([wrong.mean(0), np.ones(len(truth))], axis=-1)


def _below(some: np.ndarray, values: np.ndarray) -> np.ndarray:
    """How many of some are below each value; those that are equal count half."""
    ordered = np.sort(some)
    sides = (np.searchsorted(ordered, values, side) for side in ("left", "right"))
    return np.sum(list(sides), axis=0) / 2


def relative_sums(predicted: np.ndarray, truth: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Sums per clip (clip, 2) that the share of groups in the right order needs.

    Parameters
    ----------
    predicted : (clip, time, class)
        Log-probabilities.
    truth : (clip,) int
    groups : (clip,)

    Returns
    -------
    (clip, 2)
        What of the clip's group is wrong, and one, each shared out evenly among its clips; 0 where
        a group lacks a class.
    """
    ordered, compared = contrasted(predicted[..., None], truth[:, None], groups)
    if not compared.any():
        return np.zeros((len(truth), 2))
    _, member, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    both = np.stack([compared[:, 0] - ordered.mean(1)[:, 0], compared[:, 0]], -1)
    return (both / sizes[:, None])[member]
