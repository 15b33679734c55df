"""DINOv3: a class token and registers in front of the patches; positions are rotations."""

from torch import nn
from transformers import DINOv3ViTModel

from physprobe.embed.networks.images import ImageTransformer


class DINOv3(ImageTransformer):
    """A DINOv3 of transformer blocks."""

    MODEL = DINOv3ViTModel
    network: DINOv3ViTModel
    STRETCHES = True

    @property
    def ahead(self) -> int:
        """The class token and the registers, in front of the patches."""
        return 1 + self.config.num_register_tokens

    def _modules(self) -> tuple[nn.Module, ...]:
        network = self.network
        return network.embeddings, *network.model.layer, network.norm
