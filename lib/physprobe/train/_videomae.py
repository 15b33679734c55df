"""VideoMAE: networks and loss; see :mod:`physprobe.train.videomae`."""

import numpy as np
import torch
from torch import nn

from physprobe.train import _losses, _masks, _recipe, _tokens
from physprobe.train._stream import Batch
from physprobe.train.videomae import Spec

RGB = 3


class Recipe(_recipe.Recipe):
    """Encoder and decoder."""

    def __init__(self, spec: Spec):
        super().__init__(spec)
        outputs = spec.tubelet_size * RGB * spec.patch_size**2
        self.decoder = _tokens.Predictor(spec, outputs, spec.decoder_layers)

    def loss(self, batch: Batch, rng: np.random.Generator) -> tuple[torch.Tensor, dict]:
        """Loss of a batch, and nothing else to report.

        Parameters
        ----------
        batch : Batch
        rng : numpy Generator
            Source of the masks.
        """
        spec, video = self.spec, batch.video
        mask = _masks.tubes(spec.grid, len(video), rng, part=spec.masked)
        kept, masked = (places.to(video.device) for places in mask)
        painted = self.decoder(_tokens.encode(self.encoder, video, kept), kept, masked)
        pixels = _tokens.take(_tokens.patches(video, spec.tubelet_size, spec.patch_size), masked)
        goal = _losses.normalised_pixels(pixels, spec.tubelet_size, RGB)
        return nn.functional.mse_loss(painted.float(), goal), {}
