"""V-JEPA: networks and loss; see :mod:`physprobe.train.vjepa`."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import nn

from physprobe.train import _average, _future, _losses, _masks, _recipe, _tokens
from physprobe.train._stream import Batch
from physprobe.train.vjepa import Spec


class Recipe(_recipe.Recipe):
    """Encoder, target encoder and predictors."""

    def __init__(self, spec: Spec):
        super().__init__(spec)
        self.target = _average.follower(self.encoder)
        self.predictor = _tokens.Predictor(spec, spec.hidden_size, spec.predictor_layers)
        self.future = _future.predictor(spec) if spec.future_weight else None

    def loss(self, batch: Batch, rng: np.random.Generator) -> tuple[torch.Tensor, dict[str, float]]:
        """Loss of a batch; ``latent`` and ``future`` are its parts if it has both.

        Parameters
        ----------
        batch : Batch
        rng : numpy Generator
            Source of the masks.
        """
        spec, video = self.spec, batch.video
        with torch.no_grad():
            whole = _tokens.encode(self.target, video)
        if self.future is None:
            losses = [
                self._latent(self._context(video, kept), whole, kept, masked)
                for kept, masked in self._masks(len(video), video.device, rng)
            ]
            return torch.stack(losses).mean(), {}
        seen, *places = _future.split(spec, len(video), rng)
        shown, asked = (value.to(video.device) for value in places)
        context = self._context(video, shown)
        latent = self._latent(context, whole, shown, asked)
        future = _future.loss(spec, self.future(context, shown, asked), batch, seen)
        parts = {"latent": latent.item(), "future": future.item()}
        return latent + spec.future_weight * future, parts

    def after_step(self, progress: float) -> None:
        """Let the target encoder follow the encoder."""
        momentum = _average.momentum(self.spec.momentum, progress)
        _average.follow(self.target, self.encoder, momentum)

    @property
    def kept(self) -> nn.Module:
        """Target encoder."""
        return self.target

    def _masks(
        self, clips: int, device: torch.device, rng: np.random.Generator
    ) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        spec = self.spec
        for count, scale in spec.masks:
            mask = _masks.blocks(
                spec.grid,
                clips,
                rng,
                count=count,
                scale=scale,
                aspect=spec.aspect,
                least=spec.context,
            )
            yield tuple(places.to(device) for places in mask)

    def _context(self, video: torch.Tensor, kept: torch.Tensor) -> torch.Tensor:
        return _tokens.encode(self.encoder, video, kept)

    def _latent(
        self, context: torch.Tensor, whole: torch.Tensor, kept: torch.Tensor, masked: torch.Tensor
    ) -> torch.Tensor:
        predicted = self.predictor(context, kept, masked)
        return _losses.latent(predicted, _tokens.take(whole, masked))
