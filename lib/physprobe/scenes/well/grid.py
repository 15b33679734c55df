"""Grid: where the points of a field are, and how its values get onto even cells."""

from dataclasses import dataclass

import numpy as np

from physprobe.scenes.films.film import Faulty

EVEN = 1e-3  # of a step: how far single precision lets points be from an even grid
CHEBYSHEV = 1e-5  # of half the height: how far from Chebyshev's points


@dataclass(frozen=True, eq=False)
class Axis:
    """Points along a place.

    Attributes
    ----------
    points : (point,)
        Where values are.
    matrix : (point, stored), optional
        What takes stored values there; None where they are as stored.
    notes : tuple of str
        What was done.
    """

    points: np.ndarray
    matrix: np.ndarray | None = None
    notes: tuple[str, ...] = ()

    def then(self, matrix: np.ndarray, points: np.ndarray | None = None) -> "Axis":
        """The same with one more step (new point, point); points go along, unless they are told."""
        whole = matrix if self.matrix is None else matrix @ self.matrix
        return Axis(matrix @ self.points if points is None else points, whole, self.notes)


def axis(stored: np.ndarray, period: float | None = None, resample: bool = True) -> Axis:
    """Points of a place, and values on even cells, if they aren't on an even grid.

    Values at Chebyshev's points are those of one polynomial, which is evaluated exactly at the
    centres of as many even cells. Points of a periodic place whose labels reach over all of the
    period, such as those of The Well's ``active_matter``, are one period / points apart.

    Parameters
    ----------
    stored : (point,)
        Coordinates, ascending.
    period : float, optional
    resample : bool
        Whether values are put on even cells; else they stay where they are.

    Raises
    ------
    Faulty
        If the grid is neither even nor Chebyshev's, and is to be resampled.
    """
    count = len(stored)
    steps = np.diff(stored)
    if np.abs(steps - steps.mean()).max() <= EVEN * steps.mean():
        if period is not None and abs(stored[-1] - stored[0] - period) < EVEN * steps.mean():
            note = (
                f"points reach over all of the period {period:g}: they are {period:g} / {count}"
                " apart"
            )
            return Axis(stored[0] + period / count * np.arange(count), None, (note,))
        return Axis(stored)
    if not resample:
        return Axis(stored)
    for points, low, high in _chebyshev(stored):
        if np.abs(points - stored).max() <= CHEBYSHEV * (high - low) / 2:
            centres = low + (np.arange(count) + 0.5) * (high - low) / count
            note = f"Chebyshev's {count} points, interpolated onto {count} even cells"
            return Axis(centres, barycentric(points, centres), (note,))
    raise Faulty(
        f"points are {steps.min():.4g} to {steps.max():.4g} apart: neither even nor Chebyshev's."
        " Hint: `resample: false` leaves them where they are"
    )


def barycentric(points: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Matrix (wanted, point) of the polynomial through values at some points.

    References
    ----------
    Berrut and Trefethen 2004, Barycentric Lagrange interpolation, equation 4.2.
    """
    # scaled by half the range, so that products of differences stay within numbers
    apart = 4 / (points.max() - points.min()) * (points[:, None] - points)
    np.fill_diagonal(apart, 1)
    weights = 1 / apart.prod(1)
    away = wanted[:, None] - points
    same = away == 0
    matrix = weights / np.where(same, 1, away)
    matrix[same.any(1)] = same[same.any(1)]
    return matrix / matrix.sum(1, keepdims=True)


def means(count: int, factor: int) -> np.ndarray:
    """Matrix (block, point) of the means of blocks."""
    return np.kron(np.eye(count // factor), np.full((1, factor), 1 / factor))


def linear(count: int, size: int, first: int = 0, last: int | None = None) -> np.ndarray:
    """Matrix (size, count) of linear interpolation between points first to last, ends held.

    That of ``torch.nn.functional.interpolate`` with ``align_corners=False`` and no antialiasing,
    along one axis.
    """
    last = count if last is None else last
    places = np.clip((np.arange(size) + 0.5) * (last - first) / size - 0.5, 0, last - first - 1)
    below = np.minimum(places.astype(int), max(0, last - first - 2))
    part = places - below
    matrix = np.zeros((size, count))
    rows = np.arange(size)
    matrix[rows, first + below] = 1 - part
    matrix[rows, first + np.minimum(below + 1, last - first - 1)] += part
    return matrix


def _chebyshev(stored: np.ndarray) -> tuple[tuple[np.ndarray, float, float], ...]:
    """Chebyshev's roots and extrema between the ends of a grid, each with the ends of its range."""
    count = len(stored)
    middle, half = (stored[-1] + stored[0]) / 2, (stored[-1] - stored[0]) / 2
    roots = -np.cos(np.pi * (np.arange(count) + 0.5) / count)
    extrema = -np.cos(np.pi * np.arange(count) / (count - 1))
    return tuple(
        (middle + half / unit[-1] * unit, middle - half / unit[-1], middle + half / unit[-1])
        for unit in (roots, extrema)
    )


def put(values: np.ndarray, y: Axis, x: Axis) -> np.ndarray:
    """Values (time, y, x, channel) float32 at the points of both axes; double within."""
    if y.matrix is not None:
        values = np.einsum("ij,tjxc->tixc", y.matrix, values, optimize=True)
    if x.matrix is not None:
        values = np.einsum("ij,tyjc->tyic", x.matrix, values, optimize=True)
    return np.ascontiguousarray(values, np.float32)
