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


def draw(spec: Spec, rng: np.random.Generator) -> "dict[str, torch.Tensor]":
    """Time (1) of the windows' latents that is given back."""
    import torch

    return {"time": torch.from_numpy(rng.integers(spec.horizon, size=1, endpoint=True))}


def loss(
    spec: Spec, net: "Networks", batch: "Batch", drawn: "dict[str, torch.Tensor]"
) -> "tuple[torch.Tensor, dict[str, torch.Tensor]]":
    """Loss of a batch, and its two parts; one time of each window is given back."""
    import torch

    latents = net.encoder.each(batch.video)
    frames = drawn["time"] + torch.arange(spec.history, device=latents.device)
    shown = batch.video.index_select(1, frames)
    given = latents.index_select(1, drawn["time"])[:, 0]
    held = latents.detach()
    predicted = net.predictor.unrolled(held[:, 0], spec.horizon)
    terms = {
        "reconstruction": (net.decoder(given) - shown).square().mean(),
        "prediction": (predicted - held[:, 1:]).square().mean(),
    }
    return sum(terms.values()), {name: term.detach() for name, term in terms.items()}
