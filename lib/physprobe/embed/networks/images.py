"""Images: networks that see every frame by itself, so that the frames are the time axis."""

import torch
from torch import nn

from physprobe.embed.networks.transformer import VideoTransformer


class ImageTransformer(VideoTransformer):
    """A network of images; of its tokens, those of the patches."""

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

    def _forward(self, frames: torch.Tensor) -> None:
        self.network(pixel_values=frames[:, 0])


def normed(norm: nn.Module) -> nn.Module:
    """A norm that is run on tokens which the network itself doesn't norm, as a module of its own.

    CLIP and X-CLIP norm their class token alone: ``final`` of a patch is what the same norm makes
    of it.
    """
    return nn.Sequential(norm)
