"""Published balls: eight directions, a few sizes, seven starts for each; many leave the view.

Starts are drawn anew for every direction and size, so that the seven numbers of them name no
places. Nothing here is meant to be right: in the last two frames 12 % of the moving balls are out
of view, and where a ball ends gives its velocity away. ``check`` wants the law of motion alone.

Groups, as published, are labels: ``direction_id``, ``magnitude_id``, ``condition_id`` (both),
``position_id`` (number of the start, no place), ``spatial_sector_id`` (fifth of the circle around
the middle of the image that the start is in), ``pixel_region_id`` (nearest of five points) and
``spatial_cluster_id`` (five clusters of starts by k-means).

References
----------
Design, order of the draws and groups as in PEZ-Reproduction (arXiv 2602.07050),
``step1_generate.py`` and ``step3_probe.py``; written anew. Their ``direction_rad`` is measured in
the image, downwards: here ``direction`` is its negative.
"""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from pydantic import Field

from physprobe.config.spec import Spec
from physprobe.scenes import scene
from physprobe.simulate import _plane

DIRECTIONS, STARTS, REACH = 8, 7, 2.0
FIELD, FIELD_UNIT = "scene", scene.UNIT
UNITS = {"direction": "rad", "x0": "m", "y0": "m"}


class Balls(Spec):
    """Frames of the published clips, which all the rest is fixed for."""

    frames: int = Field(_plane.FRAMES, gt=2, le=_plane.FRAMES)
    """Frames of a clip, 24 per second."""

    SEED: ClassVar[int]
    """Of NumPy's legacy generator, which draws all starts in one call."""
    SIZES: ClassVar[tuple[float, ...]]
    """Speeds [m/s] or accelerations [m/s^2]."""
    QUANTITY: ClassVar[str]
    """"speed" or "acceleration": which of the two they are."""

    @property
    def size(self) -> int:
        """Pixels along each side of the image."""
        return _plane.SIZE


def draw(spec: Balls) -> dict[str, np.ndarray]:
    """Labels of every clip, by direction, size and start, the last one fastest.

    Parameters
    ----------
    spec : Balls

    Returns
    -------
    dict of str to (clip,)
        ``vx``, ``vy``, ``speed`` [m/s] or ``ax``, ``ay``, ``acceleration`` [m/s^2], and
        ``direction`` [rad], ``x0``, ``y0`` [m]; groups.
    """
    shape = (DIRECTIONS, len(spec.SIZES), STARTS)
    starts = np.random.RandomState(spec.SEED).uniform(-REACH, REACH, (*shape, 2)).reshape(-1, 2)
    direction, magnitude, position = (number.ravel() for number in np.indices(shape))
    angle, size = 2 * np.pi * direction / DIRECTIONS, np.array(spec.SIZES, float)[magnitude]
    still = dict.fromkeys(("vx", "vy", "ax", "ay"), np.zeros(len(size)))
    x, y = {"speed": ("vx", "vy"), "acceleration": ("ax", "ay")}[spec.QUANTITY]
    along = {x: size * np.cos(angle), y: size * np.sin(angle)}
    motion = _plane.polar(still | along)
    return {
        **along,
        spec.QUANTITY: size,
        "direction": motion["direction"],
        "x0": starts[:, 0].copy(),
        "y0": starts[:, 1].copy(),
        "direction_id": direction,
        "magnitude_id": magnitude,
        "condition_id": direction * len(spec.SIZES) + magnitude,
        "position_id": position,
        **_plane.regions(starts),
    }


def coords(spec: Balls) -> dict[str, np.ndarray]:
    """Times [s] of the frames, and names of the scene's quantities."""
    return _plane.coords(spec.frames)


def field(spec: Balls, labels: Mapping[str, float]) -> np.ndarray:
    """Scene (time, quantity) float32 of one clip.

    Parameters
    ----------
    spec : Balls
    labels : mapping of str to float
        Start and motion of the clip's ball.
    """
    return _plane.film(spec.frames, labels)


def told(spec: Balls, field: np.ndarray) -> dict[str, float]:
    """Motion of a clip's ball, from where it is in the image; see :func:`_plane.told`."""
    moves = spec.QUANTITY == "speed"
    return _plane.told(field, spec.size, moves=moves, accelerates=not moves)


def check(spec: Balls, labels: Mapping[str, float], field: np.ndarray) -> None:
    """Let only uniform motion, or constant acceleration, pass, in view or not.

    Raises
    ------
    ValueError
        If the law of motion is broken; the message names the frame.
    """
    _plane.law_of_motion(field, labels)
