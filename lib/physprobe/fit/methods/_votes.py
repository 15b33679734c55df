"""Votes: what the nearest neighbours say of rows, of labels of either type.

Labels that are permuted are further columns: neighbours are the same, and speak by their labels.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from physprobe.fit.methods import _class_scores
from physprobe.fit.methods._classes import Classes
from physprobe.fit.methods._numbers import Numbers
from physprobe.fit.methods._selection import OfClasses, OfNumbers, together
from physprobe.statistics.splits import Fold

SPREAD = 0.01
"""Of a vote that every class has besides, which keeps the log loss finite."""


@dataclass(frozen=True, kw_only=True)
class FittedClasses(OfClasses):
    """What was chosen in one outer fold, and what came of it; ``inner`` is the share of errors."""

    neighbours: np.ndarray
    """(column,) place among the numbers."""
    distance: np.ndarray
    """(column,) place among the distances."""

    def told(self, column: int) -> dict:
        """Error of the inner folds, by its name."""
        return {"inner_error": self.inner[column]}


@dataclass(frozen=True, kw_only=True)
class FittedNumbers(OfNumbers):
    """What was chosen in one outer fold, and what came of it, of labels that are numbers."""

    neighbours: np.ndarray
    """(column,) place among the numbers of neighbours."""
    distance: np.ndarray
    """(column,) place among the distances."""

    def told(self, column: int) -> dict:
        """Error of the inner folds, by its name."""
        return {"inner_r2": 1.0 - self.inner[column]}


class Votes(Protocol):
    """What a solver by neighbours needs to know of labels.

    What so many neighbours say of rows has the axes (row, ..., column).
    """

    columns: np.ndarray
    """(clip, column) labels of all clips."""
    true: int
    """Columns that are true labels; they come first."""

    def heard(
        self, near: np.ndarray, weights: np.ndarray | None, known: np.ndarray, counts: Sequence[int]
    ) -> Iterator[np.ndarray]:
        """What so many of the nearest say, ascending; each may be changed by the next.

        Parameters
        ----------
        near : (row, neighbour) int
            Nearest first.
        weights : (row, neighbour) or None
            Of each one's word; None: all alike.
        known : (row of training, column)
            Labels.
        counts : sequence of int
        """

    def errors(self, heard: np.ndarray, truth: np.ndarray) -> np.ndarray:
        """What is chosen by (column,), summed over rows; truth (row, column)."""

    def own(self, heard: np.ndarray, truth: np.ndarray, count: int) -> np.ndarray:
        """Two scores (2, true column) of training rows, summed, by what other rows say."""

    def unit(self, fold: Fold, times: int) -> np.ndarray | float:
        """Unit of errors that are summed over a fold's training rows."""

    def predictions(self, heard: np.ndarray, count: int) -> np.ndarray:
        """Predictions (row, ..., column) from what so many say."""

    def nothing(self, fold: Fold) -> np.ndarray:
        """Predictions (..., true column) that know no clip."""

    def fitted(
        self,
        fold: Fold,
        inner: np.ndarray,
        predicted: np.ndarray,
        own: np.ndarray,
        halved: np.ndarray,
        place: np.ndarray,
        which: np.ndarray,
    ) -> FittedClasses | FittedNumbers:
        """What was chosen, and what came of it; predictions are (clip, time, ..., column)."""


def of(labels: Numbers | Classes) -> Votes:
    """Votes on either type of label."""
    return OnClasses(labels) if isinstance(labels, Classes) else OnNumbers(labels)


