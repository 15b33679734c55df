"""Stencil: a 3 x 3 kernel per channel on the token grid, zero-padded, and the sums that fit it."""

from dataclasses import dataclass

import numpy as np

from physprobe.store import scratch

OFFSETS = tuple((dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1))
ONE = len(OFFSETS)  # column of a constant source, after the nine neighbours


@dataclass(frozen=True)
class Sums:
    """Per clip and channel, sums over time and grid that every kernel's error follows from.

    They grow with the clips, so those of many clips lie in a file, and are used a few at a time.
    """

    gram: np.ndarray
    """(clip, channel, column, column) of nine neighbours and a one with themselves."""
    cross: np.ndarray
    """(clip, channel, column) with the step to the next frame."""
    energy: np.ndarray
    """(clip,) squared steps, over channels too: the error of persistence."""

    @classmethod
    def empty(cls, clips: int, channels: int) -> "Sums":
        """Zeros, to be filled clip by clip."""
        columns = ONE + 1
        return cls(
            scratch.zeros((clips, channels, columns, columns), np.float64),
            scratch.zeros((clips, channels, columns), np.float64),
            np.zeros(clips),
        )

    def add(self, clip: int, field: np.ndarray) -> None:
        """Fill in one clip's field (time, y, x, channel).

        Products of two neighbours depend on their distance alone, so 13 products summed over time
        give all 45 entries; the edges of the grid are left out where a neighbour is padding.
        """
        now, step = field[:-1], field[1:] - field[:-1]
        height, width = field.shape[1:3]
        gram, cross = self.gram[clip], self.cross[clip]
        total = now.sum(0)
        products = {}
        for i, first in enumerate(OFFSETS):
            here, there = _overlap(first, height, width)
            cross[:, i] = np.einsum("tyxc,tyxc->c", now[:, *there], step[:, *here])
            gram[:, i, ONE] = gram[:, ONE, i] = total[there].sum((0, 1))
            for j, second in enumerate(OFFSETS[i:], i):
                shift = (second[0] - first[0], second[1] - first[1])
                if shift not in products:
                    products[shift] = _product(now, shift)
                place = tuple(map(_centres, first, second, (height, width)))
                gram[:, i, j] = gram[:, j, i] = products[shift][place].sum((0, 1))
        gram[:, ONE, ONE] = now[..., 0].size
        cross[:, ONE] = step.sum((0, 1, 2))
        self.energy[clip] = np.vdot(step, step)


def _product(now: np.ndarray, shift: tuple[int, int]) -> np.ndarray:
    """Sum over time (y, x, channel) of each cell times the one a shift away, where both exist."""
    here, there = _overlap(shift, *now.shape[1:3])
    return np.einsum("tyxc,tyxc->yxc", now[:, *here], now[:, *there])


def _centres(first: int, second: int, size: int) -> slice:
    """Where in a product along one axis the centre lies on the grid, and not beside it."""
    low, high = min(0, first, second), max(0, first, second)
    # the product's cells start at the first one that has a partner on the grid
    start = max(0, first - second)
    return slice(first - low - start, size - high + first - start)


def _overlap(offset: tuple[int, int], height: int, width: int) -> tuple[tuple, tuple]:
    """Cells whose neighbour at an offset is on the grid, and these neighbours."""
    here, there = [], []
    for shift, size in zip(offset, (height, width), strict=True):
        here.append(slice(max(0, -shift), max(0, size - max(0, shift))))
        there.append(slice(max(0, shift), max(0, size - max(0, -shift))))
    return tuple(here), tuple(there)


def apply(field: np.ndarray, kernels: np.ndarray) -> np.ndarray:
    """Kernels' answer (clip, y, x, channel) to a field of the same shape.

    Parameters
    ----------
    field : (clip, y, x, channel)
    kernels : (channel, column)
        Nine weights and a constant source.
    """
    height, width = field.shape[1:3]
    kernels = kernels.astype(field.dtype)
    found = np.empty_like(field)
    found[:] = kernels[:, ONE]
    for column, offset in enumerate(OFFSETS):
        here, there = _overlap(offset, height, width)
        found[:, *here] += field[:, *there] * kernels[:, column]
    return found
