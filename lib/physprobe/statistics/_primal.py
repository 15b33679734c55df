"""Primal: ridge and its grouped cross-validation on more rows than features."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from physprobe.statistics.dense import eigen, solve


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
    train : (clip, time, feature)
        Those rows, centred.
    scale : (feature,)
        What they are divided by.
    blocks : list of (clip,)
        Validation clips of each inner fold.
    """

    def __init__(
        self, moments: Moments, train: np.ndarray, scale: np.ndarray, blocks: Sequence[np.ndarray]
    ):
        self.inner, self.train, self.scale, self.blocks = moments, train, scale, blocks
        self.sums, self.times = train.sum(1) / scale, train.shape[1]
        gram = moments.grams.sum(0)
        self.unit = np.trace(gram) / len(gram)
        self.spectrum, self.directions = eigen(gram)
        self.spectrum = np.maximum(self.spectrum, 0.0)

    def weights(self, labels: np.ndarray, penalties: np.ndarray) -> np.ndarray:
        """Weights (feature, column) for centred labels (clip, column), a penalty for each."""
        inner = self.directions.T @ (self.sums.T @ labels)
        return self.directions @ (inner / (self.spectrum[:, None] + penalties * self.unit))

    def predict(self, labels: np.ndarray, penalties: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Predictions (clip, time, column) of other rows, centred and scaled like these."""
        return rows @ self.weights(labels, penalties)

    def halved(
        self, labels: np.ndarray, penalties: np.ndarray, rows: np.ndarray, first: np.ndarray
    ) -> np.ndarray:
        """As for :meth:`Dual.halved`."""
        found = np.zeros((len(first), 2, *rows.shape[:2], labels.shape[1]))
        whole = self.inner.grams.sum(0)
        for split, inside in enumerate(first):
            part = self.train[inside].reshape(-1, self.train.shape[-1]) / self.scale
            gram = part.T @ part
            for half, (mine, moments) in enumerate(((inside, gram), (~inside, whole - gram))):
                if not mine.any():
                    continue
                count, mean = mine.sum() * self.times, labels[mine].mean(0)
                sums = self.sums[mine]
                centre = sums.sum(0) / count
                moments = moments - count * np.outer(centre, centre)
                cross = (sums - self.times * centre).T @ (labels[mine] - mean)
                for penalty in np.unique(penalties):
                    columns = penalties == penalty
                    asked = np.asfortranarray(cross[:, columns])
                    weights = solve(moments, penalty * self.unit, asked)
                    found[split, half][..., columns] = (rows - centre) @ weights + mean[columns]
        return found

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
