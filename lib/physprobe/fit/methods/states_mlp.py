"""States by an MLP: decode what varies in time by small networks, beside linear ``states``.

    s[t] = b2 + W2 relu(b1 + W1 z[t])

What no linear map of a latent holds, such as a velocity that is in the product of two features, may
be there all the same. Rows, folds, R2 and null are those of ``states``: every permutation of whole
clips is trained anew, with each choice. Width and epochs are chosen on the clips of the first inner
fold, for every target; see ``_perceptron``.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from physprobe.fit.methods import _state_rows
from physprobe.fit.methods._state_rows import Predicted
from physprobe.fit.section import Given
from physprobe.statistics.splits import Fold


class Spec(_state_rows.StateSpec):
    """Networks of one hidden layer."""

    TRAINED: ClassVar[bool] = True

    kind: Literal["states_mlp"] = "states_mlp"
    """An MLP of one hidden layer, of what a clip has at every frame."""
    widths: tuple[int, ...] = Field((32, 128), min_length=1)
    """Hidden units to choose from."""
    rate: float = Field(3e-3, gt=0)
    """Highest learning rate of Adam; it falls along a cosine."""
    batch: int = Field(128, ge=1)
    """Rows per step."""
    epochs: int = Field(40, ge=1)
    """Most epochs."""
    patience: int = Field(5, ge=1)
    """Epochs without a lower error on validation clips after which training ends."""
    stride: int = Field(1, ge=1)
    """Every how manieth token of a clip is trained on; all of them are scored."""


def fit(spec: Spec, given: Given) -> tuple[list[dict], dict]:
    """Rows and ``predictions``; see ``_state_rows``."""
    from physprobe.fit.methods import _perceptron

    def regress(
        features: np.ndarray, states: Mapping[str, np.ndarray], folds: Sequence[Fold]
    ) -> dict[str, Predicted]:
        found = {name: np.full(values.shape, np.nan) for name, values in states.items()}
        inner: dict[str, list[np.ndarray]] = {name: [] for name in states}
        for fold in folds:
            each = _perceptron.read(
                spec, features, states, fold, fold.test, given.components, spec.stride
            )
            for name, part in each.items():
                found[name][fold.test] = part.predicted
                inner[name].append(part.inner)
        return {name: Predicted(found[name], np.array(inner[name])) for name in states}

    return _state_rows.fit(spec, given, regress)
