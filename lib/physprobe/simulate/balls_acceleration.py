"""Balls that start from rest, as published: 8 directions x 5 accelerations x 7 starts.

    x(t) = x0 + a t^2 / 2

Kept to show what probes read off a place; the design and its flaws are in ``_published_balls``.
"""

from collections.abc import Mapping
from typing import Literal

import numpy as np

from physprobe.core import scene
from physprobe.simulate import _plane
from physprobe.simulate import _published_balls as published

FIELD, FIELD_UNIT = "scene", scene.UNIT
RESOLUTION = None  # as stored: every bit; a scene is small
UNITS = {**published.UNITS, "acceleration": "m/s^2", "ax": "m/s^2", "ay": "m/s^2"}

SEED, ACCELERATIONS = 43, (2.0, 4.0, 6.0, 8.0, 10.0)


class Spec(published.Balls):
    """Published balls under a constant force: everything but the number of frames is fixed."""

    kind: Literal["balls_acceleration"] = "balls_acceleration"
    """Published balls under a constant force, from rest: 280 clips."""


def draw(spec: Spec) -> dict[str, np.ndarray]:
    """Labels of every clip, in the published order of draws.

    Parameters
    ----------
    spec : Spec

    Returns
    -------
    dict of str to (clip,)
        ``acceleration``, ``ax``, ``ay`` [m/s^2], ``direction`` [rad], ``x0``, ``y0`` [m]; groups
        as in ``_published_balls``.
    """
    return published.draw(SEED, ACCELERATIONS, "a")


def coords(spec: Spec) -> dict[str, np.ndarray]:
    """Times [s] of the frames, and names of the scene's quantities."""
    return _plane.coords(spec.frames)


def field(spec: Spec, labels: Mapping[str, float]) -> np.ndarray:
    """Scene (time, quantity) float32 of one clip.

    Parameters
    ----------
    spec : Spec
    labels : mapping of str to float
        ``x0``, ``y0``, ``ax``, ``ay`` of the clip.
    """
    return published.film(spec, labels)


def check(spec: Spec, labels: Mapping[str, float], field: np.ndarray) -> None:
    """Let only constant acceleration pass, in view or not.

    Raises
    ------
    ValueError
        If the law of motion is broken; the message names the frame.
    """
    _plane.law_of_motion(field, labels)
