"""Projection: a few directions of a signal, by a closed form on each condition's training clips.

What a trained linear encoder has to be held against: ``reduced_rank`` is the optimum of predicting
the next frame, ``lagged_cca`` that of predicting the next latent under whitening, ``pca`` that of
giving the frame back. Fitted to the clips whose ``split`` is "train"; of all others nothing is seen
but the frame that is projected.
"""

from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from pydantic import Field

from physprobe.config import kinds
from physprobe.embed import _frames
from physprobe.embed._encoder import Embedding, Encoder, provenance
from physprobe.embed.section import EncoderSpec
from physprobe.statistics import conditions, projections, seeds

if TYPE_CHECKING:
    from xarray import Dataset

    from physprobe.store.zarrs import Lazy

SEES = ("signal",)


class Spec(EncoderSpec):
    """Which directions, and how many."""

    SEES_SIMULATION: ClassVar[bool] = True
    READS: ClassVar[tuple[str, str]] = ("sensors", "conditions and split of sensors")

    kind: Literal["projection"] = "projection"
    """Family."""
    how: projections.How = "pca"
    """``pca``: most variance; ``reduced_rank``: best forecast of the next frame; ``lagged_cca``:
    highest correlation with the next frame; ``random``: of normal draws."""
    width: int = Field(4, gt=0)
    """Directions that are kept."""
    seed: int = Field(0, ge=0)
    """Seed of the random ones."""


def tubelet(spec: Spec) -> int:
    """Frames per token."""
    return 1


def load(spec: Spec, *, frames: int, channels: int, threads: int, simulation: "Dataset") -> Encoder:
    """Fit the projection of every condition.

    Parameters
    ----------
    spec : Spec
    frames, channels : int
        Of a clip.
    threads : int
        Not used.
    simulation : Dataset
        Labels and split; the frames are its field.

    Raises
    ------
    ValueError
        If there are fewer channels than directions.
    """
    return Projection(spec, frames, simulation)


class Projection(Encoder):
    """See :class:`physprobe.embed._encoder.Encoder`."""

    layers = ("latent",)
    dtype = "float32"
    grid = (1, 1)

    def __init__(self, spec: Spec, frames: int, simulation: "Dataset"):
        from physprobe.store import zarrs

        self.spec, self.spans, self.features = spec, _frames.spans(frames, 1), spec.width
        found = of_clips(simulation)
        train = np.array(simulation["split"].values.tolist()) == "train"
        maps, means = [], []
        for number in range(len(found.table)):
            clips = np.flatnonzero((found.of == number) & train)
            paths = zarrs.values(simulation, simulation.attrs["field"], clip=clips)
            moments = projections.Moments.of(paths)
            rng = seeds.rng("projection", spec.seed, number)
            maps.append(projections.directions(spec.how, moments, spec.width, rng))
            means.append(moments.mean[0])
        self._maps, self._means, self._of = np.stack(maps), np.stack(means), found.of
        what = spec.how.replace("_", " ")
        self.provenance = provenance(f"{what}, {spec.width} of {len(means[0])} directions")

    def encode(self, video: "np.ndarray | Lazy", clips: np.ndarray) -> Embedding:
        """Project every frame.

        Parameters
        ----------
        video : ndarray or Lazy
            (clip, frame, channel) float.
        clips : ndarray
            (clip) number of each clip in its system.
        """
        of = self._of[clips]
        frames = np.stack([np.asarray(clip, float) for clip in video]) - self._means[of][:, None]
        return Embedding((frames @ self._maps[of])[:, None].astype("float32"))


def of_clips(simulation: "Dataset") -> conditions.Conditions:
    """Conditions of a simulation's clips, as its kind of system parts them."""
    names = kinds.load("simulate", simulation.attrs["spec"]["kind"]).CONDITIONS
    labels = {name: np.array(simulation[name].values.tolist()) for name in names}
    return conditions.numbered(labels or {"clip": simulation["clip"].values}, names)
