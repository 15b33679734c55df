"""CLIP: a norm before the first block, and none after the last but on the class token."""

import torch
from torch import nn
from transformers import CLIPVisionModel

from physprobe.embed.networks.images import ImageTransformer, normed


class CLIP(ImageTransformer):
    """The part of a CLIP that sees.

    Layer 0 is what the first block is given, after the norm. The network norms its class token
    alone; ``final`` is what the same norm makes of the patches.
    """

    MODEL = CLIPVisionModel
    network: CLIPVisionModel
    HEADS = ("text_model.", "text_projection.", "visual_projection.", "logit_scale")

    def _modules(self) -> tuple[nn.Module, ...]:
        network = self.network
        self._final = normed(network.post_layernorm)
        return network.pre_layrnorm, *network.encoder.layers, self._final

    def _forward(self, frames: torch.Tensor) -> None:
        self._final(self.network(pixel_values=frames[:, 0]).last_hidden_state)
