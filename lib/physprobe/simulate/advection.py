"""Advection: a pattern is carried along and keeps its shape, on a periodic square.

    du/dt + v . grad u = 0,    u(x, 0) a pattern of ``_initial``

Solved exactly, mode by mode, by turning phases: the pattern goes by any part of a cell, in y and in
x, without blur or ripples. The first frame is the initial condition, frame n the field at t = n.
The field stays between 0 and 1 (to 0.01: what a pattern has between its cells comes to light as it
moves); render every clip on that range.

For 128 x 128 cells and 64 frames vx and vy are uniform up to 1.5 px/s either way: the pattern goes
by 12 to 134 px over a clip, less than once around the square along either axis. Only the slowest
1.2 % are left out. Other sizes and numbers of frames scale the speed, so that a clip looks alike.
"""

from collections.abc import Mapping
from typing import Literal

import numpy as np

from physprobe.simulate import _linear

FIELD, FIELD_UNIT, RESOLUTION = "concentration", "1", _linear.RESOLUTION
LAW = "advection"
UNITS = {"vy": "px/s", "vx": "px/s"}

draw, coords, field = _linear.draw, _linear.coords, _linear.field
check, check_labels = _linear.check, _linear.check_labels
told, TOLD = _linear.told, (*UNITS, "misfit")


class Spec(_linear.Carried):
    """Advection: grid, frames, and the draws of each clip's velocity."""

    kind: Literal["advection"] = "advection"
    """Advection on a periodic square, solved exactly."""

    def propose(self, rng: np.random.Generator) -> dict[str, float]:
        """``vy`` and ``vx`` of one clip."""
        return self.velocity(rng)

    def factors(self, labels: Mapping[str, float], time: np.ndarray) -> np.ndarray:
        """exp(-i k . v t)."""
        return self.transport(0.0, (labels["vy"], labels["vx"]), time)
