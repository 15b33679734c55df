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

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from physprobe.core.splits import Fold

PENALTIES = tuple(10.0**power for power in range(-6, 7))
SCALINGS = ("feature", "none")
# A pixel that is dark in all training clips but one must not outweigh the others in a bright one.
FLOOR = 0.01
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


def centre(features: np.ndarray, fold: Fold) -> Centred:
    """Centre features (clip, time, feature) on a fold's training rows.

    Raises
    ------
    ValueError
        If no feature varies over the training rows.
    """
    train = features[fold.train]
    mean = train.mean((0, 1))
    train = train - mean
    deviation = np.sqrt(np.mean(train**2, (0, 1)))
    varies = deviation > 1e-10 * (np.abs(mean) + deviation.max())
    if not varies.any():
        raise ValueError(
            f"features: all {len(mean)} are constant over {len(fold.train)} training clips. "
            "Hint: look at the embedding; nothing can be decoded from it."
        )
    test = features[fold.test] - mean
    if varies.all():
        return Centred(train, test, deviation)
    return Centred(train[..., varies], test[..., varies], deviation[varies])


def principal(features: np.ndarray, train: np.ndarray, components: int) -> np.ndarray:
    """Principal components of features (clip, time, feature), fitted on rows of training clips."""
    rows = features[train].reshape(-1, features.shape[-1])
    if components > min(len(rows) - 1, rows.shape[1]):
        raise ValueError(
            f"components: {components} asked of {len(rows)} rows of {rows.shape[1]} features. "
            "Hint: at most the smaller of rows - 1 and features."
        )
    mean = rows.mean(0)
    rows = rows - mean
    if len(rows) < rows.shape[1]:
        axes = np.linalg.svd(rows, full_matrices=False)[2][:components].T
    else:
        axes = _eigen(rows.T @ rows)[1][:, : -components - 1 : -1]
    return (features - mean) @ axes


def blocks_of(fold: Fold) -> list[np.ndarray]:
    """Places of each inner fold's validation clips among the fold's training clips."""
    return [np.searchsorted(fold.train, validation) for _, validation in fold.inner]


def best_penalty(errors: np.ndarray) -> np.ndarray:
    """Index of the smallest error (penalty, ...), ties toward the larger penalty."""
    tied = errors <= errors.min(0) + TIE
    return len(errors) - 1 - tied[::-1].argmax(0)


