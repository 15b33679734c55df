"""Masked JEPA: from one coordinate of a point to the direction that the target gives the other.

    loss = mean (f(x m) / |f(x m)| - sg f'(x (1 - m)) / |f'(x (1 - m))|)^2

with m hiding one coordinate, drawn at every step for the whole batch; f' follows f. Variants: a
``predictor`` of the target's embedding (``predictor: true``); a target that sees the whole point;
and ``pairs: all``, the mean over all pairs of a batch, least where all directions are one.

References
----------
As published in JointEmbeddingArchitecturesTutorial, ``jepa_ema.py``; ``jepa_predict.py`` has a
predictor, whole targets and all pairs.
"""

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from physprobe.train._points_models import Followed

if TYPE_CHECKING:
    import torch
    from torch import nn

    from physprobe.train._points import Batch

STOPS = False
KEPT = ("encoder", "target")


class Spec(Followed):
    """One coordinate and the other."""

    kind: Literal["jepa_masked"] = "jepa_masked"
    """Recipe."""
    predictor: bool = False
    """Whether a network of the encoder's widths goes from the context's embedding to the target's;
    otherwise the two are to be equal."""
    goal: Literal["hidden", "whole"] = "hidden"
    """What the target sees: the coordinate that the context lacks, or the point."""
    pairs: Literal["own", "all"] = "own"
    """Whether a point is compared with its own target, or with all of the batch."""


def networks(spec: Spec) -> "dict[str, nn.Module]":
    """Encoder and target, and the predictor if there is one."""
    from physprobe.train import _points

    found = _points.pair(spec)
    if spec.predictor:
        found["predictor"] = _points.network(spec, "predictor", spec.embedding)
    return found


def draw(spec: Spec, rng: np.random.Generator) -> "dict[str, torch.Tensor]":
    """Which coordinate is seen: 1, the other 0."""
    from physprobe.train import _points

    return {"seen": _points.coordinate(rng)}


def loss(
    spec: Spec, net: "Any", batch: "Batch", drawn: "dict[str, torch.Tensor]"
) -> "tuple[torch.Tensor, dict[str, torch.Tensor]]":
    """Mean squared difference of directions, of own or of all pairs."""
    from torch import nn

    from physprobe.train import _losses, _points

    seen = drawn["seen"]
    context = net.encoder(batch.points * seen)
    if spec.predictor:
        context = net.predictor(context)
    context = nn.functional.normalize(context, dim=-1)
    shown = batch.points if spec.goal == "whole" else batch.points * (1 - seen)
    goal = _points.goal(net.target, shown)
    if spec.pairs == "all":
        return _losses.pairwise(context, goal), {}
    return (context - goal).square().mean(), {}


def after_step(spec: Spec, net: "Any", progress: float) -> None:
    """Let the target follow."""
    from physprobe.train import _average

    _average.follow(net.target, net.encoder, spec.momentum)
