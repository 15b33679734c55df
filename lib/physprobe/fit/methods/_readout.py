"""Readout: what fits that are trained together are asked for, and what came of those chosen.

A member is one label, true or permuted, with as many outputs as it takes: the columns of a number,
the log-odds of two classes, or a score of each of several.
"""

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from torch import Tensor
from torch.nn import functional

from physprobe.fit.methods import _class_scores, _selection
from physprobe.fit.methods._classes import Classes
from physprobe.fit.methods._numbers import Numbers
from physprobe.fit.methods._selection import together
from physprobe.statistics import logistic, orders
from physprobe.statistics.splits import Fold


@dataclass(frozen=True, kw_only=True)
class TrainedNumbers(_selection.OfNumbers):
    """What was chosen in one outer fold, and what came of it, of labels that are numbers."""

    setting: np.ndarray
    """(column,) place among the settings."""
    epoch: np.ndarray
    """(column,) place among the numbers of epochs."""
    parameters: np.ndarray = field(default_factory=lambda: np.zeros(0, int))
    """(column,) numbers that a readout has, once they are counted."""

    def told(self, column: int) -> dict:
        """Error of the inner folds, by its name."""
        return {"inner_r2": 1.0 - self.inner[column]}


@dataclass(frozen=True, kw_only=True)
class TrainedClasses(_selection.OfClasses):
    """What was chosen in one outer fold, and what came of it, of labels that are classes."""

    setting: np.ndarray
    """(column,) place among the settings."""
    epoch: np.ndarray
    """(column,) place among the numbers of epochs."""
    parameters: np.ndarray = field(default_factory=lambda: np.zeros(0, int))
    """(column,) numbers that a readout has, once they are counted."""

    def told(self, column: int) -> dict:
        """Error of the inner folds, by its name."""
        return {"inner_log_loss": self.inner[column]}


class Readout(Protocol):
    """What the training needs to know of labels.

    ``outputs`` that come back from it have the axes (epoch, clip, setting, member, output).
    """

    members: int
    true: int
    """Members that are true labels; they come first."""
    outputs: int
    each: list[int]
    """(column,) outputs of a readout for a column's target by itself."""
    share: np.ndarray
    """(member, output) float32, how much each output counts."""

    def asked(self, train: np.ndarray) -> np.ndarray:
        """What is to be put out (clip, member, output), as training clips scale it."""

    def offset(self, train: np.ndarray) -> np.ndarray:
        """What to put out (member, output) without knowing anything."""

    def loss(self, outputs: Tensor, asked: Tensor, share: Tensor) -> Tensor:
        """Loss (..., member) from outputs (..., member, output), and ``share`` of the members."""

    def errors(self, outputs: np.ndarray, train: np.ndarray, held: np.ndarray) -> np.ndarray:
        """Errors (epoch, setting, column) summed over held-out clips."""

    def unit(self, fold: Fold) -> np.ndarray:
        """Unit (column,) of errors that are summed over a fold's training clips."""

    def fitted(
        self, fold: Fold, inner: np.ndarray, held: np.ndarray, train: np.ndarray
    ) -> "TrainedNumbers | TrainedClasses":
        """What the least inner error (epoch, setting, column) chooses, fewest epochs if tied.

        ``held`` and ``train`` are outputs for the held-out clips, and for the training clips of
        the true labels alone.
        """


def of(labels: Numbers | Classes) -> Readout:
    """Readout of either type of label."""
    return OfClasses(labels) if isinstance(labels, Classes) else OfNumbers(labels)


