"""Fractional diffusion: a pattern is smoothed at a rate that is a power of the wavenumber.

    du/dt = -mu (-lap)^(exponent / 2) u,    u(x, 0) a pattern of ``_initial``

Solved exactly, mode by mode, on a periodic square: exponent 2 is ``diffusion``, 1
``half_diffusion``, 4 ``hyperdiffusion``. Beyond 2 there is no maximum principle. The field stays
between -1 and 1; render every clip on that range.

The exponent is uniform from 0.6 to 3.6. The rate at three waves to a side is drawn for 64 frames
uniform in its logarithm from 0.005 to 0.04 1/s, as in ``diffusion``; mu follows from both, in units
that depend on the exponent.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from physprobe.simulate import _draws, _gates, _initial, _linear, _periodic, _spectral

FIELD, FIELD_UNIT, RESOLUTION, LAW = (
    "concentration",
    "1",
    _linear.RESOLUTION,
    "fractional_diffusion",
)
UNITS = {"mu": "px^exponent/s", "exponent": "1"}

draw, coords, field = _linear.draw, _linear.coords, _linear.field
check, check_labels = _linear.check, _linear.check_labels
told, TOLD = _linear.told, (*UNITS, "misfit")


class Spec(_linear.Equation):
    """Fractional diffusion: grid, frames, and the draws of each clip's rate and exponent."""

    kind: Literal["fractional_diffusion"] = "fractional_diffusion"
    """Diffusion by a power of the Laplacian on a periodic square, solved exactly."""
    rate: Annotated[_draws.Range, _periodic.bounded(20, "nothing would be left to see")] = Field(
        default_factory=_periodic.scaled(0.005, 0.04, frames=-1)
    )
    """Rate at three waves to a side [1/s]: ends of the draw, uniform in the logarithm; by default
    0.005 to 0.04, in proportion to 64 / frames."""
    exponent: _draws.Range = (0.6, 3.6)
    """Power of the wavenumber: ends of the draw, uniform."""

    RANGE, SLACK = (-1.0, 1.0), _gates.POINTWISE

    def propose(self, rng: np.random.Generator) -> dict[str, float]:
        """``mu`` and ``exponent`` of one clip."""
        rate, exponent = _draws.log_uniform(rng, self.rate), float(rng.uniform(*self.exponent))
        return {"mu": rate / (6 * np.pi / self.size) ** exponent, "exponent": exponent}

    def factors(self, labels: Mapping[str, float], time: np.ndarray) -> np.ndarray:
        """exp(-mu |k|^exponent t)."""
        rate = labels["mu"] * _spectral.squares(_initial.BAND, self.size) ** (
            labels["exponent"] / 2
        )
        return np.exp(-np.multiply.outer(time, rate))
