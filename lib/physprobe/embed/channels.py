"""Channels: the fields themselves, averaged over squares, in time with an encoder's tokens.

What pixels are to a video and channels to a signal. With ``components`` probes keep the principal
ones, fitted on their training clips.
"""

from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import Field

from physprobe.embed import _frames
from physprobe.embed._encoder import Embedding, Encoder, provenance
from physprobe.embed.section import EncoderSpec

if TYPE_CHECKING:
    from physprobe.store.zarrs import Lazy

SEES = ("channels",)


class Spec(EncoderSpec):
    """How coarse the fields are that stand in for an embedding."""

    kind: Literal["channels"] = "channels"
    """Family."""
    cells: int = Field(8, gt=0)
    """Cells along y and x whose mean is one number; it has to divide the grid."""
    tubelet: int = Field(4, gt=0)
    """Frames per token [frames]; the same as the encoder's that it is a control of."""
    tubelet_frames: Literal["mean", "stack"] = "stack"
    """What becomes of a token's frames: their mean, or one after the other as features."""
    components: int | None = Field(None, gt=0)
    """Principal components that probes keep, fitted on training clips; the store holds all."""
    frames: _frames.Order = "ordered"
    """Control twins: frames permuted within each clip, or the middle frame over and over."""
    seed: int = Field(0, ge=0)
    """Seed of the shuffled frames."""


def tubelet(spec: Spec) -> int:
    """Frames per token."""
    return spec.tubelet


def load(
    spec: Spec, *, frames: int, height: int, width: int, channels: int, threads: int
) -> Encoder:
    """Give the encoder whose one layer, ``channels``, is the fields.

    Parameters
    ----------
    spec : Spec
        How coarse they are.
    frames : int
        Frames per clip.
    height, width : int
        Cells of the grid.
    channels : int
        Fields.
    threads : int
        Not used.

    Raises
    ------
    ValueError
        If the grid can't be cut into squares, or a clip into tubelets.
    """
    return Channels(spec, frames, (height, width), channels)


class Channels(Encoder):
    """See :class:`physprobe.embed._encoder.Encoder`."""

    layers = ("channels",)
    dtype = "float32"

    def __init__(self, spec: Spec, frames: int, size: tuple[int, int], channels: int):
        if any(side % spec.cells for side in size):
            raise ValueError(
                f"cells: {spec.cells} don't divide a grid of {size[0]} x {size[1]} cells."
            )
        self.spec, self.spans = spec, _frames.spans(frames, spec.tubelet)
        self.grid = (size[0] // spec.cells, size[1] // spec.cells)
        stacked = spec.tubelet if spec.tubelet_frames == "stack" else 1
        self.features = stacked * self.grid[0] * self.grid[1] * channels
        order = "" if spec.frames == "ordered" else f", {spec.frames} frames"
        what = f"{channels} fields on {self.grid[0]} x {self.grid[1]} squares"
        self.provenance = provenance(f"{what}{order}")

    def encode(self, video: "np.ndarray | Lazy", clips: np.ndarray) -> Embedding:
        """Features run over the frames of a token, then over y, x, channel.

        Parameters
        ----------
        video : ndarray or Lazy
            (clip, frame, y, x, channel) float.
        clips : ndarray
            (clip) number of each clip in its system.
        """
        order = _frames.order(self.spec.frames, video.shape[1], self.spec.seed, clips)
        coarse = np.stack([self._coarse(clip)[row] for clip, row in zip(video, order, strict=True)])
        tokens = coarse.reshape(len(video), len(self.spans), self.spec.tubelet, -1)
        if self.spec.tubelet_frames == "mean":
            tokens = tokens.mean(2, keepdims=True)
        shape = (len(video), 1, len(self.spans), self.features)
        return Embedding(tokens.reshape(shape).astype("float32"))

    def _coarse(self, clip: np.ndarray) -> np.ndarray:
        """Mean of each square: (frame, y, x, channel) float64."""
        cells, (rows, columns) = self.spec.cells, self.grid
        return clip.reshape(len(clip), rows, cells, columns, cells, -1).mean((2, 4), dtype=float)
