"""Dual: ridge and its grouped cross-validation on at most as many rows as features."""

from collections.abc import Sequence

import numpy as np

from physprobe.statistics.dense import solve, sound

COLUMNS = 256  # at a time, so that they stay in the cache
MIXED = 1e-5  # error of a mixture of predictions, in standard deviations of the labels


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

        By a matrix from labels to predictions for each penalty, in the labels' precision: made for
        many columns.
        """
        from scipy.linalg import cho_solve

        known = np.repeat(labels, self.times, axis=0)
        found = np.empty((rows.shape[0] * rows.shape[1], labels.shape[1]), known.dtype)
        within = self.rows @ rows.reshape(-1, rows.shape[-1]).T if labels.size else None
        for penalty in np.unique(penalties):
            columns = penalties == penalty
            maps = cho_solve(self._factor(penalty), within).T.astype(known.dtype, copy=False)
            found[:, columns] = maps @ known[:, columns]
        return found.reshape(*rows.shape[:2], -1)

    def halved(
        self, labels: np.ndarray, penalties: np.ndarray, rows: np.ndarray, first: np.ndarray
    ) -> np.ndarray:
        """Predictions of other rows by fits to half of the clips, about their own mean.

        The penalty is that of the whole fit, in absolute terms: noise is what it was.

        Parameters
        ----------
        labels : (clip, column)
        penalties : (column,) or (split, half, column)
        rows : (clip, time, feature)
            Centred and scaled like these.
        first : (split, clip) bool
            Whether each clip is in the first half, or in the second.

        Returns
        -------
        (split, half, clip, time, column)
            0 of a half without a clip.
        """
        within = self.rows @ rows.reshape(-1, rows.shape[-1]).T
        known = np.repeat(labels, self.times, axis=0)
        found = np.zeros((len(first), 2, within.shape[1], labels.shape[1]))
        penalties = np.broadcast_to(penalties, (len(first), 2, labels.shape[1]))
        for split, inside in enumerate(np.repeat(first, self.times, axis=1)):
            for half, mine in enumerate((np.flatnonzero(inside), np.flatnonzero(~inside))):
                if not len(mine):
                    continue
                mean = known[mine].mean(0)
                gram, beyond = self._about(mine, within[mine])
                for penalty in np.unique(penalties[split, half]):
                    columns = penalties[split, half] == penalty
                    asked = np.asfortranarray(known[np.ix_(mine, columns)] - mean[columns])
                    solved = solve(gram, penalty * self.unit, asked)
                    found[split, half][:, columns] = beyond.T @ solved + mean[columns]
        return found.reshape(*found.shape[:2], *rows.shape[:2], -1)

    def across(
        self, labels: np.ndarray, penalties: Sequence[float], first: np.ndarray
    ) -> np.ndarray:
        """Squared errors (split, half, penalty, column) on one half of fits to the other half.

        Parameters
        ----------
        labels, first
            As for :meth:`halved`.
        penalties : sequence of float
            Those of the whole fit, in absolute terms.
        """
        known = np.repeat(labels, self.times, axis=0)
        found = np.zeros((len(first), 2, len(penalties), labels.shape[1]))
        for split, inside in enumerate(np.repeat(first, self.times, axis=1)):
            both = np.flatnonzero(inside), np.flatnonzero(~inside)
            for half, (mine, others) in enumerate((both, both[::-1])):
                if not (len(mine) and len(others)):
                    continue
                mean = known[mine].mean(0)
                gram, beyond = self._about(mine, self.gram[np.ix_(mine, others)])
                for place, penalty in enumerate(penalties):
                    asked = np.asfortranarray(known[mine] - mean)
                    solved = solve(gram, penalty * self.unit, asked)
                    missed = beyond.T @ solved + mean - known[others]
                    found[split, half, place] = np.einsum("rc,rc->c", missed, missed)
        return found

    def _about(self, mine: np.ndarray, beyond: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Products of some rows about their mean, with each other and with others (row, other)."""
        gram = self.gram[np.ix_(mine, mine)]
        own = gram.mean(0)
        beyond = beyond - beyond.mean(0) - (own - own.mean())[:, None]
        gram -= own
        gram -= (own - own.mean())[:, None]
        return gram, beyond

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
        count = labels.shape[1] if precise is None else precise
        exact = np.repeat(labels[:, :count], self.times, axis=0)
        others = np.repeat(labels[:, count:].astype(np.float32), self.times, axis=0)
        errors = np.zeros((len(penalties), labels.shape[1]))
        shifts = np.asarray(penalties) * self.unit
        for block in self.blocks:
            fold = _Tridiagonal(self.gram, block, exact)
            errors[:, :count] += fold.errors(shifts)
            if others.size:
                errors[:, count:] += fold.many_errors(others, shifts)
        return errors


