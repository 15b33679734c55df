"""Cells: the square grid that fields live on, 1 px apart, and how finely they are stored."""

from typing import Protocol

import numpy as np

RESOLUTION = 2.0**-20
"""Finer than any colour scale, no coarser than a solution's own rounding, and compressible."""


class Grid(Protocol):
    """What a spec says of its cells."""

    @property
    def frames(self) -> int:
        """Frames of a clip."""

    @property
    def size(self) -> int:
        """Cells along each side."""


def coords(spec: Grid) -> dict[str, np.ndarray]:
    """Times [s] and positions [px] of a field's cells.

    Parameters
    ----------
    spec : Grid
        With ``frames``, one time unit apart, and ``size``, cells along each side.
    """
    side = np.arange(spec.size, dtype=float)
    return {"time": np.arange(spec.frames, dtype=float), "y": side, "x": side}
