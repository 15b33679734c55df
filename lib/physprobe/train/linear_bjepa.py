"""Linear BJEPA: predict a distribution of the next latent, and multiply it with a prior.

    loss of VJEPA + gamma KL(r | N(0, I)),    r = N(m, exp(b))

with m and b of the prior learned from 0. As published they begin where the divergence is least, and
stand in no other term: no gradient ever reaches them, and the loss that is trained is VJEPA's.
``variances: learned`` has gamma KL(p | r) instead, as in the official code: the prior becomes what
predictions are on the whole. What is read is the product of both,

    (exp(b) P W x + exp(l) m) / (exp(l) + exp(b)),

which the layer ``predicted`` holds, beside the layers ``prior`` and ``prior_log_variance``.

References
----------
As published in JointEmbeddingArchitecturesTutorial, ``tv_noise.py``, after Huang, VJEPA,
arXiv:2601.14354.
"""

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field

from physprobe.train import _variational
from physprobe.train._variational import after_step

if TYPE_CHECKING:
    import torch
    from torch import nn

    from physprobe.train._sensors import Batch

__all__ = ["KEPT", "STOPS", "Spec", "after_step", "draw", "loss", "networks", "outputs", "terms"]
KEPT = ("encoder", "predictor", "target", "spread", "target_spread", "prior", "prior_spread")
STOPS = False


class Spec(_variational.Variational):
    """Prediction of distributions of latents, with a prior."""

    kind: Literal["linear_bjepa"] = "linear_bjepa"
    """Recipe."""
    gamma: float = Field(0.1, ge=0)
    """Weight of the divergence that the prior is in."""


def networks(spec: Spec) -> "dict[str, nn.Module]":
    """Those of VJEPA, and the prior's mean and log-variance."""
    from physprobe.train import _sensors

    found = _variational.networks(spec)
    count = len(_sensors.world(spec).scale)
    levels = {name: _sensors.Levels(count, spec.width) for name in ("prior", "prior_spread")}
    return {**found, **levels}


def terms(spec: Spec, net: "Any", batch: "Batch") -> "dict[str, torch.Tensor]":
    """Weighted terms (condition,) by name."""
    from physprobe.train import _gaussian

    found = _variational.terms(spec, net, batch)
    mean, wide = net.prior.level, net.prior_spread.level
    if spec.variances == "published":
        apart = _gaussian.divergence(mean.square(), wide)
    else:
        level = net.spread.level
        map_ = net.predictor.weight @ net.encoder.weight
        seen = _gaussian.level(map_, batch.pairs.mean[..., 0, :])
        square = _gaussian.quadratic(map_, batch.pairs.now) + (seen - mean).square()
        apart = _gaussian.divergence(square / wide.exp(), level - wide)
    return {**found, "divergence_of_prior": spec.gamma * apart.sum(-1)}


def draw(spec: Spec, rng: np.random.Generator) -> "dict[str, torch.Tensor]":
    """Nothing: all expectations are exact."""
    return {}


def loss(
    spec: Spec, net: "Any", batch: "Batch", drawn: Any
) -> "tuple[torch.Tensor, dict[str, torch.Tensor]]":
    """Sum over conditions of their losses, and the means of its terms."""
    from physprobe.train import _sensors

    with _sensors.exact(batch):
        return _sensors.total(terms(spec, net, batch))


def outputs(spec: Spec, tensors: "Any") -> "dict[str, tuple[torch.Tensor, torch.Tensor]]":
    """Layers as maps and levels: those of VJEPA, and the prior."""
    found = _variational.outputs(spec, tensors)
    still = tensors["encoder.weight"] * 0
    return {
        **found,
        "prior": (still, tensors["prior.level"]),
        "prior_log_variance": (still, tensors["prior_spread.level"]),
    }
