"""Global pairwise JEPA: every point is to have the direction of every other one.

    loss = mean_ij |f(x_i) / |f(x_i)| - f'(y_j) / |f'(y_j)||^2,    y = x + e,  e ~ N(0, s^2 I)

over all pairs of a batch, with f' the moving average of f. It is 2 - 2 m . m', m the views' mean
directions, and least where all directions are one: its optimum is collapse, whatever the points
are. So it is the standing negative control of what tells that embeddings have collapsed.

References
----------
As published in JointEmbeddingArchitecturesTutorial, whose text reads the collapsed energies as
"non-local similarity structure".
"""

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field

from physprobe.train._points_models import Followed

if TYPE_CHECKING:
    import torch
    from torch import nn

    from physprobe.train._points import Batch

STOPS = False
KEPT = ("encoder", "target")


class Spec(Followed):
    """All pairs of a batch."""

    kind: Literal["jepa_pairwise"] = "jepa_pairwise"
    """Recipe."""
    noise: float = Field(0.01, ge=0)
    """Deviation of the noise of the target's view."""


def networks(spec: Spec) -> "dict[str, nn.Module]":
    """Encoder and target."""
    from physprobe.train import _points

    return _points.pair(spec)


def draw(spec: Spec, rng: np.random.Generator) -> "dict[str, torch.Tensor]":
    """Noise of the target's view."""
    from physprobe.train import _points

    return {"noise": _points.noise(spec, rng, spec.noise)}


def loss(
    spec: Spec, net: "Any", batch: "Batch", drawn: "dict[str, torch.Tensor]"
) -> "tuple[torch.Tensor, dict[str, torch.Tensor]]":
    """Mean squared distance over all pairs."""
    from physprobe.train import _losses, _points

    first = _points.unit(net.encoder, batch.points)
    second = _points.goal(net.target, batch.points + drawn["noise"])
    return _losses.pairwise(first, second), {}


def after_step(spec: Spec, net: "Any", progress: float) -> None:
    """Let the target follow."""
    from physprobe.train import _average

    _average.follow(net.target, net.encoder, spec.momentum)
