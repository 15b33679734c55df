"""Oscillator: every place of a pattern swings by itself, all at one pace, on a periodic square.

    d2u/dt2 + gamma du/dt + omega0^2 u = 0,    u(x, 0) a pattern of ``_initial``,
    du/dt(x, 0) = 0

Nothing passes from place to place: the pattern keeps its shape, turns over and fades. The field
stays between -1 and 1; render every clip on that range.

For 64 frames omega0 is uniform in its logarithm from 0.06 to 0.3 1/s: two thirds of a period to
three. gamma is drawn as in ``wave``. Other numbers of frames scale the ranges.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from physprobe.simulate import _draws, _initial, _linear, _periodic, _spectral, _vibrating

FIELD, FIELD_UNIT, RESOLUTION, LAW = "displacement", "1", _linear.RESOLUTION, "damped_oscillator"
UNITS = {"omega0": "1/s", "gamma": "1/s"}

draw, coords, field = _linear.draw, _linear.coords, _linear.field
check, check_labels = _linear.check, _linear.check_labels
told, TOLD = _linear.told, (*UNITS, "misfit")


class Spec(_vibrating.Vibrating):
    """Oscillators side by side: grid, frames, and the draws of each clip's parameters."""

    kind: Literal["oscillator"] = "oscillator"
    """Places that swing by themselves, starting at rest, solved exactly."""
    omega0: Annotated[
        _draws.Range, _periodic.bounded(60, "it would swing too often to be seen")
    ] = Field(default_factory=_periodic.scaled(0.06, 0.3, frames=-1))
    """Frequency without damping [1/s]: ends of the draw, uniform in the logarithm; by default 0.06
    to 0.3, in proportion to 64 / frames."""
    gamma: Annotated[_draws.Range, _periodic.bounded(20, "nothing would be left to see")] = Field(
        default_factory=_periodic.scaled(0.005, 0.05, frames=-1)
    )
    """Damping [1/s]: ends of the draw, uniform in the logarithm; by default 0.005 to 0.05, in
    proportion to 64 / frames."""

    def stiffness(self, labels: Mapping[str, float]) -> np.ndarray:
        """omega0^2, of every mode."""
        return labels["omega0"] ** 2 * np.ones_like(_spectral.squares(_initial.BAND, self.size))
