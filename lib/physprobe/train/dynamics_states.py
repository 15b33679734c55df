"""Dynamics states: read the true states off the frames, by labels; what an encoder can reach.

    loss = mean |R z[t] - s[t]|^2,    s the states that are decoded, each with deviation 1

Not without labels: the ceiling of all other recipes of the same encoder.
"""

from typing import TYPE_CHECKING, Literal

import numpy as np

from physprobe.train._latents import Latents

if TYPE_CHECKING:
    import torch
    from torch import nn

    from physprobe.train._clips import Batch, Networks

KEPT = ("encoder", "readout")
STOPS = False


class Spec(Latents):
    """Supervised by the states."""

    kind: Literal["dynamics_states"] = "dynamics_states"
    """Recipe."""


def networks(spec: Spec) -> "dict[str, nn.Module]":
    """Encoder and linear readout."""
    from torch import nn

    from physprobe.embed.networks import latent
    from physprobe.train import _clips

    shown = _clips.seen(spec)
    outputs = _clips.world(spec).states.shape[-1]
    return latent.drawn(
        spec.seed,
        lambda: {
            "encoder": latent.Encoder(spec, shown),
            "readout": nn.Linear(spec.embedding, outputs),
        },
    )


def draw(spec: Spec, rng: np.random.Generator) -> "dict[str, torch.Tensor]":
    """Nothing."""
    return {}


def loss(
    spec: Spec, net: "Networks", batch: "Batch", drawn: "dict[str, torch.Tensor]"
) -> "tuple[torch.Tensor, dict[str, torch.Tensor]]":
    """Loss of a batch at its windows' first whole history, and nothing else to report."""
    told = net.readout(net.encoder(batch.video[:, : spec.history]))
    return (told - batch.states[:, spec.history - 1]).square().mean(), {}
