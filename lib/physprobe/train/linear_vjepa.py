"""Linear VJEPA: predict a distribution of the next latent. See ``_variational`` for its loss.

References
----------
As published in JointEmbeddingArchitecturesTutorial, ``tv_noise.py``, after Huang, VJEPA,
arXiv:2601.14354.
"""

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from physprobe.train import _variational
from physprobe.train._variational import after_step, networks, outputs, terms

if TYPE_CHECKING:
    import torch

    from physprobe.train._sensors import Batch

__all__ = ["KEPT", "STOPS", "Spec", "after_step", "draw", "loss", "networks", "outputs", "terms"]
KEPT = ("encoder", "predictor", "target", "spread", "target_spread")
STOPS = False


class Spec(_variational.Variational):
    """Prediction of distributions of latents."""

    kind: Literal["linear_vjepa"] = "linear_vjepa"
    """Recipe."""


def draw(spec: Spec, rng: np.random.Generator) -> "dict[str, torch.Tensor]":
    """Nothing: all expectations are exact."""
    return {}


def loss(
    spec: Spec, net: "Any", batch: "Batch", drawn: Any
) -> "tuple[torch.Tensor, dict[str, torch.Tensor]]":
    """Sum over conditions of their losses, and the means of its terms."""
    from physprobe.train import _sensors

    with _sensors.exact(batch):
        return _sensors.total(terms(spec, net, batch))
