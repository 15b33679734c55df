"""Barlow Twins: two noisy views of a point are to agree feature by feature, and features to differ.

    loss = sum_i (C_ii - 1)^2 + weight sum_{i != j} C_ij^2,    C = A^T B / n

with A and B the embeddings of the two views, standardised over the batch.

References
----------
Zbontar et al. 2021, arXiv:2103.03230. As JointEmbeddingArchitecturesTutorial runs it,
``jepa_ema.py``, whose figure says EMA.
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
    """Correlations of two views."""

    kind: Literal["barlow_twins"] = "barlow_twins"
    """Recipe."""
    noise: float = Field(0.05, ge=0)
    """Deviation of the noise of either view."""
    off_diagonal: float = Field(5e-3, ge=0)
    """Weight of correlations between different features."""


def networks(spec: Spec) -> "dict[str, nn.Module]":
    """The encoder."""
    from physprobe.train import _points

    return {"encoder": _points.network(spec)}


def draw(spec: Spec, rng: np.random.Generator) -> "dict[str, torch.Tensor]":
    """Noise of the two views."""
    from physprobe.train import _points

    first, second = (_points.noise(spec, rng, spec.noise) for _ in range(2))
    return {"first": first, "second": second}


def loss(
    spec: Spec, net: "Any", batch: "Batch", drawn: "dict[str, torch.Tensor]"
) -> "tuple[torch.Tensor, dict[str, torch.Tensor]]":
    """Distance of correlations from the identity."""
    from physprobe.train import _losses

    first, second = (net.encoder(batch.points + drawn[name]) for name in ("first", "second"))
    return _losses.redundancy(first, second, spec.off_diagonal), {}
