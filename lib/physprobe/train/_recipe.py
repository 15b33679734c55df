"""Recipe: what the training loop asks of every self-supervised objective."""

import numpy as np
import torch
from torch import nn

from physprobe.train import _tokens
from physprobe.train._stream import Batch
from physprobe.train._training import Training


class Recipe(nn.Module):
    """An objective with its networks; everything in it that needs a gradient is trained.

    Parameters
    ----------
    spec : Training
        The kind's; its module gives the recipe by ``recipe(spec)``.
    """

    def __init__(self, spec: Training):
        super().__init__()
        self.spec = spec
        self.encoder = _tokens.encoder(spec)
        for module in (self.encoder.embeddings, *self.encoder.layer)[: spec.frozen]:
            module.requires_grad_(False)

    def loss(self, batch: Batch, rng: np.random.Generator) -> tuple[torch.Tensor, dict[str, float]]:
        """Loss of a batch, and parts of it to report by name.

        Parameters
        ----------
        batch : Batch
            On the device of the parameters.
        rng : numpy Generator
            Source of masks and the like: a step's own, so that a resumed run draws the same.
        """
        raise NotImplementedError

    def after_step(self, progress: float) -> None:
        """Follow the optimiser's step, such as with a moving average; progress goes 0 to 1."""

    @property
    def kept(self) -> nn.Module:
        """Encoder that is judged and saved."""
        return self.encoder
