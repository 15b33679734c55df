"""Periodic: the square without walls that the systems exact in Fourier space share."""

from collections.abc import Callable, Mapping

import numpy as np
from pydantic import Field, ValidationInfo

from physprobe.core.spec import Spec as Base

SIZE, FRAMES = 128, 64


class Square(Base):
    """Clips on a periodic square: how many, how long, how fine."""

    clips: int = Field(200, gt=0)
    """Number of clips."""
    frames: int = Field(FRAMES, gt=1)
    """Frames of a clip, one time unit [s] apart; the first is the initial condition."""
    size: int = Field(SIZE, ge=32)
    """Cells along each side of the square, 1 px apart."""
    seed: int = Field(0, ge=0, lt=2**32)
    """Seed of the draws; clips of the same number start alike in every system of the same seed."""


def coords(spec: Square) -> dict[str, np.ndarray]:
    """Times [s] and positions [px] of the field's cells."""
    side = np.arange(spec.size, dtype=float)
    return {"time": np.arange(spec.frames, dtype=float), "y": side, "x": side}


def scaled(*values: float, size: int = 0, frames: int = 0) -> Callable[[Mapping], object]:
    """Default that keeps a clip alike, whatever its size and its number of frames.

    Parameters
    ----------
    *values : float
        One value, or the two ends of a range, for 128 x 128 cells and 64 frames.
    size, frames : int
        Powers that they grow with; a speed [px/s] has 1 and -1.

    Returns
    -------
    callable
        Default factory of a field of a :class:`Square`.
    """

    def default(square: Mapping) -> object:
        ratio = (square["size"] / SIZE) ** size * (square["frames"] / FRAMES) ** frames
        found = tuple(value * ratio for value in values)
        return found if len(found) > 1 else found[0]

    return default


def bounded(
    value: float | tuple[float, float],
    info: ValidationInfo,
    most: float,
    beyond: str,
    *,
    size: int = 0,
) -> float | tuple[float, float]:
    """Value, or range of values, that doesn't lead too far within a clip.

    Parameters
    ----------
    value : float or (float, float)
        A rate: sides^size per second.
    info : ValidationInfo
        Of a validator of a field of a :class:`Square`.
    most : float
        Largest value times frames, in sides^size.
    beyond : str
        What happens to a clip beyond it.
    size : int
        Power of the side that the value goes with.

    Raises
    ------
    ValueError
        If the value is larger.
    """
    if {"size", "frames"} <= info.data.keys():
        limit = most * info.data["size"] ** size / info.data["frames"]
        if np.max(value) > limit:
            raise ValueError(f"{np.max(value):g} is more than {limit:g}: {beyond}")
    return value
