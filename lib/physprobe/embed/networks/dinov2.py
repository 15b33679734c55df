"""DINOv2: a class token, and registers in some, in front of the patches; positions stretch."""

from typing import ClassVar

from torch import nn
from transformers import Dinov2Model, Dinov2WithRegistersModel, PreTrainedModel

from physprobe.embed.networks.images import ImageTransformer


class DINOv2(ImageTransformer):
    """A DINOv2."""

    MODEL: ClassVar[type[PreTrainedModel]] = Dinov2Model
    network: Dinov2Model | Dinov2WithRegistersModel
    HEADS = ("classifier.",)
    STRETCHES = True

    def _modules(self) -> tuple[nn.Module, ...]:
        network = self.network
        return network.embeddings, *network.encoder.layer, network.layernorm


class WithRegisters(DINOv2):
    """A DINOv2 with registers."""

    MODEL = Dinov2WithRegistersModel

    @property
    def ahead(self) -> int:
        """The class token and the registers, in front of the patches."""
        return 1 + self.config.num_register_tokens
