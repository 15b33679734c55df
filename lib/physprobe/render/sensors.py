"""Sensors: the numbers of a system that is no image, as they are."""

from typing import Literal

import numpy as np

from physprobe.config.spec import Spec as Base

DRAWS = ("sensors",)
SEEN = "signal"
CHANNELS, UNIT = tuple(f"x{n}" for n in range(20)), "1"


class Spec(Base):
    """What twenty sensors read; nothing is left to choose."""

    kind: Literal["sensors"] = "sensors"
    """Readings of a system's sensors."""


def frames(spec: Spec, field: np.ndarray) -> np.ndarray:
    """Readings of one clip.

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
        If there are not as many sensors as channels, or a frame is not finite.
    """
    if field.shape[1] != len(CHANNELS):
        raise ValueError(f"{field.shape[1]} sensors, expected {len(CHANNELS)}.")
    if not (finite := np.isfinite(field).all(1)).all():
        raise ValueError(f"frame {int(np.argmin(finite))} is not finite.")
    return np.ascontiguousarray(field, np.float32)
