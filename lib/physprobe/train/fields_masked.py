"""Fields masked: see some of the places, paint the fields at the others.

    loss = mean over hidden places of (D(E(x with places hidden)) - goal)^2

with encoder E and a light decoder D. A place is a patch in space at all times of a group of frames
(tubes), so that nothing can be copied from the frame before. Hidden places show one learned value
for each field, to both networks alike (``replaced``); or the transformer doesn't see them at all,
as VideoMAE has it (``dropped``), which is the cheaper the more are hidden. The goal is the fields
there, normed patch by patch and field by field as published (``normalised``), or as they are seen.

References
----------
Tong et al. 2022, VideoMAE, arXiv:2203.12602; Xie et al. 2022, SimMIM, arXiv:2111.09886;
"Representation Learning for Spatiotemporal Physical Systems", arXiv:2603.13227.
"""

from typing import TYPE_CHECKING, Literal, Self, cast

import numpy as np
from pydantic import Field, model_validator

from physprobe.train._fields import Fields

if TYPE_CHECKING:
    import torch
    from torch import nn

    from physprobe.embed.networks import fields
    from physprobe.train._stored import Batch, Networks

KEPT = ("encoder", "decoder", "hidden")
STOPS = False


class Spec(Fields):
    """Masked fields."""

    kind: Literal["fields_masked"] = "fields_masked"
    """Recipe."""
    masked: float = Field(0.75, gt=0, lt=1)
    """Part of the places that is hidden, one at least; published: 0.9, of 196 places. Of few places
    next to nothing would be seen then."""
    hide: Literal["replaced", "dropped"] = "replaced"
    """Whether hidden places show a learned value, or are left out (of a transformer)."""
    goal: Literal["normalised", "values"] = "normalised"
    """What is painted."""

    @model_validator(mode="after")
    def _can_drop(self) -> Self:
        if self.hide == "dropped" and self.network != "vit":
            raise ValueError("hide: a transformer alone can leave places out; choose replaced")
        return self


def networks(spec: Spec) -> "dict[str, nn.Module | None]":
    """Encoder, decoder, and what stands where places are hidden."""
    from physprobe.embed.networks import fields
    from physprobe.train import _stored

    def make(shown: "fields.Shown") -> dict[str, "nn.Module"]:
        values = spec.strides[0] * spec.strides[1] * spec.strides[2] * len(shown.channels)
        inputs = spec.widths[-1] if spec.hide == "dropped" else len(shown.channels)
        return {"decoder": fields.Head(spec, shown, values), "hidden": fields.Values(inputs)}

    return _stored.networks(spec, make)


def loss(
    spec: Spec, net: "Networks", batch: "Batch", drawn: np.random.Generator
) -> "tuple[torch.Tensor, dict[str, torch.Tensor]]":
    """Loss of a batch, and nothing else to report; what is hidden is drawn."""
    from physprobe.train import _losses, _masks, _patches, _stored

    frames = _stored.samples(batch)
    grid = net.encoder.grid
    kept, masked = _masks.tubes(grid, len(frames), drawn, part=spec.masked)
    kept, masked = kept.to(frames.device), masked.to(frames.device)
    if spec.hide == "dropped":
        features = dropped(net, frames, kept)
    else:
        features = net.encoder(replaced(spec, net, frames, masked))
    painted = _patches.take(net.decoder(features).flatten(1, 3), masked)
    pieces = _patches.patches(frames.movedim(-1, 2), spec.strides[0], spec.strides[1])
    goal = _patches.take(pieces, masked)
    if spec.goal == "normalised":
        goal = _losses.normalised_pixels(goal, spec.strides[0], frames.shape[-1])
    return (painted.float() - goal).square().mean(), {}


def replaced(
    spec: Spec, net: "Networks", frames: "torch.Tensor", masked: "torch.Tensor"
) -> "torch.Tensor":
    """Frames (sample, frame, y, x, channel) with the learned values at hidden places."""
    import torch

    places = torch.zeros(len(frames), int(np.prod(net.encoder.grid)), device=frames.device)
    covered = places.scatter_(1, masked, 1.0).unflatten(1, net.encoder.grid)
    for axis, size in enumerate(spec.strides, 1):
        covered = covered.repeat_interleave(size, axis)
    return torch.where(covered[..., None] > 0, net.hidden.value, frames)


def dropped(net: "Networks", frames: "torch.Tensor", kept: "torch.Tensor") -> "torch.Tensor":
    """Features of tokens that saw no hidden ones, and the learned ones in these places."""
    from physprobe.train import _patches

    encoder = cast("fields.ViT", net.encoder)
    tokens = encoder.tokens(frames)
    seen = encoder.seen(_patches.take(tokens, kept))
    empty = net.hidden.value.to(seen.dtype).expand(tokens.shape)
    places = kept[..., None].expand(-1, -1, seen.shape[-1])
    return empty.scatter(1, places, seen).unflatten(1, encoder.grid)
