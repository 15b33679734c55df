"""VICReg: two noisy views of a point are to be alike, and features to vary, each by itself.

    loss = invariance mean (a - b)^2 + sum over both views of  variance v + covariance c

with v the mean shortfall of deviations below 1 and c squared covariances of different features.

References
----------
Bardes et al. 2022, arXiv:2105.04906; weights as in JointEmbeddingArchitecturesTutorial,
``jepa_ema.py``, which defines it and doesn't run it.
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
    """Invariance, variance, covariance."""

    kind: Literal["vicreg"] = "vicreg"
    """Recipe."""
    noise: float = Field(0.05, ge=0)
    """Deviation of the noise of either view."""
    invariance: float = Field(25.0, ge=0)
    """Weight of the squared difference of the views."""
    variance: float = Field(10.0, ge=0)
    """Weight of the shortfall of deviations; 25 in the paper."""
    covariance: float = Field(1.0, ge=0)
    """Weight of squared covariances."""


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
    """Weighted sum of the three terms, and each before weighting."""
    from physprobe.train import _losses

    first, second = (net.encoder(batch.points + drawn[name]) for name in ("first", "second"))
    views = (first, second)
    terms = {
        "invariance": (first - second).square().mean(),
        "variance": sum(_losses.variance(view) for view in views),
        "covariance": sum(_losses.covariance(view) for view in views),
    }
    whole = sum(getattr(spec, name) * term for name, term in terms.items())
    return whole, {name: term.detach() for name, term in terms.items()}
