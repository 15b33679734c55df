"""Channels: the fields of a fluid by name, in their own units, with no colours in between.

They are not normalised here: an encoder does that by what it was trained on, and a probe by its
training folds, so that no clip has a say in how another one is seen.
"""

from typing import Literal

import numpy as np

from physprobe.config.spec import Spec as Base

DRAWS = ("fluid",)
SEEN = "channels"
CHANNELS, UNIT, BACK = None, "1", True


class Spec(Base):
    """The fields of a fluid as they are; nothing is left to choose."""

    kind: Literal["channels"] = "channels"
    """Fields of a fluid by name, instead of images."""


def frames(spec: Spec, field: np.ndarray) -> np.ndarray:
    """Frames of one clip.

    Parameters
    ----------
    spec : Spec
    field : (time, y, x, channel) float32

    Returns
    -------
    (time, y, x, channel) float32

    Raises
    ------
    ValueError
        If a frame is not finite; the message names it.
    """
    if not (finite := np.isfinite(field).all((1, 2, 3))).all():
        raise ValueError(f"frame {int(np.argmin(finite))} is not finite.")
    return np.ascontiguousarray(field, np.float32)


def back(spec: Spec, frames: np.ndarray) -> np.ndarray:
    """Fields (time, y, x, channel) of one clip, which are what is seen."""
    return frames
