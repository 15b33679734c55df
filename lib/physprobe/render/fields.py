"""Fields: a scalar field in false colour, a pixel per cell, on one fixed range for all clips."""

import difflib
from functools import cache
from typing import Literal, Self

import numpy as np
from pydantic import Field, field_validator, model_validator

from physprobe.config.spec import Spec as Base

BACK = True
# Known to be there without the third of a second that importing matplotlib takes.
EVERYDAY = {"inferno", "magma", "plasma", "viridis", "cividis", "gray"}


class Spec(Base):
    """False colour: colormap and range."""

    kind: Literal["fields"] = "fields"
    """A scalar field in false colour, one pixel per cell."""
    colormap: str = "inferno"
    """Any of matplotlib's colormaps, read in 256 steps."""
    low: float = Field(0.0, allow_inf_nan=False)
    """Value of the first colour, in the field's unit; what lies below is clipped."""
    high: float = Field(1.0, allow_inf_nan=False)
    """Value of the last colour, in the field's unit; what lies above is clipped."""

    @field_validator("colormap")
    @classmethod
    def _known(cls, colormap: str) -> str:
        if colormap not in EVERYDAY:
            from matplotlib import colormaps

            if colormap not in colormaps:
                near = difflib.get_close_matches(colormap, list(colormaps), n=1)
                hint = f" Did you mean {near[0]!r}?" if near else ""
                raise ValueError(f"matplotlib has no such colormap.{hint}")
        return colormap

    @model_validator(mode="after")
    def _ascending(self) -> Self:
        if self.low >= self.high:
            raise ValueError(f"low ({self.low:g}) has to be below high ({self.high:g})")
        return self


@cache
def _table(colormap: str, run: int) -> tuple[int, np.ndarray]:
    """Levels of a colormap, and the colours of every run of pixels (256**run, 3 run) uint8."""
    from matplotlib import colormaps

    levels = min(colormaps[colormap].N, 256)
    colours = colormaps[colormap]((np.arange(256) + 0.5) / levels, bytes=True)[:, :3]
    keys = np.arange(256**run, dtype=f"u{run}").view(np.uint8).reshape(-1, run)
    return levels, np.ascontiguousarray(colours[keys].reshape(-1, 3 * run))


def frames(spec: Spec, field: np.ndarray) -> np.ndarray:
    """Frames of one clip.

    Parameters
    ----------
    spec : Spec
    field : (time, y, x) float32

    Returns
    -------
    (time, y, x, rgb) uint8
        The bytes of matplotlib's ``colormap(Normalize(low, high)(field), bytes=True)``, for a
        colormap of up to 256 colours. Computed in float32: where ``low`` and ``high - low`` are no
        float32 numbers, a value within a rounding of a step's edge may be on its other side.

    Raises
    ------
    ValueError
        If a frame is not finite; the message names it.
    """
    field = np.asarray(field, np.float32)
    pixels = field[0].size
    # Looking up two pixels at a time takes half as long.
    run = 1 if pixels % 2 else 2
    levels, colours = _table(spec.colormap, run)
    video = np.empty((*field.shape, 3), np.uint8)
    scaled, index = np.empty(field.shape[1:], np.float32), np.empty(field.shape[1:], np.uint8)
    keys = index.reshape(-1).view(f"u{run}")
    # Far beyond the range a value may overflow to infinity, and is clipped like any other.
    with np.errstate(over="ignore"):
        for number, (values, frame) in enumerate(zip(field, video, strict=True)):
            if not (np.isfinite(values.min()) and np.isfinite(values.max())):
                raise ValueError(f"frame {number} is not finite: it has no colour.")
            np.subtract(values, spec.low, out=scaled)
            scaled /= spec.high - spec.low
            scaled *= levels
            np.clip(scaled, 0, levels - 1, out=scaled)
            np.copyto(index, scaled, casting="unsafe")
            np.take(colours, keys, axis=0, out=frame.reshape(-1, 3 * run), mode="clip")
    return video


def back(spec: Spec, frames: np.ndarray) -> np.ndarray:
    """Field of one clip from its colours, to half a step of the scale.

    Parameters
    ----------
    spec : Spec
    frames : (time, y, x, rgb) uint8

    Returns
    -------
    (time, y, x) float32
        Of every colour the middle of the values that have it; where a colormap has a colour more
        than once, of all of them. The first and the last colour also stand for what was clipped:
        of these it is the middle of their own step.

    Raises
    ------
    ValueError
        If a pixel has no colour of the map; the message names the frame.
    """
    middle = _values(spec.colormap)
    found = np.empty(frames.shape[:3], np.float32)
    for number, frame in enumerate(np.asarray(frames)):
        key = frame[..., 2].astype(np.int32)
        for channel in (1, 0):
            key <<= 8
            key |= frame[..., channel]
        np.take(middle, key, out=found[number], mode="clip")
        odd = np.isnan(found[number])
        if odd.any():
            colour = frame[odd][0].tolist()
            raise ValueError(f"frame {number}: {colour} is no colour of {spec.colormap}.")
    found *= np.float32(spec.high - spec.low)
    found += np.float32(spec.low)
    return found


@cache
def _values(colormap: str) -> np.ndarray:
    """Middle of each colour's part of the scale, 0 to 1; nan of what is no colour of the map.

    By r + 256 g + 65536 b; of 16 million only the few colours of the map are ever looked up.
    """
    levels, colours = _table(colormap, 1)
    steps = np.arange(levels)
    keys = colours[:levels].astype(np.int32) @ np.array([1, 256, 65536], np.int32)
    which, place = np.unique(keys, return_inverse=True)
    middle = np.full(2**24, np.nan, np.float32)
    middle[which] = np.bincount(place, (steps + 0.5) / levels) / np.bincount(place)
    return middle
