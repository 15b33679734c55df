"""SigLIP: patches alone, no token in front of them; SigLIP 2 of fixed size is one too."""

from torch import nn
from transformers import SiglipVisionModel

from physprobe.embed.networks.images import ImageTransformer


class SigLIP(ImageTransformer):
    """The part of a SigLIP that sees; what pools its tokens is not read."""

    MODEL = SiglipVisionModel
    network: SiglipVisionModel
    HEADS = ("text_model.", "logit_scale", "logit_bias")

    @property
    def ahead(self) -> int:
        """Nothing is in front of the patches."""
        return 0

    def _modules(self) -> tuple[nn.Module, ...]:
        network = self.network
        return network.embeddings, *network.encoder.layers, network.post_layernorm
