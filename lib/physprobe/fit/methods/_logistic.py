"""Logistic: everything chosen inside one fold's training clips, for true and permuted labels.

A permuted label is one more column: all of them are fitted together, and each goes through the
whole selection that the true labels go through.

Inner folds go from the strongest penalty to weaker ones, each fit starting from the one before. A
column is done when two penalties in turn have not lowered its loss: labels that the features don't
hold, as permuted ones, never get to the penalties that are weak, slow, and of no use to them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from physprobe.fit.methods import _class_scores
from physprobe.fit.methods._classes import Classes
from physprobe.fit.methods._selection import OfClasses, Solver
from physprobe.statistics import logistic, ridge
from physprobe.statistics.splits import Fold

TIE = 1e-7  # of the log loss per row: fits that inner folds compare are no more exact
PATIENCE = 2


@dataclass(frozen=True, kw_only=True)
class Fitted(OfClasses):
    """What was chosen in one outer fold, and what came of it; ``column`` is the last axis."""

    TIE = TIE

    penalty: np.ndarray
    """(column,) place in the grid."""
    scaling: np.ndarray
    """(column,) place among the scalings."""


@dataclass(frozen=True)
class Logistic(Solver[Classes, Fitted]):
    """Scaling and penalty from grids, by the log loss over inner folds."""

    LATER = True

    penalties: Sequence[float]
    """Ascending."""
    scalings: Sequence[str]
    inner_times: int
    """Token times of each clip, evenly spread, that inner folds choose on."""

    def fit(self, rows: np.ndarray, labels: Classes, fold: Fold) -> Fitted:
        """Choose scaling and penalty inside one fold's training clips; score its held-out clips."""
        asked = _Rows(rows, labels, fold, self.penalties, self.inner_times)
        best = asked.fit(self.scalings[0], 0)
        for number, name in enumerate(self.scalings[1:], start=1):
            best = asked.fit(name, number).or_better(best)
        return replace(best, halved=asked.halved(self.scalings, best))

    def chosen(self, fit: Fitted, column: int) -> dict:
        """What was chosen for a column."""
        return {
            "scaling": self.scalings[fit.scaling[column]],
            "lambda": self.penalties[fit.penalty[column]],
            "inner_log_loss": fit.inner[column],
            "edge_hit": bool(fit.penalty[column] in (0, len(self.penalties) - 1)),
        }


