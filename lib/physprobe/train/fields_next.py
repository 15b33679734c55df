"""Fields next: give the frames that follow a group, through its features.

    loss = mean (x[t] + D(E(x[t - F + 1 ... t])) - x[t + k])^2,    k = 1 ... ahead

with the encoder of other recipes and a light decoder D behind it, whose last time is read: it gives
the change since the last frame, so that a network that has learnt nothing persists.

With ``network: avit`` that is the pretraining of MPP: D is the transpose of the patches'
convolutions, and gives the change in deviations of the sample itself, by which the encoder has
divided its fields. Published: the error of the next frame over its own variance, of many data sets
at once.

References
----------
McCabe et al. 2023, Multiple Physics Pretraining, arXiv:2310.02994; "Representation Learning for
Spatiotemporal Physical Systems", arXiv:2603.13227, has no row of the other networks.
"""

from typing import TYPE_CHECKING, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from physprobe.train._fields import Fields

if TYPE_CHECKING:
    import torch
    from torch import nn

    from physprobe.embed.networks import fields
    from physprobe.train._stored import Batch, Networks

KEPT = ("encoder", "decoder")
STOPS = False


class Spec(Fields):
    """Next frames."""

    kind: Literal["fields_next"] = "fields_next"
    """Recipe."""
    ahead: int = Field(1, gt=0)
    """Frames that are given, at most as many as are seen."""

    @model_validator(mode="after")
    def _within(self) -> Self:
        if self.ahead > self.frames:
            raise ValueError(f"ahead: {self.ahead} frames, but a group has {self.frames}")
        return self


def networks(spec: Spec) -> "dict[str, nn.Module | None]":
    """Encoder and decoder."""
    from physprobe.embed.networks import avit, fields
    from physprobe.train import _stored

    def make(shown: "fields.Shown") -> dict[str, "nn.Module"]:
        if spec.network == "avit":
            return {"decoder": avit.Painter(spec, shown, spec.ahead)}
        values = spec.ahead * spec.strides[1] * spec.strides[2] * len(shown.channels)
        return {"decoder": fields.Head(spec, shown, values)}

    return _stored.networks(spec, make)


def loss(
    spec: Spec, net: "Networks", batch: "Batch", drawn: np.random.Generator
) -> "tuple[torch.Tensor, dict[str, torch.Tensor]]":
    """Loss of a batch, and that of persistence beside it; nothing is drawn."""
    from physprobe.embed.networks import avit
    from physprobe.train import _patches

    now, later = batch.groups.unbind(1)
    goal = later[:, : spec.ahead] - now[:, -1:]
    given = net.decoder(net.encoder(now))
    if spec.network == "avit":
        given = given * avit.deviations(now)
    else:
        goal = _patches.patches(goal.movedim(-1, 2), spec.ahead, spec.strides[1])
        given = given[:, -1].flatten(1, 2)
    return (given.float() - goal).square().mean(), {"persistence": goal.square().mean().detach()}
