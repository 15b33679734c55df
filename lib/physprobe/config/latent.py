"""Latent: the sizes of small networks that see a few frames of a dynamical system at once."""

from typing import Literal

from pydantic import Field

from physprobe.config.spec import Spec

MODEL_TYPE = "physprobe_latent"
"""What config.json calls them."""


class Latent(Spec):
    """Sizes of encoder, predictor and decoder."""

    network: Literal["cnn", "pooled", "mlp", "none"] = "cnn"
    """Convolutions of kernel 4 and stride 2 over frames; ``pooled``: of kernel 3, each with its
    batch norm, whose mean over places is what is read; an MLP over the numbers of a signal; or no
    encoder, so that the latent is the history of those numbers itself."""
    history: int = Field(2, ge=1, le=16)
    """Frames that are seen at once, the last of which is the latent's own."""
    embedding: int = Field(64, gt=0)
    """Features of the latent; without an encoder as many as the history has numbers."""
    channels: tuple[int, ...] = Field((32, 64, 128), min_length=1)
    """Of the convolutions, each of which halves the frame's side; where pooled, rounding up."""
    hidden: tuple[int, ...] = Field((512, 512), min_length=1)
    """Widths of the hidden layers of the predictor, and of a signal's encoder and decoder."""
    normalisation: Literal["none", "batch"] = "none"
    """After each convolution, of a ``cnn``."""
    gray: bool = True
    """Whether the colours of a film are averaged before it is seen."""


class Seen(Spec):
    """What the networks are shown."""

    side: int | None = Field(None, gt=0)
    """Of a frame, which is square [px]; none of a signal."""
    values: int = Field(1, gt=0)
    """Colours of a frame, or numbers of a signal at each time."""
