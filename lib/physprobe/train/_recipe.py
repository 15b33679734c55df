"""Recipe: the networks of any kind as one module, as the training loop asks for them."""

from typing import TYPE_CHECKING, cast

import numpy as np
import torch
from torch import nn

from physprobe.config import kinds
from physprobe.train._stream import Batch
from physprobe.train._training import Schedule
from physprobe.train.section import Family, Kind

if TYPE_CHECKING:
    from transformers.models.vjepa2.modeling_vjepa2 import VJEPA2Encoder


class Recipe(nn.Module):
    """Networks of a recipe, as attributes, and what its kind makes of them.

    Parameters
    ----------
    spec : Schedule
        The kind's.
    """

    def __init__(self, spec: Schedule):
        super().__init__()
        self.spec = spec
        self.family: Family = spec.family()
        self.kind: Kind = kinds.load("train", spec.kind)
        for name, network in self.kind.networks(spec).items():
            self.add_module(name, network)

    def loss(self, batch: Batch, rng: np.random.Generator) -> tuple[torch.Tensor, dict[str, float]]:
        """Loss of a batch on the networks' device, and parts of it to report by name."""
        return self.kind.loss(self.spec, self, batch, rng)

    def after_step(self, progress: float) -> None:
        """Follow the optimiser's step; progress goes 0 to 1."""
        self.kind.after_step(self.spec, self, progress)

    @property
    def judged(self) -> "VJEPA2Encoder":
        """Network that is judged."""
        return cast("VJEPA2Encoder", self.get_submodule(self.kind.KEPT[0]))

    @property
    def kept(self) -> dict[str, torch.Tensor]:
        """Tensors of the networks that are saved, as ``{network}.{parameter}``."""
        return {
            f"{network}.{name}": value
            for network in self.kind.KEPT
            for name, value in self.get_submodule(network).state_dict().items()
        }
