"""Balls that move uniformly, as published: 8 directions x 7 speeds x 7 starts.

    x(t) = x0 + v t

Kept to show what probes read off a place; the design and its flaws are in ``_published_balls``.
"""

from typing import Literal

from physprobe.simulate import _published_balls as published

FIELD, FIELD_UNIT, GRID, GROUPED = published.FIELD, published.FIELD_UNIT, False, False
UNITS = {**published.UNITS, "speed": "m/s", "vx": "m/s", "vy": "m/s"}

draw, coords = published.draw, published.coords
field, check, told = published.field, published.check, published.told
TOLD = ("vx", "vy", "speed", "direction", "x0", "y0")


class Spec(published.Balls):
    """Published balls in uniform motion: everything but the number of frames is fixed."""

    kind: Literal["balls_velocity"] = "balls_velocity"
    """Published balls in uniform motion: 392 clips, many of which lose sight of the ball."""

    SEED, QUANTITY = 42, "speed"
    SIZES = (1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0)
