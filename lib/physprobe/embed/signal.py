"""Signal: the channels themselves, in time with an encoder's tokens; what pixels are to a video."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import Field

from physprobe.embed import _frames
from physprobe.embed._encoder import Embedding, Encoder, provenance
from physprobe.embed.section import EncoderSpec

if TYPE_CHECKING:
    from xarray import Dataset

    from physprobe.store.zarrs import Lazy

SEES = ("signal",)


class Spec(EncoderSpec):
    """How the channels of some frames stand in for an embedding."""

    kind: Literal["signal"] = "signal"
    """Family."""
    tubelet: int = Field(2, gt=0)
    """Frames per token [frames]; the same as the encoder's that it is a control of."""
    tubelet_frames: Literal["mean", "stack"] = "stack"
    """What becomes of a token's frames: their mean, or one after the other as features."""
    frames: _frames.Order = "ordered"
    """Control twins: frames permuted within each clip, or the middle frame over and over."""
    seed: int = Field(0, ge=0)
    """Seed of the shuffled frames."""


def tubelet(spec: Spec) -> int:
    """Frames per token."""
    return spec.tubelet


def anywhere(
    spec: Spec, member: int | None, simulation: "Dataset"
) -> Callable[..., np.ndarray] | None:
    """Points (row, channel) themselves, where a token is one frame."""
    return (lambda points, *layers: points[None]) if spec.tubelet == 1 else None


def load(spec: Spec, *, frames: int, channels: int, threads: int) -> Encoder:
    """Give the encoder whose one layer, ``signal``, is the channels.

    Parameters
    ----------
    spec : Spec
        How frames make a token.
    frames : int
        Frames per clip.
    channels : int
        Channels of the signal.
    threads : int
        Not used.

    Raises
    ------
    ValueError
        If a clip can't be cut into tubelets.
    """
    return Signal(spec, frames, channels)


class Signal(Encoder):
    """See :class:`physprobe.embed._encoder.Encoder`."""

    layers = ("signal",)
    dtype = "float32"
    grid = (1, 1)

    def __init__(self, spec: Spec, frames: int, channels: int):
        self.spec, self.spans = spec, _frames.spans(frames, spec.tubelet)
        self.features = channels * (spec.tubelet if spec.tubelet_frames == "stack" else 1)
        order = "" if spec.frames == "ordered" else f", {spec.frames} frames"
        self.provenance = provenance(f"the signal's {channels} channels{order}")

    def encode(self, video: "np.ndarray | Lazy", clips: np.ndarray) -> Embedding:
        """Features run over the frames of a token, then over channels.

        Parameters
        ----------
        video : ndarray or Lazy
            (clip, frame, channel) float.
        clips : ndarray
            (clip) number of each clip in its system.
        """
        order = _frames.order(self.spec.frames, video.shape[1], self.spec.seed, clips)
        frames = np.stack([clip[row] for clip, row in zip(video, order, strict=True)])
        tokens = frames.reshape(len(video), len(self.spans), self.spec.tubelet, -1)
        if self.spec.tubelet_frames == "mean":
            tokens = tokens.mean(2, keepdims=True, dtype=float)
        shape = (len(video), 1, len(self.spans), self.features)
        return Embedding(tokens.reshape(shape).astype("float32"))
