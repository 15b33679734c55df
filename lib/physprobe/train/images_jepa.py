"""Images JEPA: predict the latent of a clean image from that of the image perturbed.

    p = P(E(x~)),    y = E'(x),    loss = mean 1 - cos(p, y)                        average
    p = E(x~),       y = sg E(x),  loss = mean 1 - cos(p, y) + w n D(E(x~))          sigreg
    p = E(x~),       y = E(x),     loss = 25 mean (p - y)^2 + sum over p, y of 25 v + c   vicreg

with P a predictor and E' the moving average of E, of its norms' statistics too, which gets no
gradient and sees images as at the end, by those statistics. As published E' had the statistics of
its own batches. ``sigreg`` tells n latents apart from a standard normal along random directions
(Epps, Pulley), ``vicreg`` keeps deviations v from falling below 1 and squared covariances c low;
without either or an average nothing keeps latents from becoming equal.

References
----------
JointEmbeddingArchitecturesTutorial (CICS-Oleg), ``jepa_mnist.py``, ``jepa_mnist_sigreg.py``; Grill
et al. 2020, BYOL, arXiv:2006.07733; Bardes et al. 2022, VICReg, arXiv:2105.04906; Balestriero,
LeCun 2025, LeJEPA, arXiv:2511.08544.
"""

from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import Field

from physprobe.train._image_models import ImageModels

if TYPE_CHECKING:
    import torch
    from torch import nn

    from physprobe.train._images import Batch, Networks

STOPS = False
Guard = Literal["average", "sigreg", "vicreg"]


class Spec(ImageModels):
    """Prediction of the clean image's latent."""

    kind: Literal["images_jepa"] = "images_jepa"
    """Recipe."""
    against_collapse: Guard = "average"
    """What keeps latents from becoming equal."""
    momentum: float = Field(0.999, ge=0, lt=1)
    """Of the target encoder's moving average (``average``)."""
    normality: float = Field(0.5, ge=0)
    """Weight of the distance from a normal (``sigreg``), times the images of a batch."""
    directions: int = Field(32, gt=0)
    """Random directions per step (``sigreg``)."""
    invariance: float = Field(25.0, gt=0)
    """Weight of the squared distance of the two latents (``vicreg``),"""
    variance: float = Field(25.0, ge=0)
    """of the shortfall of deviations,"""
    covariance: float = Field(1.0, ge=0)
    """and of squared covariances."""


def networks(spec: Spec) -> "dict[str, nn.Module]":
    """Encoder; with an average also target encoder and predictor."""
    from physprobe.embed.networks import latent
    from physprobe.train import _average, _images

    shown = _images.seen(spec)
    found = latent.drawn(
        spec.seed,
        lambda: {"encoder": latent.Encoder(spec, shown), "predictor": latent.Predictor(spec)},
    )
    if spec.against_collapse != "average":
        return {"encoder": found["encoder"]}
    return {**found, "target": _average.follower(found["encoder"])}


def draw(spec: Spec, rng: np.random.Generator) -> "dict[str, torch.Tensor]":
    """Directions, where there are any."""
    from physprobe.train import _losses

    if spec.against_collapse != "sigreg":
        return {}
    return {"directions": _losses.directions(spec.embedding, spec.directions, rng)}


def loss(
    spec: Spec, net: "Networks", batch: "Batch", drawn: "dict[str, torch.Tensor]"
) -> "tuple[torch.Tensor, dict[str, torch.Tensor]]":
    """Loss of a batch, and its terms before weighting."""
    import torch

    from physprobe.train import _losses

    found = net.encoder(batch.seen)
    terms: dict[str, torch.Tensor] = {}
    weights = {"apart": 1.0}
    if spec.against_collapse == "average":
        net.target.eval()
        with torch.no_grad():
            goal = net.target(batch.clean)
        terms["apart"] = apart(net.predictor(found), goal)
    elif spec.against_collapse == "sigreg":
        with torch.no_grad():
            goal = net.encoder(batch.clean)
        terms["apart"] = apart(found, goal)
        terms["normality"] = _losses.normality(found, drawn["directions"])
        weights["normality"] = spec.normality * len(found)
    else:
        other = net.encoder(batch.clean)
        terms["invariance"] = (found - other).square().mean()
        terms["variance"] = _losses.variance(found) + _losses.variance(other)
        terms["covariance"] = _losses.covariance(found) + _losses.covariance(other)
        weights = {name: getattr(spec, name) for name in terms}
    total = torch.stack([weights[name] * term for name, term in terms.items()]).sum()
    return total, {name: term.detach() for name, term in terms.items()}


def apart(predicted: "torch.Tensor", goal: "torch.Tensor") -> "torch.Tensor":
    """Mean of 1 less the cosine between latents (image, feature)."""
    from torch.nn import functional

    return (1 - functional.cosine_similarity(predicted, goal, dim=-1)).mean()


def after_step(spec: Spec, net: "Networks", progress: float) -> None:
    """Let the target encoder follow the encoder, its norms' statistics too."""
    from physprobe.train import _average

    if spec.against_collapse == "average":
        _average.follow(net.target, net.encoder, spec.momentum)
        _average.follow_statistics(net.target, net.encoder, spec.momentum)
