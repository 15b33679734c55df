"""Primal: ridge and its grouped cross-validation on more rows than features."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from physprobe.statistics.dense import eigen, solve

ROWS = 2048  # whose products are added up at a time
COLUMNS = 512  # at a time: what they take is then the same for any number
MOST = 2**29  # bytes that matrices of clips may take


def _summed(train: np.ndarray, clips: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sum (feature,) and second moments (feature, feature) of some clips' rows, a few at a time."""
    times, features = train.shape[1:]
    step = max(1, ROWS // times)
    total, gram = np.zeros(features), np.zeros((features, features))
    for start in range(0, len(clips), step):
        part = train[clips[start : start + step]].reshape(-1, features)
        total += part.sum(0)
        gram += part.T @ part
    return total, gram


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
        sums, grams = zip(*(_summed(train, block) for block in blocks), strict=True)
        counts = np.array([len(block) * train.shape[1] for block in blocks])
        return cls(counts, np.stack(sums), np.stack(grams))

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


class _Half(NamedTuple):
    """Moments of rows and labels about their means, of some clips."""

    number: int
    """Of rows."""
    centre: np.ndarray
    """(feature,) mean of the rows."""
    mean: np.ndarray
    """(column,) mean of the labels."""
    moments: np.ndarray
    """(feature, feature)"""
    cross: np.ndarray
    """(feature, column) of rows and labels."""
    spread: np.ndarray
    """(column,) of labels, over rows."""

    @classmethod
    def of(cls, moments: np.ndarray, sums: np.ndarray, labels: np.ndarray, times: int) -> "_Half":
        """From moments about 0, sums over time (clip, feature) and labels (clip, column)."""
        number = len(labels) * times
        centre, mean = sums.sum(0) / max(number, 1), labels.sum(0) / max(len(labels), 1)
        return cls(
            number,
            centre,
            mean,
            moments - number * np.outer(centre, centre),
            (sums - times * centre).T @ (labels - mean),
            times * ((labels - mean) ** 2).sum(0),
        )


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
        penalties = np.broadcast_to(penalties, (len(first), 2, labels.shape[1]))
        whole = self.inner.grams.sum(0)
        for split, inside in enumerate(first):
            for half, own in enumerate(self._halves(labels, inside, whole)):
                if not own.number:
                    continue
                for penalty in np.unique(penalties[split, half]):
                    columns = penalties[split, half] == penalty
                    asked = np.asfortranarray(own.cross[:, columns])
                    weights = solve(own.moments, penalty * self.unit, asked)
                    guess = (rows - own.centre) @ weights + own.mean[columns]
                    found[split, half][..., columns] = guess
        return found

    def across(
        self, labels: np.ndarray, penalties: Sequence[float], first: np.ndarray
    ) -> np.ndarray:
        """As for :meth:`Dual.across`, by moments of either half about its own mean.

        With w the weights, M, c and s the other half's moments of rows, of rows and labels, and of
        labels, n its rows and d how far its mean is from what the mean of its rows is read as:
        s - 2 w c + w M w + n d^2.
        """
        found = np.zeros((len(first), 2, len(penalties), labels.shape[1]))
        whole = self.inner.grams.sum(0)
        for split, inside in enumerate(first):
            both = self._halves(labels, inside, whole)
            for half, (own, other) in enumerate((both, both[::-1])):
                if not (own.number and other.number):
                    continue
                for place, penalty in enumerate(penalties):
                    weights = solve(own.moments, penalty * self.unit, np.asfortranarray(own.cross))
                    away = (other.centre - own.centre) @ weights + own.mean - other.mean
                    about = weights * (other.moments @ weights - 2 * other.cross)
                    found[split, half, place] = about.sum(0) + other.spread + other.number * away**2
        return found

    def _halves(
        self, labels: np.ndarray, inside: np.ndarray, whole: np.ndarray
    ) -> tuple[_Half, _Half]:
        """Moments of some clips (clip,), and of the others; second moments of all are given."""
        gram = _summed(self.train, np.flatnonzero(inside))[1]
        gram /= np.outer(self.scale, self.scale)
        first, second = (
            _Half.of(moments, self.sums[mine], labels[mine], self.times)
            for mine, moments in ((inside, gram), (~inside, whole - gram))
        )
        return first, second

    def crossval(
        self, labels: np.ndarray, penalties: Sequence[float], precise: int | None = None
    ) -> np.ndarray:
        """Sum of squared errors over all inner folds (penalty, column), in float64 throughout.

        By moments of labels and features where that takes fewer operations, and where matrices of
        clips would not fit.
        """
        if self._cheaper_by_columns(len(penalties), labels.shape[1]):
            return self._by_columns(labels, penalties)
        return self._by_clips(labels, penalties)

    def _cheaper_by_columns(self, penalties: int, columns: int) -> bool:
        """Whether the errors of all columns cost less one by one than by a matrix of clips."""
        clips, features = self.sums.shape
        if 8 * penalties * clips**2 > MOST:
            return True
        blocks = len(self.blocks)
        by_columns = blocks * features**2 * columns
        return by_columns < blocks * features * clips * (features + clips) + clips**2 * columns

    def _by_columns(self, labels: np.ndarray, penalties: Sequence[float]) -> np.ndarray:
        """Errors from each inner fold's spectrum, without a matrix of clips.

        In the eigenvectors of the rest's moments a penalty divides: w = (V^T c) / (s + lambda). The
        block's error is w^T B w - 2 w^T d + sum (y - mean)^2 with its moments B and d with features
        and labels, all about the rest's means.
        """
        shifts = np.asarray(penalties) * self.unit
        errors = np.zeros((len(shifts), labels.shape[1]))
        for block, sums, (within, beyond) in zip(
            self.blocks, self.inner.sums, self.inner.inner(), strict=True
        ):
            rest = len(labels) - len(block)
            mean = -sums / (rest * self.times)
            own = self.sums[block]
            values, vectors = eigen(within)
            values = np.maximum(values, 0.0)
            bent = vectors.T @ beyond @ vectors
            for start in range(0, labels.shape[1], COLUMNS):
                part = slice(start, start + COLUMNS)
                known, held = labels[:, part], labels[block, part]
                average = (known.sum(0) - held.sum(0)) / rest
                missing = held - average
                along = self.sums.T @ known - own.T @ held
                along -= rest * self.times * np.outer(mean, average)
                beside = vectors.T @ ((own - self.times * mean).T @ missing)
                towards = vectors.T @ along
                errors[:, part] += self.times * np.einsum("nc,nc->c", missing, missing)
                for error, shift in zip(errors, shifts, strict=True):
                    weights = towards / (values + shift)[:, None]
                    error[part] += np.einsum("fc,fc->c", weights, bent @ weights - 2.0 * beside)
        return np.maximum(errors, 0.0)

    def _by_clips(self, labels: np.ndarray, penalties: Sequence[float]) -> np.ndarray:
        """Errors as a quadratic form in the clips' labels, the same for all columns.

        The intercept, the mean of the rest's labels, is the weight of one more feature that is 1.
        """
        clips, features = self.sums.shape
        shifts = np.asarray(penalties) * self.unit
        forms = np.zeros((len(shifts), clips, clips))
        for block, sums, (within, beyond) in zip(
            self.blocks, self.inner.sums, self.inner.inner(), strict=True
        ):
            rest = np.ones(clips, bool)
            rest[block] = False
            mean = -sums / (rest.sum() * self.times)
            values, vectors = eigen(within)
            values = np.maximum(values, 0.0)
            own = np.full((len(block), 1 + features), float(self.times))
            own[:, 1:] = (self.sums[block] - self.times * mean) @ vectors
            asked = np.full((1 + features, clips), 1.0 / rest.sum())
            asked[1:] = vectors.T @ (self.sums - self.times * mean).T
            asked[:, block] = 0.0
            bent = np.empty((1 + features, 1 + features))
            bent[0], bent[1:, 0] = own.sum(0), own.sum(0)[1:]
            bent[1:, 1:] = vectors.T @ beyond @ vectors
            for form, shift in zip(forms, shifts, strict=True):
                weights = asked / np.concatenate([[1.0], values + shift])[:, None]
                form += weights.T @ (bent @ weights)
                form[block] -= 2.0 * (own @ weights)
        energy = self.times * np.einsum("nc,nc->c", labels, labels)
        errors = [np.einsum("nc,nc->c", labels, form @ labels) for form in forms]
        return np.maximum(energy + np.array(errors), 0.0)
