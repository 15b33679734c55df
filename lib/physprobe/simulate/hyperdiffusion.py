"""Hyperdiffusion: a pattern loses what is sharp and keeps what is broad, on a periodic square.

    du/dt = -kappa lap(lap(u)),    u(x, 0) a pattern of ``_initial``

Solved exactly, mode by mode. There is no maximum principle: edges ring. The field stays between -1
and 1, since the amplitudes of a pattern's modes add up to 1; render every clip on that range.

For 128 x 128 cells and 64 frames kappa is uniform in its logarithm from 9 to 90 px^4/s: stripes
three to a side lose as much of their contrast as in ``diffusion``.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from physprobe.simulate import _draws, _gates, _initial, _linear, _periodic, _spectral

FIELD, FIELD_UNIT, RESOLUTION, LAW = "concentration", "1", _linear.RESOLUTION, "hyperdiffusion"
UNITS = {"kappa": "px^4/s"}

draw, coords, field = _linear.draw, _linear.coords, _linear.field
check, check_labels = _linear.check, _linear.check_labels
told, TOLD = _linear.told, (*UNITS, "misfit")


class Spec(_linear.Equation):
    """Hyperdiffusion: grid, frames, and the draw of each clip's rate."""

    kind: Literal["hyperdiffusion"] = "hyperdiffusion"
    """Diffusion by the squared Laplacian on a periodic square, solved exactly."""
    kappa: Annotated[
        _draws.Range, _periodic.bounded(0.0001, "nothing would be left to see", size=4)
    ] = Field(default_factory=_periodic.scaled(9.0, 90.0, size=4, frames=-1))
    """Rate [px^4/s]: ends of the draw, uniform in the logarithm; by default 9 to 90, in
    proportion to (size / 128)^4 (64 / frames)."""

    RANGE, SLACK = (-1.0, 1.0), _gates.POINTWISE

    def propose(self, rng: np.random.Generator) -> dict[str, float]:
        """``kappa`` of one clip."""
        return {"kappa": _draws.log_uniform(rng, self.kappa)}

    def factors(self, labels: Mapping[str, float], time: np.ndarray) -> np.ndarray:
        """exp(-kappa k^4 t)."""
        rate = labels["kappa"] * _spectral.squares(_initial.BAND, self.size) ** 2
        return np.exp(-np.multiply.outer(time, rate))
