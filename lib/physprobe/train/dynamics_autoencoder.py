"""Dynamics autoencoder: give frames back from a latent, and predict the latent beside that.

    z[t] = E(x[t - H + 1 ... t])
    loss = mean |D(z[t]) - x[t - H + 1 ... t]|^2 + mean_k |P^k(sg z[t]) - sg z[t + k]|^2

The rival of latent prediction: the same encoder, the same predictor, but what the latent holds is
what the pixels need. The predictor's gradient stops before the encoder.
"""

from typing import TYPE_CHECKING, Literal

import numpy as np

from physprobe.train._latents import Latents

if TYPE_CHECKING:
    import torch
    from torch import nn

    from physprobe.train._clips import Batch, Networks

KEPT = ("encoder", "predictor", "decoder")
STOPS = False


class Spec(Latents):
    """Reconstruction, and a predictor of its latents."""

    kind: Literal["dynamics_autoencoder"] = "dynamics_autoencoder"
    """Recipe."""


def networks(spec: Spec) -> "dict[str, nn.Module]":
    """Encoder, predictor and decoder."""
    from physprobe.embed.networks import latent
    from physprobe.train import _clips

    return latent.drawn(spec.seed, lambda: latent.all_of(spec, _clips.seen(spec)))


def loss(
    spec: Spec, net: "Networks", batch: "Batch", rng: np.random.Generator
) -> "tuple[torch.Tensor, dict[str, float]]":
    """Loss of a batch, and its two parts; one time of each window is given back, drawn anew."""
    latents = net.encoder.each(batch.video)
    time = int(rng.integers(latents.shape[1]))
    shown = batch.video[:, time : time + spec.history]
    held = latents.detach()
    predicted = net.predictor.unrolled(held[:, 0], spec.horizon)
    terms = {
        "reconstruction": (net.decoder(latents[:, time]) - shown).square().mean(),
        "prediction": (predicted - held[:, 1:]).square().mean(),
    }
    return sum(terms.values()), {name: term.item() for name, term in terms.items()}