class OfNumbers:
    """Readout of numbers; a target's columns share one."""

    def __init__(self, labels: Numbers):
        widths, draws = list(labels.widths.values()), labels.values.shape[1]
        self.labels, self.widths = labels, widths
        self.columns = labels.values.reshape(len(labels.values), -1)
        self.true, self.members = len(widths), draws * len(widths)
        self.outputs, self.true_columns = max(widths), sum(widths)
        self.each = np.tile(np.repeat(widths, widths), draws).tolist()
        target = np.repeat(np.arange(self.true), widths)
        self.member = (np.arange(draws)[:, None] * self.true + target).ravel()
        self.output = np.tile(np.concatenate([np.arange(width) for width in widths]), draws)
        self.share = np.zeros((self.members, self.outputs), np.float32)
        self.share[self.member, self.output] = 1.0 / np.tile(np.repeat(widths, widths), draws)

    def _scale(self, train: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean and deviation (column,) of the training clips."""
        deviation = self.columns[train].std(0)
        return self.columns[train].mean(0), np.where(deviation > 0, deviation, 1.0)

    def asked(self, train: np.ndarray) -> np.ndarray:
        mean, deviation = self._scale(train)
        found = np.zeros((len(self.columns), self.members, self.outputs), np.float32)
        found[:, self.member, self.output] = (self.columns - mean) / deviation
        return found

    def offset(self, train: np.ndarray) -> np.ndarray:
        return np.zeros((self.members, self.outputs))

    def loss(self, outputs: Tensor, asked: Tensor, share: Tensor) -> Tensor:
        return ((outputs - asked) ** 2 * share).sum(-1)

    def errors(self, outputs: np.ndarray, train: np.ndarray, held: np.ndarray) -> np.ndarray:
        residual = self._values(outputs, train) - self.columns[held][:, None]
        return together((residual**2).sum(1), self.widths)

    def unit(self, fold: Fold) -> np.ndarray:
        values = self.columns[fold.train]
        spread = together(((values - values.mean(0)) ** 2).sum(0), self.widths)
        return np.where(spread > 0, spread, 1.0)

    def _values(self, outputs: np.ndarray, train: np.ndarray) -> np.ndarray:
        """Predictions (epoch, clip, setting, column) in the labels' own units."""
        mean, deviation = self._scale(train)
        count = outputs.shape[3] // self.true * self.true_columns
        found = outputs[..., self.member[:count], self.output[:count]]
        return found * deviation[:count] + mean[:count]

    def fitted(
        self, fold: Fold, inner: np.ndarray, held: np.ndarray, train: np.ndarray
    ) -> TrainedNumbers:
        epoch, setting, least = _least(inner)
        predicted = _taken(self._values(held, fold.train), epoch, setting)
        own = _taken(self._values(train, fold.train), epoch, setting)
        residual = own - self.columns[fold.train, : self.true_columns]
        missed = predicted - self.columns[fold.test]
        return TrainedNumbers(
            inner=least,
            errors=(missed**2).sum(0)[None],
            grouped=self.labels.grouped(missed[:, None], fold.test),
            predicted=predicted[:, None, : self.true_columns],
            train_squared=(residual**2).mean(0),
            train_absolute=np.abs(residual).mean(0),
            halved=np.zeros((0, 2, len(predicted), 1, self.true_columns)),
            setting=setting,
            epoch=epoch,
        )


class OfClasses:
    """Readout of classes."""

    def __init__(self, labels: Classes):
        self.asked_of, self.labels = labels, labels.values
        self.members, self.true = self.labels.shape[1], 1
        self.numbers = orders.numbers_of(labels.classes)
        self.outputs = len(self.numbers)
        self.each = [self.outputs] * self.members
        self.share = np.ones((self.members, self.outputs), np.float32)

    def asked(self, train: np.ndarray) -> np.ndarray:
        return (self.labels[..., None] == self.numbers).astype(np.float32)

    def offset(self, train: np.ndarray) -> np.ndarray:
        share = self.asked(train)[train].mean(0)
        # permuted labels may leave a class to no training clip: half a clip, then
        share = np.clip(share, 0.5 / len(train), 1 - 0.5 / len(train))
        return np.log(share / (1 - share)) if self.outputs == 1 else np.log(share)

    def loss(self, outputs: Tensor, asked: Tensor, share: Tensor) -> Tensor:
        if self.outputs == 1:
            return (functional.softplus(outputs) - asked * outputs).sum(-1)
        return outputs.logsumexp(-1) - (asked * outputs).sum(-1)

    def errors(self, outputs: np.ndarray, train: np.ndarray, held: np.ndarray) -> np.ndarray:
        found = logistic.log_probabilities(outputs, -1)
        truth = np.broadcast_to(self.labels[held][:, None, :, None], (*found.shape[:-1], 1))
        return -np.take_along_axis(found, truth, -1)[..., 0].sum(1)

    def unit(self, fold: Fold) -> np.ndarray:
        return np.full(self.members, float(len(fold.train)))

    def fitted(
        self, fold: Fold, inner: np.ndarray, held: np.ndarray, train: np.ndarray
    ) -> TrainedClasses:
        epoch, setting, least = _least(inner)
        found, own = (
            logistic.log_probabilities(
                _taken(outputs, epoch, setting).transpose(0, 2, 1)[:, None], 2
            )
            for outputs in (held, train)
        )
        mine = self.labels[fold.train][:, None, :1]
        return TrainedClasses(
            inner=least,
            **self.asked_of.sums(found, fold.test),
            predicted=found[..., :1],
            train_loss=_class_scores.losses(own, mine).mean((0, 1)),
            train_correct=_class_scores.hits(own, mine).mean((0, 1)),
            halved=np.zeros((0, 2, *found.shape[:3], 1)),
            setting=setting,
            epoch=epoch,
        )


def _least(inner: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Epoch, setting and error (column,) of the least error (epoch, setting, column)."""
    flat = inner.reshape(-1, inner.shape[2])
    place = flat.argmin(0)
    epoch, setting = np.divmod(place, inner.shape[1])
    return epoch, setting, np.take_along_axis(flat, place[None], 0)[0]


def _taken(outputs: np.ndarray, epoch: np.ndarray, setting: np.ndarray) -> np.ndarray:
    """Outputs (clip, column, ...) of what was chosen, from (epoch, clip, setting, column)."""
    columns = np.arange(outputs.shape[3])
    chosen = outputs[epoch[columns], :, setting[columns], columns]
    return chosen.swapaxes(0, 1)
