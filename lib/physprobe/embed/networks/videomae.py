"""VideoMAE: windows of as many frames as its table of positions is made for."""

import torch
from torch import nn
from transformers import VideoMAEModel

from physprobe.embed.networks.transformer import VideoTransformer


class VideoMAE(VideoTransformer):
    """Encoder of a VideoMAE, pretrained or fine-tuned."""

    MODEL = VideoMAEModel
    network: VideoMAEModel
    HEADS = ("decoder.", "encoder_to_decoder.", "mask_token", "fc_norm.", "classifier.")

    @property
    def at_once(self) -> int:
        """Frames per forward pass, neither more nor less."""
        return self.config.num_frames

    def _modules(self) -> tuple[nn.Module, ...]:
        blocks = self.network.encoder.layer
        # one fine-tuned on the mean of its tokens norms that mean, and no token
        final = blocks[-1] if self.network.layernorm is None else self.network.layernorm
        return self.network.embeddings, *blocks, final

    def _forward(self, frames: torch.Tensor) -> None:
        self.network(pixel_values=frames)
