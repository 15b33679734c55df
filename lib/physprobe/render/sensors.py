"""Sensors: the numbers of a system that is no image, as they are."""

from typing import Literal

import numpy as np

from physprobe.config.spec import Spec as Base
from physprobe.render import _channels

DRAWS = ("sensors",)
SEEN = "signal"
CHANNELS, UNIT = tuple(f"x{n}" for n in range(20)), "1"


class Spec(Base):
    """What twenty sensors read; nothing is left to choose."""

    kind: Literal["sensors"] = "sensors"
    """Readings of a system's sensors."""


def frames(spec: Spec, field: np.ndarray) -> np.ndarray:
    """Readings (time, channel) of one clip; see :func:`_channels.channels`."""
    return _channels.channels(field, CHANNELS, "sensors")
