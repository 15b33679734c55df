"""Fields JEPA: predict the features of the next group of frames from this group's.

    p = P(E(x[0])),    y = E(x[1])
    loss = 2 mean (p - y)^2 + 40 (v(p) + v(y)) / 2 + 2 (c(p) + c(y))

with x[0], x[1] the two groups of a window, which are encoded apart, v the shortfall of features'
deviations below 1 and c their squared covariances (VICReg), over places of all windows: rows that
are mixed and dealt to ``chunks``, whose losses are averaged, all as published. The gradient goes
through both sides; or the second one is that of a moving average E' of the encoder, which gets none
(``momentum``), and v and c are those of p alone.

References
----------
"Representation Learning for Spatiotemporal Physical Systems", arXiv:2603.13227; Bardes et al. 2022,
VICReg, arXiv:2105.04906; Assran et al. 2023, I-JEPA, arXiv:2301.08243.
"""

from typing import TYPE_CHECKING, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from physprobe.train._fields import Fields

if TYPE_CHECKING:
    import torch
    from torch import nn

    from physprobe.train._stored import Batch, Networks

KEPT = ("encoder", "predictor")
STOPS = False


class Spec(Fields):
    """Prediction of features."""

    kind: Literal["fields_jepa"] = "fields_jepa"
    """Recipe."""
    invariance: float = Field(2.0, gt=0)
    """Weight of the squared distance between prediction and features,"""
    variance: float = Field(40.0, ge=0)
    """of the shortfall of deviations, the mean of both sides',"""
    covariance: float = Field(2.0, ge=0)
    """and of squared covariances, the sum of both sides'."""
    chunks: int = Field(5, gt=0)
    """Parts of the rows whose losses are averaged."""
    momentum: tuple[float, float] | None = None
    """Of a target encoder's moving average, at the first step and at the last; by default there is
    none, as published."""

    @model_validator(mode="after")
    def _between(self) -> Self:
        if self.momentum and not all(0 <= end <= 1 for end in self.momentum):
            raise ValueError(f"momentum has to lie between 0 and 1, not {list(self.momentum)}")
        return self


def networks(spec: Spec) -> "dict[str, nn.Module | None]":
    """Encoder and predictor; a target encoder, if one follows."""
    from physprobe.embed.networks import fields
    from physprobe.train import _average, _stored

    found = _stored.networks(
        spec, lambda shown: {"predictor": fields.Head(spec, shown, spec.widths[-1])}
    )
    if spec.momentum and found["encoder"] is not None:
        found["target"] = _average.follower(found["encoder"])
    return found


def loss(
    spec: Spec, net: "Networks", batch: "Batch", drawn: np.random.Generator
) -> "tuple[torch.Tensor, dict[str, torch.Tensor]]":
    """Loss of a batch, and its terms before weighting; how rows are mixed is drawn."""
    import torch

    from physprobe.train import _stored

    if spec.momentum:
        now = net.encoder(batch.groups[:, 0])
        with torch.no_grad():
            later = net.target(batch.groups[:, 1])
    else:
        now, later = _stored.encoded(net.encoder, batch.groups).unbind(1)
    sides = [side.flatten(0, -2).float() for side in (net.predictor(now), later)]
    order = torch.from_numpy(drawn.permutation(len(sides[0]))).to(sides[0].device)
    return terms(spec, *(side[order] for side in sides))


def terms(
    spec: Spec, predicted: "torch.Tensor", later: "torch.Tensor"
) -> "tuple[torch.Tensor, dict[str, torch.Tensor]]":
    """Loss of rows (row, feature) in the order in which chunks are cut, and its terms."""
    import torch

    from physprobe.train import _losses

    parts: dict[str, list[torch.Tensor]] = {"invariance": [], "variance": [], "covariance": []}
    pieces = zip(predicted.chunk(spec.chunks), later.chunk(spec.chunks), strict=True)
    for one, other in pieces:
        sides = (one,) if spec.momentum else (one, other)
        shortfall = torch.stack([_losses.variance(side) for side in sides])
        parts["invariance"].append((one - other).square().mean())
        parts["variance"].append(shortfall.mean())
        parts["covariance"].append(torch.stack([_losses.covariance(s) for s in sides]).sum())
    found = {name: torch.stack(values).mean() for name, values in parts.items()}
    total = sum(getattr(spec, name) * value for name, value in found.items())
    return total, {name: value.detach() for name, value in found.items()}


def after_step(spec: Spec, net: "Networks", progress: float) -> None:
    """Let the target encoder follow the encoder, where there is one."""
    from physprobe.train import _average

    if spec.momentum:
        momentum = _average.momentum(spec.momentum, progress)
        _average.follow(net.target, net.encoder, momentum)
