"""Dynamics coordinates: predict the next coordinates from those of the last few frames.

    loss = mean_k |P^k(x[t - H + 1 ... t]) - x[t + k]|^2

No encoder: an MLP that is told where the tips are, what any forecast from pixels is measured by.
With two frames, three hidden layers of 256 and one frame ahead it is the published baseline.
"""

from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import Field

from physprobe.train._latents import Latents

if TYPE_CHECKING:
    import torch
    from torch import nn

    from physprobe.train._clips import Batch, Networks

KEPT = ("encoder", "predictor")
STOPS = False


class Spec(Latents):
    """Prediction of a signal by itself."""

    kind: Literal["dynamics_coordinates"] = "dynamics_coordinates"
    """Recipe."""
    network: Literal["none"] = "none"
    """No encoder: the latent is the history of the signal."""
    embedding: int = Field(8, gt=0)
    """Numbers that a history has."""
    hidden: tuple[int, ...] = Field((256, 256, 256), min_length=1)
    """Widths of the predictor's hidden layers."""
    horizon: int = Field(1, gt=0)
    """Frames ahead that are predicted in training."""


def networks(spec: Spec) -> "dict[str, nn.Module]":
    """Encoder without weights, and predictor."""
    from physprobe.embed.networks import latent
    from physprobe.train import _clips

    shown = _clips.seen(spec)
    return latent.drawn(
        spec.seed,
        lambda: {"encoder": latent.Encoder(spec, shown), "predictor": latent.Predictor(spec)},
    )


def draw(spec: Spec, rng: np.random.Generator) -> "dict[str, torch.Tensor]":
    """Nothing."""
    return {}


def loss(
    spec: Spec, net: "Networks", batch: "Batch", drawn: "dict[str, torch.Tensor]"
) -> "tuple[torch.Tensor, dict[str, torch.Tensor]]":
    """Loss of a batch, and nothing else to report."""
    start = net.encoder(batch.video[:, : spec.history])
    predicted = net.predictor.unrolled(start, spec.horizon)
    ahead = batch.video[:, spec.history :].flatten(2)
    return (predicted[:, :, -ahead.shape[2] :] - ahead).square().mean(), {}
