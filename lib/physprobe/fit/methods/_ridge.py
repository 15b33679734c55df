"""Ridge: everything chosen inside one fold's training clips, for true and permuted labels at once.

A permuted label is one more right-hand side: the same factorizations serve all of them, and each
goes through the whole selection that the true labels go through, in float32 where their columns are
more than their rows. Columns of one target, such as the sine and cosine of an angle, share all
choices: what counts is their error together. Fits to halves of the training clips, for the
intervals, are made for true labels with what was chosen on all of them; where clips are scored in
another rendering, each with what suits the other half best: choices that are as good as each other
where they are made may be far apart there.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from physprobe.fit.methods._numbers import Numbers
from physprobe.fit.methods._selection import OfNumbers, Solver, together
from physprobe.statistics import ridge
from physprobe.statistics.splits import Fold
from physprobe.store import scratch

ROOM = 2**24  # predictions of permuted labels that are held at once
KEPT = 32  # predictions of halves: one for each layer and outer fold


@dataclass(frozen=True, kw_only=True)
class Fitted(OfNumbers):
    """What was chosen in one outer fold, and what came of it; ``column`` is the last axis."""

    TIE = ridge.TIE

    penalty: np.ndarray
    """(column,) place in the grid."""
    scaling: np.ndarray
    """(column,) place among the scalings."""


@dataclass(frozen=True)
class Ridge(Solver[Numbers, Fitted]):
    """Scaling and penalty from grids, by the error over inner folds."""

    penalties: Sequence[float]
    scalings: Sequence[str]

    def fit(self, rows: np.ndarray, labels: Numbers, fold: Fold) -> Fitted:
        """Choose scaling and penalty inside one fold's training clips; score its held-out clips."""
        blocks, centred = ridge.blocks_of(fold), ridge.centre(rows, fold, scratch.zeros)
        columns = labels.values.reshape(len(labels.values), -1)
        widths = list(labels.widths.values())
        mean, true = columns[fold.train].mean(0), labels.values.shape[2]
        train, test = columns[fold.train] - mean, columns[fold.test] - mean
        others = train[:, true:].astype(np.float32)
        spread = together(rows.shape[1] * np.einsum("nc,nc->c", train, train), widths)
        spread[spread == 0.0] = 1.0
        best, tried = None, []
        for number, (scale, solver) in enumerate(ridge.solvers(centred, blocks, self.scalings)):
            inner = together(solver.crossval(train, self.penalties, precise=true), widths) / spread
            place = ridge.best_penalty(inner)
            chosen = np.asarray(self.penalties)[place]
            weights = solver.weights(train[:, :true], chosen[:true]) / scale[:, None]
            predicted = centred.test @ weights
            asked = centred.test / scale
            squared, grouped = self._missed(
                solver, asked, predicted, test, others, chosen, labels, fold
            )
            fitted_train = centred.train @ weights - train[:, None, :true]
            fitted = Fitted(
                inner=np.take_along_axis(inner, place[None], 0)[0],
                errors=squared,
                grouped=grouped,
                penalty=place,
                scaling=np.full_like(place, number),
                predicted=predicted + mean[:true],
                train_squared=(fitted_train**2).mean((0, 1)),
                train_absolute=np.abs(fitted_train).mean((0, 1)),
                halved=np.zeros((0, 2, *predicted.shape)),
            )
            best = best.or_better(fitted) if best else fitted
            tried.append((solver, asked))
        assert best, "there is a scaling"
        first = labels.halves[:, fold.train]
        halved = scratch.zeros((len(first), 2, *best.predicted.shape), float, KEPT)
        if labels.rendered:
            self._chosen_anew(tried, train[:, :true], widths, spread[:true], first, halved)
        else:
            self._halved(tried, best, train[:, :true], first, halved)
        halved += mean[:true]
        return replace(best, halved=halved)

    def _missed(
        self,
        solver: ridge.Dual | ridge.Primal,
        asked: np.ndarray,
        predicted: np.ndarray,
        test: np.ndarray,
        others: np.ndarray,
        chosen: np.ndarray,
        labels: Numbers,
        fold: Fold,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Squared errors (time, column) and those of groups (column,), some columns at a time."""
        true = predicted.shape[-1]
        count = max(1, ROOM // max(1, asked.shape[0] * asked.shape[1]))
        squared, grouped = [], []

        def add(errors: np.ndarray) -> None:
            squared.append(np.einsum("ntc,ntc->tc", errors, errors))
            grouped.append(labels.grouped(errors, fold.test))

        add(predicted - test[:, None, :true])
        for start in range(0, others.shape[1], count):
            part = slice(start, start + count)
            permuted = solver.predict(others[:, part], chosen[true:][part], asked)
            add(permuted - test[:, None, true:][..., part])
        return np.concatenate(squared, axis=-1), np.concatenate(grouped, axis=-1)

    def _halved(
        self,
        tried: Sequence[tuple],
        best: Fitted,
        train: np.ndarray,
        first: np.ndarray,
        out: np.ndarray,
    ) -> None:
        """Predict by fits to halves (split, clip) with what was chosen; see the solver."""
        scaling, penalty = (part[: train.shape[1]] for part in (best.scaling, best.penalty))
        for number, (solver, asked) in enumerate(tried):
            mine = scaling == number
            if mine.any() and len(first):
                chosen = np.asarray(self.penalties)[penalty[mine]]
                out[..., mine] = solver.halved(train[:, mine], chosen, asked, first)

    def _chosen_anew(
        self,
        tried: Sequence[tuple],
        train: np.ndarray,
        widths: Sequence[int],
        spread: np.ndarray,
        first: np.ndarray,
        out: np.ndarray,
    ) -> None:
        """Predict by fits to halves (split, clip), each with what suits the other half best."""
        penalties = np.asarray(self.penalties)
        least = np.full((len(first), 2, train.shape[1]), np.inf)
        for solver, asked in tried:
            errors = together(solver.across(train, self.penalties, first), widths) / spread
            errors = np.moveaxis(errors, 2, 0)
            place = ridge.best_penalty(errors)
            error = np.take_along_axis(errors, place[None], 0)[0]
            predicted = solver.halved(train, penalties[place], asked, first)
            np.copyto(out, predicted, where=(error < least)[:, :, None, None])
            least = np.minimum(error, least)

    def chosen(self, fit: Fitted, column: int) -> dict:
        """What was chosen for a column."""
        return {
            "scaling": self.scalings[fit.scaling[column]],
            "lambda": self.penalties[fit.penalty[column]],
            "inner_r2": 1.0 - fit.inner[column],
            "edge_hit": bool(fit.penalty[column] in (0, len(self.penalties) - 1)),
        }
