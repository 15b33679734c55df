"""Logistic: everything chosen inside one fold's training clips, for true and permuted labels.

A permuted label is one more column: all of them are fitted together, and each goes through the
whole selection that the true labels go through.

Inner folds go from the strongest penalty to weaker ones, each fit starting from the one before. A
column is done when two penalties in turn have not lowered its loss: labels that the features don't
hold, as permuted ones, never get to the penalties that are weak, slow, and of no use to them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from physprobe.fit.methods import _class_rows
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
        best = None
        for number, name in enumerate(self.scalings):
            best = asked.fit(name, number).or_better(best)
        return best

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
        scale = self.centred.scale(name)
        train, test = self.centred.train / scale, self.centred.test / scale
        clips, times, features = train.shape
        count = clips * times
        unit = np.einsum("ntf,ntf->", train, train) / min(count, features)
        if count <= features:
            turned = logistic.Basis(train.reshape(count, features))
            train, test = turned.rotated(train), turned.rotated(test)
        inner = self._crossval(train[:, self.inner_times], unit * len(self.inner_times) / times)
        place = self._best(inner)
        basis = logistic.Basis(train.reshape(count, -1))
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
            train_loss=_class_rows.losses(own, true).mean((0, 1)),
            train_correct=_class_rows.hits(own, true).mean((0, 1)),
            influence=self._influence(basis, test, fitted[..., 0], self.penalties[place[0]] * unit),
        )

    def _influence(
        self, basis: logistic.Basis, test: np.ndarray, fitted: np.ndarray, penalty: float
    ) -> np.ndarray:
        """What a weight on each clip does, through the true label's fit, to held-out accuracy."""
        times = test.shape[1]
        known, asked = np.repeat(self.train[:, 0], times), np.repeat(self.test[:, 0], times)
        coordinates = basis.coordinates(test).reshape(len(asked), -1)
        margin, slopes = margins(coordinates @ fitted, asked, self.classes)
        directions = np.einsum("nd,nk->dkn", coordinates, slopes)
        moved = logistic.reached(basis, known, self.classes, penalty, fitted, directions, times)
        found = np.zeros((len(self.labels.values), 1))
        found[self.fold.train, 0] = moved @ crossing(margin, moved) / times
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
        going, starts = np.arange(self.train.shape[1]), [None] * len(parts)
        best, waited = np.full(len(going), np.inf), np.zeros(len(going), int)
        for place in reversed(range(len(self.penalties))):
            penalty = self.penalties[place] * unit
            total = np.zeros(len(going))
            for number, (basis, held, rest, block) in enumerate(parts):
                rows = np.repeat(self.train[np.ix_(rest, going)], times, axis=0)
                starts[number] = logistic.fit(
                    basis, rows, self.classes, penalty,
                    start=starts[number], tolerance=logistic.SELECTION,
                )  # fmt: skip
                logits = np.einsum("ntd,dkc->ntkc", held, starts[number], optimize=True)
                guess = logistic.log_probabilities(logits, 2)
                truth = self.train[np.ix_(block, going)]
                total += _class_rows.losses(guess, truth[:, None]).sum((0, 1))
            found[place, going] = total = total / (clips * times)
            lower = total < best - TIE
            best, waited = np.where(lower, total, best), np.where(lower, 0, waited + 1)
            left = waited < PATIENCE
            if not left.any():
                break
            going, best, waited = going[left], best[left], waited[left]
            starts = [start[..., left] for start in starts]
        return found

    @staticmethod
    def _best(inner: np.ndarray) -> np.ndarray:
        """Place of the smallest loss (column,), ties toward the larger penalty."""
        tied = inner <= inner.min(0) + TIE
        return len(inner) - 1 - tied[::-1].argmax(0)


def margins(logits: np.ndarray, truth: np.ndarray, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """True class's logit less the best other (row,), above 0 where right; slopes (row, logit)."""
    rows = np.arange(len(logits))
    if classes == 2:
        sign = 2.0 * truth[:, None] - 1.0
        return (sign * logits)[:, 0], sign
    others = logits.copy()
    others[rows, truth] = -np.inf
    best = others.argmax(1)
    slopes = np.zeros_like(logits)
    slopes[rows, truth], slopes[rows, best] = 1.0, -1.0
    return logits[rows, truth] - logits[rows, best], slopes


def crossing(margin: np.ndarray, moved: np.ndarray) -> np.ndarray:
    """Slope of each row's being right by its margin (row,), a step that is smoothed.

    In sum the slopes are the density of margins at 0. They are smoothed as densities are, by
    Silverman's rule, and by what margins vary through the fits: so much a draw moves them.

    Parameters
    ----------
    margin : (row,)
    moved : (training clip, row)
        How far a weight on each clip moves each margin.
    """
    spread = 1.06 * margin.std() * len(margin) ** -0.2
    width = np.sqrt(spread**2 + (moved**2).sum(0)) + np.finfo(float).tiny
    return np.exp(-0.5 * (margin / width) ** 2) / (width * np.sqrt(2 * np.pi))


def _logits(basis: logistic.Basis, rows: np.ndarray, fitted: np.ndarray) -> np.ndarray:
    """Logits (clip, time, logit, column)."""
    return np.einsum("ntd,dkc->ntkc", basis.coordinates(rows), fitted, optimize=True)
