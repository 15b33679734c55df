"""Spatial heat head: diffusion of the tokens, scaled by the label alpha as it scales heat's.

    x[t+1] = x[t] + alpha K(x[t])

with K one 3 x 3 kernel per channel on the token grid, zero-padded, and x all features of the
tokens, PCA-whitened on training clips. Fitted in closed form with the real alpha, with alpha
shuffled between clips, and with none (1 for every clip); with any kernel (``free``), and with one
whose weights sum to zero and a constant source (``zero_sum``), nine parameters per channel each.
What the real alpha adds is its skill over that of the shuffled ones, paired by clip. Its p is among
permutations of alpha that hold in fit and trial alike, each with a penalty that it chose itself: a
real alpha that means nothing is one of them.

References
----------
Physics-Probe-VJEPA2, ``heat/try_to_fit.py``: the same operator, by Adam, on 64 raw features.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from pydantic import Field

from physprobe.fit.methods._choices import Horizons, Penalties
from physprobe.fit.section import Given, MethodSpec, SpatialTokens
from physprobe.statistics.splits import Fold

PENALTIES = tuple(10.0**power for power in range(-6, 7))


class Spec(MethodSpec):
    """Alpha-scaled diffusion of the spatial tokens of one layer."""

    ROLE = "head"
    kind: Literal["spatial_heat_head"] = "spatial_heat_head"
    """A heat step of the spatial tokens."""
    layer: str = "final"
    """Layer whose spatial tokens are modelled; the encoder's ``tokens`` has to name it."""
    label: str = "alpha"
    """Label that scales the kernel."""
    components: int | None = Field(None, ge=1)
    """Leading whitened channels to model; all if null."""
    horizons: Horizons = (1, 2, 4, 8, 16)
    """Steps from the first token that a rollout is scored at; ascending."""
    penalties: Penalties = PENALTIES
    """Ridge penalties to choose from, relative to a channel's mean eigenvalue; ascending."""
    outer: int = Field(5, ge=2)
    """Outer folds; not used where the system declares its split."""
    inner: int = Field(4, ge=2)
    """Folds inside the training clips, on which the penalty is chosen."""
    permutations: int = Field(200, ge=1)
    """Permutations of alpha between clips."""
    bootstraps: int = Field(2000, ge=100)
    """Bootstrap draws over clips for the intervals of scores."""
    refits: int = Field(200, ge=100)
    """Bootstrap draws over clips for the kernels, each refitted."""
    seed: int = Field(0, ge=0)
    """Seed of folds, permutations and draws."""

    def takes(self, encoder: object | None) -> bool:
        """Whether an encoder keeps the spatial tokens of the layer."""
        return self.layer in getattr(encoder, "tokens", ())


def head(
    spec: Spec,
    tokens: SpatialTokens,
    labels: Mapping[str, np.ndarray],
    folds: Sequence[Fold],
    groups: np.ndarray | None = None,
) -> tuple[list[dict], dict]:
    """Score the head with real, shuffled and no alpha.

    Parameters
    ----------
    spec : Spec
    tokens : (clip, time, y, x, feature)
        Of ``spec.layer``; an array, or what can be sliced like one along clips.
    labels : mapping of str to (clip,)
        Has ``spec.label``.
    folds : sequence of Fold
    groups : (clip,), optional
        Declared groups of clips.

    Returns
    -------
    rows : list of dict
        ``skill`` of one step against persistence and ``skill_on_shuffled``; ``skill_difference`` of
        real against shuffled and none; ``mse``; ``rollout_skill``, ``rollout_cos``;
        ``laplacian_residual``, ``kernel_sum``. Models of the family ``zero_sum`` end in its name.
    blocks : dict
        ``published``, ``choices``, ``kernels``, ``errors`` by clip, ``rollout`` curves.

    Raises
    ------
    ValueError
        If there is no such label, it is no finite number, or the tokens are constant in space or
        time, not finite or too few.
    """
    # linear algebra waits until it is needed: config parsing imports this module
    from physprobe.fit.methods import _head

    return _head.fit(spec, tokens, _alpha(spec, labels), folds, groups)


def weights(
    spec: Spec,
    tokens: SpatialTokens,
    labels: Mapping[str, np.ndarray],
    folds: Sequence[Fold],
    groups: np.ndarray | None = None,
) -> dict[str, np.ndarray]:
    """Kernels and whitening fitted on all clips, float32, by tensor name.

    ``{real,shuffled,none}.depthwise.weight`` (channel, 1, 3, 3) as a depthwise ``Conv2d`` has it,
    the same of ``{real,shuffled,none}_zero_sum`` with ``.source`` (channel,), and
    ``whitening.mean`` (feature,) and ``whitening.matrix`` (feature, channel).
    """
    from physprobe.fit.methods import _head

    return _head.weights(spec, tokens, _alpha(spec, labels), folds, groups)


def _alpha(spec: Spec, labels: Mapping[str, np.ndarray]) -> np.ndarray:
    if spec.label not in labels:
        raise ValueError(
            f"spatial head: the system has no label {spec.label!r}."
            f" Hint: it has {', '.join(labels)}; set `label`."
        )
    values = np.asarray(labels[spec.label])
    if values.dtype.kind not in "biuf":
        raise ValueError(
            f"spatial head: label {spec.label!r} holds {values[0]!s} and the like; expected"
            " numbers. Hint: set `label` to another one."
        )
    if not np.isfinite(values).all():
        clip = int(np.argmin(np.isfinite(values)))
        raise ValueError(
            f"spatial head: label {spec.label!r} is not finite in clip {clip}."
            " Hint: set `label` to one that every clip has."
        )
    return values.astype(float)


def fit(spec: Spec, given: Given) -> tuple[list[dict], dict]:
    """Score the head with real, shuffled and no alpha; see :func:`head`."""
    return head(spec, _tokens(spec, given), given.labels, given.folds, given.groups)


def trained(spec: Spec, given: Given) -> dict[str, np.ndarray]:
    """Tensors fitted on every clip; see :func:`weights`."""
    return weights(spec, _tokens(spec, given), given.labels, given.folds, given.groups)


def _tokens(spec: Spec, given: Given) -> SpatialTokens:
    if spec.layer not in given.tokens:
        raise ValueError(
            f"the embedding has no spatial tokens of layer {spec.layer!r}."
            f" Hint: set tokens: [{spec.layer}] in the encoder's config entry."
        )
    return given.tokens[spec.layer]
