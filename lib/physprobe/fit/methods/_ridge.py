"""Ridge: everything chosen inside one fold's training clips, for true and permuted labels at once.

A permuted label is one more right-hand side: the same factorizations serve all of them, and each
goes through the whole selection that the true labels go through, in float32 where their columns are
more than their rows. Columns of one target, such as the sine and cosine of an angle, share all
choices: what counts is their error together.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from physprobe.fit.methods._numbers import Numbers
from physprobe.fit.methods._selection import OfNumbers, Solver, together
from physprobe.statistics import ridge
from physprobe.statistics.splits import Fold


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
        blocks, centred = ridge.blocks_of(fold), ridge.centre(rows, fold)
        columns = labels.values.reshape(len(labels.values), -1)
        widths = list(labels.widths.values())
        mean, true = columns[fold.train].mean(0), labels.values.shape[2]
        train, test = columns[fold.train] - mean, columns[fold.test] - mean
        others = train[:, true:].astype(np.float32)
        spread = together(rows.shape[1] * np.einsum("nc,nc->c", train, train), widths)
        spread[spread == 0.0] = 1.0
        best = None
        for number, (scale, solver) in enumerate(ridge.solvers(centred, blocks, self.scalings)):
            inner = together(solver.crossval(train, self.penalties, precise=true), widths) / spread
            place = ridge.best_penalty(inner)
            chosen = np.asarray(self.penalties)[place]
            weights = solver.weights(train[:, :true], chosen[:true]) / scale[:, None]
            predicted = centred.test @ weights
            asked = centred.test / scale
            permuted = solver.predict(others, chosen[true:], asked)
            errors = np.concatenate([predicted, permuted], axis=-1) - test[:, None]
            fitted_train = centred.train @ weights - train[:, None, :true]
            fitted = Fitted(
                inner=np.take_along_axis(inner, place[None], 0)[0],
                errors=np.einsum("ntc,ntc->tc", errors, errors),
                penalty=place,
                scaling=np.full_like(place, number),
                predicted=predicted + mean[:true],
                train_squared=(fitted_train**2).mean((0, 1)),
                train_absolute=np.abs(fitted_train).mean((0, 1)),
                influence=influence(
                    solver,
                    asked,
                    errors[..., :true],
                    -fitted_train,
                    chosen[:true],
                    fold,
                    len(rows),
                ),
            )
            best = best.or_better(fitted) if best else fitted
        return best

    def chosen(self, fit: Fitted, column: int) -> dict:
        """What was chosen for a column."""
        return {
            "scaling": self.scalings[fit.scaling[column]],
            "lambda": self.penalties[fit.penalty[column]],
            "inner_r2": 1.0 - fit.inner[column],
            "edge_hit": bool(fit.penalty[column] in (0, len(self.penalties) - 1)),
        }


def influence(
    solver: ridge.Dual | ridge.Primal,
    asked: np.ndarray,
    errors: np.ndarray,
    residual: np.ndarray,
    penalties: np.ndarray,
    fold: Fold,
    clips: int,
) -> np.ndarray:
    """How held-out errors depend on the weight of each training clip, its penalty held fixed.

    A weight w_i on a training row moves the prediction of a held-out row j by h_ij e_i, with e the
    training residuals and h_ij = 1/n + x_j . (X^T X + lambda)^-1 x_i. An interval needs to know it:
    through the fits, the errors of one fold's clips hang together with those of the others.

    Parameters
    ----------
    solver : Dual or Primal
    asked : (held-out clip, time, feature)
        Held-out rows, centred and scaled as the solver's.
    errors : (held-out clip, time, column)
        Predictions less labels.
    residual : (training clip, time, column)
        Labels less predictions.
    penalties : (column,)
    fold : Fold
    clips : int
        Clips in all.

    Returns
    -------
    (2, clip, time, column)
        Derivatives of sums over held-out clips, of squared and of absolute errors at each time;
        0 for held-out clips.

    References
    ----------
    Efron, "Jackknife-after-bootstrap standard errors and influence functions", JRSS B 54 (1992).
    """
    slopes = np.stack([2.0 * errors, np.sign(errors)], axis=2)
    _, times, _, columns = slopes.shape
    directions = np.einsum("ntf,ntmc->ftmc", asked, slopes, optimize=True)
    wide = directions.reshape(len(directions), -1)
    moved = solver.reached(wide, np.tile(penalties, 2 * times))
    moved = moved.reshape(*residual.shape[:2], times, 2, columns)
    moved += slopes.sum(0) / (residual.shape[0] * residual.shape[1])
    found = np.zeros((2, clips, times, columns))
    found[:, fold.train] = np.einsum("nstmc,nsc->mntc", moved, residual, optimize=True)
    return found
