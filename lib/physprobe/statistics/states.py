"""States: ridge regression of what varies in time within a clip, chosen by grouped inner folds.

    y[t] = b + w . x[t],    w = argmin sum (y - b - w . x)^2 + lambda |w|^2

Rows are (clip, time), clips the unit of every fold. Everything follows from second moments of
blocks of clips: an inner fold's moments are the total less the block's, and its error is a
quadratic form in the weights, so no row is looked at twice.
"""

from collections.abc import Sequence
from typing import NamedTuple, Self

import numpy as np

from physprobe.statistics import ridge
from physprobe.statistics.dense import eigen
from physprobe.statistics.splits import Fold

PENALTIES = ridge.PENALTIES


class Fitted(NamedTuple):
    """What the folds of a split predict."""

    predicted: np.ndarray
    """(clip, time, column); nan of clips that no fold holds out."""
    penalties: np.ndarray
    """(fold, column) that were chosen, relative to the mean eigenvalue."""
    inner: np.ndarray
    """(fold, column) mean squared error over the inner folds, of the choice."""
    weights: list[np.ndarray]
    """(feature, column) of each fold: what is predicted is features @ weights + intercept."""
    intercept: np.ndarray
    """(fold, column)"""


class _Moments(NamedTuple):
    """Sums over rows of features and columns side by side."""

    rows: float
    total: np.ndarray
    """(feature + column,)"""
    square: np.ndarray
    """(feature + column, feature)"""
    energy: np.ndarray
    """(column,) sums of squared columns."""

    @classmethod
    def of(cls, features: np.ndarray, states: np.ndarray) -> Self:
        """Moments of rows (row, feature) and (row, column)."""
        both = np.concatenate([features, states], axis=1)
        return cls(len(both), both.sum(0), both.T @ features, (states**2).sum(0))

    def plus(self, other: "_Moments", sign: float = 1.0) -> Self:
        """Moments of both, or of the rest."""
        return type(self)(
            self.rows + sign * other.rows,
            self.total + sign * other.total,
            self.square + sign * other.square,
            self.energy + sign * other.energy,
        )


def fit(
    features: np.ndarray,
    states: np.ndarray,
    folds: Sequence[Fold],
    penalties: Sequence[float] = PENALTIES,
    components: int | None = None,
) -> Fitted:
    """Predict states of held-out clips.

    Parameters
    ----------
    features : (clip, time, feature)
    states : (clip, time, column)
        Every column has a penalty of its own, the one of the smallest error over the inner folds.
    folds : sequence of Fold
    penalties : sequence of float
        Relative to the mean eigenvalue of the training rows' second moments.
    components : int, optional
        Principal components of the training rows that take the place of the features; they keep
        their common scale.

    Raises
    ------
    ValueError
        If a feature or a state is not finite.
    """
    features, states = (np.asarray(part, float) for part in (features, states))
    for name, part in (("features", features), ("states", states)):
        if not np.isfinite(part).all():
            raise ValueError(f"{name}: not finite in {(~np.isfinite(part)).sum()} places.")
    predicted, chosen, inner = np.full(states.shape, np.nan), [], []
    maps, offsets = [], []
    for fold in folds:
        mean, axes = _axes(features, fold.train, components)
        own = (features - mean) @ axes if axes.ndim > 1 else (features - mean) * axes
        level = states[fold.train].mean((0, 1))
        rest = states - level
        blocks = [_moments(own, rest, block) for _, block in fold.inner]
        whole = blocks[0]
        for block in blocks[1:]:
            whole = whole.plus(block)
        trace = np.trace(whole.square[: own.shape[-1]])
        unit = trace / min(whole.rows, own.shape[-1]) or 1.0
        errors = sum(_errors(whole.plus(block, -1.0), block, penalties, unit) for block in blocks)
        best = ridge.best_penalty(errors / np.maximum(whole.energy, 1e-300))
        chosen.append(np.asarray(penalties)[best])
        inner.append(np.take_along_axis(errors, best[None], 0)[0] / whole.rows)
        weights, intercept = _solved(whole, chosen[-1][None], unit)
        predicted[fold.test] = own[fold.test] @ weights[0] + intercept[0] + level
        maps.append(axes @ weights[0] if axes.ndim > 1 else axes[:, None] * weights[0])
        offsets.append(intercept[0] + level - mean @ maps[-1])
    return Fitted(predicted, np.array(chosen), np.array(inner), maps, np.array(offsets))


def _axes(
    features: np.ndarray, train: np.ndarray, components: int | None
) -> tuple[np.ndarray, np.ndarray]:
    """Mean over training rows, and what centred features are multiplied by.

    (feature,): one over deviations, with a floor, as probes have; or (feature, component):
    principal axes, over the common deviation of the components.
    """
    rows = features[train]
    mean = rows.mean((0, 1))
    if components:
        flat = (rows - mean).reshape(-1, rows.shape[-1])
        if len(flat) < flat.shape[1]:
            _, values, rows = np.linalg.svd(flat, full_matrices=False)
            power, axes = values**2, rows.T
        else:  # the same from second moments, in a small part of the time
            power, axes = (part[..., ::-1] for part in eigen(flat.T @ flat))
        common = np.sqrt(np.maximum(power[:components], 0.0).mean() / len(flat))
        return mean, axes[:, :components] / (common or 1.0)
    deviation = rows.std((0, 1))
    common = np.sqrt(np.mean(deviation**2)) or 1.0
    return mean, 1 / np.maximum(deviation, ridge.FLOOR * common)


def _moments(features: np.ndarray, states: np.ndarray, clips: np.ndarray) -> _Moments:
    return _Moments.of(*(part[clips].reshape(-1, part.shape[-1]) for part in (features, states)))


def _solved(moments: _Moments, penalties: np.ndarray, unit: float) -> tuple[np.ndarray, np.ndarray]:
    """Weights (choice, feature, column) and intercepts (choice, column) of penalties.

    Parameters
    ----------
    moments : _Moments
    penalties : (choice, column)
        Relative to a unit.
    """
    width = moments.square.shape[1]
    mean = moments.total / moments.rows
    centred = moments.square - np.outer(moments.total, mean[:width])
    spectrum, axes = eigen(centred[:width].copy())
    along = axes.T @ centred[width:].T
    divisor = np.maximum(spectrum, 0.0)[None, :, None] + penalties[:, None] * unit
    weights = axes @ (along / divisor)
    return weights, mean[width:] - np.einsum("pfc,f->pc", weights, mean[:width])


def _errors(rest: _Moments, block: _Moments, penalties: Sequence[float], unit: float) -> np.ndarray:
    """Sums of squared errors (penalty, column) on a block of what is fitted to the rest."""
    columns = len(block.energy)
    each = np.repeat(np.asarray(penalties, float)[:, None], columns, axis=1)
    weights, intercept = _solved(rest, each, unit)
    width = block.square.shape[1]
    gram, cross = block.square[:width], block.square[width:]
    features, states = block.total[:width], block.total[width:]
    quadratic = np.einsum("pfc,pfc->pc", weights, np.einsum("fg,pgc->pfc", gram, weights))
    linear = np.einsum("cf,pfc->pc", cross, weights)
    offset = np.einsum("f,pfc->pc", features, weights)
    found = block.energy - 2 * linear + quadratic
    return found + intercept * (block.rows * intercept + 2 * offset - 2 * states)
