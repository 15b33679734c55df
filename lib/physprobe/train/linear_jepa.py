"""Linear JEPA: predict the next latent, kept apart by VICReg's terms.

    p = P W x[t],    y = W' x[t+1],    loss = 25 mean (p - y)^2 + sum over p, y of 25 v + c

with W' the moving average of W, v the shortfall of deviations below 1 and c squared covariances of
different features. W' gets no gradient, so the published terms of y have none either: they add a
number. With latents that are white and without a limit on steps the optimum is time-lagged CCA: the
directions that are most alike from step to step, whosever they are.

References
----------
As published in JointEmbeddingArchitecturesTutorial, ``tv_noise.py``.
"""

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field

from physprobe.train._linear_models import LinearModels

if TYPE_CHECKING:
    import torch
    from torch import nn

    from physprobe.train._sensors import Batch

KEPT = ("encoder", "predictor", "target")
STOPS = False


class Spec(LinearModels):
    """Latent prediction."""

    kind: Literal["linear_jepa"] = "linear_jepa"
    """Recipe."""
    invariance: float = Field(25.0, gt=0)
    """Weight of the squared distance between prediction and target."""
    variance: float = Field(25.0, ge=0)
    """Weight of the shortfall of deviations."""
    covariance: float = Field(1.0, ge=0)
    """Weight of squared covariances."""
    momentum: float = Field(0.99, ge=0, lt=1)
    """Of the target's moving average."""


def networks(spec: Spec) -> "dict[str, nn.Module]":
    """Encoder, predictor and target encoder."""
    from physprobe.train import _average, _sensors

    encoder = _sensors.maps(spec, "encoder", spec.width)
    predictor = _sensors.maps(spec, "predictor", spec.width, spec.width)
    return {"encoder": encoder, "predictor": predictor, "target": _average.follower(encoder)}


def terms(spec: Spec, net: "Any", batch: "Batch") -> "dict[str, torch.Tensor]":
    """Weighted terms (condition,) by name."""
    from physprobe.train import _gaussian

    pairs = batch.pairs
    map_, goal = net.predictor.weight @ net.encoder.weight, net.target.weight
    products = pairs.products.unbind(-3)
    *known, of_now = _gaussian.seen(map_, *products[:2], pairs.now)
    apart = {
        "predicted": _gaussian.regularised(map_, pairs.now, pairs.samples, of_now),
        "target": _gaussian.regularised(goal, pairs.following, pairs.samples),
    }
    error = _gaussian.squared_error(map_, pairs, goal, (known[0], known[1]))
    found = {"invariance": spec.invariance * error.mean(-1)}
    for name, (hinge, crossed) in apart.items():
        found[f"variance_of_{name}"] = spec.variance * hinge
        found[f"covariance_of_{name}"] = spec.covariance * crossed
    return found


def draw(spec: Spec, rng: np.random.Generator) -> "dict[str, torch.Tensor]":
    """Nothing: all expectations are exact."""
    return {}


def loss(
    spec: Spec, net: "Any", batch: "Batch", drawn: Any
) -> "tuple[torch.Tensor, dict[str, torch.Tensor]]":
    """Sum over conditions of their losses, and the means of its terms."""
    from physprobe.train import _sensors

    with _sensors.exact(batch):
        return _sensors.total(terms(spec, net, batch))


def after_step(spec: Spec, net: "Any", progress: float) -> None:
    """Let the target follow."""
    from physprobe.train import _average

    _average.follow(net.target, net.encoder, spec.momentum)


def outputs(spec: Spec, tensors: "Any") -> "dict[str, tuple[torch.Tensor, torch.Tensor]]":
    """Layers as maps and levels: the latent, the predicted one, and the target."""
    from physprobe.train import _sensors

    encoder, target = tensors["encoder.weight"], tensors["target.weight"]
    predicted = tensors["predictor.weight"] @ encoder
    nothing = _sensors.nothing(encoder)
    return {
        "latent": (encoder, nothing),
        "predicted": (predicted, nothing),
        "target": (target, nothing),
    }
