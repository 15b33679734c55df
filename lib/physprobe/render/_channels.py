"""Channels: numbers of a system that is no image, seen as they are."""

from collections.abc import Sequence

import numpy as np


def channels(field: np.ndarray, names: Sequence[str], what: str) -> np.ndarray:
    """Numbers of one clip.

    Parameters
    ----------
    field : (time, quantity)
    names : (channel,) of str
    what : str
        Word for them, in errors.

    Returns
    -------
    (time, channel) float32

    Raises
    ------
    ValueError
        If there are not as many as channels, or a frame is not finite; the message names it.
    """
    if field.shape[1] != len(names):
        raise ValueError(f"{field.shape[1]} {what}, expected {len(names)}.")
    if not (finite := np.isfinite(field).all(1)).all():
        raise ValueError(f"frame {int(np.argmin(finite))} is not finite.")
    return np.ascontiguousarray(field, np.float32)
