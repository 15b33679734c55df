"""Rods: a double pendulum's tips in a plane, and how much of the plane is in view.

What a simulation of pendulums hands to a renderer: (time, quantity) float32, the quantities as
named here. The pivot is the origin, x goes to the right, y up; the view is a square around it.
"""

from collections.abc import Sequence

import numpy as np

UNITS = {"x1": "m", "y1": "m", "x2": "m", "y2": "m", "view": "m"}
"""Tips of the first and of the second rod; half a side of the view."""
QUANTITIES = tuple(UNITS)
TIPS = QUANTITIES[:4]
UNIT = "by quantity: " + ", ".join(f"{name} [{unit}]" for name, unit in UNITS.items())
"""Unit of the whole array, as stored."""
MARGIN = 1.1
"""Half a side of the view, in lengths of both rods together: that of the published canvas."""


def drawn(angles: Sequence[np.ndarray], lengths: Sequence[np.ndarray], view: float) -> np.ndarray:
    """Rods (..., quantity) float32 from angles (...) from the downward vertical [rad].

    Parameters
    ----------
    angles : two of (...)
    lengths : two of (...)
        [m]
    view : float
        [m]
    """
    x1, y1 = lengths[0] * np.sin(angles[0]), -lengths[0] * np.cos(angles[0])
    x2, y2 = x1 + lengths[1] * np.sin(angles[1]), y1 - lengths[1] * np.cos(angles[1])
    return np.stack([x1, y1, x2, y2, np.full_like(x1, view)], axis=-1).astype(np.float32)


def check(field: np.ndarray) -> np.ndarray:
    """Rods (time, quantity), if they are some.

    Raises
    ------
    ValueError
        If there are other quantities, or a value is not finite; the message names it.
    """
    field = np.asarray(field)
    if field.ndim != 2 or field.shape[1] != len(QUANTITIES):
        raise ValueError(
            f"shape {field.shape}: expected (time, {len(QUANTITIES)}), named quantities."
            " Hint: this renderer draws systems of kind `double_pendulum`."
        )
    if not np.isfinite(field).all():
        frame, quantity = np.argwhere(~np.isfinite(field))[0]
        raise ValueError(f"frame {frame} is not finite: {QUANTITIES[quantity]}.")
    return field
