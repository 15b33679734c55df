"""JEPA with a moving average: a point is to have the direction that the target gives a noisy copy.

    loss = mean (f(x) / |f(x)| - sg f'(y) / |f'(y)|)^2,    y = x + e,  e ~ N(0, s^2 I)

over samples and features; f' follows f. ``mixed`` takes the mean of the loss over all pairs and of
that with one coordinate hidden in its place.

References
----------
As defined in JointEmbeddingArchitecturesTutorial, ``jepa_ema.py``, where all of it is commented
out: the figure of that name is one of Barlow Twins.
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
    """A point and what the target makes of a noisy copy."""

    kind: Literal["jepa_ema"] = "jepa_ema"
    """Recipe."""
    noise: float = Field(0.1, ge=0)
    """Deviation of the noise of the target's view."""
    mixed: bool = False
    """Whether the loss is half that of all pairs and half that of masked points."""


def networks(spec: Spec) -> "dict[str, nn.Module]":
    """Encoder and target."""
    from physprobe.train import _points

    return _points.pair(spec)


def draw(spec: Spec, rng: np.random.Generator) -> "dict[str, torch.Tensor]":
    """Noise of the target's view, and which coordinate is hidden, where one is."""
    from physprobe.train import _points

    noise = {"noise": _points.noise(spec, rng, spec.noise)}
    return {**noise, "seen": _points.coordinate(rng)} if spec.mixed else noise


def loss(
    spec: Spec, net: "Any", batch: "Batch", drawn: "dict[str, torch.Tensor]"
) -> "tuple[torch.Tensor, dict[str, torch.Tensor]]":
    """Mean squared difference of directions, or the mean of two such losses."""
    from physprobe.train import _losses, _points

    first = _points.unit(net.encoder, batch.points)
    second = _points.goal(net.target, batch.points + drawn["noise"])
    if not spec.mixed:
        return (first - second).square().mean(), {}
    seen = drawn["seen"]
    visible = _points.unit(net.encoder, batch.points * seen)
    hidden = _points.goal(net.target, batch.points * (1 - seen))
    parts = {
        "pairwise": _losses.pairwise(first, second),
        "masked": (visible - hidden).square().mean(),
    }
    whole = (parts["pairwise"] + parts["masked"]) / 2
    return whole, {name: part.detach() for name, part in parts.items()}


def after_step(spec: Spec, net: "Any", progress: float) -> None:
    """Let the target follow."""
    from physprobe.train import _average

    _average.follow(net.target, net.encoder, spec.momentum)
