"""Nested selection of layer, scaling and penalty, for true and permuted labels at once.

A permuted label is one more right-hand side: the same factorizations serve all of them, and each
goes through the whole selection that the true labels go through, in float32 where their columns are
more than their rows. Columns of one target, such as the
sine and cosine of an angle, share all choices: what counts is their error together.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from physprobe.fit.methods._selection import Numbers, Tally, visits
from physprobe.statistics import ridge
from physprobe.statistics.splits import Fold


@dataclass(frozen=True)
class Fitted(Numbers):
    """What was chosen in one outer fold, and what came of it; ``column`` is the last axis."""

    TIE = ridge.TIE

    penalty: np.ndarray
    """(column,) place in the grid."""
    scaling: np.ndarray
    """(column,) place among the scalings."""


def decode(
    features: Sequence[np.ndarray],
    labels: np.ndarray,
    widths: Sequence[int],
    folds: Sequence[Fold],
    *,
    samples: Sequence[str],
    penalties: Sequence[float],
    scalings: Sequence[str],
    components: int | None = None,
) -> list[Tally]:
    """Fit every layer, and choose among them, in every outer fold.

    Parameters
    ----------
    features : sequence over layers of (clip, time, feature)
        Read one at a time.
    labels : (clip, draw, column)
        True labels first, then permuted ones.
    widths : (target,) of int
        Columns of each target, one target after the other.
    folds : sequence of Fold
    samples : sequence of str
        What of a clip's tokens is a row; see ``_selection.rows_of``.
    penalties, scalings : sequence
        Grids to choose from.
    components : int, optional
        Principal components, fitted on training clips, to use in place of the features.

    Returns
    -------
    list of Tally
        One per sample.
    """
    tallies = [Tally(sample, [], [None] * len(folds)) for sample in samples]
    for number, place, tally, rows in visits(features, folds, tallies, components):
        fitted = _fit(rows, labels, widths, folds[place], penalties, scalings)
        fitted = replace(fitted, layer=np.full_like(fitted.penalty, number))
        tally.layers[-1].append(fitted)
        best = tally.selected[place]
        tally.selected[place] = best.or_better(fitted) if best else fitted
    return tallies


def _fit(
    rows: np.ndarray,
    labels: np.ndarray,
    widths: Sequence[int],
    fold: Fold,
    penalties: Sequence[float],
    scalings: Sequence[str],
) -> Fitted:
    """Choose scaling and penalty inside one fold's training clips; score its held-out clips."""
    blocks, centred = ridge.blocks_of(fold), ridge.centre(rows, fold)
    columns = labels.reshape(len(labels), -1)
    mean, true = columns[fold.train].mean(0), labels.shape[2]
    train, test = columns[fold.train] - mean, columns[fold.test] - mean
    others = train[:, true:].astype(np.float32)
    spread = together(rows.shape[1] * np.einsum("nc,nc->c", train, train), widths)
    spread[spread == 0.0] = 1.0
    best = None
    for number, (scale, solver) in enumerate(ridge.solvers(centred, blocks, scalings)):
        inner = together(solver.crossval(train, penalties, precise=true), widths) / spread
        place = ridge.best_penalty(inner)
        chosen = np.asarray(penalties)[place]
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
            layer=np.zeros_like(place),
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


def together(values: np.ndarray, widths: Sequence[int]) -> np.ndarray:
    """Sums over the columns of each target, in the place of each: (..., draw x column)."""
    shape = values.shape
    sums = by_target(values.reshape(*shape[:-1], -1, sum(widths)), widths)
    return np.repeat(sums, widths, axis=-1).reshape(shape)


def by_target(values: np.ndarray, widths: Sequence[int]) -> np.ndarray:
    """Sums (..., target) over the columns of each target."""
    return np.add.reduceat(values, np.cumsum([0, *widths[:-1]]), axis=-1)
