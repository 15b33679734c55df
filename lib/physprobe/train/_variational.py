"""Variational: what latent prediction by distributions has in common, with a prior and without.

    q(z | x[t+1]) = N(W' x[t+1], exp(t)),    p(z | x[t]) = N(P W x[t], exp(l))
    loss = -E_q log p + beta KL(q | N(0, I))

W' follows W as a moving average and gets no gradient.

As published t = 0, l = v . x without bias, and the divergence is of the target alone: it has no
gradient. The likelihood's optimum is v = 0 for every symmetric x. So neither variance is learned,
and nothing keeps latents apart: that all are equal is the optimum.

Learned: l and t are constants for each feature; the divergence is of N(W x[t+1], exp(t)) with W
itself, so that both have a gradient; and VICReg's terms on p keep latents apart.
"""

from typing import TYPE_CHECKING, Any

from pydantic import Field

from physprobe.train._linear_models import LinearModels, Variances

if TYPE_CHECKING:
    import torch
    from torch import nn

    from physprobe.train._sensors import Batch


class Variational(LinearModels):
    """Prediction of distributions of latents."""

    variances: Variances = "published"
    """Log-variances without bias, or constants that are learned, with a guard against collapse."""
    beta: float = Field(0.01, ge=0)
    """Weight of the target's divergence from a standard normal."""
    momentum: float = Field(0.99, ge=0, lt=1)
    """Of the target's moving average."""
    variance: float = Field(25.0, ge=0)
    """Weight of the shortfall of deviations, where variances are learned."""
    covariance: float = Field(1.0, ge=0)
    """Weight of squared covariances, where variances are learned."""


def networks(spec: Variational) -> "dict[str, nn.Module]":
    """Encoder, predictor, target encoder, and the variances of both distributions."""
    import torch

    from physprobe.train import _average, _sensors

    encoder = _sensors.maps(spec, "encoder", spec.width)
    predictor = _sensors.maps(spec, "predictor", spec.width, spec.width)
    found: dict[str, nn.Module] = {
        "encoder": encoder,
        "predictor": predictor,
        "target": _average.follower(encoder),
    }
    count = len(encoder.weight)
    if spec.variances == "learned":
        levels = (_sensors.Levels(count, spec.width) for _ in range(2))
        return {**found, **dict(zip(("spread", "target_spread"), levels, strict=True))}
    # no gradient ever reaches it, so it is frozen: as published it stays 0
    still = _sensors.Maps(torch.zeros_like(encoder.weight)).requires_grad_(False)
    return {
        **found,
        "spread": _sensors.maps(spec, "spread", spec.width, spec.width),
        "target_spread": still,
    }


def terms(spec: Variational, net: "Any", batch: "Batch") -> "dict[str, torch.Tensor]":
    """Weighted terms (condition,) by name."""
    import torch

    from physprobe.train import _gaussian

    pairs, encoder = batch.pairs, net.encoder.weight
    map_, goal = net.predictor.weight @ encoder, net.target.weight
    following = pairs.products[..., 2, :, :]
    if spec.variances == "published":
        with torch.no_grad():
            wide = net.target_spread.weight
            noise = _gaussian.exponential(wide, pairs.later)
            square = _gaussian.quadratic(goal, following)
            mean = _gaussian.level(wide, pairs.mean[..., 1, :])
            apart = (noise + square - 1 - mean).sum(-1) / 2
        spread = net.spread.weight @ encoder
        told = _gaussian.likelihood(map_, spread, goal, noise, pairs).sum(-1)
        return {"likelihood": told, "divergence_of_target": spec.beta * apart}
    level, own = net.spread.level, net.target_spread.level
    products = pairs.products.unbind(-3)
    *known, of_now = _gaussian.seen(map_, *products[:2], pairs.now)
    error = _gaussian.squared_error(map_, pairs, goal, (known[0], known[1])) + own.exp()
    square = _gaussian.quadratic(encoder, following)
    hinge, crossed = _gaussian.regularised(map_, pairs.now, pairs.samples, of_now)
    return {
        "likelihood": ((level + error / level.exp()).sum(-1) + spec.width * _gaussian.LOG_TURN) / 2,
        "divergence_of_target": spec.beta * _gaussian.divergence(square, own).sum(-1),
        "variance_of_predicted": spec.variance * hinge,
        "covariance_of_predicted": spec.covariance * crossed,
    }


def after_step(spec: Variational, net: "Any", progress: float) -> None:
    """Let the target follow."""
    from physprobe.train import _average

    _average.follow(net.target, net.encoder, spec.momentum)


def outputs(spec: Variational, tensors: "Any") -> "dict[str, tuple[torch.Tensor, torch.Tensor]]":
    """Layers as maps and levels: latent, prediction, its log-variance, target and the target's."""
    from physprobe.train import _sensors

    encoder, target = tensors["encoder.weight"], tensors["target.weight"]
    nothing = _sensors.nothing(encoder)
    predicted = tensors["predictor.weight"] @ encoder
    if spec.variances == "learned":
        still = encoder * 0
        spread, wide = ((still, tensors[f"{n}.level"]) for n in ("spread", "target_spread"))
    else:
        spread = tensors["spread.weight"] @ encoder, nothing
        wide = tensors["target_spread.weight"], nothing
    return {
        "latent": (encoder, nothing),
        "predicted": (predicted, nothing),
        "log_variance": spread,
        "target": (target, nothing),
        "target_log_variance": wide,
    }
