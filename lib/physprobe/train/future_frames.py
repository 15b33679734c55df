"""Future frames: see the first tubelets, predict how the next ones will have changed.

    loss = mean (p - asinh((u[t] - u[last seen]) / scale))^2

with u the field before the colormap (so that no rendering is learnt by heart), on the pixels of the
next tubelets. The inverse sine keeps small changes in sight beside large ones.
"""

from typing import Literal

import numpy as np
import torch
from pydantic import Field
from torch import nn

from physprobe.train import _recipe, _tokens
from physprobe.train._stream import Batch
from physprobe.train._training import Training


class Spec(Training):
    """Predict the change of the next frames."""

    kind: Literal["future_frames"] = "future_frames"
    """Recipe."""
    seen: tuple[int, int] = (2, 5)
    """Fewest and most tubelets that the encoder sees, drawn per step."""
    ahead: int = Field(3, gt=0)
    """Tubelets that are predicted."""
    predictor_layers: int = Field(2, gt=0)
    """Blocks of the predictor."""
    scale: float = Field(0.02, gt=0)
    """Change, over the colour range, from which on it counts by its logarithm."""


class Recipe(_recipe.Recipe):
    """Encoder and predictor."""

    def __init__(self, spec: Spec):
        super().__init__(spec)
        outputs = spec.tubelet_size * spec.patch_size**2
        self.predictor = _tokens.Predictor(spec, outputs, spec.predictor_layers)

    def loss(self, batch: Batch, rng: np.random.Generator) -> tuple[torch.Tensor, dict]:
        """Loss of a batch, and nothing else to report.

        Parameters
        ----------
        batch : Batch
        rng : numpy Generator
            Source of the number of tubelets seen.
        """
        spec = self.spec
        low, high = spec.seen
        seen = int(rng.integers(low, min(high, spec.grid[0] - spec.ahead) + 1))
        clips = len(batch.video)
        device = batch.video.device
        hidden = _tokens.encode(self.encoder, batch.video[:, : seen * spec.tubelet_size])
        predicted = self.predictor(
            hidden,
            _tokens.places(spec.grid, range(seen), clips).to(device),
            _tokens.places(spec.grid, range(seen, seen + spec.ahead), clips).to(device),
        )
        goal = self.change(batch.field, seen)
        return nn.functional.mse_loss(predicted.float(), goal), {}

    def change(self, field: torch.Tensor, seen: int) -> torch.Tensor:
        """Scaled change (clip, token, pixel) of the next tubelets since the last frame seen."""
        spec = self.spec
        first = seen * spec.tubelet_size
        ahead = field[:, first : first + spec.ahead * spec.tubelet_size]
        change = torch.asinh((ahead - field[:, first - 1 : first]) / spec.scale)
        return _tokens.patches(change, spec.tubelet_size, spec.patch_size)
