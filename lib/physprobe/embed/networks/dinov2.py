"""DINOv2: every frame by itself, so that the frames are the time axis."""

from typing import ClassVar

import torch
from torch import nn
from transformers import Dinov2Model, Dinov2WithRegistersModel, PreTrainedModel

from physprobe.embed.networks.transformer import VideoTransformer


class DINOv2(VideoTransformer):
    """A DINOv2; of its tokens, those of the patches."""

    MODEL: ClassVar[type[PreTrainedModel]] = Dinov2Model
    network: Dinov2Model | Dinov2WithRegistersModel
    HEADS = ("classifier.",)
    STRETCHES = True

    @property
    def tubelet(self) -> int:
        """Frames per token."""
        return 1

    @property
    def at_once(self) -> int:
        """Frames per forward pass."""
        return 1

    @property
    def ahead(self) -> int:
        """The class token, in front of the patches."""
        return 1

    def _modules(self) -> tuple[nn.Module, ...]:
        network = self.network
        return network.embeddings, *network.encoder.layer, network.layernorm

    def _forward(self, frames: torch.Tensor) -> None:
        self.network(pixel_values=frames[:, 0])


class WithRegisters(DINOv2):
    """A DINOv2 with registers."""

    MODEL = Dinov2WithRegistersModel

    @property
    def ahead(self) -> int:
        """The class token and the registers, in front of the patches."""
        return 1 + self.config.num_register_tokens
