"""An encoder of one's own: a toy that sees two frames at a time. See docs/own_encoder.md."""

from torch import nn


def build(width: int = 32) -> nn.Module:
    """Convolutions over time and space, with random weights; a real one would load its own."""
    patches = nn.Conv3d(3, width, kernel_size=(2, 8, 8), stride=(2, 8, 8))
    blocks = [nn.Sequential(nn.GELU(), nn.Conv3d(width, width, 3, padding=1)) for _ in range(2)]
    return nn.Sequential(patches, *blocks)
