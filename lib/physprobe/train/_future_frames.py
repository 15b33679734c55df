"""Future frames: networks and loss; see :mod:`physprobe.train.future_frames`."""

import numpy as np
import torch

from physprobe.train import _future, _recipe, _tokens
from physprobe.train._stream import Batch
from physprobe.train.future_frames import Spec


class Recipe(_recipe.Recipe):
    """Encoder and predictor."""

    def __init__(self, spec: Spec):
        super().__init__(spec)
        self.predictor = _future.predictor(spec)

    def loss(self, batch: Batch, rng: np.random.Generator) -> tuple[torch.Tensor, dict]:
        """Loss of a batch, and nothing else to report.

        Parameters
        ----------
        batch : Batch
        rng : numpy Generator
            Source of the number of tubelets seen.
        """
        spec, video = self.spec, batch.video
        seen, shown, asked = _future.split(spec, len(video), rng)
        hidden = _tokens.encode(self.encoder, video[:, : seen * spec.tubelet_size])
        predicted = self.predictor(hidden, shown.to(video.device), asked.to(video.device))
        return _future.loss(spec, predicted, batch, seen), {}
