"""Images: gray values as they are, in three colours that are alike."""

from typing import Literal

import numpy as np

from physprobe.config.spec import Spec as Base

DRAWS = ("image",)
TOGETHER = 256


class Spec(Base):
    """What an image shows; nothing is left to choose."""

    kind: Literal["images"] = "images"
    """Gray images, read from files."""


def frames(spec: Spec, field: np.ndarray) -> np.ndarray:
    """Frames of one clip.

    Parameters
    ----------
    spec : Spec
    field : (time, y, x)
        Whole numbers from 0, black, to 255, white.

    Returns
    -------
    (time, y, x, rgb) uint8

    Raises
    ------
    ValueError
        If a value is none of these.
    """
    if not np.isin(field, np.arange(256)).all():
        raise ValueError("values are no whole numbers from 0 to 255.")
    return np.repeat(field[..., None].astype(np.uint8), 3, axis=-1)
