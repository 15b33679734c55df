"""V-JEPA 2: clips of up to as many frames as it was trained on in one forward pass."""

from typing import ClassVar

import numpy as np
import torch
from torch import nn
from transformers import PreTrainedModel, VJEPA2Model
from transformers.models.vjepa2.modeling_vjepa2 import VJEPA2Encoder

from physprobe.embed import _frames
from physprobe.embed.networks import cpu
from physprobe.embed.networks.transformer import VideoTransformer


class VJEPA2(VideoTransformer):
    """Encoder of a V-JEPA 2; neither its predictor nor a classifier is run for an embedding."""

    MODEL = VJEPA2Model
    network: VJEPA2Encoder
    HEADS = ("pooler.", "classifier.")
    WITHOUT: ClassVar = {"pred_num_hidden_layers": 0}
    SIDE = "crop_size"

    def _windows(self, frames: int) -> list[np.ndarray]:
        """Longer clips are cut into pieces of ``frames_per_clip``, the last of them shorter."""
        if self.spec.causal:
            return super()._windows(frames)
        return _frames.pieces(frames, self.config.frames_per_clip)

    @staticmethod
    def network_of(model: PreTrainedModel) -> nn.Module:
        """The encoder alone."""
        return model.get_submodule("encoder")

    def _accelerate(self) -> bool:
        return cpu.accelerate(self.network)

    def _modules(self) -> tuple[nn.Module, ...]:
        return self.network.embeddings, *self.network.layer, self.network.layernorm

    def _forward(self, frames: torch.Tensor) -> None:
        with cpu.apart(len(frames)):
            self.network(pixel_values_videos=frames)
