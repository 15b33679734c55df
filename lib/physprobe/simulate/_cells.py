"""Cells: the square grid that fields live on, 1 px apart, and how finely they are stored."""

import numpy as np

from physprobe.config.spec import Spec

RESOLUTION = 2.0**-20
"""Finer than any colour scale, no coarser than a solution's own rounding, and compressible."""


def coords(spec: Spec) -> dict[str, np.ndarray]:
    """Times [s] and positions [px] of a field's cells.

    Parameters
    ----------
    spec : Spec
        With ``frames``, one time unit apart, and ``size``, cells along each side.
    """
    side = np.arange(spec.size, dtype=float)
    return {"time": np.arange(spec.frames, dtype=float), "y": side, "x": side}
