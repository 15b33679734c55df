"""Frames: rows of quantities by name, each all that its frame shows."""

from collections.abc import Sequence

import numpy as np


def rows(field: np.ndarray, quantities: Sequence[str], draws: str) -> list[dict[str, float]]:
    """Every frame's quantities by name.

    Parameters
    ----------
    field : (time, quantity)
    quantities : sequence of str
        Their names, in order.
    draws : str
        What the renderer that asks draws, for the hint.

    Raises
    ------
    ValueError
        If it has other quantities, or a value that is not finite; the message names it.
    """
    if field.ndim != 2 or field.shape[1] != len(quantities):
        raise ValueError(
            f"shape {field.shape}: expected (time, {len(quantities)}), named quantities."
            f" Hint: this renderer {draws}."
        )
    if not np.isfinite(field).all():
        frame, quantity = np.argwhere(~np.isfinite(field))[0]
        raise ValueError(f"frame {frame} is not finite: {quantities[quantity]}.")
    return [dict(zip(quantities, map(float, row), strict=True)) for row in field]
