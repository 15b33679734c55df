"""Beam: a stiff plate is bent and let go, on a periodic square.

    d2u/dt2 + gamma du/dt = -b^2 lap(lap(u)),    u(x, 0) a pattern of ``_initial``,
    du/dt(x, 0) = 0

Solved exactly, mode by mode: the equation of Euler and Bernoulli, in which short waves run ahead of
long ones. The field stays between -1 and 1; render every clip on that range. Its mean stays.

For 128 x 128 cells and 64 frames b is uniform in its logarithm from 1 to 4 px^2/s: stripes three to
a side swing through 0.2 to 0.9 periods, and the shortest ones turn by at most 2.2 radians a frame.
gamma is drawn as in ``wave``. Other sizes and numbers of frames scale the ranges.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from physprobe.simulate import _draws, _initial, _linear, _periodic, _spectral, _vibrating

FIELD, FIELD_UNIT, RESOLUTION, LAW = "deflection", "1", _linear.RESOLUTION, "damped_beam"
UNITS = {"b": "px^2/s", "gamma": "1/s"}

draw, coords, field = _linear.draw, _linear.coords, _linear.field
check, check_labels = _linear.check, _linear.check_labels
told, TOLD = _linear.told, (*UNITS, "misfit")


class Spec(_vibrating.Vibrating):
    """Bending waves: grid, frames, and the draws of each clip's parameters."""

    kind: Literal["beam"] = "beam"
    """Bending waves that fade, on a periodic square, starting at rest, solved exactly."""
    b: Annotated[
        _draws.Range, _periodic.bounded(0.022, "frames would be too far apart for it", size=2)
    ] = Field(default_factory=_periodic.scaled(1.0, 4.0, size=2, frames=-1))
    """Stiffness [px^2/s]: ends of the draw, uniform in the logarithm; by default 1 to 4, in
    proportion to (size / 128)^2 (64 / frames)."""
    gamma: Annotated[_draws.Range, _periodic.bounded(20, "nothing would be left to see")] = Field(
        default_factory=_periodic.scaled(0.005, 0.05, frames=-1)
    )
    """Damping [1/s]: ends of the draw, uniform in the logarithm; by default 0.005 to 0.05, in
    proportion to 64 / frames."""

    def stiffness(self, labels: Mapping[str, float]) -> np.ndarray:
        """b^2 k^4."""
        return (labels["b"] * _spectral.squares(_initial.BAND, self.size)) ** 2
