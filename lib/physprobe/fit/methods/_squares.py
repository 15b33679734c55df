"""Squares: the plane as a grid of cells."""

import numpy as np

PLOT = ((-10.0, 10.0), (-5.0, 15.0))
"""Where what is drawn is kept, along x and y."""


def squares(x: tuple[float, float], y: tuple[float, float], cells: int) -> tuple[np.ndarray, float]:
    """Centres (cell, 2) of a grid's cells, x fastest, and their area."""
    sides = [low + (high - low) * (np.arange(cells) + 0.5) / cells for low, high in (x, y)]
    whole = np.stack(np.meshgrid(*sides), -1).reshape(-1, 2)
    return whole, (x[1] - x[0]) * (y[1] - y[0]) / cells**2
