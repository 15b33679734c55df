"""Dynamics JEPA: predict the latents of the next frames from that of the last few.

    z[t] = E(x[t - H + 1 ... t]),    y[t] = E'(x[t - H + 1 ... t])
    loss = invariance mean_k |P^k(z[t]) - y[t + k]|^2 + what keeps latents p apart

with predictor P unrolled over ``horizon`` frames and target encoder E', which gets no gradient and
follows E as a moving average. What is kept apart, p, are the predicted latents P^k(z[t]) as
published, which keeps predictions from shrinking to what is likely; or z[t] themselves. Nothing in
the first term keeps all latents from becoming equal; ``against_collapse`` says what does:

    none        nothing: the standing negative control
    variance    mean max(0, 1 - var p)
    deviation   mean max(0, 1 - sqrt(var p + 1e-4))
    batch_norm  nothing but the norm after each convolution (set ``normalisation: batch``)
    masking     some frames are hidden: the last visible ones give the latent, the first hidden
                ones the target, so many steps of P later as they are apart
    vicreg      variance and covariance terms of VICReg, at every step of P if it is of predictions
    sigreg      latents along random directions are told apart from a standard normal (Epps, Pulley)

References
----------
Assran et al. 2023, I-JEPA, arXiv:2301.08243; Bardes et al. 2022, VICReg, arXiv:2105.04906;
Balestriero, LeCun 2025, LeJEPA, arXiv:2511.08544.
"""

from typing import TYPE_CHECKING, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from physprobe.train._latents import Latents

if TYPE_CHECKING:
    import torch
    from torch import nn

    from physprobe.train._clips import Batch, Networks

KEPT = ("encoder", "predictor")
STOPS = False
Guard = Literal["none", "variance", "deviation", "batch_norm", "masking", "vicreg", "sigreg"]


class Spec(Latents):
    """Latent prediction over several frames."""

    kind: Literal["dynamics_jepa"] = "dynamics_jepa"
    """Recipe."""
    against_collapse: Guard = "vicreg"
    """What keeps latents from becoming equal."""
    kept_apart: Literal["predictions", "latents"] = "predictions"
    """Whether it acts on predicted latents or on those of the frames that are seen."""
    invariance: float = Field(25.0, gt=0)
    """Weight of the squared distance between prediction and target."""
    variance: float = Field(25.0, ge=0)
    """Weight of the variance's shortfall (``variance``, ``deviation``, ``vicreg``) or of the
    distance from a normal (``sigreg``)."""
    covariance: float = Field(1.0, ge=0)
    """Weight of squared covariances (``vicreg``)."""
    momentum: tuple[float, float] = (0.99, 1.0)
    """Of the target encoder's moving average, at the first step and at the last."""
    masked: float = Field(0.4, gt=0, lt=1)
    """Part of a window's frames that are hidden (``masking``)."""
    directions: int = Field(64, gt=0)
    """Random directions per step (``sigreg``)."""

    @property
    def together(self) -> bool:
        """As others, unless how often the predictor is applied is drawn."""
        return super().together and self.against_collapse != "masking"

    @model_validator(mode="after")
    def _guarded(self) -> Self:
        if (self.against_collapse == "batch_norm") != (self.normalisation == "batch"):
            raise ValueError(
                f"against_collapse: {self.against_collapse} with normalisation:"
                f" {self.normalisation}; batch_norm and batch go together"
            )
        if self.against_collapse == "masking" and self.kept_apart == "latents":
            raise ValueError("kept_apart: masking keeps nothing apart by a term; leave it out")
        if not all(0 <= end <= 1 for end in self.momentum):
            raise ValueError(f"momentum has to lie between 0 and 1, not {self.momentum}")
        return self


def networks(spec: Spec) -> "dict[str, nn.Module]":
    """Encoder, target encoder and predictor."""
    from physprobe.embed.networks import latent
    from physprobe.train import _average, _clips

    shown = _clips.seen(spec)
    found = latent.drawn(
        spec.seed,
        lambda: {"encoder": latent.Encoder(spec, shown), "predictor": latent.Predictor(spec)},
    )
    return {**found, "target": _average.follower(found["encoder"])}


