"""Fields operator: infer from some frames the operator that evolves them, and evolve it further.

    z = E(x[t - F + 1 ... t]),    theta = G(z)
    loss = mean (u[k] - x[t + k])^2,    k = 1 ... ahead,    u[0] = x[t],    u[k] = u[k - 1] evolved

with a hypernetwork E and G: the latent z is one vector for all of a window, and every weight theta
of a small operator follows from it (``operators``). The operator sees the last frame alone, so
whatever else it takes to go on, such as a viscosity, has to be in z. Persistence stands beside the
loss.

As DISCO has it, but for sizes, for the operator's shape, for an error of several frames, and for
the step, which is a fixed one; published: one hypernetwork of many data sets, and the next frame.

References
----------
Morel, Han, Oyallon 2025, DISCO: learning to DISCover an evolution Operator for
multi-physics-agnostic prediction, arXiv:2504.19496.
"""

from typing import TYPE_CHECKING, ClassVar, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from physprobe.config.fields import FieldNetwork, Hypernetwork
from physprobe.train._fields import Fields

if TYPE_CHECKING:
    import torch
    from torch import nn

    from physprobe.embed.networks import fields
    from physprobe.train._stored import Batch, Networks

KEPT = ("encoder", "generator")
STOPS = False


class Spec(Hypernetwork, Fields):
    """Evolution by an operator that a window gives."""

    kind: Literal["fields_operator"] = "fields_operator"
    """Recipe."""
    ahead: int = Field(4, gt=0)
    """Frames that are evolved, at most as many as are seen."""

    SIZES: ClassVar[type[FieldNetwork]] = Hypernetwork

    @model_validator(mode="after")
    def _within(self) -> Self:
        if self.ahead > self.frames:
            raise ValueError(f"ahead: {self.ahead} frames, but a group has {self.frames}")
        return self


def networks(spec: Spec) -> "dict[str, nn.Module | None]":
    """Hypernetwork: encoder, and what makes an operator of its latent."""
    from physprobe.embed.networks import operators
    from physprobe.train import _stored

    def make(shown: "fields.Shown") -> dict[str, "nn.Module"]:
        return {"generator": operators.Generator(spec, shown)}

    return _stored.networks(spec, make)


def loss(
    spec: Spec, net: "Networks", batch: "Batch", drawn: np.random.Generator
) -> "tuple[torch.Tensor, dict[str, torch.Tensor]]":
    """Loss of a batch, and that of persistence beside it; nothing is drawn."""
    now, later = batch.groups.unbind(1)
    goal, last = later[:, : spec.ahead], now[:, -1]
    found = net.generator.evolved(net.encoder(now).flatten(1), last, spec.ahead)
    persistence = (goal - last[:, None]).square().mean()
    return (found.float() - goal).square().mean(), {"persistence": persistence.detach()}
