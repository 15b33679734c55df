"""Elapsed: the time since a trajectory began and nothing else, a control of windows of fluids.

Windows begin at any time, and fields age: what can be read off their age alone is no knowledge of
the equation.
"""

from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from pydantic import Field

from physprobe.embed import _frames
from physprobe.embed._encoder import Embedding, Encoder, provenance
from physprobe.embed.section import EncoderSpec

if TYPE_CHECKING:
    from xarray import Dataset

    from physprobe.store.zarrs import Lazy

SEES = ("channels",)


class Spec(EncoderSpec):
    """What stands in for an embedding of a window."""

    SEES_SIMULATION: ClassVar[bool] = True
    READS: ClassVar[tuple[str, str]] = ("fluid", "when windows of fluids begin")

    kind: Literal["elapsed"] = "elapsed"
    """Family."""
    tubelet: int = Field(4, gt=0)
    """Frames per token [frames]; the same as the encoder's that it is a control of."""


def tubelet(spec: Spec) -> int:
    """Frames per token."""
    return spec.tubelet


def load(
    spec: Spec,
    *,
    frames: int,
    height: int,
    width: int,
    channels: int,
    threads: int,
    simulation: "Dataset",
) -> Encoder:
    """Give the encoder whose one layer, ``elapsed``, is the time and its square and cube.

    Parameters
    ----------
    spec : Spec
        Frames per token.
    frames : int
        Frames per clip.
    height, width, channels : int
        Not used.
    threads : int
        Not used.
    simulation : Dataset
        Simulation store, whose label ``t0`` says when a window begins.

    Raises
    ------
    ValueError
        If there is no such label, or a clip can't be cut into tubelets.
    """
    return Elapsed(spec, frames, simulation)


class Elapsed(Encoder):
    """See :class:`physprobe.embed._encoder.Encoder`."""

    layers = ("elapsed",)
    dtype = "float32"
    grid = (1, 1)
    features = 3

    def __init__(self, spec: Spec, frames: int, simulation: "Dataset"):
        if "t0" not in simulation:
            raise ValueError(
                "elapsed: the simulation has no label t0, when each clip begins. Hint: leave this"
                " control out of its study."
            )
        self.spans = _frames.spans(frames, spec.tubelet)
        times = simulation["time"].values.reshape(-1, spec.tubelet).mean(1)
        self._begin, self._times = simulation["t0"].values, times
        ends = self._begin.min() + times.min(), self._begin.max() + times.max()
        # between -1 and 1, so that powers are of one size
        self._middle, self._half = (ends[1] + ends[0]) / 2, (ends[1] - ends[0]) / 2 or 1.0
        self.provenance = provenance("time since the trajectory began, its square and cube")

    def encode(self, video: "np.ndarray | Lazy", clips: np.ndarray) -> Embedding:
        """Powers of the mean time of each token's frames.

        Parameters
        ----------
        video : ndarray or Lazy
            (clip, frame, y, x, channel); not used.
        clips : ndarray
            (clip) number of each clip in its system.
        """
        elapsed = (self._begin[clips][:, None] + self._times - self._middle) / self._half
        powers = np.stack([elapsed, elapsed**2, elapsed**3], -1)
        return Embedding(powers[:, None].astype("float32"))
