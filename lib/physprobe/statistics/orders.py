"""Orders: which clips of one class are above those of another, and what follows from that."""

from dataclasses import dataclass

import numpy as np

from physprobe.statistics import scores


def ranked(log_probabilities: np.ndarray) -> np.ndarray:
    """What puts clips in order (clip, time, one-against-rest, ...): log-odds, of two classes."""
    if log_probabilities.shape[2] == 2:
        log_probabilities = log_probabilities[:, :, 1:] - log_probabilities[:, :, :1]
    # what differs by rounding alone is tied
    return np.round(log_probabilities, 9)


def numbers_of(classes: int) -> np.ndarray:
    """Classes that are put against the rest: of two, the second."""
    return np.arange(1, 2) if classes == 2 else np.arange(classes)


def contrasted(
    log_probabilities: np.ndarray, truth: np.ndarray, groups: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Groups in order (group, time, column), and those compared, by ``scores.contrasts``.

    Only two classes can be put in order: of several, no group is compared.
    """
    if log_probabilities.shape[2] == 2 and len(truth):
        return scores.contrasts(np.exp(log_probabilities[:, :, 1]), truth, groups)
    nothing = np.zeros((1, log_probabilities.shape[1], truth.shape[1]))
    return nothing, nothing[:, 0]


@dataclass(frozen=True)
class Pairs:
    """Right orders of held-out clips, from which AUC follows under any weights of the clips.

    Only clips of the same outer fold are compared: another fold's model has another scale.
    """

    blocks: list[tuple[np.ndarray, np.ndarray, np.ndarray]]
    """Per fold: its clips; (..., one-against-rest, clip, clip) in order; all pairs, without ..."""

    @classmethod
    def of(cls, predicted: np.ndarray, truth: np.ndarray, fold: np.ndarray) -> "Pairs":
        """Orders at each token time: (time, one-against-rest, clip, clip)."""
        classes = predicted.shape[2]
        marks = ranked(predicted).transpose(1, 2, 0)
        member = truth == numbers_of(classes)[:, None]
        blocks = []
        for number in np.unique(fold):
            clips = np.flatnonzero(fold == number)
            mine, inside = marks[..., clips], member[:, clips]
            above = np.sign(mine[..., :, None] - mine[..., None, :])
            both = (inside[:, :, None] & ~inside[:, None, :]).astype(float)
            blocks.append((clips, 0.5 * (above + 1) * both, both))
        return cls(blocks)

    def mean(self) -> "Pairs":
        """Mean over token times."""
        return Pairs([(clips, order.mean(0), both) for clips, order, both in self.blocks])

    def at(self, time: int) -> "Pairs":
        """One token time."""
        return Pairs([(clips, order[time], both) for clips, order, both in self.blocks])

    def auc(self, weights: np.ndarray) -> np.ndarray:
        """AUC (...) from weights (..., clip); with several classes the mean of one against rest."""
        wins = whole = 0.0
        for clips, order, both in self.blocks:
            mine = weights[..., None, clips]
            wins = wins + np.einsum("...ai,...ai->...a", _weighed(mine, order), mine)
            whole = whole + np.einsum("...ai,...ai->...a", _weighed(mine, both), mine)
        return (wins / np.where(whole > 0, whole, np.nan)).mean(-1)


def _weighed(weights: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Weighted sums (..., a, i) over j of orders (a, i, j)."""
    flat = weights.reshape(-1, weights.shape[-1])
    summed = np.stack([flat @ one.T for one in order], axis=1)
    return summed.reshape(*weights.shape[:-2], *summed.shape[1:])


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
        What the clip's group has, and one, each shared out evenly among its clips; 0 where a group
        lacks a class.
    """
    ordered, compared = contrasted(predicted[..., None], truth[:, None], groups)
    if not compared.any():
        return np.zeros((len(truth), 2))
    _, member, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    both = np.stack([ordered.mean(1)[:, 0], compared[:, 0]], -1)
    return (both / sizes[:, None])[member]
