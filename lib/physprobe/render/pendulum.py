"""Pendulum: two rods and a disc at the tip of each, on black.

A pixel shows the part of it that is covered, as far as a straight edge at its distance from the
pixel's middle would cover it; what comes later lies over what came before: first rod, second rod,
first disc, second disc. Widths are parts of the image's side, so that every size shows the same.

With ``canvas: published`` lines and ellipses are those of Pillow, two pixels wide and not
anti-aliased, as the published clips have them.
"""

from collections.abc import Iterator
from typing import Literal

import numpy as np
from pydantic import Field

from physprobe.config.spec import Spec as Base
from physprobe.render import _tips
from physprobe.scenes import rods

DRAWS, BACK = ("rods",), True

COLOURS = {
    "gray": ((255, 255, 255),) * 4,
    "rgb": ((0, 255, 255), (255, 0, 255), (255, 255, 0), (255, 0, 0)),
}
"""Of the first and second rod, and of the first and second disc: the published ones."""
PART = 1 / 32
"""Width of a rod, and radius of a disc, by the side of the image."""
PUBLISHED = 2
"""The same on the published canvas [px]."""
AT_A_TIME = 64


class Spec(Base):
    """Rods and discs: size and colours of the image."""

    kind: Literal["pendulum"] = "pendulum"
    """Rods and discs of a double pendulum."""
    size: int = Field(64, ge=16)
    """Pixels along each side of the image."""
    color: Literal["gray", "rgb"] = "gray"
    """gray: all white on black; rgb: cyan and magenta rods, a yellow and a red disc."""
    canvas: Literal["smooth", "published"] = "smooth"
    """smooth: anti-aliased; published: whole pixels, as Pillow draws them."""


def frames(spec: Spec, field: np.ndarray) -> np.ndarray:
    """Frames of one clip.

    Parameters
    ----------
    spec : Spec
    field : (time, quantity)
        Tips and view, as ``scenes.rods`` describes them.

    Returns
    -------
    (time, y, x, rgb) uint8

    Raises
    ------
    ValueError
        If it is no such description, or a frame is not finite; the message names it.
    """
    tips = _pixels(rods.check(field), spec.size)
    draw = _smooth if spec.canvas == "smooth" else _published
    channels = 3 if spec.color == "rgb" else 1
    image = np.zeros((len(tips), spec.size, spec.size, channels), np.uint8)
    colours = [np.array(colour[:channels]) for colour in COLOURS[spec.color]]
    for first in range(0, len(tips), AT_A_TIME):
        part = slice(first, first + AT_A_TIME)
        draw(image[part], tips[part], colours)
    return np.repeat(image, 3, axis=3) if channels == 1 else image


def back(spec: Spec, frames: np.ndarray) -> np.ndarray:
    """Tips of one clip's rods from its images, in half sides of the view.

    Parameters
    ----------
    spec : Spec
    frames : (time, y, x, rgb) uint8

    Returns
    -------
    (time, quantity) float64
        ``view`` is 1: how much of the plane is in view isn't seen. Tips that aren't found are nan.
    """
    # each colour has a channel that is full
    tips = _tips.found(frames.max(-1) / 255.0, PART * spec.size) / (spec.size / 2)
    return np.concatenate([tips * [1, -1, 1, -1], np.ones((len(tips), 1))], axis=1)


def _pixels(field: np.ndarray, size: int) -> np.ndarray:
    """Pivot and tips (time, 3, 2) as column and row from the image's upper left corner [px]."""
    scale = size / 2 / field[:, 4:].astype(float)
    tips = field[:, :4].reshape(-1, 2, 2) * scale[..., None] * [1, -1] + size / 2
    return np.concatenate([np.full_like(tips[:, :1], size / 2), tips], axis=1)


def _smooth(image: np.ndarray, tips: np.ndarray, colours: list[np.ndarray]) -> None:
    size = image.shape[1]
    width = PART * size
    ends = [(0, 1), (1, 2), (1, 1), (2, 2)]
    for (start, end), reach, colour in zip(
        ends, (width / 2, width / 2, width, width), colours, strict=True
    ):
        _stroke(image, tips[:, start], tips[:, end], reach, colour)


def _stroke(
    image: np.ndarray, start: np.ndarray, end: np.ndarray, reach: float, colour: np.ndarray
) -> None:
    """Draw all that is within reach [px] of the way from start to end (time, 2), in every frame."""
    time, size, _, channels = image.shape
    # the box that holds it and half a pixel more: as wide in all frames, never beyond the image
    low = np.floor(np.minimum(start, end) - reach - 0.5).astype(int)
    high = np.ceil(np.maximum(start, end) + reach + 0.5).astype(int)
    side = min(int((high - low).max()), size)
    low = np.clip(low, 0, size - side)
    cells = low[..., None] + np.arange(side)
    x, y = np.moveaxis((cells + 0.5 - start[..., None]).astype(np.float32), 1, 0)
    way = (end - start).astype(np.float32)
    length = np.hypot(*way.T)[:, None, None]
    cosine, sine = (way / np.maximum(length[:, 0], 1e-9)).T[..., None]
    # distance along the way, beyond its ends, and across it
    beyond = (x * cosine)[:, None, :] + (y * sine)[:, :, None]
    across = (y * cosine)[:, :, None] - (x * sine)[:, None, :]
    if length.any():
        beyond -= np.clip(beyond, 0, length)
    else:
        across, beyond = y[:, :, None], x[:, None, :]
    distance = across * across + beyond * beyond
    np.sqrt(distance, out=distance)
    cover = np.subtract(reach + 0.5, distance, out=distance).reshape(-1)
    touched = np.flatnonzero(cover > 0)
    cover = np.minimum(cover[touched], 1)[:, None]
    column, row = cells[:, 0], cells[:, 1]
    places = (np.arange(time)[:, None] * size + row)[:, :, None] * size + column[:, None, :]
    places, flat = places.reshape(-1)[touched], image.reshape(-1, channels)
    under = flat[places]
    flat[places] = np.rint(under + cover * (colour.astype(np.float32) - under))


def _published(image: np.ndarray, tips: np.ndarray, colours: list[np.ndarray]) -> None:
    for number, drawn in enumerate(_canvases(tips, image.shape[1], colours)):
        image[number] = drawn.reshape(image.shape[1:])


def _canvases(tips: np.ndarray, size: int, colours: list[np.ndarray]) -> Iterator[np.ndarray]:
    from PIL import Image, ImageDraw

    mode = "RGB" if len(colours[0]) == 3 else "L"
    first, second, *discs = (tuple(map(int, c)) if mode == "RGB" else int(c[0]) for c in colours)
    for pivot, inner, outer in tips.tolist():
        canvas = Image.new(mode, (size, size), 0)
        pen = ImageDraw.Draw(canvas)
        pen.line([*pivot, *inner], fill=first, width=PUBLISHED)
        pen.line([*inner, *outer], fill=second, width=PUBLISHED)
        for (x, y), colour in zip((inner, outer), discs, strict=True):
            box = [x - PUBLISHED, y - PUBLISHED, x + PUBLISHED, y + PUBLISHED]
            pen.ellipse(box, fill=colour)
        yield np.asarray(canvas)
