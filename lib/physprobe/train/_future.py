"""Future: what recipes share that see the first tubelets and predict how the next ones change."""

import numpy as np
import torch
from torch import nn

from physprobe.train import _losses, _tokens
from physprobe.train._stream import Batch
from physprobe.train._windowed import Future


def predictor(spec: Future) -> _tokens.Predictor:
    """Predictor of the pixels of each token."""
    return _tokens.Predictor(spec, spec.tubelet_size * spec.patch_size**2, spec.predictor_layers)


def split(
    spec: Future, clips: int, rng: np.random.Generator
) -> tuple[int, torch.Tensor, torch.Tensor]:
    """Draw how many tubelets are seen.

    Returns
    -------
    seen : int
        Tubelets.
    shown, asked : (clip, token) int64
        Places of the tokens that are seen, and of those that are predicted.
    """
    low, high = spec.seen
    seen = int(rng.integers(low, min(high, spec.grid[0] - spec.ahead), endpoint=True))
    shown = _tokens.places(spec.grid, range(seen), clips)
    return seen, shown, _tokens.places(spec.grid, range(seen, seen + spec.ahead), clips)


def loss(spec: Future, predicted: torch.Tensor, batch: Batch, seen: int) -> torch.Tensor:
    """Mean squared error of the predicted change (clip, token, pixel) since the last frame seen."""
    tubelet = spec.tubelet_size
    change = _losses.change(batch.field, seen * tubelet, spec.ahead * tubelet, spec.scale)
    goal = _tokens.patches(change, tubelet, spec.patch_size)
    return nn.functional.mse_loss(predicted.float(), goal)
