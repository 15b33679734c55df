"""ViT, and DeiT with a second token in front of the patches, which learnt from a teacher."""

from typing import ClassVar

from torch import nn
from transformers import DeiTModel, PreTrainedModel, ViTModel

from physprobe.embed.networks.images import ImageTransformer


class ViT(ImageTransformer):
    """A ViT, pretrained or fine-tuned."""

    MODEL: ClassVar[type[PreTrainedModel]] = ViTModel
    network: ViTModel | DeiTModel
    ARGUMENTS: ClassVar = {"add_pooling_layer": False}  # which classifiers have not
    HEADS: ClassVar[tuple[str, ...]] = (
        *("pooler.", "classifier.", "decoder.", "embeddings.mask_token", "vit.embeddings.mask_"),
    )

    def _modules(self) -> tuple[nn.Module, ...]:
        network = self.network
        return network.embeddings, *network.layers, network.layernorm


class DeiT(ViT):
    """A DeiT."""

    MODEL = DeiTModel
    HEADS = (
        *("pooler.", "classifier.", "cls_classifier.", "distillation_classifier.", "decoder."),
        *("embeddings.mask_token", "deit.embeddings.mask_"),
    )

    @property
    def ahead(self) -> int:
        """The class token and that of the teacher, in front of the patches."""
        return 2
