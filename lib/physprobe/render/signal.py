"""Signal: the tips of a double pendulum as four numbers a frame, with no image in between."""

from typing import Literal

import numpy as np

from physprobe.config.spec import Spec as Base
from physprobe.scenes import rods

DRAWS = ("rods",)
SEEN = "signal"
CHANNELS, UNIT, BACK = rods.TIPS, "m", True


class Spec(Base):
    """Where the tips of the rods are; nothing is left to choose."""

    kind: Literal["signal"] = "signal"
    """Coordinates of a double pendulum's tips, instead of images."""


def frames(spec: Spec, field: np.ndarray) -> np.ndarray:
    """Tips of one clip.

    Parameters
    ----------
    spec : Spec
    field : (time, quantity)
        Tips and view, as ``scenes.rods`` describes them.

    Returns
    -------
    (time, channel) float32
        x and y of the first tip, then of the second [m]; the pivot is the origin, y goes up.

    Raises
    ------
    ValueError
        If it is no such description, or a frame is not finite; the message names it.
    """
    return np.ascontiguousarray(rods.check(field)[:, : len(CHANNELS)], np.float32)


def back(spec: Spec, frames: np.ndarray) -> np.ndarray:
    """Rods (time, quantity) of one clip: the tips as they are seen; the view isn't, and is nan."""
    return np.concatenate([frames, np.full((len(frames), 1), np.nan)], axis=1)
