"""Telegraph: waves on a line that leaks, which fade and whose every place is pulled back.

    d2u/dt2 + gamma du/dt = c^2 lap(u) - m^2 u,    u(x, 0) a pattern of ``_initial``,
    du/dt(x, 0) = 0

Solved exactly, mode by mode, on a periodic square; it is ``klein_gordon`` with damping. The field
stays between -1 and 1; render every clip on that range.

c and gamma are drawn as in ``wave``, m as in ``klein_gordon``, all independently.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from physprobe.simulate import _draws, _initial, _linear, _periodic, _spectral, _vibrating

FIELD, FIELD_UNIT, RESOLUTION, LAW = "voltage", "1", _linear.RESOLUTION, "telegraph"
UNITS = {"c": "px/s", "gamma": "1/s", "m": "1/s"}

draw, coords, field = _linear.draw, _linear.coords, _linear.field
check, check_labels = _linear.check, _linear.check_labels
told, TOLD = _linear.told, (*UNITS, "misfit")


class Spec(_vibrating.Vibrating):
    """The telegraph equation: grid, frames, and the draws of each clip's parameters."""

    kind: Literal["telegraph"] = "telegraph"
    """Damped waves with a restoring force on a periodic square, from rest, solved exactly."""
    c: _vibrating.Speed = _vibrating.SPEED
    """Speed of short waves [px/s]: ends of the draw, uniform in the logarithm; by default 0.4 to
    1.5, in proportion to (size / 128) (64 / frames)."""
    gamma: Annotated[_draws.Range, _periodic.bounded(20, "nothing would be left to see")] = Field(
        default_factory=_periodic.scaled(0.005, 0.05, frames=-1)
    )
    """Damping [1/s]: ends of the draw, uniform in the logarithm; by default 0.005 to 0.05, in
    proportion to 64 / frames."""
    m: Annotated[_draws.Range, _periodic.bounded(30, "it would swing too often to be seen")] = (
        Field(default_factory=_periodic.scaled(0.03, 0.15, frames=-1))
    )
    """Frequency of the mean [1/s]: ends of the draw, uniform in the logarithm; by default 0.03 to
    0.15, in proportion to 64 / frames: a third of a period to one and a half."""

    def stiffness(self, labels: Mapping[str, float]) -> np.ndarray:
        """c^2 k^2 + m^2."""
        return labels["c"] ** 2 * _spectral.squares(_initial.BAND, self.size) + labels["m"] ** 2
