"""Balls that move uniformly, as published: 8 directions x 7 speeds x 7 starts.

    x(t) = x0 + v t

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
UNITS = {**published.UNITS, "speed": "m/s", "vx": "m/s", "vy": "m/s"}

SEED, SPEEDS = 42, (1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0)


class Spec(published.Balls):
    """Published balls in uniform motion: everything but the number of frames is fixed."""

    kind: Literal["balls_velocity"] = "balls_velocity"
    """Published balls in uniform motion: 392 clips, many of which lose sight of the ball."""


def draw(spec: Spec) -> dict[str, np.ndarray]:
    """Labels of every clip, in the published order of draws.

    Parameters
    ----------
    spec : Spec

    Returns
    -------
    dict of str to (clip,)
        ``speed``, ``vx``, ``vy`` [m/s], ``direction`` [rad], ``x0``, ``y0`` [m]; groups as in
        ``_published_balls``.
    """
    return published.draw(SEED, SPEEDS, "v")


def coords(spec: Spec) -> dict[str, np.ndarray]:
    """Times [s] of the frames, and names of the scene's quantities."""
    return _plane.coords(spec.frames)


def field(spec: Spec, labels: Mapping[str, float]) -> np.ndarray:
    """Scene (time, quantity) float32 of one clip.

    Parameters
    ----------
    spec : Spec
    labels : mapping of str to float
        ``x0``, ``y0``, ``vx``, ``vy`` of the clip.
    """
    return published.film(spec, labels)


def check(spec: Spec, labels: Mapping[str, float], field: np.ndarray) -> None:
    """Let only uniform motion pass, in view or not.

    Raises
    ------
    ValueError
        If the law of motion is broken; the message names the frame.
    """
    _plane.law_of_motion(field, labels)
