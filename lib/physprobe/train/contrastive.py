"""Contrastive: learn an energy by telling points from noise.

    loss = E_p[E(x)] + E_q[exp(-E(x))],    q uniform on a box

Its optimum is E* = log q - log p, where it is log q + H(p) + 1: the energy is the density with its
constant, inside the box. It is no InfoNCE and learns no embedding, whatever it has been called.

References
----------
As published in JointEmbeddingArchitecturesTutorial, ``contrastive.py``: ReLU, 1,000 steps.
"""

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from physprobe.train._points_models import Points

if TYPE_CHECKING:
    import torch
    from torch import nn

    from physprobe.train._points import Batch

STOPS = False


class Spec(Points):
    """An energy against uniform noise."""

    kind: Literal["contrastive"] = "contrastive"
    """Recipe."""
    half_width: float = Field(10.0, gt=0)
    """Half the side of the square, about the origin, that noise is uniform on."""
    steps: int = Field(1000, gt=0)
    """Steps in all; what the tutorial calls an epoch is one of them."""

    OUTPUT: ClassVar = "energy"


def networks(spec: Spec) -> "dict[str, nn.Module]":
    """The energy."""
    from physprobe.train import _points

    return {"encoder": _points.network(spec)}


def draw(spec: Spec, rng: np.random.Generator) -> "dict[str, torch.Tensor]":
    """Noise (sample, 2)."""
    import torch

    noise = rng.uniform(-spec.half_width, spec.half_width, (spec.batch, 2))
    return {"noise": torch.from_numpy(noise).float()}


def loss(
    spec: Spec, net: "Any", batch: "Batch", drawn: "dict[str, torch.Tensor]"
) -> "tuple[torch.Tensor, dict[str, torch.Tensor]]":
    """Mean energy of points, and mean exp(-energy) of noise."""
    on = net.encoder(batch.points).mean()
    off = (-net.encoder(drawn["noise"])).exp().mean()
    return on + off, {"on_points": on.detach(), "on_noise": off.detach()}
