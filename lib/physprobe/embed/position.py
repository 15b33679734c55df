"""Position: where the ball is in the image, and nothing else; what a place alone gives away."""

from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from pydantic import Field

from physprobe.embed import _frames
from physprobe.embed._encoder import Embedding, Encoder, Video, provenance
from physprobe.embed.section import EncoderSpec
from physprobe.scenes import scene

if TYPE_CHECKING:
    from xarray import Dataset


class Spec(EncoderSpec):
    """Places of the ball that stand in for an embedding."""

    SEES_SIMULATION: ClassVar[bool] = True

    kind: Literal["position"] = "position"
    """Family."""
    tubelet: int = Field(2, gt=0)
    """Frames per token [frames]; the same as the encoder's that it is a control of."""


def tubelet(spec: Spec) -> int:
    """Frames per token."""
    return spec.tubelet


def load(
    spec: Spec, *, frames: int, height: int, width: int, threads: int, simulation: "Dataset"
) -> Encoder:
    """Give the encoder whose one layer, ``position``, holds row and column of the ball.

    Parameters
    ----------
    spec : Spec
        Frames per token.
    frames : int
        Frames per clip.
    height, width : int
        Size of a frame [px]; not used.
    threads : int
        Not used.
    simulation : Dataset
        Simulation store, whose scene knows the places, also those out of view.

    Raises
    ------
    ValueError
        If the system shows no ball, or a clip can't be cut into tubelets.
    """
    return Position(spec, frames, simulation)


class Position(Encoder):
    """See :class:`physprobe.embed._encoder.Encoder`."""

    layers = ("position",)
    dtype = "float32"
    grid = (1, 1)
    features = 2

    def __init__(self, spec: Spec, frames: int, simulation: "Dataset"):
        if simulation.attrs["field"] != "scene":
            raise ValueError(
                f"position: the system's field is {simulation.attrs['field']!r}, not a scene with"
                " balls. Hint: leave this control out of its study."
            )
        self.spec, self.spans = spec, _frames.spans(frames, spec.tubelet)
        self.simulation = simulation
        self.provenance = provenance("place of the ball, known exactly")

    def encode(self, video: Video, clips: np.ndarray) -> Embedding:
        """Row and column [px] of the ball, mean over the frames of each token.

        Parameters
        ----------
        video : ndarray
            (clip, frame, y, x, rgb); not used.
        clips : ndarray
            (clip) number of each clip in its system.
        """
        from physprobe.store import zarrs

        columns = [scene.QUANTITIES.index(f"ball_{name}") for name in ("row", "column")]
        places = zarrs.values(self.simulation, "scene", clip=clips)[..., columns]
        places = places.reshape(len(clips), 1, len(self.spans), self.spec.tubelet, 2)
        return Embedding(places.mean(3, dtype="float64").astype("float32"))
