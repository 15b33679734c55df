"""Wave: a pattern is let go and runs apart in waves that fade, on a periodic square.

    d2u/dt2 + gamma du/dt = c^2 lap(u),    u(x, 0) a pattern of ``_initial``,    du/dt(x, 0) = 0

Solved exactly, mode by mode: no dispersion that the equation doesn't have, no time-step error. The
first frame is the initial condition, frame n the field at t = n. The field stays between -1 and 1,
since the amplitudes of a pattern's modes add up to 1 and none of them ever grows; render every clip
on that range. Its mean stays what it is, as that of the other equations does.

For 128 x 128 cells and 64 frames c is uniform in its logarithm from 0.4 to 1.5 px/s: waves run 25
to 95 px, and stripes three to a side swing through 0.6 to 2.2 periods. gamma is uniform in its
logarithm from 0.005 to 0.05 1/s: waves keep 85 to 21 % of their amplitude. Other sizes and numbers
of frames scale the ranges, so that a clip looks alike. Both are drawn independently.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from physprobe.simulate import _draws, _initial, _linear, _periodic, _spectral, _vibrating

FIELD, FIELD_UNIT, RESOLUTION, LAW = "displacement", "1", _linear.RESOLUTION, "damped_wave"
UNITS = {"c": "px/s", "gamma": "1/s"}

draw, coords, field = _linear.draw, _linear.coords, _linear.field
check, check_labels = _linear.check, _linear.check_labels
told, TOLD = _linear.told, (*UNITS, "misfit")


class Spec(_vibrating.Vibrating):
    """Damped waves: grid, frames, and the draws of each clip's parameters."""

    kind: Literal["wave"] = "wave"
    """Damped waves on a periodic square, starting at rest, solved exactly."""
    c: _vibrating.Speed = _vibrating.SPEED
    """Speed of the waves [px/s]: ends of the draw, uniform in the logarithm; by default 0.4 to 1.5,
    in proportion to (size / 128) (64 / frames)."""
    gamma: Annotated[_draws.Range, _periodic.bounded(20, "no wave would be left to see")] = Field(
        default_factory=_periodic.scaled(0.005, 0.05, frames=-1)
    )
    """Damping [1/s]: ends of the draw, uniform in the logarithm; by default 0.005 to 0.05, in
    proportion to 64 / frames."""

    def stiffness(self, labels: Mapping[str, float]) -> np.ndarray:
        """c^2 k^2."""
        return labels["c"] ** 2 * _spectral.squares(_initial.BAND, self.size)
