"""Temporal JEPA: predict the embedding of the next group of frames from this group's.

    loss = 25 mean (P(z[g]) - z[g + 1])^2 + 25 v(z) + c(z)

with z the mean over tokens of a group of tubelets that is encoded without the others. There is no
target encoder: the gradient goes through both sides, and VICReg's terms on all embeddings keep them
from shrinking to a point (v: standard deviations of at least 1) or to a line (c: no covariances).

References
----------
Bardes et al. 2022, VICReg, arXiv:2105.04906; on successive states, and the slow features that this
may prefer: Sobal et al. 2022, arXiv:2211.10831.
"""

from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np
from pydantic import Field, model_validator

from physprobe.train._windowed import Windowed

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


class Spec(Windowed):
    """Predict the next embedding."""

    kind: Literal["temporal_jepa"] = "temporal_jepa"
    """Recipe."""
    group: int = Field(2, gt=0)
    """Tubelets that are encoded together."""
    invariance: float = Field(25.0, gt=0)
    """Weight of the squared distance between prediction and embedding."""
    variance: float = Field(25.0, ge=0)
    """Weight of the shortfall of standard deviations below 1."""
    covariance: float = Field(1.0, ge=0)
    """Weight of the squared covariances between features."""
    predictor_ratio: float = Field(4.0, gt=0)
    """Width of the predictor's hidden layer over ``hidden_size``."""

    @model_validator(mode="after")
    def _divides(self) -> "Spec":
        tubelets = self.grid[0]
        if tubelets % self.group or tubelets < 2 * self.group:
            raise ValueError(
                f"group: a window of {tubelets} tubelets doesn't make two or more groups of"
                f" {self.group}"
            )
        return self


def networks(spec: Spec) -> "dict[str, nn.Module]":
    """Encoder and predictor."""
    from torch import nn

    from physprobe.train import _tokens

    width = int(spec.predictor_ratio * spec.hidden_size)
    predictor = nn.Sequential(
        nn.Linear(spec.hidden_size, width), nn.GELU(), nn.Linear(width, spec.hidden_size)
    )
    _tokens.initialise(predictor, spec.seed)
    return {"encoder": _tokens.encoder(spec), "predictor": predictor}


def loss(
    spec: Spec, net: "Networks", batch: "Batch", drawn: np.random.Generator
) -> "tuple[torch.Tensor, dict[str, torch.Tensor]]":
    """Loss of a batch, and its terms before weighting; nothing is drawn."""
    from torch.nn import functional

    from physprobe.train import _losses

    states = embeddings(spec, net.encoder, batch.video)
    predicted = net.predictor(states[:, :-1])
    samples = states.flatten(0, 1)
    terms = {
        "invariance": functional.mse_loss(predicted.float(), states[:, 1:].float()),
        "variance": _losses.variance(samples),
        "covariance": _losses.covariance(samples),
    }
    total = sum(getattr(spec, name) * term for name, term in terms.items())
    return total, {name: term.detach() for name, term in terms.items()}


def embeddings(spec: Spec, encoder: "VJEPA2Encoder", video: "torch.Tensor") -> "torch.Tensor":
    """Mean hidden states (clip, group, feature) of groups that don't see each other."""
    from physprobe.train import _tokens

    groups = video.unflatten(1, (-1, spec.group * spec.tubelet_size))
    hidden = _tokens.encode(encoder, groups.flatten(0, 1))
    return hidden.mean(1).unflatten(0, groups.shape[:2])
