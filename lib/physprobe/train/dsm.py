"""Denoising score matching: learn energies whose slopes point to where noise came from.

    loss = mean (-grad E(x + e) + e / s^2)^2,    e ~ N(0, s^2 I)

over samples and both dimensions. At the optimum -grad E is the score of the density that the noise
has smoothed, so E = -log p_s but for a constant, low where points are; the published sign trained
the opposite. The activation is smooth: with ReLU the score would be constant piece by piece. One
network for each deviation s. The gradient is taken of s^2 times the loss, which Adam doesn't tell
from the loss itself; ``published`` among the parts is the loss.

References
----------
Vincent, "A connection between score matching and denoising autoencoders", Neural Computation 23
(2011) 1661. JointEmbeddingArchitecturesTutorial, ``regularization.py``: s = 1, ReLU, 1,000 steps.
"""

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

import numpy as np
from pydantic import Field

from physprobe.train._points_models import Points

if TYPE_CHECKING:
    import torch
    from torch import nn

    from physprobe.train._points import Batch

STOPS = False


class Spec(Points):
    """Energies of a smoothed density."""

    kind: Literal["dsm"] = "dsm"
    """Recipe."""
    noises: tuple[Annotated[float, Field(gt=0)], ...] = Field((1.0,), min_length=1)
    """Deviations of noise, a network each; those of one seed begin with the same weights."""
    activation: Literal["relu", "silu"] = "silu"
    """After each hidden layer."""
    steps: int = Field(1000, gt=0)
    """Steps in all; what the tutorial calls an epoch is one of them."""

    OUTPUT: ClassVar = "energy"

    @property
    def deviations(self) -> tuple[float, ...]:
        """Deviations of noise."""
        return self.noises

    @property
    def members(self) -> dict[int, Self]:
        """Spec of each seed's network for each deviation."""
        count = len(self.noises)
        return {
            seed * count + place: self.model_copy(
                update={"seeds": (seed,), "seed": seed, "noises": (noise,)}
            )
            for seed in self.seeds
            for place, noise in enumerate(self.noises)
        }


def networks(spec: Spec) -> "dict[str, nn.Module]":
    """The energy."""
    from physprobe.train import _points

    return {"encoder": _points.network(spec)}


def draw(spec: Spec, rng: np.random.Generator) -> "dict[str, torch.Tensor]":
    """Noise (sample, 2) of deviation 1, and the deviation."""
    import torch

    from physprobe.train import _points

    deviation = torch.tensor(spec.noises[0], dtype=torch.float32)
    return {"noise": _points.noise(spec, rng, 1.0), "deviation": deviation}


def loss(
    spec: Spec, net: "Any", batch: "Batch", drawn: "dict[str, torch.Tensor]"
) -> "tuple[torch.Tensor, dict[str, torch.Tensor]]":
    """Mean square of what is left of the noise."""
    from physprobe.embed.networks import points

    deviation, noise = drawn["deviation"], drawn["noise"]
    energy, gradient = points.energies(net.encoder, batch.points + deviation * noise)
    scaled = (noise - deviation * gradient).square().mean()
    # the constant of E has no say, and so a gradient of 0
    return scaled + 0 * energy.mean(), {"published": (scaled / deviation**2).detach()}
