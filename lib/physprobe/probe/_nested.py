"""Nested selection of layer, scaling and penalty, for true and permuted labels at once.

A permuted label is one more right-hand side: the same factorizations serve all of them, and each
goes through the whole selection that the true labels go through.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from physprobe.core import ridge
from physprobe.core.splits import Fold
from physprobe.probe._selection import Choice, Tally, visits


@dataclass(frozen=True)
class Fitted(Choice):
    """What was chosen in one outer fold, and what came of it; ``column`` is the last axis.

    The first columns are the true labels, one per target; predictions and training errors are
    kept for these only.
    """

    TIE = ridge.TIE

    inner: np.ndarray
    """(column,) squared error over the inner folds, in units of the labels' spread."""
    errors: np.ndarray
    """(time, column) squared errors summed over held-out clips."""
    penalty: np.ndarray
    """(column,) place in the grid."""
    scaling: np.ndarray
    """(column,) place among the scalings."""
    layer: np.ndarray
    """(column,) place among the layers."""
    predicted: np.ndarray
    """(clip, time, target) of the held-out clips."""
    train_squared: np.ndarray
    """(target,) mean over training rows."""
    train_absolute: np.ndarray
    """(target,) mean over training rows."""


def decode(
    features: Sequence[np.ndarray],
    labels: np.ndarray,
    targets: int,
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
    labels : (clip, column)
        True labels first, then permuted ones.
    targets : int
        Number of true labels.
    folds : sequence of Fold
    samples : sequence of "clip", "token"
        Mean over time of each clip, or each token time as a row with its clip's label.
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
        fitted = _fit(rows, labels, targets, folds[place], penalties, scalings)
        fitted = replace(fitted, layer=np.full_like(fitted.penalty, number))
        tally.layers[-1].append(fitted)
        best = tally.selected[place]
        tally.selected[place] = best.or_better(fitted) if best else fitted
    return tallies


def _fit(
    rows: np.ndarray,
    labels: np.ndarray,
    targets: int,
    fold: Fold,
    penalties: Sequence[float],
    scalings: Sequence[str],
) -> Fitted:
    """Choose scaling and penalty inside one fold's training clips; score its held-out clips."""
    blocks, centred = ridge.blocks_of(fold), ridge.centre(rows, fold)
    mean = labels[fold.train].mean(0)
    train, test = labels[fold.train] - mean, labels[fold.test] - mean
    spread = rows.shape[1] * np.einsum("nc,nc->c", train, train)
    spread[spread == 0.0] = 1.0
    best = None
    for number, (scale, solver) in enumerate(ridge.solvers(centred, blocks, scalings)):
        inner = solver.crossval(train, penalties) / spread
        place = ridge.best_penalty(inner)
        weights = solver.weights(train, np.asarray(penalties)[place]) / scale[:, None]
        predicted = centred.test @ weights
        errors = predicted - test[:, None]
        fitted_train = centred.train @ weights[:, :targets] - train[:, None, :targets]
        fitted = Fitted(
            inner=np.take_along_axis(inner, place[None], 0)[0],
            errors=np.einsum("ntc,ntc->tc", errors, errors),
            penalty=place,
            scaling=np.full_like(place, number),
            layer=np.zeros_like(place),
            predicted=predicted[..., :targets] + mean[:targets],
            train_squared=(fitted_train**2).mean((0, 1)),
            train_absolute=np.abs(fitted_train).mean((0, 1)),
        )
        best = best.or_better(fitted) if best else fitted
    return best
