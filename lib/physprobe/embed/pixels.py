"""Pixels: the frames themselves, averaged over squares, in time with an encoder's tokens."""

from typing import Literal

import numpy as np
from pydantic import Field

from physprobe.embed import _frames
from physprobe.embed._encoder import Embedding, Encoder, Video, provenance
from physprobe.embed.section import EncoderSpec


class Spec(EncoderSpec):
    """Size and colours of the frames that stand in for an embedding."""

    kind: Literal["pixels"] = "pixels"
    """Family."""
    size: int = Field(16, gt=0)
    """Squares per side; it has to divide the frame's."""
    color: Literal["rgb", "gray"] = "rgb"
    """gray: mean of the three channels."""
    tubelet: int = Field(2, gt=0)
    """Frames per token [frames]; the same as the encoder's that it is a control of."""
    tubelet_frames: Literal["mean", "stack"] = "mean"
    """What becomes of a token's frames: their mean, or one after the other as features."""
    history: int = Field(1, ge=1)
    """Tokens that are features together, a token and those before it: what an encoder sees that
    has a history. Before the first one it stands for them."""
    components: int | None = Field(None, gt=0)
    """Principal components that probes keep, fitted on training clips; the store holds all."""
    frames: _frames.Order = "ordered"
    """Control twins: frames permuted within each clip, or the middle frame over and over."""
    seed: int = Field(0, ge=0)
    """Seed of the shuffled frames."""


def tubelet(spec: Spec) -> int:
    """Frames per token."""
    return spec.tubelet


def load(spec: Spec, *, frames: int, height: int, width: int, threads: int) -> Encoder:
    """Give the encoder whose one layer, ``pixels``, is the frames.

    Parameters
    ----------
    spec : Spec
        Size and colours.
    frames : int
        Frames per clip.
    height, width : int
        Size of a frame [px].
    threads : int
        Not used: memory is the limit.

    Raises
    ------
    ValueError
        If a frame can't be cut into equal squares, or a clip into tubelets.
    """
    return Pixels(spec, frames, height, width)


class Pixels(Encoder):
    """See :class:`physprobe.embed._encoder.Encoder`."""

    layers = ("pixels",)
    dtype = "float32"

    def __init__(self, spec: Spec, frames: int, height: int, width: int):
        if height % spec.size or width % spec.size:
            fits = [s for s in (8, 16, 32, 64) if not (height % s or width % s)]
            raise ValueError(
                f"size: found {spec.size}, which doesn't cut frames of {height} x {width} px into"
                f" equal squares. Hint: {', '.join(map(str, fits)) or 'a common divisor'} would."
            )
        self.spec, self.spans = spec, _frames.spans(frames, spec.tubelet)
        self.grid = (spec.size, spec.size)
        stacked = spec.tubelet if spec.tubelet_frames == "stack" else 1
        colours = 3 if spec.color == "rgb" else 1
        self.features = spec.history * stacked * spec.size**2 * colours
        more = "" if spec.frames == "ordered" else f", {spec.frames} frames"
        more += f", of {spec.history} tokens" if spec.history > 1 else ""
        self.provenance = provenance(f"pixels {spec.size} x {spec.size} {spec.color}{more}")

    def encode(self, video: Video, clips: np.ndarray) -> Embedding:
        """Average over squares: features run over y, x, rgb in 0..1.

        Parameters
        ----------
        video : ndarray or Lazy
            (clip, frame, y, x, rgb) uint8.
        clips : ndarray
            (clip) number of each clip in its system.
        """
        order = _frames.order(self.spec.frames, video.shape[1], self.spec.seed, clips)
        frames = np.stack(
            [self._squares(clip)[row] for clip, row in zip(video, order, strict=True)]
        )
        tubelets = frames.reshape(len(video), len(self.spans), self.spec.tubelet, -1)
        if self.spec.tubelet_frames == "mean":
            tubelets = tubelets.mean(2, keepdims=True)
        times = np.arange(len(self.spans))
        before = np.maximum(times[:, None] + np.arange(1 - self.spec.history, 1), 0)
        tubelets = tubelets.reshape(len(video), len(times), -1)[:, before]
        return Embedding(tubelets.reshape(len(video), 1, len(self.spans), self.features))

    def _squares(self, clip: np.ndarray) -> np.ndarray:
        """Mean of each square, exact sums of bytes: (frame, y, x, rgb) float32 in 0..1."""
        time, height, width, _ = clip.shape
        size, (down, along) = self.spec.size, (height // self.spec.size, width // self.spec.size)
        rows = clip.reshape(time, size, down, width * 3).sum(2, dtype="uint32")
        squares = rows.reshape(time, size, size, along, 3).sum(3, dtype="uint32")
        if self.spec.color == "gray":
            squares = squares.sum(-1, keepdims=True, dtype="uint32")
        summed = down * along * (3 if self.spec.color == "gray" else 1)
        return squares.astype("float32") / np.float32(255 * summed)