class OnClasses:
    """Each neighbour has a vote for its own class."""

    true = 1

    def __init__(self, labels: Classes):
        self.labels, self.columns, self.classes = labels, labels.values, labels.classes

    def heard(
        self, near: np.ndarray, weights: np.ndarray | None, known: np.ndarray, counts: Sequence[int]
    ) -> Iterator[np.ndarray]:
        votes = np.zeros(
            (len(near), self.classes, known.shape[1]),
            _small(counts[-1]) if weights is None else np.float32,
        )
        names = np.arange(self.classes, dtype=_small(self.classes))[:, None]
        known = known.astype(names.dtype)
        for number in range(counts[-1]):
            vote = (known[near[:, number], None] == names).view(np.uint8)
            votes += vote if weights is None else weights[:, number, None, None] * vote
            if number + 1 in counts:
                yield votes if weights is None else votes * _evenly(weights, number + 1, votes.ndim)

    def errors(self, heard: np.ndarray, truth: np.ndarray) -> np.ndarray:
        return (1.0 - _right(heard, truth)).sum(0)

    def own(self, heard: np.ndarray, truth: np.ndarray, count: int) -> np.ndarray:
        told = self.predictions(heard[..., :1], count)[:, None]
        loss = _class_scores.losses(told, truth[:, None, :1]).sum()
        return np.array([[loss], [_right(heard[..., :1], truth[:, :1]).sum()]])

    def unit(self, fold: Fold, times: int) -> np.ndarray | float:
        return float(len(fold.train) * times)

    def predictions(self, heard: np.ndarray, count: int) -> np.ndarray:
        return np.log((heard.astype(float) + SPREAD) / (count + SPREAD * self.classes))

    def nothing(self, fold: Fold) -> np.ndarray:
        return np.full((self.classes, 1), -np.log(self.classes))

    def fitted(
        self,
        fold: Fold,
        inner: np.ndarray,
        predicted: np.ndarray,
        own: np.ndarray,
        halved: np.ndarray,
        place: np.ndarray,
        which: np.ndarray,
    ) -> FittedClasses:
        loss, correct = own / self.unit(fold, predicted.shape[1])
        return FittedClasses(
            inner=inner,
            **self.labels.sums(predicted, fold.test),
            neighbours=place,
            distance=which,
            predicted=predicted[..., :1].copy(),
            train_loss=loss,
            train_correct=correct,
            halved=halved,
        )


class OnNumbers:
    """The mean of the neighbours' labels; columns of a target share all choices."""

    def __init__(self, labels: Numbers):
        self.labels, self.widths = labels, list(labels.widths.values())
        self.columns = labels.values.reshape(len(labels.values), -1)
        self.true = labels.values.shape[2]

    def heard(
        self, near: np.ndarray, weights: np.ndarray | None, known: np.ndarray, counts: Sequence[int]
    ) -> Iterator[np.ndarray]:
        sums = np.zeros((len(near), known.shape[1]))
        for number in range(counts[-1]):
            words = known[near[:, number]]
            sums += words if weights is None else weights[:, number, None] * words
            if number + 1 in counts:
                mean = sums / (number + 1)
                yield mean if weights is None else mean * _evenly(weights, number + 1, mean.ndim)

    def errors(self, heard: np.ndarray, truth: np.ndarray) -> np.ndarray:
        return together(((heard - truth) ** 2).sum(0), self.widths)

    def own(self, heard: np.ndarray, truth: np.ndarray, count: int) -> np.ndarray:
        residual = heard[:, : self.true] - truth[:, : self.true]
        return np.stack([(residual**2).sum(0), np.abs(residual).sum(0)])

    def unit(self, fold: Fold, times: int) -> np.ndarray | float:
        values = self.columns[fold.train]
        spread = times * together(((values - values.mean(0)) ** 2).sum(0), self.widths)
        return np.where(spread > 0, spread, 1.0)

    def predictions(self, heard: np.ndarray, count: int) -> np.ndarray:
        return heard

    def nothing(self, fold: Fold) -> np.ndarray:
        return self.columns[fold.train, : self.true].mean(0)

    def fitted(
        self,
        fold: Fold,
        inner: np.ndarray,
        predicted: np.ndarray,
        own: np.ndarray,
        halved: np.ndarray,
        place: np.ndarray,
        which: np.ndarray,
    ) -> FittedNumbers:
        residual = predicted - self.columns[fold.test][:, None]
        squared, absolute = own / (len(fold.train) * predicted.shape[1])
        return FittedNumbers(
            inner=inner,
            errors=np.einsum("ntc,ntc->tc", residual, residual),
            grouped=self.labels.grouped(residual, fold.test),
            predicted=predicted[..., : self.true].copy(),
            train_squared=squared,
            train_absolute=absolute,
            halved=halved,
            neighbours=place,
            distance=which,
        )


def _evenly(weights: np.ndarray, count: int, axes: int) -> np.ndarray:
    """What words of so many neighbours are multiplied by, so that these weigh 1 on average."""
    scale = count / weights[:, :count].sum(1)
    return scale.reshape(-1, *[1] * (axes - 1))


def _right(votes: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Share (row, column) of a row that is named right; classes with as many votes share it."""
    best = votes == votes.max(1, keepdims=True)
    right = np.take_along_axis(best, truth[:, None], 1)[:, 0]
    return right / best.sum(1, dtype=_small(votes.shape[1])).astype(np.float32)


def _small(most: int) -> type[np.unsignedinteger]:
    """Type of whole numbers up to so many: the smaller, the more of them are added at once."""
    return np.uint8 if most < 256 else np.uint16
