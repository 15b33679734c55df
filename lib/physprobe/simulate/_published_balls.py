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

import numpy as np
from pydantic import Field

from physprobe.core.spec import Spec
from physprobe.simulate import _plane

DIRECTIONS, STARTS, REACH = 8, 7, 2.0
UNITS = {"direction": "rad", "x0": "m", "y0": "m"}


class Balls(Spec):
    """Frames of the published clips, which all the rest is fixed for."""

    frames: int = Field(_plane.FRAMES, gt=2, le=_plane.FRAMES)
    """Frames of a clip, 24 per second."""

    @property
    def size(self) -> int:
        """Pixels along each side of the image."""
        return _plane.SIZE


def draw(seed: int, sizes: tuple[float, ...], letter: str) -> dict[str, np.ndarray]:
    """Labels of every clip, by direction, size and start, the last one fastest.

    Parameters
    ----------
    seed : int
        Of NumPy's legacy generator, which draws all starts in one call.
    sizes : tuple of float
        Speeds [m/s] or accelerations [m/s^2].
    letter : str
        "v" or "a": which of the two they are.

    Returns
    -------
    dict of str to (clip,)
        ``vx``, ``vy``, ``speed`` or ``ax``, ``ay``, ``acceleration``, and ``direction``, ``x0``,
        ``y0``; groups.
    """
    shape = (DIRECTIONS, len(sizes), STARTS)
    starts = np.random.RandomState(seed).uniform(-REACH, REACH, (*shape, 2)).reshape(-1, 2)
    direction, magnitude, position = (number.ravel() for number in np.indices(shape))
    angle, size = 2 * np.pi * direction / DIRECTIONS, np.array(sizes)[magnitude]
    still = dict.fromkeys(("vx", "vy", "ax", "ay"), np.zeros(len(size)))
    along = {f"{letter}x": size * np.cos(angle), f"{letter}y": size * np.sin(angle)}
    name = {"v": "speed", "a": "acceleration"}[letter]
    motion = _plane.polar(still | along)
    return {
        **along,
        name: size.astype(float),
        "direction": motion["direction"],
        "x0": starts[:, 0].copy(),
        "y0": starts[:, 1].copy(),
        "direction_id": direction,
        "magnitude_id": magnitude,
        "condition_id": direction * len(sizes) + magnitude,
        "position_id": position,
        **_plane.regions(starts),
    }


def film(spec: Balls, labels: Mapping[str, float]) -> np.ndarray:
    """Scene (time, quantity) float32 of one clip."""
    return _plane.film(spec.frames, labels)
