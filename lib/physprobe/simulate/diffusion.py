"""Diffusion: a pattern is smoothed where it is, on a periodic square; the twin of ``heat``.

    du/dt = alpha lap(u),    u(x, 0) a pattern of ``_initial``

Solved exactly, mode by mode: no time-step error, no stability limit. The first frame is the initial
condition, frame n the field at t = n. The field stays between 0 and 1; render every clip on that
range. Unlike ``heat`` it has no walls, and starts from the patterns that the other equations on
this square start from.

For 128 x 128 cells and 64 frames alpha is uniform in its logarithm from 0.2 to 2 px^2/s: stripes
three to a side lose 24 to 93 % of their contrast over a clip. Other sizes and numbers of frames
scale the range, so that a clip looks alike.
"""

from collections.abc import Mapping
from typing import Literal

import numpy as np

from physprobe.simulate import _gates, _linear

FIELD, FIELD_UNIT, RESOLUTION = "concentration", "1", _linear.RESOLUTION
LAW = "diffusion"
UNITS = {"alpha": "px^2/s"}

draw, coords, field = _linear.draw, _linear.coords, _linear.field
check, check_labels = _linear.check, _linear.check_labels
told, TOLD = _linear.told, (*UNITS, "misfit")


class Spec(_linear.Diffusing):
    """Diffusion: grid, frames, and the draw of each clip's diffusivity."""

    kind: Literal["diffusion"] = "diffusion"
    """Diffusion on a periodic square, solved exactly."""

    def propose(self, rng: np.random.Generator) -> dict[str, float]:
        """``alpha`` of one clip."""
        return self.diffusivity(rng)

    def factors(self, labels: Mapping[str, float], time: np.ndarray) -> np.ndarray:
        """exp(-alpha k^2 t)."""
        return self.transport(labels["alpha"], (0, 0), time).real

    def laws(self, labels: Mapping[str, float], field: np.ndarray) -> None:
        """Maximum principle, budget, and the decay of every mode."""
        _gates.maximum_principle(field)
        super().laws(labels, field)
