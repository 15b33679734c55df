"""ViViT: tubelets as of VideoMAE, after a class token; every token has seen the whole window."""

from typing import ClassVar

import torch
from torch import nn
from transformers import VivitModel

from physprobe.embed.networks.transformer import VideoTransformer


class ViViT(VideoTransformer):
    """A ViViT of one transformer (model 1).

    Raises
    ------
    ValueError
        If its patches are not square.
    """

    MODEL = VivitModel
    network: VivitModel
    HEADS = ("pooler.", "classifier.")
    ARGUMENTS: ClassVar = {"add_pooling_layer": False}  # which classifiers have not

    @property
    def tubelet(self) -> int:
        """Frames per token."""
        return self.config.tubelet_size[0]

    @property
    def patch(self) -> int:
        """Side of a token [px]."""
        _, height, width = self.config.tubelet_size
        if height != width:
            raise ValueError(
                f"config.json: tubelet_size is {self.config.tubelet_size}, expected frames and"
                " twice the side of a square."
            )
        return height

    @property
    def at_once(self) -> int:
        """Frames per forward pass, neither more nor less."""
        return self.config.num_frames

    @property
    def ahead(self) -> int:
        """The class token of the whole window, in front of the patches."""
        return 1

    def _modules(self) -> tuple[nn.Module, ...]:
        network = self.network
        return network.embeddings, *network.layers, network.layernorm

    def _forward(self, frames: torch.Tensor) -> None:
        self.network(pixel_values=frames)