class _Rows:
    """One layer's rows in one outer fold."""

    def __init__(
        self,
        rows: np.ndarray,
        labels: Classes,
        fold: Fold,
        penalties: Sequence[float],
        inner_times: int,
    ):
        self.labels, self.fold = labels, fold
        self.centred, self.blocks = ridge.centre(rows, fold), ridge.blocks_of(fold)
        self.train, self.test = labels.values[fold.train], labels.values[fold.test]
        self.classes, self.penalties = labels.classes, np.asarray(penalties)
        times = rows.shape[1]
        spread = np.linspace(0, times - 1, min(inner_times, times))
        self.inner_times = np.unique(np.rint(spread).astype(int))

    def fit(self, name: str, scaling: int) -> Fitted:
        """Choose a penalty inside the training clips; score the held-out clips."""
        train, test, unit = self._scaled(name)
        times = train.shape[1]
        inner = self._crossval(train[:, self.inner_times], unit * len(self.inner_times) / times)
        place = self._best(inner)
        basis = logistic.Basis(train.reshape(-1, train.shape[-1]))
        rows = np.repeat(self.train, times, axis=0)
        fitted = logistic.fit(basis, rows, self.classes, self.penalties[place] * unit)
        found = logistic.log_probabilities(_logits(basis, test, fitted), 2)
        own = logistic.log_probabilities(_logits(basis, train, fitted[..., :1]), 2)
        true = self.train[:, None, :1]
        return Fitted(
            inner=np.take_along_axis(inner, place[None], 0)[0],
            **self.labels.sums(found, self.fold.test),
            penalty=place,
            scaling=np.full_like(place, scaling),
            predicted=found[..., :1],
            train_loss=_class_scores.losses(own, true).mean((0, 1)),
            train_correct=_class_scores.hits(own, true).mean((0, 1)),
            halved=np.zeros((0, 2, *found.shape[:3], 1)),
        )

    def _scaled(self, name: str) -> tuple[np.ndarray, np.ndarray, float]:
        """Training and held-out rows (clip, time, feature), and the unit of penalties."""
        scale = self.centred.scale(name)
        train, test = self.centred.train / scale, self.centred.test / scale
        clips, times, features = train.shape
        count = clips * times
        unit = np.einsum("ntf,ntf->", train, train) / min(count, features)
        if count <= features:
            turned = logistic.Basis(train.reshape(count, features))
            train, test = turned.rotated(train), turned.rotated(test)
        return train, test, unit

    def halved(self, scalings: Sequence[str], best: Fitted) -> np.ndarray:
        """Log-probabilities (split, half, clip, time, class, 1) by fits to halves, true labels.

        The penalty is that of the whole fit, in absolute terms. A half without a clip knows as
        much of the classes as nothing does.
        """
        train, test, unit = self._scaled(scalings[best.scaling[0]])
        penalty = self.penalties[best.penalty[0]] * unit
        first = self.labels.halves[:, self.fold.train]
        shape = (len(first), 2, *test.shape[:2], self.classes, 1)
        found = np.full(shape, -np.log(self.classes))
        for split, inside in enumerate(first):
            for half, mine in enumerate((inside, ~inside)):
                if mine.any():
                    basis = logistic.Basis(train[mine].reshape(-1, train.shape[-1]))
                    rows = np.repeat(self.train[mine, :1], train.shape[1], axis=0)
                    fitted = logistic.fit(basis, rows, self.classes, penalty)
                    found[split, half] = logistic.log_probabilities(_logits(basis, test, fitted), 2)
        return found

    def _crossval(self, train: np.ndarray, unit: float) -> np.ndarray:
        """Log loss over all inner folds (penalty, column), mean over rows; inf if not needed."""
        clips, times, features = train.shape
        parts = []
        for block in self.blocks:
            rest = np.setdiff1d(np.arange(clips), block)
            basis = logistic.Basis(train[rest].reshape(-1, features))
            parts.append((basis, basis.coordinates(train[block]), rest, block))
        found = np.full((len(self.penalties), self.train.shape[1]), np.inf)
        going = np.arange(self.train.shape[1])
        starts: list[np.ndarray | None] = [None] * len(parts)
        best, waited = np.full(len(going), np.inf), np.zeros(len(going), int)
        for place in reversed(range(len(self.penalties))):
            penalty = self.penalties[place] * unit
            total = np.zeros(len(going))
            for number, (basis, held, rest, block) in enumerate(parts):
                rows = np.repeat(self.train[np.ix_(rest, going)], times, axis=0)
                fitted = logistic.fit(
                    basis, rows, self.classes, penalty,
                    start=starts[number], tolerance=logistic.SELECTION,
                )  # fmt: skip
                starts[number] = fitted
                logits = np.einsum("ntd,dkc->ntkc", held, fitted, optimize=True)
                guess = logistic.log_probabilities(logits, 2)
                truth = self.train[np.ix_(block, going)]
                total += _class_scores.losses(guess, truth[:, None]).sum((0, 1))
            found[place, going] = total = total / (clips * times)
            lower = total < best - TIE
            best, waited = np.where(lower, total, best), np.where(lower, 0, waited + 1)
            left = waited < PATIENCE
            if not left.any():
                break
            going, best, waited = going[left], best[left], waited[left]
            starts = [None if start is None else start[..., left] for start in starts]
        return found

    @staticmethod
    def _best(inner: np.ndarray) -> np.ndarray:
        """Place of the smallest loss (column,), ties toward the larger penalty."""
        tied = inner <= inner.min(0) + TIE
        return len(inner) - 1 - tied[::-1].argmax(0)


def _logits(basis: logistic.Basis, rows: np.ndarray, fitted: np.ndarray) -> np.ndarray:
    """Logits (clip, time, logit, column)."""
    return np.einsum("ntd,dkc->ntkc", basis.coordinates(rows), fitted, optimize=True)
