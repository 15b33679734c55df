"""SIGReg: two noisy views of a point are to be alike, and embeddings to be standard normal.

    loss = (1 - weight) mean (a - b)^2 + weight (distance from a standard normal)

along random directions, by the statistic of Epps and Pulley; mean of the two views.

References
----------
Balestriero, LeCun 2025, LeJEPA, arXiv:2511.08544; Epps, Pulley, Biometrika 70 (1983).
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
    """Two views, and embeddings that are normal."""

    kind: Literal["sigreg"] = "sigreg"
    """Recipe."""
    noise: float = Field(0.05, ge=0)
    """Deviation of the noise of either view."""
    weight: float = Field(0.5, ge=0, le=1)
    """Of the distance from a normal."""
    directions: int = Field(32, gt=0)
    """Random directions per step."""


def networks(spec: Spec) -> "dict[str, nn.Module]":
    """The encoder."""
    from physprobe.train import _points

    return {"encoder": _points.network(spec)}


def draw(spec: Spec, rng: np.random.Generator) -> "dict[str, torch.Tensor]":
    """Noise of the two views, and directions."""
    from physprobe.train import _losses, _points

    first, second = (_points.noise(spec, rng, spec.noise) for _ in range(2))
    directions = _losses.directions(spec.embedding, spec.directions, rng)
    return {"first": first, "second": second, "directions": directions}


def loss(
    spec: Spec, net: "Any", batch: "Batch", drawn: "dict[str, torch.Tensor]"
) -> "tuple[torch.Tensor, dict[str, torch.Tensor]]":
    """Weighted sum of the two terms, and each before weighting."""
    from physprobe.train import _losses

    first, second = (net.encoder(batch.points + drawn[name]) for name in ("first", "second"))
    apart = [_losses.normality(view, drawn["directions"]) for view in (first, second)]
    terms = {"invariance": (first - second).square().mean(), "normality": sum(apart) / 2}
    whole = (1 - spec.weight) * terms["invariance"] + spec.weight * terms["normality"]
    return whole, {name: term.detach() for name, term in terms.items()}
