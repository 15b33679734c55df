"""Predictor: beside an encoder that is trained already, and stays as it is.

    loss = mean |P(E(x_seen), next) - LN(E(x))_next|

The encoder E sees the first tubelets alone; the predictor P gives its hidden states at the next
ones, as they are where E sees the whole window, normed. That is V-JEPA's loss (``vjepa``) with all
of the next tubelets masked and nothing of E or its targets trained: what comes of it says what can
be foreseen from this encoder's states, not that the encoder was trained to foresee.
"""

from typing import TYPE_CHECKING, Literal, Protocol, Self

import numpy as np
from pydantic import model_validator

from physprobe.train._windowed import Future

if TYPE_CHECKING:
    import torch
    from torch import nn
    from transformers.models.vjepa2.modeling_vjepa2 import VJEPA2Encoder

    from physprobe.train._stream import Batch

    class Networks(Protocol):
        """Those of this recipe, as attributes."""

        encoder: VJEPA2Encoder
        predictor: nn.Module


KEPT = ("encoder", "predictor")
FORESEES = True


class Spec(Future):
    """Hidden states of the next tubelets, by a predictor alone."""

    kind: Literal["predictor"] = "predictor"
    """Recipe."""

    @model_validator(mode="after")
    def _beside(self) -> Self:
        self.check_room()
        if not self.grown_from:
            raise ValueError("grown_from: name the encoder that the predictor is trained beside")
        return self


def networks(spec: Spec) -> "dict[str, nn.Module]":
    """The encoder, which no gradient reaches, and a predictor."""
    from physprobe.train import _tokens

    encoder = _tokens.encoder(spec).requires_grad_(False)
    predictor = _tokens.Predictor(spec, spec.hidden_size, spec.predictor_layers)
    return {"encoder": encoder, "predictor": predictor}


def loss(
    spec: Spec, net: "Networks", batch: "Batch", drawn: np.random.Generator
) -> "tuple[torch.Tensor, dict[str, torch.Tensor]]":
    """Loss of a batch, and nothing else to report; how many tubelets are seen is drawn."""
    import torch

    from physprobe.train import _future, _losses, _tokens

    video = batch.video
    seen, *places = _future.split(spec, len(video), drawn)
    shown, asked = (value.to(video.device) for value in places)
    with torch.no_grad():
        whole = _tokens.encode(net.encoder, video)
        context = _tokens.encode(net.encoder, video[:, : seen * spec.tubelet_size])
    predicted = net.predictor(context, shown, asked)
    return _losses.latent(predicted, _tokens.take(whole, asked)), {}
