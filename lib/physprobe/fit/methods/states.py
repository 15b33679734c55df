"""States: decode what varies in time within a clip, token by token.

    s[t] = b + w . z[t],    w = argmin sum_t (s[t] - b - w . z[t])^2 + lambda |w|^2

A row is a clip at a token's last frame; clips are the unit of every fold, draw and permutation.
Penalty and layer are chosen inside the training clips. R2 is about the mean over held-out clips at
each time, so that what is the same in all clips at that time scores nothing:

    R2 = 1 - sum over clips, times and columns of squared errors / the same about those means

The null gives each clip the whole history of another one, every choice made anew.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from pydantic import Field

from physprobe.fit.methods import _state_rows
from physprobe.fit.section import Given
from physprobe.statistics.splits import Fold


class Spec(_state_rows.StateSpec):
    """Ridge regression of states in time."""

    kind: Literal["states"] = "states"
    """Closed-form ridge of what a clip has at every frame, such as angles and velocities."""
    penalties: tuple[float, ...] = Field(tuple(10.0**power for power in range(-6, 7)), min_length=1)
    """Grid of lambda, relative to the mean eigenvalue of the training rows; ascending."""


def fit(spec: Spec, given: Given) -> tuple[list[dict], dict]:
    """Rows and ``predictions``; see ``_state_rows``."""
    from physprobe.statistics import states as regression

    def regress(
        features: np.ndarray, states: Mapping[str, np.ndarray], folds: Sequence[Fold]
    ) -> dict[str, _state_rows.Predicted]:
        """All targets in one regression, each column with a penalty of its own."""
        shapes = {name: values.shape for name, values in states.items()}
        whole = [values.reshape(*values.shape[:2], -1) for values in states.values()]
        ends = np.cumsum([part.shape[-1] for part in whole])[:-1]
        found = regression.fit(
            features, np.concatenate(whole, -1), folds, spec.penalties, given.components
        )
        predicted, inner = (np.split(part, ends, -1) for part in (found.predicted, found.inner))
        return {
            name: _state_rows.Predicted(
                predicted[place].reshape(shape),
                inner[place].reshape(len(folds), *shape[2:]).sum(-1),
            )
            for place, (name, shape) in enumerate(shapes.items())
        }

    return _state_rows.fit(spec, given, regress)