class _Tridiagonal:
    """An inner fold's rows, centred on their own mean: K = Q T Q^T with T tridiagonal.

    Parameters
    ----------
    gram : (row, row)
        Inner products of all training rows.
    block : (row,)
        Rows of the validation clips; the fold is fitted to the rest.
    labels : (row, column)
        Labels that need float64.
    """

    def __init__(self, gram: np.ndarray, block: np.ndarray, labels: np.ndarray):
        from scipy.linalg import lapack

        rest = np.ones(len(gram), bool)
        rest[block] = False
        self.block, self.rest = block, np.flatnonzero(rest)
        within, beyond = gram[np.ix_(self.rest, self.rest)], gram[np.ix_(self.rest, block)]
        mean, own = within.mean(0), beyond.mean(0)
        within -= mean
        within -= (mean - mean.mean())[:, None]
        self.longest = (gram.diagonal()[block] - 2 * own + mean.mean()).max()
        beyond -= mean[:, None]
        beyond -= own - mean.mean()
        work, _ = lapack.dsytrd_lwork(len(within), lower=1)
        packed, self.diagonal, self.beside, tau, _ = lapack.dsytrd(
            within.T, lower=1, lwork=int(work), overwrite_a=1
        )  # symmetric, so its transpose is itself, column by column
        self.lapack, self.packed, self.tau = lapack, np.asfortranarray(packed[1:, :-1]), tau
        known = labels[self.rest]
        self.missing = labels[block] - known.mean(0)
        turned = self._turned("T", np.hstack([known - known.mean(0), beyond]))
        self.known, self.beyond = np.hsplit(turned, [known.shape[1]])

    def _turned(self, transposed: str, matrix: np.ndarray) -> np.ndarray:
        """Q, or its transpose, times a matrix in its precision; the first row stays as it is."""
        found = np.array(matrix, order="F")
        multiply = self.lapack.dormqr if found.dtype == np.float64 else self.lapack.sormqr
        inner, length = found[1:], 64 * found.shape[1]
        inner[...] = multiply("L", transposed, self.packed, self.tau, inner, length)[0]
        return found

    def _solved(self, shift: float, right: np.ndarray) -> np.ndarray:
        """(T + shift)^-1 times a matrix."""
        *_, found, failed = self.lapack.dptsv(self.diagonal + shift, self.beside, right)
        sound(failed, shift)
        return found

    def errors(self, shifts: np.ndarray) -> np.ndarray:
        """Sums of squared errors on the block (penalty, column)."""
        solved = np.hstack([self._solved(shift, self.known) for shift in shifts])
        missed = (self.beyond.T @ solved).reshape(len(self.block), len(shifts), -1)
        missed -= self.missing[:, None]
        return np.einsum("npc,npc->pc", missed, missed)

    def many_errors(self, labels: np.ndarray, shifts: np.ndarray) -> np.ndarray:
        """The same of other labels (row, column), float32, by matrices for few penalties.

        Predictions at all other penalties are mixtures of those at these few.
        """
        few, mixture = self._independent(shifts)
        solved = np.hstack([self._solved(shift, self.beyond) for shift in shifts[few]])
        maps = np.ascontiguousarray(self._turned("N", solved.astype(np.float32)).T)
        known, asked = labels[self.rest], labels[self.block]
        mean = known.mean(0)
        found = np.empty((len(shifts), labels.shape[1]))
        for start in range(0, labels.shape[1], COLUMNS):
            part = slice(start, start + COLUMNS)
            predicted = maps @ (known[:, part] - mean[part])
            missed = mixture @ predicted.reshape(len(few), -1)
            missed = missed.reshape(len(shifts), len(asked), -1)
            missed -= asked[:, part] - mean[part]
            found[:, part] = np.einsum("pnc,pnc->pc", missed, missed)
        return found

    def _independent(self, shifts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Penalties whose predictions give those at all of them, and how (penalty, of these).

        A prediction is <k, (K + shift)^-1 y> with k_i <= sqrt(s_i k(x, x)) on the axes of K's
        eigenvalues s, so a mixture that holds for sqrt(s) / (s + shift) to a bound holds for it.
        """
        from scipy.linalg import eigvalsh_tridiagonal, qr

        values = np.maximum(eigvalsh_tridiagonal(self.diagonal, self.beside), 0.0)[:, None]
        reach = np.sqrt(self.longest * len(values) * values) / (values + shifts)
        upper, order = qr(reach, mode="r", pivoting=True)
        count = max(1, int(np.count_nonzero(np.abs(upper.diagonal()) > MIXED)))
        mixture = np.zeros((len(shifts), count), np.float32)
        mixture[order[:count]] = np.eye(count)
        leading = upper[:count]
        mixture[order[count:]] = np.linalg.lstsq(leading[:, :count], leading[:, count:])[0].T
        return order[:count], mixture
