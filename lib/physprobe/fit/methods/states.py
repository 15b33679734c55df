"""States: decode what varies in time within a clip, token by token.

    s[t] = b + w . z[t],    w = argmin sum_t (s[t] - b - w . z[t])^2 + lambda |w|^2

A row is a clip at a token's last frame; clips are the unit of every fold, draw and permutation.
Penalty and layer are chosen inside the training clips. R2 is about the mean over held-out clips at
each time, so that what is the same in all clips at that time scores nothing:

    R2 = 1 - sum over clips, times and columns of squared errors / the same about those means

The null gives each clip the whole history of another one, every choice made anew.
"""

from typing import Literal

import numpy as np
from pydantic import Field

from physprobe.fit.section import Given, MethodSpec


class Spec(MethodSpec):
    """Ridge regression of states in time."""

    ROLE = "state"

    kind: Literal["states"] = "states"
    """Closed-form ridge of what a clip has at every frame, such as angles and velocities."""
    targets: tuple[str, ...] = Field(min_length=1)
    """States to decode, or labels, which stay the same; ``sincos_<state>`` is sine and cosine of an
    angle, and ``log_<state>`` its logarithm."""
    samples: tuple[Literal["state"], ...] = ("state",)
    """Its one sample: each token of each clip, with the state that it ends with."""
    skip: int = Field(0, ge=0)
    """Tokens at the start of a clip that are left out: those whose encoder lacks frames still."""
    penalties: tuple[float, ...] = Field(tuple(10.0**power for power in range(-6, 7)), min_length=1)
    """Grid of lambda, relative to the mean eigenvalue of the training rows; ascending."""
    outer: int = Field(5, ge=2)
    """Outer folds; not used where the system declares its split."""
    inner: int = Field(4, ge=2)
    """Folds inside the training clips, on which penalty and layer are chosen."""
    permutations: int = Field(200, ge=1)
    """Permutations of whole clips for the null."""
    bootstraps: int = Field(2000, ge=100)
    """Bootstrap draws over clips for the intervals."""
    seed: int = Field(0, ge=0)
    """Seed of folds, permutations and draws."""


def fit(spec: Spec, given: Given) -> tuple[list[dict], dict]:
    """Rows and ``predictions``; see ``_state_rows``.

    Raises
    ------
    ValueError
        If a target is neither a state nor a label of the system, or all tokens are left out.
    """
    from physprobe.fit.methods import _state_rows
    from physprobe.statistics import states as regression
    from physprobe.statistics import targets

    shape = given.features[0].shape[:2]
    known = {
        name: np.broadcast_to(np.reshape(v, (-1, 1)), shape) for name, v in given.labels.items()
    }
    known |= given.states
    if spec.skip >= shape[1]:
        raise ValueError(
            f"skip: {spec.skip} leaves none of {shape[1]} token times. Hint: a smaller one."
        )
    found = {}
    for target in spec.targets:
        own = targets.labels_of(target, known) or (target,)
        flat = {name: known[name].ravel() for name in own if name in known} or known
        found[target] = targets.values(flat, target).reshape(*shape, -1)[:, spec.skip :]
    return _state_rows.decode(
        spec,
        lambda features, states, folds: regression.fit(
            features, states, folds, spec.penalties, given.components
        ),
        lambda layer: np.asarray(given.features[layer], float)[:, spec.skip :],
        given.layers,
        found,
        given.folds,
        given.groups,
    )
