"""Selection: what probes of numbers and of classes share when they choose among nested fits."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import ClassVar, Self

import numpy as np

from physprobe.statistics import ridge
from physprobe.statistics.splits import Fold


class Choice:
    """Base of what was chosen in one outer fold: a dataclass of arrays, ``column`` the last axis.

    Its ``inner`` (column,) is the error over the inner folds, of which less is better.
    """

    TIE: ClassVar[float]
    """Difference up to which two errors count as equal."""

    def or_better(self, other: Self | None) -> Self:
        """Column by column, the one with the smaller inner error; this one if they are equal."""
        if other is None:
            return self
        better = other.inner < self.inner - self.TIE
        return type(self)(
            *(
                np.where(better[: mine.shape[-1]], theirs, mine)
                for mine, theirs in (
                    (getattr(self, field.name), getattr(other, field.name))
                    for field in fields(self)
                )
            )
        )


@dataclass(frozen=True)
class Numbers(Choice):
    """What came of one outer fold's choice, of labels that are numbers.

    The first columns are the true labels; predictions and training errors are kept for these only.
    """

    TIE = 0.0

    inner: np.ndarray
    """(column,) squared error by which was chosen, in units of the spread, of its whole target."""
    errors: np.ndarray
    """(time, column) squared errors summed over held-out clips."""
    layer: np.ndarray
    """(column,) place among the layers."""
    predicted: np.ndarray
    """(clip, time, true column) of the held-out clips."""
    train_squared: np.ndarray
    """(true column,) mean over training rows."""
    train_absolute: np.ndarray
    """(true column,) mean over training rows."""
    influence: np.ndarray
    """(2, clip, time, true column) by how much the held-out clips' squared and absolute errors grow
    with the weight of every clip in the fit; of no clip where that is not known."""


@dataclass(frozen=True)
class Classes(Choice):
    """What came of one outer fold's choice, of labels that are classes.

    The first column is the true label; what is kept for it alone has a last axis of one.
    """

    TIE = 0.0

    inner: np.ndarray
    """(column,) log loss over the inner folds, mean over rows."""
    loss: np.ndarray
    """(part, time, column) log loss summed over held-out clips of each part."""
    correct: np.ndarray
    """(part, time, column) number of held-out clips whose most probable class is theirs."""
    wins: np.ndarray
    """(part, time, one-against-rest, column) pairs of held-out clips in the right order."""
    pairs: np.ndarray
    """(part, one-against-rest, column) all pairs of held-out clips of which one is of the class."""
    ordered: np.ndarray
    """(part, time, column) groups in the right order, of two classes; see ``scores.contrasts``."""
    compared: np.ndarray
    """(part, column) groups that have clips of both classes."""
    layer: np.ndarray
    """(column,) place among the layers."""
    predicted: np.ndarray
    """(clip, time, class, 1) log-probabilities of the held-out clips."""
    train_loss: np.ndarray
    """(1,) log loss, mean over training rows."""
    train_correct: np.ndarray
    """(1,) share of training rows whose most probable class is theirs."""
    influence: np.ndarray
    """(clip, 1) by how much the held-out clips' accuracy, a sum over clips of means over times,
    grows with the weight of every clip in the fit; of no clip where that is not known."""


@dataclass
class Tally:
    """Everything fitted on one sample: ``layers[layer][fold]`` and ``selected[fold]``."""

    sample: str
    layers: list[list[Choice]]
    selected: list[Choice | None]
    names: Sequence[str] | None = None
    """Layers that have such a sample; None: all of them."""
    note: str | None = None
    """Why there are none, if so."""


def visits(
    features: Sequence[np.ndarray],
    folds: Sequence[Fold],
    tallies: Sequence[Tally],
    components: int | None,
) -> Iterator[tuple[int, int, Tally, np.ndarray]]:
    """Everything that is to be fitted: layer, fold, tally, and rows (clip, time, feature).

    Layers are read one at a time, and each tally gets a list for what is fitted to each.
    """
    for number, layer in enumerate(features):
        tokens = np.asarray(layer, dtype=np.float64)
        for tally in tallies:
            tally.layers.append([])
        for place, fold in enumerate(folds):
            inputs = ridge.principal(tokens, fold.train, components) if components else tokens
            for tally in tallies:
                yield number, place, tally, rows_of(inputs, tally.sample)


def rows_of(tokens: np.ndarray, sample: str) -> np.ndarray:
    """Rows (clip, row, feature) that a probe is fitted to.

    Parameters
    ----------
    tokens : (clip, time, feature)
    sample : str
        "token": each token time, with its clip's label; and with one row per clip "clip", the mean
        over time, "temporal_last", "temporal_first", and "temporal_diff", the last less the first.

    Raises
    ------
    ValueError
        If a difference is asked of a single token time.
    """
    match sample:
        case "token":
            return tokens
        case "clip":
            return tokens.mean(1, keepdims=True)
        case "temporal_last":
            return tokens[:, -1:]
        case "temporal_first":
            return tokens[:, :1]
        case "temporal_diff" if tokens.shape[1] > 1:
            return tokens[:, -1:] - tokens[:, :1]
    raise ValueError(
        f"sample {sample!r} of {tokens.shape[1]} token times can't be had. Hint: a difference needs"
        " two times."
    )
