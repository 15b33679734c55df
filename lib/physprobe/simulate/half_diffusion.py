"""Half-diffusion: a pattern is smoothed at a rate that goes with the wavenumber, not its square.

    du/dt = -mu (-lap)^(1/2) u,    u(x, 0) a pattern of ``_initial``

Solved exactly, mode by mode, on a periodic square: what Cauchy's law is to a Gaussian, with
influence from afar. The field stays between 0 and 1; render every clip on that range.

For 128 x 128 cells and 64 frames mu is uniform in its logarithm from 0.03 to 0.3 px/s: stripes
three to a side lose as much of their contrast as in ``diffusion``.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from physprobe.simulate import _draws, _gates, _initial, _linear, _periodic, _spectral

FIELD, FIELD_UNIT, RESOLUTION, LAW = "concentration", "1", _linear.RESOLUTION, "half_diffusion"
UNITS = {"mu": "px/s"}

draw, coords, field = _linear.draw, _linear.coords, _linear.field
check, check_labels = _linear.check, _linear.check_labels
told, TOLD = _linear.told, (*UNITS, "misfit")


class Spec(_linear.Equation):
    """Half-diffusion: grid, frames, and the draw of each clip's rate."""

    kind: Literal["half_diffusion"] = "half_diffusion"
    """Diffusion by the root of the Laplacian on a periodic square, solved exactly."""
    mu: Annotated[_draws.Range, _periodic.bounded(0.9, "nothing would be left to see", size=1)] = (
        Field(default_factory=_periodic.scaled(0.03, 0.3, size=1, frames=-1))
    )
    """Rate [px/s]: ends of the draw, uniform in the logarithm; by default 0.03 to 0.3, in
    proportion to (size / 128) (64 / frames)."""

    def propose(self, rng: np.random.Generator) -> dict[str, float]:
        """``mu`` of one clip."""
        return {"mu": _draws.log_uniform(rng, self.mu)}

    def factors(self, labels: Mapping[str, float], time: np.ndarray) -> np.ndarray:
        """exp(-mu |k| t)."""
        rate = labels["mu"] * np.sqrt(_spectral.squares(_initial.BAND, self.size))
        return np.exp(-np.multiply.outer(time, rate))

    def laws(self, labels: Mapping[str, float], field: np.ndarray) -> None:
        """Maximum principle, budget, and the decay of every mode."""
        _gates.maximum_principle(field)
        super().laws(labels, field)