class Dual:
    """Ridge on at most as many rows as features.

    Parameters
    ----------
    train : (clip, time, feature)
        Centred and scaled training rows.
    blocks : list of (clip,)
        Validation clips of each inner fold.
    """

    def __init__(self, train: np.ndarray, blocks: Sequence[np.ndarray]):
        self.clips, self.times, features = train.shape
        self.rows = train.reshape(-1, features)
        self.gram = self.rows @ self.rows.T
        self.unit = np.trace(self.gram) / min(self.rows.shape)
        self.blocks = [np.arange(len(self.gram)).reshape(-1, self.times)[b].ravel() for b in blocks]
        self.factors: dict[float, tuple] = {}

    def weights(self, labels: np.ndarray, penalties: np.ndarray) -> np.ndarray:
        """Weights (feature, column) for centred labels (clip, column), a penalty for each."""
        return self.rows.T @ self._multipliers(labels, penalties)

    def predict(self, labels: np.ndarray, penalties: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Predictions (clip, time, column) of other rows, centred and scaled like these."""
        found = self._multipliers(labels, penalties)
        found = np.linalg.multi_dot([rows.reshape(-1, rows.shape[-1]), self.rows.T, found])
        return found.reshape(*rows.shape[:2], -1)

    def _multipliers(self, labels: np.ndarray, penalties: np.ndarray) -> np.ndarray:
        """(K + lambda)^-1 y of all training rows, (row, column)."""
        from scipy.linalg import cho_factor, cho_solve

        rows = np.repeat(labels, self.times, axis=0)
        found = np.empty_like(rows)
        for penalty in np.unique(penalties):
            if penalty not in self.factors:
                shifted = self.gram.copy()
                shifted.flat[:: len(shifted) + 1] += penalty * self.unit
                self.factors[penalty] = cho_factor(
                    shifted, lower=True, overwrite_a=True, check_finite=False
                )
            columns = penalties == penalty
            found[:, columns] = cho_solve(
                self.factors[penalty], rows[:, columns], check_finite=False
            )
        return found

    def crossval(
        self, labels: np.ndarray, penalties: Sequence[float], precise: int | None = None
    ) -> np.ndarray:
        """Sum of squared errors over all inner folds.

        Parameters
        ----------
        labels : (clip, column)
        penalties : sequence
        precise : int, optional
            Columns, from the first on, that need float64; float32 is twice as fast for the rest.
            All of them if not given.

        Returns
        -------
        (penalty, column)
        """
        rows = np.repeat(labels, self.times, axis=0)
        count = rows.shape[1] if precise is None else precise
        errors = np.zeros((len(penalties), rows.shape[1]))
        shifts = np.asarray(penalties) * self.unit
        for block in self.blocks:
            fold = _Tridiagonal(self.gram, block)
            errors[:, :count] += fold.errors(rows[:, :count], shifts)
            if count < rows.shape[1]:
                errors[:, count:] += fold.many_errors(rows[:, count:], shifts)
        return errors


class _Tridiagonal:
    """An inner fold's rows, centred on their own mean: K = Q T Q^T with T tridiagonal.

    Parameters
    ----------
    gram : (row, row)
        Inner products of all training rows.
    block : (row,)
        Rows of the validation clips; the fold is fitted to the rest.
    """

    COLUMNS = 512  # at a time, so that their errors stay in the cache

    def __init__(self, gram: np.ndarray, block: np.ndarray):
        from scipy.linalg import lapack

        self.block, self.rest = block, np.setdiff1d(np.arange(len(gram)), block)
        within, beyond = gram[np.ix_(self.rest, self.rest)], gram[np.ix_(block, self.rest)]
        mean, own = within.mean(0), beyond.mean(1)
        middle = mean.mean()
        within = within - mean - mean[:, None] + middle
        beyond = beyond - mean - own[:, None] + middle
        work, _ = lapack.dsytrd_lwork(len(within), lower=1)
        packed, self.diagonal, self.beside, tau, _ = lapack.dsytrd(
            np.asfortranarray(within), lower=1, lwork=int(work), overwrite_a=1
        )
        self.lapack, self.packed, self.tau = lapack, np.asfortranarray(packed[1:, :-1]), tau
        self.beyond = self._turned("R", "N", beyond)

    def _turned(self, side: str, transposed: str, matrix: np.ndarray) -> np.ndarray:
        """Q times a matrix, or a matrix times Q; the first row or column stays as it is."""
        found = np.array(matrix, order="F")
        inner = found[:, 1:] if side == "R" else found[1:]
        length = 64 * inner.shape[0 if side == "R" else 1]
        inner[...] = self.lapack.dormqr(side, transposed, self.packed, self.tau, inner, length)[0]
        return found

    def _solved(self, shift: float, right: np.ndarray) -> np.ndarray:
        """(T + shift)^-1 times a matrix."""
        *_, found, failed = self.lapack.dptsv(self.diagonal + shift, self.beside, right)
        _sound(failed, shift)
        return found

    def errors(self, labels: np.ndarray, shifts: np.ndarray) -> np.ndarray:
        """Sums of squared errors on the block (penalty, column) for labels (row, column)."""
        known, asked = labels[self.rest], labels[self.block]
        mean = known.mean(0)
        turned = self._turned("L", "T", known - mean)
        solved = np.hstack([self._solved(shift, turned) for shift in shifts])
        missed = (self.beyond @ solved).reshape(len(asked), len(shifts), -1)
        missed -= (asked - mean)[:, None]
        return np.einsum("npc,npc->pc", missed, missed)

    def many_errors(self, labels: np.ndarray, shifts: np.ndarray) -> np.ndarray:
        """The same in float32, with a matrix from labels to predictions for each penalty."""
        right = np.asfortranarray(self.beyond.T)
        maps = np.hstack([self._solved(shift, right) for shift in shifts])
        maps = self._turned("L", "N", maps).T + 1.0 / len(self.rest)
        maps = np.ascontiguousarray(maps, dtype=np.float32)
        known, asked = (labels[rows].astype(np.float32) for rows in (self.rest, self.block))
        found = np.empty((len(shifts), labels.shape[1]))
        for start in range(0, labels.shape[1], self.COLUMNS):
            part = slice(start, start + self.COLUMNS)
            missed = (maps @ known[:, part]).reshape(len(shifts), len(asked), -1)
            missed -= asked[:, part]
            found[:, part] = np.einsum("pnc,pnc->pc", missed, missed)
        return found


@dataclass(frozen=True)
class Moments:
    """Second moments of centred rows, block by block."""

    counts: np.ndarray
    """(block,) rows."""
    sums: np.ndarray
    """(block, feature)"""
    grams: np.ndarray
    """(block, feature, feature)"""

    @classmethod
    def of(cls, train: np.ndarray, blocks: Sequence[np.ndarray]) -> "Moments":
        """Moments of centred rows (clip, time, feature)."""
        parts = [train[block].reshape(-1, train.shape[-1]) for block in blocks]
        return cls(
            np.array([len(part) for part in parts]),
            np.stack([part.sum(0) for part in parts]),
            np.stack([part.T @ part for part in parts]),
        )

    def scaled(self, scale: np.ndarray) -> "Moments":
        """Moments of the rows divided by a scale (feature,)."""
        return Moments(self.counts, self.sums / scale, self.grams / np.outer(scale, scale))

    def inner(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """For each block, moments of the rest and of the block, both about the rest's mean.

        With s the block's sum (the rest's is -s, since all rows are centred), n and m the rows of
        block and rest: M - M_b - s s^T / m and M_b + s s^T (2 m + n) / m^2.
        """
        total = self.grams.sum(0)
        for count, part, gram in zip(self.counts, self.sums, self.grams, strict=True):
            rest = self.counts.sum() - count
            square = np.outer(part, part)
            yield total - gram - square / rest, gram + square * ((2 * rest + count) / rest**2)


class Primal:
    """Ridge on more rows than features, labels constant in time.

    Parameters
    ----------
    moments : Moments
        Of centred and scaled training rows.
    sums : (clip, feature)
        Their sums over time.
    times : int
        Rows per clip.
    blocks : list of (clip,)
        Validation clips of each inner fold.
    """

    def __init__(
        self, moments: Moments, sums: np.ndarray, times: int, blocks: Sequence[np.ndarray]
    ):
        self.inner, self.sums, self.times, self.blocks = moments, sums, times, blocks
        gram = moments.grams.sum(0)
        self.unit = np.trace(gram) / len(gram)
        self.spectrum, self.directions = _eigen(gram)
        self.spectrum = np.maximum(self.spectrum, 0.0)

    def weights(self, labels: np.ndarray, penalties: np.ndarray) -> np.ndarray:
        """Weights (feature, column) for centred labels (clip, column), a penalty for each."""
        inner = self.directions.T @ (self.sums.T @ labels)
        return self.directions @ (inner / (self.spectrum[:, None] + penalties * self.unit))

    def predict(self, labels: np.ndarray, penalties: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Predictions (clip, time, column) of other rows, centred and scaled like these."""
        return rows @ self.weights(labels, penalties)

    def crossval(
        self, labels: np.ndarray, penalties: Sequence[float], precise: int | None = None
    ) -> np.ndarray:
        """Sum of squared errors over all inner folds (penalty, column), in float64 throughout.

        The error is a quadratic form in the clips' labels, the same for all columns.
        """
        forms = np.zeros((len(penalties), len(labels), len(labels)))
        for block, sums, (within, beyond) in zip(
            self.blocks, self.inner.sums, self.inner.inner(), strict=True
        ):
            rest = np.setdiff1d(np.arange(len(labels)), block)
            mean = -sums / (len(rest) * self.times)
            targets = np.asfortranarray((self.sums[rest] - self.times * mean).T)
            offsets = self.sums[block] - self.times * mean
            share = 1.0 / len(rest)
            for form, penalty in zip(forms, penalties, strict=True):
                weights = solve(within, penalty * self.unit, targets)
                cross = self.times * share + offsets @ weights
                # Errors' own part, intercept included: (share + w.x)(share + w.x)^T summed.
                drift = share * (cross.sum(0) - 0.5 * self.times * share * len(block))
                form[np.ix_(rest, rest)] += weights.T @ (beyond @ weights) + drift[:, None] + drift
                form[np.ix_(block, rest)] -= 2.0 * cross
        energy = self.times * np.einsum("nc,nc->c", labels, labels)
        errors = [np.einsum("nc,nc->c", labels, form @ labels) for form in forms]
        return np.maximum(energy + np.array(errors), 0.0)


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
    moments, sums = Moments.of(centred.train, blocks), centred.train.sum(1)
    for scaling in scalings:
        scale = centred.scale(scaling)
        yield scale, Primal(moments.scaled(scale), sums / scale, times, blocks)


def solve(gram: np.ndarray, penalty: float, targets: np.ndarray) -> np.ndarray:
    """Weights (feature, column) of ridge from moments; the penalty is absolute."""
    from scipy.linalg.lapack import dposv

    shifted = gram.copy()
    shifted.flat[:: len(gram) + 1] += penalty
    _, weights, failed = dposv(shifted.T, targets, overwrite_a=1)
    _sound(failed, penalty)
    return weights


def _eigen(gram: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues, ascending, and eigenvectors by divide and conquer; overwrites its input."""
    from scipy.linalg import eigh

    return eigh(gram, driver="evd", overwrite_a=True, check_finite=False)


def _sound(failed: int, penalty: float) -> None:
    if failed:
        raise np.linalg.LinAlgError(
            f"ridge: the matrix at penalty {penalty:g} is singular in float64. "
            "Hint: start the penalties at 1e-6 of the mean eigenvalue, or above."
        )
