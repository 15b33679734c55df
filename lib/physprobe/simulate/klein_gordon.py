"""Klein-Gordon: waves whose every place is pulled back, on a periodic square.

    d2u/dt2 = c^2 lap(u) - m^2 u,    u(x, 0) a pattern of ``_initial``,    du/dt(x, 0) = 0

Solved exactly, mode by mode. Nothing is lost; long waves swing as fast as short ones, nearly, and
run apart slowly. The field stays between -1 and 1; render every clip on that range. Its mean swings
too.

c is drawn as in ``wave``. Other sizes and numbers of frames scale the ranges, so that a clip looks
alike.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from physprobe.simulate import _draws, _initial, _linear, _periodic, _spectral, _vibrating

FIELD, FIELD_UNIT, RESOLUTION, LAW = "displacement", "1", _linear.RESOLUTION, "klein_gordon"
UNITS = {"c": "px/s", "m": "1/s"}

draw, coords, field = _linear.draw, _linear.coords, _linear.field
check, check_labels = _linear.check, _linear.check_labels
told, TOLD = _linear.told, (*UNITS, "misfit")


class Spec(_vibrating.Vibrating):
    """Klein-Gordon waves: grid, frames, and the draws of each clip's parameters."""

    kind: Literal["klein_gordon"] = "klein_gordon"
    """Waves with a restoring force on a periodic square, starting at rest, solved exactly."""
    c: _vibrating.Speed = _vibrating.SPEED
    """Speed of short waves [px/s]: ends of the draw, uniform in the logarithm; by default 0.4 to
    1.5, in proportion to (size / 128) (64 / frames)."""
    m: Annotated[_draws.Range, _periodic.bounded(30, "it would swing too often to be seen")] = (
        Field(default_factory=_periodic.scaled(0.03, 0.15, frames=-1))
    )
    """Frequency of the mean [1/s]: ends of the draw, uniform in the logarithm; by default 0.03 to
    0.15, in proportion to 64 / frames: a third of a period to one and a half."""

    def stiffness(self, labels: Mapping[str, float]) -> np.ndarray:
        """c^2 k^2 + m^2."""
        return labels["c"] ** 2 * _spectral.squares(_initial.BAND, self.size) + labels["m"] ** 2
