"""Linear autoregression: predict the next frame through a bottleneck.

    loss = 1/c E |x[t+1] - D W x[t]|^2

Its optimum is reduced-rank regression, the projection ``reduced_rank``.

References
----------
As published in JointEmbeddingArchitecturesTutorial, ``tv_noise.py``.
"""

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from physprobe.train._linear_models import LinearModels

if TYPE_CHECKING:
    import torch
    from torch import nn

    from physprobe.train._sensors import Batch

KEPT = ("encoder",)
STOPS = False


class Spec(LinearModels):
    """Autoregression of the sensors."""

    kind: Literal["linear_autoregression"] = "linear_autoregression"
    """Recipe."""


def networks(spec: Spec) -> "dict[str, nn.Module]":
    """Encoder and decoder."""
    from physprobe.train import _sensors

    channels = _sensors.world(spec).scale.shape[1]
    return {
        "encoder": _sensors.maps(spec, "encoder", spec.width),
        "decoder": _sensors.maps(spec, "decoder", channels, spec.width),
    }


def draw(spec: Spec, rng: np.random.Generator) -> "dict[str, torch.Tensor]":
    """Nothing: all expectations are exact."""
    return {}


def loss(
    spec: Spec, net: "Any", batch: "Batch", drawn: Any
) -> "tuple[torch.Tensor, dict[str, torch.Tensor]]":
    """Sum over conditions of their losses, and its mean."""
    from physprobe.train import _gaussian, _sensors

    with _sensors.exact(batch):
        found = _gaussian.squared_error(net.decoder.weight @ net.encoder.weight, batch.pairs)
        return _sensors.total({"error": found.mean(-1)})


def outputs(spec: Spec, tensors: "Any") -> "dict[str, tuple[torch.Tensor, torch.Tensor]]":
    """Layers as maps and levels: the bottleneck."""
    from physprobe.train import _sensors

    encoder = tensors["encoder.weight"]
    return {"latent": (encoder, _sensors.nothing(encoder))}
