"""Cuts: a layer's tokens in a fold, z-scored by its training clips, or their principal components.

Tokens of many clips lie in a file, float16 as they are stored; nothing here holds all of them.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby

import numpy as np

from physprobe.fit.methods._readout import Readout
from physprobe.fit.methods._selection import Part
from physprobe.statistics import dense, ridge, seeds
from physprobe.statistics.splits import Fold
from physprobe.store import scratch

SMALL = 1e-6  # deviation below which a channel is not scaled
FLAT = 1e-5  # part of the largest deviation up to which a component is rounding
BLOCK = 16  # clips whose tokens are summed at a time


@dataclass
class Cut:
    """One layer's tokens in one fold: an outer one, or an inner one of it."""

    layer: int
    place: int
    inner: int | None
    fold: Fold
    tokens: np.ndarray
    """(clip, token, feature) float32, or float16 as they are stored."""
    train: np.ndarray
    held: np.ndarray
    readout: Readout
    components: int | None = None
    mean: np.ndarray = field(init=False)
    scale: np.ndarray = field(init=False)

    def __post_init__(self):
        if self.components and self.components < self.tokens.shape[2]:
            self.tokens = _components(self.tokens, self.train, self.components)
        self.mean, scale = _spread(self.tokens, self.train)
        self.scale = np.where(scale >= SMALL, scale, 1.0).astype(np.float32)

    def shown(self, clips: np.ndarray) -> np.ndarray:
        """Tokens (clip, token, feature) of some clips, z-scored by the training clips."""
        return (self.tokens[clips] - self.mean) / self.scale

    def steps(self, batch: int | None) -> int:
        """Steps of an epoch, of at most so many clips each; None: of all training clips."""
        return -(-len(self.train) // batch) if batch else 1

    def batches(self, batch: int | None, seed: int, epoch: int) -> list[np.ndarray]:
        """Training clips of each step of an epoch, as places among them."""
        count = len(self.train)
        if not batch:
            return [np.arange(count)]
        rng = seeds.rng("batches", seed, self.place, str(self.inner), epoch)
        return np.array_split(rng.permutation(count), self.steps(batch))


def cuts(parts: Iterable[Part], readout: Readout, components: int | None) -> Iterator[Cut]:
    """Everything that is to be fitted; outer folds, and the inner folds of each."""
    for layer, folds in groupby(parts, key=lambda part: part.layer):
        own = list(folds)
        tokens = own[0].rows
        if tokens.dtype != np.float16:
            tokens = tokens.astype(np.float32, copy=False)
        for part in own:
            each: list[tuple[int | None, np.ndarray, np.ndarray]] = [
                (None, part.fold.train, part.fold.test),
                *((number, *cut) for number, cut in enumerate(part.fold.inner)),
            ]
            for inner, train, held in each:
                yield Cut(
                    layer, part.place, inner, part.fold, tokens, train, held, readout, components
                )


def _blocks(tokens: np.ndarray, clips: np.ndarray) -> Iterator[np.ndarray]:
    """Rows (row, feature) of some clips, float32, a few clips at a time."""
    for start in range(0, len(clips), BLOCK):
        some = tokens[clips[start : start + BLOCK]]
        yield some.reshape(-1, tokens.shape[2]).astype(np.float32, copy=False)


def _spread(tokens: np.ndarray, clips: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation (feature,) of some clips' tokens, float32, summed in double."""
    count = len(clips) * tokens.shape[1]
    total = sum(rows.sum(0, dtype=np.float64) for rows in _blocks(tokens, clips))
    mean = (total / count).astype(np.float32)
    squares = sum(
        np.square(rows - mean).sum(0, dtype=np.float64) for rows in _blocks(tokens, clips)
    )
    return mean, np.sqrt(squares / count).astype(np.float32)


def _components(tokens: np.ndarray, train: np.ndarray, count: int) -> np.ndarray:
    """Principal components (clip, token, component) of some clips' tokens, float32.

    Zeros stand for those along which these clips don't vary.
    """
    mean, _ = _spread(tokens, train)
    axes = _axes(tokens, train, mean, count)
    found = scratch.zeros((*tokens.shape[:2], count), np.float32)
    everyone = np.arange(len(tokens))
    for start, rows in zip(range(0, len(tokens), BLOCK), _blocks(tokens, everyone), strict=True):
        turned = (rows - mean) @ axes.astype(np.float32)
        part = found[start : start + BLOCK]
        part[..., : axes.shape[1]] = turned.reshape(*part.shape[:2], -1)
    _, spread = _spread(found, train)
    found *= spread > FLAT * spread.max()
    return found


def _axes(tokens: np.ndarray, train: np.ndarray, mean: np.ndarray, count: int) -> np.ndarray:
    """Principal axes (feature, component) of some clips' tokens."""
    rows = len(train) * tokens.shape[1]
    count = min(count, rows - 1)
    centred = ((rows - mean).astype(np.float64) for rows in _blocks(tokens, train))
    if rows < tokens.shape[2]:
        return ridge.axes(np.concatenate(list(centred)), count)
    gram = sum(some.T @ some for some in centred)
    return dense.eigen(np.asarray(gram))[1][:, : -count - 1 : -1]
