"""Basic JEPA: a point and a noisy copy of it are to have the same direction.

    loss = mean (f(x) / |f(x)| - f(y) / |f(y)|)^2,    y = x + e,  e ~ N(0, s^2 I)

over samples and features, with gradients on both sides: no predictor, no moving average, nothing
that keeps embeddings apart but the little that training has time to bring together.

References
----------
As published in JointEmbeddingArchitecturesTutorial, ``jepa.py``.
"""

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field

from physprobe.train._points_models import Embeddings

if TYPE_CHECKING:
    import torch
    from torch import nn

    from physprobe.train._points import Batch

STOPS = False


class Spec(Embeddings):
    """Two views of a point."""

    kind: Literal["jepa_basic"] = "jepa_basic"
    """Recipe."""
    noise: float = Field(0.1, ge=0)
    """Deviation of the noise of the second view."""
    hidden: tuple[int, ...] = Field((128,), min_length=1)
    """Widths of the hidden layers."""
    embedding: int = Field(4, gt=0)
    """Features of the embedding."""
    steps: int = Field(1000, gt=0)
    """Steps in all; what the tutorial calls an epoch is one of them."""


def networks(spec: Spec) -> "dict[str, nn.Module]":
    """The encoder."""
    from physprobe.train import _points

    return {"encoder": _points.network(spec)}


def draw(spec: Spec, rng: np.random.Generator) -> "dict[str, torch.Tensor]":
    """Noise of the second view."""
    from physprobe.train import _points

    return {"noise": _points.noise(spec, rng, spec.noise)}


def loss(
    spec: Spec, net: "Any", batch: "Batch", drawn: "dict[str, torch.Tensor]"
) -> "tuple[torch.Tensor, dict[str, torch.Tensor]]":
    """Mean squared difference of the two views' directions."""
    from physprobe.train import _points

    views = batch.points, batch.points + drawn["noise"]
    first, second = (_points.unit(net.encoder, view) for view in views)
    return (first - second).square().mean(), {}
