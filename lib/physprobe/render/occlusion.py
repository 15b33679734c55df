"""Occlusion: a body on the ground behind screens, seen from the side.

Drawn from back to front: wall, body, screens, ground. Surfaces are matt (Lambert) under ambient
light and one direction of light, pixels are in sRGB. Screens and ground have straight edges along
the pixels, and cover exactly the part of a pixel that they cover; of the body, ``rays`` x ``rays``
points in every pixel are looked at. There are no shadows: what is hidden leaves no trace elsewhere.
"""

from typing import Literal

import numpy as np
from pydantic import Field

from physprobe.config.spec import Spec as Base
from physprobe.render._srgb import encode
from physprobe.scenes import screens

DRAWS = ("screens",)

AMBIENT, INTENSITY = 0.35, 0.75
TILT = np.arctan(0.5)  # of a cone's side against the vertical: half as wide as high at its foot


class Spec(Base):
    """A body behind screens: how finely its outline is drawn; all else is in the description."""

    kind: Literal["occlusion"] = "occlusion"
    """A body behind screens, seen from the side."""
    rays: int = Field(8, ge=2, le=32)
    """Points along each side of a pixel at which the body is looked at."""


def frames(spec: Spec, field: np.ndarray) -> np.ndarray:
    """Frames of one clip.

    Parameters
    ----------
    spec : Spec
    field : (time, quantity)
        As ``scenes.screens`` describes it.

    Returns
    -------
    (time, y, x, rgb) uint8

    Raises
    ------
    ValueError
        If it is no such description, or a frame is not finite; the message names it.
    """
    return np.stack([_frame(row, spec.rays) for row in screens.rows(np.asarray(field))])


def _frame(row: dict[str, float], rays: int) -> np.ndarray:
    """One frame (y, x, rgb) uint8, from its own row alone."""
    count = round(row["pixels"])
    pixel = row["view"] / count
    # edges of the pixels [m], along x and up
    x = (np.arange(count + 1) - count / 2) * pixel
    y = ((1 - screens.GROUND) * count - np.arange(count + 1)) * pixel
    light = np.broadcast_to(_flat(row, "wall"), (count, count, 3)).copy()
    _body(row, light, x, y, rays)
    for screen in screens.SCREENS:
        if not row[f"{screen}_height"]:
            continue
        middle, half = row[f"{screen}_x"], row[f"{screen}_width"] / 2
        across = _covered(x, middle - half, middle + half)
        # out of the ground, which is drawn over it: where it is up, nothing shows below it either
        upright = _covered(y, y[-1], row[f"{screen}_height"])
        _over(light, np.multiply.outer(upright, across), _flat(row, "screen"))
    _over(light, np.repeat(_covered(y, y[-1], 0.0)[:, None], count, 1), _flat(row, "ground"))
    return encode(light)


def _covered(edges: np.ndarray, low: float, high: float) -> np.ndarray:
    """Part of each pixel between its edges that is between low and high."""
    ends = np.sort(np.stack([edges[:-1], edges[1:]]), axis=0)
    shared = np.minimum(ends[1], high) - np.maximum(ends[0], low)
    part = np.clip(shared / (ends[1] - ends[0]), 0, 1)
    # rounding is no gap: what is hidden is hidden to the last bit
    return np.where(part > 1 - 1e-9, 1.0, part)


def _over(light: np.ndarray, cover: np.ndarray, colour: np.ndarray) -> None:
    light *= 1 - cover[..., None]
    light += cover[..., None] * colour


def _body(
    row: dict[str, float], light: np.ndarray, x: np.ndarray, y: np.ndarray, rays: int
) -> None:
    """Draw the body into an image, within the box that it needs."""
    shape, size = screens.SHAPES[round(row["body_shape"])], row["body_size"]
    if shape == "none":
        return
    middle, pixel, count = row["body_x"], x[1] - x[0], len(x) - 1
    left, right = (int(np.floor((middle + way * size - x[0]) / pixel)) for way in (-1, 1))
    top, bottom = (int(np.floor((y[0] - height) / pixel)) for height in (2 * size, 0.0))
    box = tuple(
        slice(max(low, 0), min(high + 1, count)) for low, high in ((top, bottom), (left, right))
    )
    steps = (np.arange(rays) + 0.5) / rays
    down = np.add.outer(y[:-1][box[0]], -steps * pixel).ravel()
    over = np.add.outer(x[:-1][box[1]], steps * pixel).ravel()
    u, v = np.meshgrid((over - middle) / size, down / size - 1)
    seen = screens.inside(shape, u, v)
    shine = _shine(row, _normal(shape, u, v)) * seen
    cover, bright = (_mean(part, rays) for part in (seen.astype(float), shine))
    colour = np.array([row[f"body_{name}"] for name in screens.COLOURS])
    part = light[box]
    part *= 1 - cover[..., None]
    part += bright[..., None] * colour


def _mean(values: np.ndarray, rays: int) -> np.ndarray:
    """Mean over the points of each pixel."""
    height, width = (side // rays for side in values.shape)
    return values.reshape(height, rays, width, rays).mean((1, 3))


def _normal(shape: str, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Unit normals (3, ...) of a body's surface: to the right, up, towards the viewer."""
    match shape:
        case "ball":
            return np.stack([u, v, np.sqrt(np.maximum(1 - u**2 - v**2, 0))])
        case "cone":
            across = np.clip(u / np.maximum((1 - v) / 2, 1e-9), -1, 1)
            flat = np.stack([across, np.zeros_like(u), np.sqrt(1 - across**2)])
            return np.cos(TILT) * flat + np.array([0, np.sin(TILT), 0])[:, None, None]
    return np.broadcast_to(np.array([0.0, 0.0, 1.0])[:, None, None], (3, *u.shape))


def _flat(row: dict[str, float], thing: str) -> np.ndarray:
    """Light (3,) from a surface that faces the viewer."""
    colour = np.array([row[f"{thing}_{name}"] for name in screens.COLOURS])
    return colour * _shine(row, np.array([0.0, 0.0, 1.0]))


def _shine(row: dict[str, float], normal: np.ndarray) -> np.ndarray:
    """Part of the light that surfaces (3, ...) return to the viewer."""
    azimuth, elevation = row["light_azimuth"], row["light_elevation"]
    towards = np.array(
        [
            np.cos(elevation) * np.sin(azimuth),
            np.sin(elevation),
            np.cos(elevation) * np.cos(azimuth),
        ]
    )
    return AMBIENT + INTENSITY * np.maximum(np.tensordot(towards, normal, 1), 0)
