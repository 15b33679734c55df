"""Ridge regression in closed form, float64, with its grouped cross-validation done exactly.

    w = argmin sum_i (y_i - b - w . x_i)^2 + lambda |w|^2,    b unpenalised

Rows are (clip, time); clips are the unit of every fold. The training rows are factorized once; the
errors of every inner fold then follow for all penalties and all targets without refitting:

- at most as many rows as features (`Dual`): an inner fold's Gram matrix is a part of the whole one,
  centred anew; once it is tridiagonal, solving it for a penalty takes a time that grows with the
  rows alone;
- more rows than features (`Primal`): second moments add over blocks, so an inner fold's moments
  are the total less the block's, about the inner fold's own mean.

Centring and scaling are those of the outer training rows in all inner folds, which is what makes
both exact. Penalties are relative: lambda = penalty x mean eigenvalue of the training Gram matrix,
its trace over min(rows, features).

References
----------
Hastie, Tibshirani, Friedman, "The Elements of Statistical Learning", 3.4.1 and 7.10;
Stone, "Cross-validatory choice and assessment of statistical predictions", JRSS B 36 (1974).
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from physprobe.statistics._dual import Dual
from physprobe.statistics._primal import Moments, Primal
from physprobe.statistics.dense import eigen
from physprobe.statistics.splits import Fold

PENALTIES = tuple(10.0**power for power in range(-6, 7))
SCALINGS = ("feature", "none")
# A pixel that is dark in all training clips but one must not outweigh the others in a bright one.
FLOOR = 0.01
NUMBERS = 2**22  # centred at a time
TIE = 1e-10  # of the variance: below it two errors differ by rounding only


class Centred(NamedTuple):
    """Features of a fold about the mean of its training rows, constant columns dropped."""

    train: np.ndarray
    """(clip, time, feature)"""
    test: np.ndarray
    """(clip, time, feature)"""
    deviation: np.ndarray
    """(feature,) over training rows."""

    def scale(self, scaling: str) -> np.ndarray:
        """(feature,) divisor: each feature's deviation ("feature") or a common one ("none")."""
        common = np.sqrt(np.mean(self.deviation**2))
        if scaling == "feature":
            return np.maximum(self.deviation, FLOOR * common)
        if scaling == "none":
            return np.full_like(self.deviation, common)
        raise ValueError(f"scaling: expected one of {SCALINGS}, got {scaling!r}.")


def centre(
    features: np.ndarray,
    fold: Fold,
    zeros: Callable[[tuple[int, ...], type], np.ndarray] = np.zeros,
) -> Centred:
    """Centre features (clip, time, feature) on a fold's training rows, some clips at a time.

    Parameters
    ----------
    features : (clip, time, feature)
    fold : Fold
    zeros : callable
        Makes the arrays that grow with the clips, from shape and type.

    Raises
    ------
    ValueError
        If no feature varies over the training rows.
    """
    times, step = features.shape[1], max(1, NUMBERS // features[0].size)

    def blocks(clips: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
        for start in range(0, len(clips), step):
            part = slice(start, start + step)
            yield part, np.asarray(features[clips[part]], float)

    rows = len(fold.train) * times
    mean = np.sum([values.sum((0, 1)) for _, values in blocks(fold.train)], 0) / rows
    squares = [((values - mean) ** 2).sum((0, 1)) for _, values in blocks(fold.train)]
    deviation = np.sqrt(np.sum(squares, 0) / rows)
    varies = deviation > 1e-10 * (np.abs(mean) + deviation.max())
    if not varies.any():
        raise ValueError(
            f"features: all {len(mean)} are constant over {len(fold.train)} training clips. "
            "Hint: look at the embedding; nothing can be decoded from it."
        )

    def centred(clips: np.ndarray) -> np.ndarray:
        found = zeros((len(clips), times, int(varies.sum())), float)
        for part, values in blocks(clips):
            found[part] = (values - mean)[..., varies]
        return found

    return Centred(centred(fold.train), centred(fold.test), deviation[varies])


def principal(features: np.ndarray, train: np.ndarray, components: int) -> np.ndarray:
    """Principal components of features (clip, time, feature), fitted on rows of training clips."""
    rows = features[train].reshape(-1, features.shape[-1])
    if components > min(len(rows) - 1, rows.shape[1]):
        raise ValueError(
            f"components: {components} asked of {len(rows)} rows of {rows.shape[1]} features. "
            "Hint: at most the smaller of rows - 1 and features."
        )
    mean = rows.mean(0)
    return (features - mean) @ axes(rows - mean, components)


def axes(rows: np.ndarray, components: int) -> np.ndarray:
    """Principal axes (feature, component) of centred rows (row, feature), the longest first."""
    if len(rows) < rows.shape[1]:
        return np.linalg.svd(rows, full_matrices=False)[2][:components].T
    return eigen(rows.T @ rows)[1][:, : -components - 1 : -1]


def blocks_of(fold: Fold) -> list[np.ndarray]:
    """Places of each inner fold's validation clips among the fold's training clips."""
    return [np.searchsorted(fold.train, validation) for _, validation in fold.inner]


def best_penalty(errors: np.ndarray) -> np.ndarray:
    """Index of the smallest error (penalty, ...), ties toward the larger penalty."""
    tied = errors <= errors.min(0) + TIE
    return len(errors) - 1 - tied[::-1].argmax(0)


def solvers(
    centred: Centred, blocks: Sequence[np.ndarray], scalings: Sequence[str]
) -> Iterator[tuple[np.ndarray, Dual | Primal]]:
    """Divisor (feature,) and factorization of each scaling, on the cheaper side."""
    clips, times, features = centred.train.shape
    if clips * times <= features:
        for scaling in scalings:
            scale = centred.scale(scaling)
            yield scale, Dual(centred.train / scale, blocks)
        return
    moments = Moments.of(centred.train, blocks)
    for scaling in scalings:
        scale = centred.scale(scaling)
        yield scale, Primal(moments.scaled(scale), centred.train, scale, blocks)
