"""Balls that start from rest, as published: 8 directions x 5 accelerations x 7 starts.

    x(t) = x0 + a t^2 / 2

Kept to show what probes read off a place; the design and its flaws are in ``_published_balls``.
"""

from typing import Literal

from physprobe.simulate import _published_balls as published

FIELD, FIELD_UNIT, GRID, GROUPED = published.FIELD, published.FIELD_UNIT, False, False
UNITS = {**published.UNITS, "acceleration": "m/s^2", "ax": "m/s^2", "ay": "m/s^2"}

draw, coords = published.draw, published.coords
field, check, told = published.field, published.check, published.told
TOLD = ("ax", "ay", "acceleration", "direction", "x0", "y0")


class Spec(published.Balls):
    """Published balls under a constant force: everything but the number of frames is fixed."""

    kind: Literal["balls_acceleration"] = "balls_acceleration"
    """Published balls under a constant force, from rest: 280 clips."""

    SEED, QUANTITY = 43, "acceleration"
    SIZES = (2.0, 4.0, 6.0, 8.0, 10.0)
