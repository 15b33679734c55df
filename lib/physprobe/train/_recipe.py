"""Recipe: the networks of any kind as one module, as the training loop asks for them."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Self, cast

import numpy as np
import torch
from torch import nn

from physprobe.config import kinds
from physprobe.train._training import Schedule
from physprobe.train.section import Batch, Family, Kind

if TYPE_CHECKING:
    from transformers.models.vjepa2.modeling_vjepa2 import VJEPA2Encoder


class Recipe(nn.Module):
    """Networks of a recipe, as attributes, and what its kind makes of them.

    Parameters
    ----------
    spec : Schedule
        The kind's.
    """

    leading = 0
    """Dimensions in front of a parameter's own: none, see ``_members``."""

    def __init__(self, spec: Schedule):
        super().__init__()
        self.spec = spec
        self.family: Family = spec.family()
        self.kind: Kind = kinds.load("train", spec.kind)
        for name, network in self.kind.networks(spec).items():
            self.add_module(name, network)

    @property
    def specs(self) -> tuple[Schedule, ...]:
        """Of each member: of itself."""
        return (self.spec,)

    def batch(self, step: int) -> Batch:
        """What is seen in one step."""
        return self.family.batch(self.spec, step)

    def forward(self, batch: Batch, drawn: Any) -> tuple[torch.Tensor, dict[str, Any]]:
        """Loss of a batch after what has been drawn, and parts of it to report by name."""
        return self.kind.loss(self.spec, self, batch, drawn)

    def loss(self, batch: Batch, rng: np.random.Generator) -> tuple[torch.Tensor, dict[str, Any]]:
        """Loss of a batch on the networks' device, and parts of it to report by name."""
        drawn = self.kind.draw(self.spec, rng)
        if isinstance(drawn, dict):
            device = next(self.parameters()).device
            drawn = {name: value.to(device) for name, value in drawn.items()}
        return self(batch, drawn)

    def losses(
        self, batch: Batch, rngs: Sequence[np.random.Generator]
    ) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """Loss (member) of the one member's batch, and parts of it (member) by name."""
        loss, parts = self.loss(batch, rngs[0])
        return loss[None], {name: torch.as_tensor(value)[None] for name, value in parts.items()}

    def clipped(self, most: float) -> torch.Tensor:
        """Norm (member) of the gradient, which is cut to what is allowed at most."""
        return nn.utils.clip_grad_norm_(self.parameters(), most)[None]

    def after_step(self, progress: float) -> None:
        """Follow the optimiser's step; progress goes 0 to 1."""
        self.kind.after_step(self.spec, self, progress)

    def each(self) -> Iterator[Self]:
        """Every member's networks: these."""
        yield self

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
