"""Advection-diffusion: a pattern is carried along and smoothed, on a periodic square.

    du/dt + v . grad u = alpha lap(u),    u(x, 0) a pattern of ``_initial``

Solved exactly, mode by mode: shifts by any part of a cell, no time-step error. The first frame is
the initial condition, frame n the field at t = n. The field stays between 0 and 1 (to 0.01: what a
pattern has between its cells comes to light as it moves); render every clip on that range.

For 128 x 128 cells and 64 frames vx and vy are uniform up to 1.5 px/s either way: the pattern goes
by 12 to 134 px over a clip, less than once around the square along either axis. Only the slowest
1.2 % are left out. alpha is uniform in its logarithm from 0.2 to 2 px^2/s: stripes three to a side
lose 24 to 93 % of their contrast. Other sizes and numbers of frames scale the ranges, so that a
clip looks alike. All three are drawn independently.
"""

from collections.abc import Mapping
from typing import Literal

import numpy as np

from physprobe.simulate import _linear

FIELD, FIELD_UNIT, RESOLUTION = "concentration", "1", _linear.RESOLUTION
LAW = "advection_diffusion"
UNITS = {"alpha": "px^2/s", "vy": "px/s", "vx": "px/s"}

draw, coords, field = _linear.draw, _linear.coords, _linear.field
check, check_labels = _linear.check, _linear.check_labels
told, TOLD = _linear.told, (*UNITS, "misfit")


class Spec(_linear.Carried, _linear.Diffusing):
    """Advection-diffusion: grid, frames, and the draws of each clip's parameters."""

    kind: Literal["advection_diffusion"] = "advection_diffusion"
    """Advection and diffusion on a periodic square, solved exactly."""

    def propose(self, rng: np.random.Generator) -> dict[str, float]:
        """``alpha``, ``vy`` and ``vx`` of one clip."""
        return self.diffusivity(rng) | self.velocity(rng)

    def factors(self, labels: Mapping[str, float], time: np.ndarray) -> np.ndarray:
        """exp(-(alpha k^2 + i k . v) t)."""
        return self.transport(labels["alpha"], (labels["vy"], labels["vx"]), time)
