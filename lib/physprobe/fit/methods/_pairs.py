"""Pairs of history and next state, and the sums over them that every fit needs.

Every order predicts from the same frames: the first history ends at frame ``FIRST``, which is as
far back as order 3 looks. A pair lies within one clip.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from physprobe.statistics import seeds

FIRST = 2
ORDERS = (1, 2, 3)


@dataclass(frozen=True)
class Layout:
    """Columns of a history: leading components at lag 0, at lag 1, at lag 2, then a one."""

    sizes: tuple[int, ...]

    @classmethod
    def of(cls, components: int) -> "Layout":
        """Columns that models of every order up to three take from so many components."""
        return cls(tuple(-(-components // order) for order in ORDERS))

    @property
    def one(self) -> int:
        """Column of the constant."""
        return sum(self.sizes)

    def inputs(self, rank: int, order: int) -> np.ndarray:
        """Columns that a model reads: ``rank`` in all, shared evenly between its lags."""
        return self._columns(lags(rank, order))

    def state(self, rank: int, order: int) -> np.ndarray:
        """Columns that a model carries along: its outputs, its older inputs, and the one."""
        return np.append(self._columns((rank, *lags(rank, order)[1:])), self.one)

    def _columns(self, counts: Sequence[int]) -> np.ndarray:
        starts = np.cumsum((0, *self.sizes))
        return np.concatenate(
            [start + np.arange(n) for start, n in zip(starts, counts, strict=False)]
        )


def lags(rank: int, order: int) -> tuple[int, ...]:
    """How many leading components a model reads at each lag."""
    return tuple(rank // order + (lag < rank % order) for lag in range(order))


def histories(latent: np.ndarray, layout: Layout) -> np.ndarray:
    """History that ends at each frame from ``FIRST`` on.

    Parameters
    ----------
    latent : (clip, time, component)
    layout : Layout

    Returns
    -------
    (clip, start, column)
    """
    times = latent.shape[1]
    parts = [latent[:, FIRST - lag : times - lag, :size] for lag, size in enumerate(layout.sizes)]
    return np.concatenate([*parts, np.ones((*parts[0].shape[:2], 1))], axis=-1)


@dataclass(frozen=True)
class Moments:
    """Sums over pairs, one entry per block of clips."""

    gram: np.ndarray
    """(block, column, column) of histories with themselves."""
    cross: np.ndarray
    """(block, column, component) of histories with the step to the next frame."""
    energy: np.ndarray
    """(block,) squared length of the steps."""

    def total(self, without: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Gram and cross of all blocks, or of all but one."""
        kept = [block for block in range(len(self.energy)) if block != without]
        return self.gram[kept].sum(0), self.cross[kept].sum(0)


def moments(latent: np.ndarray, layout: Layout, blocks: Sequence[np.ndarray]) -> Moments:
    """Add up the pairs of each block of clips.

    Parameters
    ----------
    latent : (clip, time, component)
    layout : Layout
    blocks : sequence of (clip,)
        Indices of the clips in each block.
    """
    past = histories(latent, layout)[:, :-1]
    step = latent[:, FIRST + 1 :] - latent[:, FIRST:-1]
    gram, cross, energy = [], [], []
    for block in blocks:
        rows = past[block].reshape(-1, past.shape[-1])
        steps = step[block].reshape(-1, step.shape[-1])
        gram.append(rows.T @ rows)
        cross.append(rows.T @ steps)
        energy.append(np.vdot(steps, steps))
    return Moments(np.stack(gram), np.stack(cross), np.array(energy))


def shuffles(draws: int, clips: int, times: int, seed: int) -> np.ndarray:
    """Orders of time (draw, clip, time), each clip's its own."""
    straight = np.broadcast_to(np.arange(times), (draws, clips, times))
    return seeds.rng("time shuffle", seed).permuted(straight, axis=-1)


def shuffled(latent: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Clips (clip, time, component) with their frames in another order (clip, time)."""
    clips, times, components = latent.shape
    rows = order + times * np.arange(clips)[:, None]
    return latent.reshape(-1, components)[rows]