def draw(spec: Spec, rng: np.random.Generator) -> "dict[str, torch.Tensor]":
    """Directions, or frames that are seen and frames that are predicted, where there are any.

    Frames that are hidden are the same for all windows of a batch, which start at different times.
    """
    import torch

    from physprobe.train import _losses

    if spec.against_collapse == "sigreg":
        return {"directions": _losses.directions(spec.embedding, spec.directions, rng)}
    if spec.against_collapse != "masking":
        return {}
    count = max(spec.history, round(spec.masked * spec.window))
    hidden = np.sort(rng.choice(np.arange(spec.history, spec.window), count, replace=False))
    visible = np.setdiff1d(np.arange(spec.window), hidden)
    context = visible[visible < hidden[0]][-spec.history :]
    goal = hidden[: spec.history]
    return {"context": torch.from_numpy(context), "goal": torch.from_numpy(goal)}


def loss(
    spec: Spec, net: "Networks", batch: "Batch", drawn: "dict[str, torch.Tensor]"
) -> "tuple[torch.Tensor, dict[str, torch.Tensor]]":
    """Loss of a batch, its terms before weighting, and what it is with those of the targets."""
    import torch

    if spec.against_collapse == "masking":
        predicted, goal = _masked(net, batch, drawn)
        apart = predicted
    else:
        start = net.encoder(batch.video[:, : spec.history])
        predicted = net.predictor.unrolled(start, spec.horizon)
        with torch.no_grad():
            goal = net.target.each(batch.video[:, 1:])
        apart = predicted if spec.kept_apart == "predictions" else start[:, None]
    terms = {"invariance": (predicted - goal).square().mean(), **_guard(spec, apart, drawn)}
    total = sum(getattr(spec, name) * term for name, term in terms.items())
    with torch.no_grad():
        # published losses count the targets' terms too, which have no gradient
        more = _guard(spec, goal, drawn) if spec.against_collapse != "masking" else {}
        published = sum((getattr(spec, name) * term for name, term in more.items()), total)
    reported = {**terms, "loss_with_targets": published}
    return total, {name: term.detach() for name, term in reported.items()}


def _guard(
    spec: Spec, latents: "torch.Tensor", drawn: "dict[str, torch.Tensor]"
) -> "dict[str, torch.Tensor]":
    """Terms that keep latents (window, step, feature) apart, by their weight's name."""
    import torch

    from physprobe.train import _losses

    steps = latents.unbind(1)
    if spec.against_collapse == "variance":
        return {"variance": torch.relu(1 - latents.var(0)).mean()}
    if spec.against_collapse == "deviation":
        return {"variance": torch.stack([_losses.variance(step) for step in steps]).mean()}
    if spec.against_collapse == "vicreg":
        return {
            "variance": torch.stack([_losses.variance(step) for step in steps]).mean(),
            "covariance": torch.stack([_losses.covariance(step) for step in steps]).mean(),
        }
    if spec.against_collapse == "sigreg":
        parts = [_losses.normality(step, drawn["directions"]) for step in steps]
        return {"variance": torch.stack(parts).mean()}
    return {}


def _masked(
    net: "Networks", batch: "Batch", drawn: "dict[str, torch.Tensor]"
) -> "tuple[torch.Tensor, torch.Tensor]":
    """Predicted and target latents (window, 1, feature) where some frames are hidden."""
    import torch

    context, goal = drawn["context"], drawn["goal"]
    gap = int(goal[0] - context[-1])
    start = net.encoder(batch.video[:, context])
    predicted = net.predictor.unrolled(start, gap)[:, -1:]
    with torch.no_grad():
        return predicted, net.target(batch.video[:, goal])[:, None]


def after_step(spec: Spec, net: "Networks", progress: float) -> None:
    """Let the target encoder follow the encoder, its norms' statistics too."""
    from physprobe.train import _average

    momentum = _average.momentum(spec.momentum, progress)
    _average.follow(net.target, net.encoder, momentum)
    _average.follow_statistics(net.target, net.encoder, momentum)
