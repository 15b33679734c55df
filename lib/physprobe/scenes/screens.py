"""Screens: a body on the ground, seen from the side, and screens that rise in front of it.

What a simulation of hidden bodies hands to a renderer: (time, quantity) float32, the quantities as
named here. As in ``scene`` a row holds all that its frame shows, so that a frame can be drawn
from its own row alone, and movies that share rows share frames.

x goes to the right, y up, the ground is y = 0. The view is a parallel projection along the
horizontal, a square of ``view`` on a side with x = 0 in its middle; ``GROUND`` of it is below the
ground's edge. Screens are upright rectangles that stand on the ground, in front of the body.
"""

import numpy as np

from physprobe.scenes import frames

SCREENS = ("left", "right")
COLOURS = ("red", "green", "blue")
SHAPES = ("none", "ball", "box", "cone")
GROUND = 0.2
UNITS = {
    "body_shape": "1",  # see ``SHAPES``
    "body_x": "m",
    "body_size": "m",  # half its width, which is half its height
    "body_visible": "1",  # part of the body's outline that is in view
    **{
        f"{screen}_{name}": unit
        for screen in SCREENS
        for name, unit in {"x": "m", "width": "m", "height": "m"}.items()  # height 0: it is down
    },
    **{
        f"{thing}_{colour}": "1"
        for thing in ("body", "screen", "wall", "ground")
        for colour in COLOURS
    },
    "light_azimuth": "rad",  # from the viewer towards the right
    "light_elevation": "rad",
    "view": "m",
    "pixels": "px",
}
QUANTITIES = tuple(UNITS)
UNIT = "by quantity: " + ", ".join(f"{name} [{unit}]" for name, unit in UNITS.items())
"""Unit of the whole array, as stored."""

_SIDE = (np.arange(24) + 0.5) / 12 - 1
_SQUARE = np.stack([part.ravel() for part in np.meshgrid(_SIDE, _SIDE)])


def inside(shape: str, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Whether points are inside a body's outline.

    Parameters
    ----------
    shape : str
        One of ``SHAPES``; all fill the same square from side to side and from bottom to top.
    x, y : (...)
        From its middle, in units of its size: -1 to 1.
    """
    match shape:
        case "ball":
            return x**2 + y**2 <= 1
        case "box":
            return np.maximum(np.abs(x), np.abs(y)) <= 1
        case "cone":
            return (np.abs(x) <= (1 - y) / 2) & (y >= -1)
    return np.zeros(np.broadcast(x, y).shape, bool)


def hidden(row: dict[str, float]) -> bool:
    """Whether one screen covers the body's whole square, and a pixel around it."""
    pixel = row["view"] / row["pixels"]
    reach, top = row["body_size"] + pixel, 2 * row["body_size"] + pixel
    return any(
        abs(row["body_x"] - row[f"{screen}_x"]) + reach <= row[f"{screen}_width"] / 2
        and top <= row[f"{screen}_height"]
        for screen in SCREENS
    )


def in_view(row: dict[str, float]) -> bool:
    """Whether all of the body is between the edges of the view, whatever stands in front of it."""
    return abs(row["body_x"]) + row["body_size"] <= row["view"] / 2


def visible(row: dict[str, float]) -> float:
    """Part of the body's outline that is in view and behind no screen; 0 if there is no body."""
    shape = SHAPES[round(row["body_shape"])]
    mine = _SQUARE[:, inside(shape, *_SQUARE)]
    if not mine.size:
        return 0.0
    x, y = row["body_x"] + row["body_size"] * mine[0], row["body_size"] * (1 + mine[1])
    seen = np.abs(x) <= row["view"] / 2
    for screen in SCREENS:
        before = np.abs(x - row[f"{screen}_x"]) <= row[f"{screen}_width"] / 2
        seen &= ~(before & (y <= row[f"{screen}_height"]))
    return float(seen.mean())


def rows(field: np.ndarray) -> list[dict[str, float]]:
    """Every frame's quantities by name; see :func:`frames.rows`."""
    return frames.rows(field, QUANTITIES, "draws systems of kind `occlusion`")
