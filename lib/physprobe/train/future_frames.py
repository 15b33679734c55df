"""Future frames: see the first tubelets, predict how the next ones will have changed.

    loss = mean (p - asinh((u[t] - u[last seen]) / scale))^2

with u the field before the colormap (so that no rendering is learnt by heart), on the pixels of the
next tubelets. The inverse sine keeps small changes in sight beside large ones.
"""

from typing import TYPE_CHECKING, Literal, Protocol

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


class Spec(Future):
    """Predict the change of the next frames."""

    kind: Literal["future_frames"] = "future_frames"
    """Recipe."""

    @model_validator(mode="after")
    def _room(self) -> "Spec":
        self.check_room()
        return self


def networks(spec: Spec) -> "dict[str, nn.Module]":
    """Encoder and predictor."""
    from physprobe.train import _future, _tokens

    return {"encoder": _tokens.encoder(spec), "predictor": _future.predictor(spec)}


def loss(
    spec: Spec, net: "Networks", batch: "Batch", drawn: np.random.Generator
) -> "tuple[torch.Tensor, dict[str, torch.Tensor]]":
    """Loss of a batch, and nothing else to report; how many tubelets are seen is drawn."""
    from physprobe.train import _future, _tokens

    video = batch.video
    seen, shown, asked = _future.split(spec, len(video), drawn)
    hidden = _tokens.encode(net.encoder, video[:, : seen * spec.tubelet_size])
    predicted = net.predictor(hidden, shown.to(video.device), asked.to(video.device))
    return _future.loss(spec, predicted, batch, seen), {}
