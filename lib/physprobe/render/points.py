"""Points: the coordinates of a point in the plane, as they are."""

from typing import Literal

import numpy as np

from physprobe.config.spec import Spec as Base

DRAWS = ("points",)
SEEN = "signal"
CHANNELS, UNIT = ("x", "y"), "1"


class Spec(Base):
    """Where a point is; nothing is left to choose."""

    kind: Literal["points"] = "points"
    """Coordinates in the plane."""


def frames(spec: Spec, field: np.ndarray) -> np.ndarray:
    """Coordinates of one clip.

    Parameters
    ----------
    spec : Spec
    field : (time, quantity)

    Returns
    -------
    (time, channel) float32

    Raises
    ------
    ValueError
        If they are not two, or not finite.
    """
    if field.shape[1] != len(CHANNELS) or not np.isfinite(field).all():
        raise ValueError(f"{field.shape[1]} coordinates, expected 2, all of them finite")
    return np.ascontiguousarray(field, np.float32)
