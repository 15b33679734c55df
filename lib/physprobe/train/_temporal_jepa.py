"""Temporal JEPA: networks and loss; see :mod:`physprobe.train.temporal_jepa`."""

import numpy as np
import torch
from torch import nn

from physprobe.train import _losses, _recipe, _tokens
from physprobe.train._stream import Batch
from physprobe.train.temporal_jepa import Spec


class Recipe(_recipe.Recipe):
    """Encoder and predictor."""

    def __init__(self, spec: Spec):
        super().__init__(spec)
        width = int(spec.predictor_ratio * spec.hidden_size)
        self.predictor = nn.Sequential(
            nn.Linear(spec.hidden_size, width), nn.GELU(), nn.Linear(width, spec.hidden_size)
        )
        _tokens.initialise(self.predictor, spec.seed)

    def loss(self, batch: Batch, rng: np.random.Generator) -> tuple[torch.Tensor, dict[str, float]]:
        """Loss of a batch, and its terms before weighting.

        Parameters
        ----------
        batch : Batch
        rng : numpy Generator
            Not used: nothing is drawn.
        """
        spec = self.spec
        embeddings = self.embeddings(batch.video)
        predicted = self.predictor(embeddings[:, :-1])
        samples = embeddings.flatten(0, 1)
        terms = {
            "invariance": nn.functional.mse_loss(predicted.float(), embeddings[:, 1:].float()),
            "variance": _losses.variance(samples),
            "covariance": _losses.covariance(samples),
        }
        total = sum(getattr(spec, name) * term for name, term in terms.items())
        return total, {name: term.item() for name, term in terms.items()}

    def embeddings(self, video: torch.Tensor) -> torch.Tensor:
        """Mean hidden states (clip, group, feature) of groups that don't see each other."""
        groups = video.unflatten(1, (-1, self.spec.group * self.spec.tubelet_size))
        hidden = _tokens.encode(self.encoder, groups.flatten(0, 1))
        return hidden.mean(1).unflatten(0, groups.shape[:2])
