"""Points: the coordinates of a point in the plane, as they are."""

from typing import Literal

import numpy as np

from physprobe.config.spec import Spec as Base
from physprobe.render import _channels

DRAWS = ("points",)
SEEN = "signal"
CHANNELS, UNIT = ("x", "y"), "1"


class Spec(Base):
    """Where a point is; nothing is left to choose."""

    kind: Literal["points"] = "points"
    """Coordinates in the plane."""


def frames(spec: Spec, field: np.ndarray) -> np.ndarray:
    """Coordinates (time, channel) of one clip; see :func:`_channels.channels`."""
    return _channels.channels(field, CHANNELS, "coordinates")
