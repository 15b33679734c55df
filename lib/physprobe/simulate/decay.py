"""Decay: a pattern fades where it is, with nothing that passes from place to place.

    du/dt = -gamma u,    u(x, 0) a pattern of ``_initial``

The field stays between 0 and 1; render every clip on that range.

For 64 frames gamma is uniform in its logarithm from 0.004 to 0.04 1/s: a clip keeps 78 to 8 % of
its contrast. Other numbers of frames scale the range.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from physprobe.simulate import _draws, _gates, _initial, _linear, _periodic

FIELD, FIELD_UNIT, RESOLUTION, LAW = "concentration", "1", _linear.RESOLUTION, "decay"
UNITS = {"gamma": "1/s"}

draw, coords, field = _linear.draw, _linear.coords, _linear.field
check, check_labels = _linear.check, _linear.check_labels
told, TOLD = _linear.told, (*UNITS, "misfit")


class Spec(_linear.Equation):
    """Decay: grid, frames, and the draw of each clip's rate."""

    kind: Literal["decay"] = "decay"
    """Decay in place, solved exactly."""
    gamma: Annotated[_draws.Range, _periodic.bounded(20, "nothing would be left to see")] = Field(
        default_factory=_periodic.scaled(0.004, 0.04, frames=-1)
    )
    """Rate [1/s]: ends of the draw, uniform in the logarithm; by default 0.004 to 0.04, in
    proportion to 64 / frames."""

    def propose(self, rng: np.random.Generator) -> dict[str, float]:
        """``gamma`` of one clip."""
        return {"gamma": _draws.log_uniform(rng, self.gamma)}

    def factors(self, labels: Mapping[str, float], time: np.ndarray) -> np.ndarray:
        """exp(-gamma t), of every mode."""
        everywhere = np.ones((2 * _initial.BAND + 1, _initial.BAND + 1))
        return np.exp(-np.multiply.outer(time, labels["gamma"] * everywhere))

    def laws(self, labels: Mapping[str, float], field: np.ndarray) -> None:
        """The decay of every mode; the field as a whole fades, so it has no budget."""
        _gates.every_mode(field, self.factors(labels, coords(self)["time"]))
