"""Images: gray values as they are, or perturbed, in three colours that are alike."""

import hashlib
from typing import Literal

import numpy as np
from pydantic import Field

from physprobe.config.spec import Spec as Base
from physprobe.scenes import perturbed
from physprobe.statistics import seeds

DRAWS = ("image",)
TOGETHER = 256


class Spec(Base):
    """What becomes of an image."""

    kind: Literal["images"] = "images"
    """Gray images, read from files."""
    perturbed: float | None = Field(None, ge=0, le=1)
    """Strength that an image is moved with, before its shape is changed and noise is added; see
    ``scenes.perturbed``. By default an image is left as it is."""
    seed: int = Field(0, ge=0, lt=2**32)
    """Seed of the perturbation, which follows from seed and image alone."""


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
    shown = field.astype(np.uint8)
    if spec.perturbed is not None:
        rng = seeds.rng("perturbed", spec.seed, hashlib.sha256(shown.tobytes()).hexdigest())
        found = perturbed.perturbed(shown / np.float32(255), spec.perturbed, rng)
        shown = np.rint(255 * found).astype(np.uint8)
    return np.repeat(shown[..., None], 3, axis=-1)
