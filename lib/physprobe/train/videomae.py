"""VideoMAE: see a tenth of the tokens, paint the pixels of the others.

    loss = mean (D(E(x_kept), masked) - (x - mean x) / sqrt(var x + 1e-6))^2

with encoder E, a light decoder D, and the pixels of each masked token normed by themselves, colour
by colour. Tokens are masked at all times or at none (tubes), so that none can be copied from the
frame before.

References
----------
Tong et al. 2022, VideoMAE, arXiv:2203.12602.
"""

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from physprobe.train._training import Training

if TYPE_CHECKING:
    from physprobe.train._recipe import Recipe


class Spec(Training):
    """Masked pixels."""

    kind: Literal["videomae"] = "videomae"
    """Recipe."""
    masked: float = Field(0.9, gt=0, lt=1)
    """Part of the tokens that the encoder doesn't see; it sees one place at least."""
    decoder_layers: int = Field(2, gt=0)
    """Blocks of the decoder."""


def recipe(spec: Spec) -> "Recipe":
    """Networks and loss; torch is imported no earlier."""
    from physprobe.train import _videomae

    return _videomae.Recipe(spec)
