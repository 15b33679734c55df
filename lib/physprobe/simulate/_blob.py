"""Blob: what diffuses and how fast, from the frames of one Gaussian on an insulated square.

    u(x, t) = exp(t alpha lap) exp(-|x - x0|^2 / 2 sigma^2)

by least squares over cells that are above one byte's step at some frames: where less is to be seen
the byte is 0, and the same whatever there is.
"""

from collections.abc import Callable, Sequence

import numpy as np

from physprobe.simulate import _spectral
from physprobe.statistics import descent

TOLD = ("alpha", "sigma", "y0", "x0", "misfit")
FRAMES = 12
"""Frames that are read; between them little changes."""
DARK = 1 / 256
"""Of the height of a blob at first: what is darker is left out."""

Products = Sequence[tuple[np.ndarray, np.ndarray]]
"""Frames (time, y, x), as a sum of products of profiles (time, y) and (time, x)."""
Spread = Callable[[np.ndarray, np.ndarray, float, np.ndarray], Products]
"""Frames at times [s] of what starts as a product of two profiles (y) and (x)."""


def diffused(rows: np.ndarray, columns: np.ndarray, alpha: float, time: np.ndarray) -> Products:
    """Frames by the equation itself."""
    return [(_spectral.diffuse(rows, alpha, time), _spectral.diffuse(columns, alpha, time))]


def told(field: np.ndarray, time: np.ndarray, spread: Spread = diffused) -> dict[str, float]:
    """Parameters of a clip.

    Parameters
    ----------
    field : (time, y, x)
        A blob of height 1 at t = 0.
    time : (time,)
        [s]
    spread : callable
        How what starts as a product of profiles goes on.

    Returns
    -------
    dict of str to float
        ``alpha`` [px^2/s], ``sigma`` [px], ``y0``, ``x0`` [px], and ``misfit``: root mean square of
        what is left unexplained, in parts of the field's own.
    """
    frames = np.unique(np.linspace(0, len(field) - 1, min(FRAMES, len(field))).round().astype(int))
    shown, time = (np.asarray(part)[frames].astype(float) for part in (field, time))
    seen = shown > DARK
    axes = [np.arange(size, dtype=float) for size in shown.shape[1:]]
    values, whole = shown[seen], np.sqrt((shown[seen] ** 2).sum())
    # where in profiles over time the cells that are seen lie: nothing else is computed
    frame, *cells = np.nonzero(seen)
    places = [frame * len(axis) + cell for axis, cell in zip(axes, cells, strict=True)]

    def residual(at: np.ndarray) -> np.ndarray:
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            alpha, sigma = np.exp(at[:2])
            rows, columns = (
                np.exp(-((axis - centre) ** 2) / (2 * sigma**2))
                for axis, centre in zip(axes, at[2:], strict=True)
            )
            products = spread(rows, columns, alpha, time)
            found = sum(np.multiply(*map(np.take, pair, places)) for pair in products)
            return (found - values) / whole

    at, squares = descent.least_squares(residual, _start(shown, time))
    found = (*np.exp(at[:2]), *at[2:], np.sqrt(squares))
    return {name: float(value) for name, value in zip(TOLD, found, strict=True)}


def _start(shown: np.ndarray, time: np.ndarray) -> np.ndarray:
    """Start: log alpha, log sigma, y0, x0 by what is above half of each frame's highest value."""
    widths, middles = [], []
    for frame in shown:
        y, x = np.nonzero(frame > frame.max() / 2)
        # a Gaussian is above half of its height on a disc of area 2 pi sigma^2 ln 2
        widths.append(max(len(y), 1) / (2 * np.pi * np.log(2)))
        middles.append((y.mean(), x.mean()) if len(y) else (0.0, 0.0))
    slope, first = widths[0] / 10, widths[0]
    if len(widths) > 1:
        slope, first = np.polyfit(time, widths, 1)
    alpha, sigma = max(slope / 2, 1e-3 * widths[0]), np.sqrt(max(first, widths[0] / 10))
    return np.array([np.log(alpha), np.log(sigma), *middles[0]])
