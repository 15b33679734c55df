"""VideoMAE: see a tenth of the tokens, paint the pixels of the others.

    loss = mean (D(E(x_kept), masked) - (x - mean x) / sqrt(var x + 1e-6))^2

with encoder E, a light decoder D, and the pixels of each masked token normed by themselves, colour
by colour. Tokens are masked at all times or at none (tubes), so that none can be copied from the
frame before.

References
----------
Tong et al. 2022, VideoMAE, arXiv:2203.12602.
"""

from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np
from pydantic import Field

from physprobe.train._windowed import Windowed

if TYPE_CHECKING:
    import torch
    from torch import nn
    from transformers.models.vjepa2.modeling_vjepa2 import VJEPA2Encoder

    from physprobe.train._stream import Batch

    class Networks(Protocol):
        """Those of this recipe, as attributes."""

        encoder: VJEPA2Encoder
        decoder: nn.Module


RGB = 3
KEPT = ("encoder", "decoder")


class Spec(Windowed):
    """Masked pixels."""

    kind: Literal["videomae"] = "videomae"
    """Recipe."""
    masked: float = Field(0.9, gt=0, lt=1)
    """Part of the tokens that the encoder doesn't see; it sees one place at least."""
    decoder_layers: int = Field(2, gt=0)
    """Blocks of the decoder."""


def networks(spec: Spec) -> "dict[str, nn.Module]":
    """Encoder and decoder."""
    from physprobe.train import _tokens

    outputs = spec.tubelet_size * RGB * spec.patch_size**2
    decoder = _tokens.Predictor(spec, outputs, spec.decoder_layers)
    return {"encoder": _tokens.encoder(spec), "decoder": decoder}


def loss(
    spec: Spec, net: "Networks", batch: "Batch", drawn: np.random.Generator
) -> "tuple[torch.Tensor, dict[str, torch.Tensor]]":
    """Loss of a batch, and nothing else to report; masks are drawn."""
    from torch.nn import functional

    from physprobe.train import _losses, _masks, _tokens

    video = batch.video
    mask = _masks.tubes(spec.grid, len(video), drawn, part=spec.masked)
    kept, masked = (places.to(video.device) for places in mask)
    painted = net.decoder(_tokens.encode(net.encoder, video, kept), kept, masked)
    pixels = _tokens.take(_tokens.patches(video, spec.tubelet_size, spec.patch_size), masked)
    goal = _losses.normalised_pixels(pixels, spec.tubelet_size, RGB)
    return functional.mse_loss(painted.float(), goal), {}
