"""V-JEPA: predict the hidden states of masked tokens from those of the others.

    loss = mean |P(E(x_kept), masked) - LN(sg(E'(x)))_masked|,    E' <- m E' + (1 - m) E

with encoder E, predictor P and target encoder E', which sees the whole window, gets no gradient
(sg) and follows E as a moving average; LN norms features. Two masks per clip: many small blocks and
few large ones. Blocks last all the time. One step costs a pass through E' and one through E and P
per mask, E's on the kept tokens alone.

``future_weight`` adds the loss of ``future_frames``; both losses then see the first tubelets only:

    loss + future_weight mean (P2(E(x_seen), next) - asinh((u[t] - u[last seen]) / scale))^2

References
----------
Assran et al. 2025, V-JEPA 2, arXiv:2506.09985; masks: Bardes et al. 2024, V-JEPA, arXiv:2404.08471.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal, Protocol

import numpy as np
from pydantic import Field, model_validator

from physprobe.train._windowed import Future

if TYPE_CHECKING:
    import torch
    from torch import nn
    from transformers.models.vjepa2.modeling_vjepa2 import VJEPA2Encoder

    from physprobe.train._stream import Batch

    class Networks(Protocol):
        """Those of this recipe, as attributes."""

        encoder: VJEPA2Encoder
        target: VJEPA2Encoder
        predictor: nn.Module
        future: nn.Module


KEPT = ("target", "encoder", "predictor")
FORESEES = True
Part = Annotated[float, Field(gt=0, lt=1)]


class Spec(Future):
    """Masked latent prediction."""

    kind: Literal["vjepa"] = "vjepa"
    """Recipe."""
    masks: tuple[tuple[Annotated[int, Field(gt=0)], Part], ...] = Field(
        ((8, 0.15), (2, 0.7)), min_length=1
    )
    """Masks of each clip: how many blocks, and the part of the frame that each of them covers."""
    aspect: tuple[float, float] = (0.75, 1.5)
    """Range of the blocks' height over width."""
    context: Part = 0.125
    """Part of the tokens that every mask leaves to be seen, at least: on a grid of few tokens two
    large blocks would cover them all."""
    momentum: tuple[float, float] = (0.998, 1.0)
    """Of the target encoder's moving average, at the first step and at the last."""
    future_weight: float = Field(0.0, ge=0)
    """Weight of the loss of the next frames' change; if not 0, the next tubelets are masked and
    nothing else, and ``masks``, ``aspect`` and ``context`` are not used."""

    @model_validator(mode="after")
    def _consistent(self) -> "Spec":
        low, high = self.aspect
        if not 0 < low <= high:
            raise ValueError(f"aspect has to ascend from above 0, not {low:g} to {high:g}")
        if not all(0 <= end <= 1 for end in self.momentum):
            raise ValueError(f"momentum has to lie between 0 and 1, not {self.momentum}")
        if self.future_weight:
            self.check_room()
        return self


def networks(spec: Spec) -> "dict[str, nn.Module | None]":
    """Encoder, target encoder and predictors; the future has one if its loss has a weight."""
    from physprobe.train import _average, _future, _tokens

    encoder = _tokens.encoder(spec)
    return {
        "encoder": encoder,
        "target": _average.follower(encoder),
        "predictor": _tokens.Predictor(spec, spec.hidden_size, spec.predictor_layers),
        "future": _future.predictor(spec) if spec.future_weight else None,
    }


def loss(
    spec: Spec, net: "Networks", batch: "Batch", drawn: np.random.Generator
) -> "tuple[torch.Tensor, dict[str, torch.Tensor]]":
    """Loss of a batch, and its parts ``latent`` and ``future`` if it has both; masks are drawn."""
    import torch

    from physprobe.train import _future, _losses, _tokens

    video = batch.video
    with torch.no_grad():
        whole = _tokens.encode(net.target, video)

    def latent(context: torch.Tensor, kept: torch.Tensor, masked: torch.Tensor) -> torch.Tensor:
        predicted = net.predictor(context, kept, masked)
        return _losses.latent(predicted, _tokens.take(whole, masked))

    if not spec.future_weight:
        losses = []
        for mask in masks(spec, len(video), drawn):
            kept, masked = (places.to(video.device) for places in mask)
            losses.append(latent(_tokens.encode(net.encoder, video, kept), kept, masked))
        return torch.stack(losses).mean(), {}
    seen, *places = _future.split(spec, len(video), drawn)
    shown, asked = (value.to(video.device) for value in places)
    context = _tokens.encode(net.encoder, video, shown)
    terms = {
        "latent": latent(context, shown, asked),
        "future": _future.loss(spec, net.future(context, shown, asked), batch, seen),
    }
    total = terms["latent"] + spec.future_weight * terms["future"]
    return total, {name: term.detach() for name, term in terms.items()}


def after_step(spec: Spec, net: "Networks", progress: float) -> None:
    """Let the target encoder follow the encoder."""
    from physprobe.train import _average

    _average.follow(net.target, net.encoder, _average.momentum(spec.momentum, progress))


def masks(
    spec: Spec, clips: int, rng: np.random.Generator
) -> "Iterator[tuple[torch.Tensor, torch.Tensor]]":
    """Places (clip, token) of what is seen and what is masked, mask by mask."""
    from physprobe.train import _masks

    for count, scale in spec.masks:
        yield _masks.blocks(
            spec.grid, clips, rng,
            count=count, scale=scale, aspect=spec.aspect, least=spec.context,
        )  # fmt: skip
