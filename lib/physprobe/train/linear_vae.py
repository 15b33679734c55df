"""Linear VAE: give the frame back from a noisy latent, bias-free.

    z = W x + exp(v . x / 2) n,    loss = 1/c E |x - D z|^2 + KL(N(W x, exp(v . x)) | N(0, I))

with n normal, c channels, everything an expectation over noise and frames: see ``_gaussian``. A
log-variance without bias has mean 0 and can't tell a variance that is not 1: E exp(v . x) is least
at v = 0 for every symmetric x, so v shrinks to nothing. And a mean over channels beside a sum over
latents weighs the noise of the sensors as if its variance were c/2 = 10: what has less is left out,
W of it shrinks to nothing. ``variances: learned`` has a constant log-variance for each feature, and
learns the variance s of the sensors' noise:

    loss = c/2 log s + 1/(2 s) E |x - D z|^2 + KL

References
----------
Kingma, Welling, "Auto-encoding variational Bayes", arXiv:1312.6114; as published in
JointEmbeddingArchitecturesTutorial, ``tv_noise.py``; Lucas et al., "Don't blame the ELBO!",
arXiv:1911.02469, for the optimum of the learned one, which is probabilistic PCA.
"""

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from physprobe.train._linear_models import LinearModels, Variances

if TYPE_CHECKING:
    import torch
    from torch import nn

    from physprobe.train._sensors import Batch

KEPT = ("encoder",)
STOPS = False


class Spec(LinearModels):
    """Variational autoencoder."""

    kind: Literal["linear_vae"] = "linear_vae"
    """Recipe."""
    variances: Variances = "published"
    """Log-variances without bias and sensors of variance 10, or both learned."""


def networks(spec: Spec) -> "dict[str, nn.Module]":
    """Encoder, decoder, log-variance of the latent, and of the sensors."""
    from physprobe.train import _sensors

    channels = _sensors.world(spec).scale.shape[1]
    found: dict[str, nn.Module] = {
        "encoder": _sensors.maps(spec, "encoder", spec.width),
        "decoder": _sensors.maps(spec, "decoder", channels, spec.width),
    }
    if spec.variances == "published":
        return {**found, "spread": _sensors.maps(spec, "spread", spec.width)}
    count = len(_sensors.world(spec).scale)
    return {
        **found,
        "constant": _sensors.Levels(count, spec.width),
        "noise": _sensors.Levels(count, 1),
    }


def terms(spec: Spec, net: "Any", batch: "Batch") -> "dict[str, torch.Tensor]":
    """Terms (condition,) by name."""
    import torch

    from physprobe.train import _gaussian

    pairs, encoder, decoder = batch.pairs, net.encoder.weight, net.decoder.weight
    channels = decoder.shape[1]
    rest = torch.eye(channels, device=decoder.device) - decoder @ encoder
    square = pairs.products[..., 0, :, :]
    error = _gaussian.quadratic(rest, square).sum(-1)
    if spec.variances == "published":
        noise = _gaussian.exponential(net.spread.weight, pairs)
        mean = _gaussian.level(net.spread.weight, pairs.mean[..., 0, :])
    else:
        mean = net.constant.level
        noise = mean.exp()
    error = error + (decoder.square().sum(-2) * noise).sum(-1)
    if spec.variances == "published":
        reconstruction = error / channels
    else:
        level = net.noise.level[..., 0]
        reconstruction = (channels * level + error / level.exp()) / 2
    divergence = (noise + _gaussian.quadratic(encoder, square) - 1 - mean).sum(-1) / 2
    return {"reconstruction": reconstruction, "divergence": divergence}


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
    """Layers as maps and levels: the latent's mean."""
    from physprobe.train import _sensors

    encoder = tensors["encoder.weight"]
    return {"latent": (encoder, _sensors.nothing(encoder))}
