"""Density: the energy and the score of the mixture itself, which no network can be better than.

    E = log q - log p_s,    score = grad log p_s

with p_s what noise of deviation s makes of the density, and q uniform on a square; a control whose
samples say what sampling alone costs.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from physprobe.config import kinds
from physprobe.embed import _frames
from physprobe.embed._encoder import Embedding, Encoder, provenance
from physprobe.embed.points import layers
from physprobe.embed.section import EncoderSpec

if TYPE_CHECKING:
    from xarray import Dataset

    from physprobe.store.zarrs import Lazy

SEES = ("signal",)


class Spec(EncoderSpec):
    """Noises, and the square of q."""

    SEES_SIMULATION: ClassVar[bool] = True
    READS: ClassVar[tuple[str, str]] = ("points", "the density of points")

    kind: Literal["density"] = "density"
    """Family."""
    noises: tuple[Annotated[float, Field(ge=0)], ...] = Field((0.0,), min_length=1)
    """Deviations of the noise that smooths it, a layer each."""
    half_width: float = Field(10.0, gt=0)
    """Half the side of the square of q, about the origin."""


def tubelet(spec: Spec) -> int:
    """Frames per token."""
    return 1


def anywhere(spec: Spec, member: int | None, simulation: "Dataset") -> Callable[..., np.ndarray]:
    """Function from points (row, 2) to energies and scores (layer, row, 3)."""
    world = simulation.attrs["spec"]
    mixture = kinds.load("simulate", world["kind"]).Spec.strict(world).mixture
    log_noise = -2 * np.log(2 * spec.half_width)

    def whole(points: np.ndarray, *layers: int) -> np.ndarray:
        wanted = layers or range(len(spec.noises))
        each = [mixture.smoothed(spec.noises[number]) for number in wanted]
        return np.stack(
            [
                np.concatenate([log_noise - p.log_density(points)[:, None], p.score(points)], 1)
                for p in each
            ]
        )

    return whole


def load(spec: Spec, *, frames: int, channels: int, threads: int, simulation: "Dataset") -> Encoder:
    """Give the encoder whose layers are the density's.

    Parameters
    ----------
    spec : Spec
    frames, channels : int
        Of a clip.
    threads : int
        Not used.
    simulation : Dataset
        Its spec says what the mixture is.
    """
    return Density(spec, frames, simulation)


class Density(Encoder):
    """See :class:`physprobe.embed._encoder.Encoder`."""

    dtype = "float32"
    grid = (1, 1)
    features = 3

    def __init__(self, spec: Spec, frames: int, simulation: "Dataset"):
        self.spans, self.layers = _frames.spans(frames, 1), layers(spec.noises)
        self._function = anywhere(spec, None, simulation)
        about = {"deviations": spec.noises, "half_width": spec.half_width, "output": "energy"}
        self.provenance = provenance("the density itself", architecture=about)

    def encode(self, video: "np.ndarray | Lazy", clips: np.ndarray) -> Embedding:
        """Every layer of every point.

        Parameters
        ----------
        video : ndarray or Lazy
            (clip, frame, channel) float.
        clips : ndarray
            (clip) number of each clip in its system.
        """
        seen = np.stack([np.asarray(clip, float) for clip in video])
        found = self._function(seen.reshape(-1, seen.shape[-1]))
        whole = found.reshape(len(self.layers), len(seen), -1, self.features)
        return Embedding(np.moveaxis(whole, 0, 1).astype(self.dtype))
