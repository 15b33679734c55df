"""X-CLIP: frames as images that pass messages on; from block 1 on each has seen all of them."""

import torch
from torch import nn
from transformers import XCLIPVisionModel

from physprobe.embed.networks.images import normed
from physprobe.embed.networks.transformer import VideoTransformer


class XCLIP(VideoTransformer):
    """The part of an X-CLIP that sees frames; what joins them afterwards is not read.

    Layers 0 and ``final`` are as those of CLIP.
    """

    MODEL = XCLIPVisionModel
    network: XCLIPVisionModel
    PART = "vision_model."
    HEADS = (
        "text_model.",
        "text_projection.",
        "visual_projection.",
        "logit_scale",
        "mit.",
        "prompts_",
    )

    @property
    def tubelet(self) -> int:
        """Frames per token."""
        return 1

    @property
    def at_once(self) -> int:
        """Frames per forward pass, neither more nor less."""
        return self.config.num_frames

    @property
    def ahead(self) -> int:
        """The class token of each frame, in front of its patches."""
        return 1

    def _modules(self) -> tuple[nn.Module, ...]:
        network = self.network
        self._final = normed(network.post_layernorm)
        return network.pre_layernorm, *network.encoder.layers, self._final

    def _arranged(self, hidden: torch.Tensor) -> torch.Tensor:
        frames = hidden[:, self.ahead :].unflatten(1, self.grid)
        return frames.unflatten(0, (-1, self.at_once))

    def _forward(self, frames: torch.Tensor) -> None:
        self._final(self.network(pixel_values=frames.flatten(0, 1)).last_hidden_state)
