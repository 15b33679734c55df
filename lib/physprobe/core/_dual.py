"""Dual: ridge and its grouped cross-validation on at most as many rows as features."""

from collections.abc import Sequence

import numpy as np

from physprobe.core.dense import sound


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
        from scipy.linalg import cho_solve

        rows = np.repeat(labels, self.times, axis=0)
        found = np.empty_like(rows)
        for penalty in np.unique(penalties):
            columns = penalties == penalty
            found[:, columns] = cho_solve(self._factor(penalty), rows[:, columns])
        return self.rows.T @ found

    def predict(self, labels: np.ndarray, penalties: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Predictions (clip, time, column) of other rows, centred and scaled like these.

        By a matrix from labels to predictions for each penalty: made for many columns.
        """
        from scipy.linalg import cho_solve

        known = np.repeat(labels, self.times, axis=0)
        found = np.empty((rows.shape[0] * rows.shape[1], labels.shape[1]))
        within = self.rows @ rows.reshape(-1, rows.shape[-1]).T if labels.size else None
        for penalty in np.unique(penalties):
            columns = penalties == penalty
            found[:, columns] = cho_solve(self._factor(penalty), within).T @ known[:, columns]
        return found.reshape(*rows.shape[:2], -1)

    def reached(
        self, train: np.ndarray, directions: np.ndarray, penalties: np.ndarray
    ) -> np.ndarray:
        """How far each training row's label moves a sum of predictions, but for the intercept.

        A sum of predictions of other rows, sum_j s_j x_j . w, is linear in the training labels:
        its coefficients are X (X^T X + lambda)^-1 v with v = sum_j s_j x_j.

        Parameters
        ----------
        train : (clip, time, feature)
            The training rows.
        directions : (feature, column)
            The sums v.
        penalties : (column,)

        Returns
        -------
        (clip, time, column)
        """
        from scipy.linalg import cho_solve

        found = self.rows @ directions
        for penalty in np.unique(penalties):
            columns = penalties == penalty
            found[:, columns] = cho_solve(self._factor(penalty), found[:, columns])
        return found.reshape(*train.shape[:2], -1)

    def _factor(self, penalty: float) -> tuple[np.ndarray, bool]:
        """Cholesky factor of K + lambda."""
        from scipy.linalg import cho_factor

        if penalty not in self.factors:
            shifted = self.gram.copy()
            shifted.flat[:: len(shifted) + 1] += penalty * self.unit
            self.factors[penalty] = cho_factor(
                shifted, lower=True, overwrite_a=True, check_finite=False
            )
        return self.factors[penalty]

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

    COLUMNS = 256  # at a time, so that their errors stay in the cache

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
        sound(failed, shift)
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
