"""Dynamics frames: predict the next frames through a latent that is rolled on.

    z[t] = E(x[t - H + 1 ... t]),    loss = mean_k |D(P^k(z[t])) - x[t + k - H + 1 ... t + k]|^2

The rival of latent prediction whose targets are pixels: encoder and predictor are the same.
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
    """Prediction of frames."""

    kind: Literal["dynamics_frames"] = "dynamics_frames"
    """Recipe."""


def networks(spec: Spec) -> "dict[str, nn.Module]":
    """Encoder, predictor and decoder."""
    from physprobe.embed.networks import latent
    from physprobe.train import _clips

    return latent.drawn(spec.seed, lambda: latent.all_of(spec, _clips.seen(spec)))


def draw(spec: Spec, rng: np.random.Generator) -> "dict[str, torch.Tensor]":
    """Steps ahead (window) that are drawn, one of each window."""
    import torch

    return {"ahead": torch.from_numpy(rng.integers(1, spec.horizon, spec.batch, endpoint=True))}


def loss(
    spec: Spec, net: "Networks", batch: "Batch", drawn: "dict[str, torch.Tensor]"
) -> "tuple[torch.Tensor, dict[str, torch.Tensor]]":
    """Loss of a batch, and nothing else to report; of each window one step ahead is seen."""
    import torch

    start = net.encoder(batch.video[:, : spec.history])
    predicted = net.predictor.unrolled(start, spec.horizon)
    ahead = drawn["ahead"]
    rows = torch.arange(len(start), device=start.device)
    frames = ahead[:, None] + torch.arange(spec.history, device=start.device)
    shown = batch.video[rows[:, None], frames]
    given = net.decoder(predicted[rows, ahead - 1])
    return (given - shown).square().mean(), {}
