"""Pictures: what people see of clips, whatever form: frames, fields, or a signal's traces."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from physprobe.drawing import palette

SIDE, THICK = 96, 2
PAPER, AHEAD = 255, 205
"""Background, and what of a trace is yet to come."""
FIELDS, GAP = "viridis", 4
"""Colours of fields, and rows between two of them [px]."""


class Axis(NamedTuple):
    """Label of an axis, and texts by place along it."""

    label: str
    ticks: dict[float, str]


def films(form: str, clips: np.ndarray) -> np.ndarray:
    """Clips as films.

    Parameters
    ----------
    form : str
        One of ``config.seen.FORMS``.
    clips : (clip, ...)
        In that form.

    Returns
    -------
    (clip, time, y, x, rgb) uint8
        Videos as they are. Of channels one field below the other, y upwards, each in false colour
        from its lowest to its highest value in all of these clips. Of a signal each channel's
        trace, one below the other in the order of the channels: in colour up to the frame, in grey
        after it; each from its lowest to its highest value in all of these clips.
    """
    return PICTURED[form](clips)


def _traces(clips: np.ndarray) -> np.ndarray:
    count, frames, channels = clips.shape
    lane = max(SIDE // channels, 2 * THICK)
    height, width = lane * channels, max(SIDE, frames)
    low, high = clips.min((0, 1)), clips.max((0, 1))
    parts = (clips - low) / np.maximum(high - low, 1e-12)
    now = np.arange(width) * (frames - 1) / (width - 1)
    film = np.full((count, frames, height, width, 3), PAPER, np.uint8)
    # a column is of the colours of time up to the frame that it comes before
    past = now <= np.arange(frames)[:, None]
    for clip in range(count):
        for channel in range(channels):
            curve = np.interp(now, np.arange(frames), parts[clip, :, channel])
            top = channel * lane + 1 + (1 - curve) * (lane - 2 - THICK)
            before = np.concatenate([top[:1], top[:-1]])
            row = np.arange(height)[:, None] + 0.5
            inked = (row >= np.minimum(top, before)) & (row <= np.maximum(top, before) + THICK)
            colour = palette.SPARE[channel % len(palette.SPARE)].lstrip("#")
            painted = film[clip]
            painted[:, inked] = AHEAD
            for frame in range(frames):
                painted[frame, inked & past[frame]] = tuple(bytes.fromhex(colour))
    return film


def _fields(clips: np.ndarray) -> np.ndarray:
    from matplotlib import colormaps

    count, frames, height, width, channels = clips.shape
    low, high = clips.min((0, 1, 2, 3)), clips.max((0, 1, 2, 3))
    parts = (clips - low) / np.maximum(high - low, 1e-12)
    table = colormaps[FIELDS](np.arange(256), bytes=True)[:, :3]
    coloured = table[np.minimum(parts * 256, 255).astype(np.uint8)]
    film = np.full((count, frames, channels, height + GAP, width, 3), PAPER, np.uint8)
    film[:, :, :, :height] = np.moveaxis(coloured, 4, 2)[:, :, :, ::-1]
    return film.reshape(count, frames, channels * (height + GAP), width, 3)


def axes(form: str, height: int, width: int, channels: Sequence[str]) -> tuple[Axis, Axis]:
    """What runs across and down a picture of one clip.

    Parameters
    ----------
    form : str
        One of ``config.seen.FORMS``.
    height, width : int
        Of the picture.
    channels : sequence of str
        Names of the channels of fields or of a signal.
    """
    if form == "video":
        columns, rows = ({float(at): f"{at}" for at in (0, n // 2, n)} for n in (width, height))
        return Axis("x [px]", columns), Axis("y [px]", rows)
    lane = height / len(channels)
    places = {(number + 0.5) * lane: name for number, name in enumerate(channels)}
    across = "x [cells]" if form == "channels" else "time of the clip"
    return Axis(across, {}), Axis("", places)


PICTURED: Mapping[str, Callable[[np.ndarray], np.ndarray]] = {
    "video": np.asarray,
    "channels": _fields,
    "signal": _traces,
}
