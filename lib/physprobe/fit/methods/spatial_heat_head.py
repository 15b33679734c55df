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

from physprobe.fit.methods._head_settings import Settings
from physprobe.fit.section import Given, SpatialTokens
from physprobe.statistics.splits import Fold


class Spec(Settings):
    """Alpha-scaled diffusion of the spatial tokens of one layer."""

    ROLE = "head"
    kind: Literal["spatial_heat_head"] = "spatial_heat_head"
    """A heat step of the spatial tokens."""

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
