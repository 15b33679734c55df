"""Trivial statistics: a few numbers per tubelet, no encoder; the first rung of controls."""

from concurrent.futures import ThreadPoolExecutor
from typing import Literal

import numpy as np
from pydantic import Field

from physprobe.embed import _frames
from physprobe.embed._encoder import Embedding, Encoder, Video, provenance
from physprobe.embed.section import EncoderSpec

Feature = Literal["brightness", "total_variation", "motion_energy"]


class Spec(EncoderSpec):
    """Which numbers stand in for an embedding."""

    kind: Literal["statistics"] = "statistics"
    """Family."""
    features: tuple[Feature, ...] = Field(
        ("brightness", "total_variation", "motion_energy"), min_length=1
    )
    """Numbers per token, in this order."""
    tubelet: int = Field(2, ge=2)
    """Frames per token [frames]; the same as the encoder's that it is a control of."""


def tubelet(spec: Spec) -> int:
    """Frames per token."""
    return spec.tubelet


def load(spec: Spec, *, frames: int, height: int, width: int, threads: int) -> Encoder:
    """Give the encoder whose one layer, ``statistics``, holds a few numbers.

    Parameters
    ----------
    spec : Spec
        Which numbers.
    frames : int
        Frames per clip.
    height, width : int
        Size of a frame [px]; any.
    threads : int
        Clips at a time.

    Raises
    ------
    ValueError
        If a clip can't be cut into tubelets.
    """
    return Statistics(spec, frames, threads)


class Statistics(Encoder):
    """See :class:`physprobe.embed._encoder.Encoder`."""

    layers = ("statistics",)
    dtype = "float32"
    grid = (1, 1)

    def __init__(self, spec: Spec, frames: int, threads: int):
        self.spec, self.threads = spec, threads
        self.spans, self.features = _frames.spans(frames, spec.tubelet), len(spec.features)
        self.provenance = provenance(", ".join(spec.features).replace("_", " "))

    def encode(self, video: Video, clips: np.ndarray) -> Embedding:
        """Statistics of each tubelet.

        Parameters
        ----------
        video : ndarray or Lazy
            (clip, frame, y, x, rgb) uint8.
        clips : ndarray
            (clip) number of each clip in its system; not used.
        """
        with ThreadPoolExecutor(self.threads) as pool:
            found = list(pool.map(self._clip, video))
        return Embedding(np.stack(found)[:, None].astype("float32"))

    def _clip(self, clip: np.ndarray) -> np.ndarray:
        """Statistics of one clip: (time, feature)."""
        values = measure(clip, self.spec.features)
        # no difference leads into the first frame, so the first token counts one less
        return np.stack(
            [
                np.nanmean(values[name].reshape(-1, self.spec.tubelet), axis=1)
                for name in self.spec.features
            ],
            axis=1,
        )


def measure(clip: np.ndarray, features: tuple[Feature, ...]) -> dict[str, np.ndarray]:
    """Statistics of each frame, of gray g = (r + g + b) / 3 in 0..1.

        brightness       mean g
        total_variation  mean |g[y+1] - g[y]| + mean |g[x+1] - g[x]|
        motion_energy    mean |g[t] - g[t-1]|; undefined, nan, for the first frame

    A token's value is the mean over its frames: motion within its span and into it, for the first
    token only within.

    Parameters
    ----------
    clip : ndarray
        (frame, y, x, rgb) uint8.
    features : tuple of str
        Which of them.

    Returns
    -------
    dict of str to ndarray
        (frame) float64.
    """
    found = {name: np.full(len(clip), np.nan) for name in features}
    before = None
    for time, frame in enumerate(clip):
        # sums of three bytes: integers, so exact, and four times smaller than float64
        gray = frame[..., 0].astype("int16") + frame[..., 1] + frame[..., 2]
        if "brightness" in found:
            found["brightness"][time] = gray.mean(dtype="float64")
        if "total_variation" in found:
            found["total_variation"][time] = sum(_mean_step(gray, axis) for axis in (0, 1))
        if "motion_energy" in found and before is not None:
            found["motion_energy"][time] = np.abs(gray - before).sum(dtype="int64") / gray.size
        before = gray
    return {name: value / (3 * 255) for name, value in found.items()}


def _mean_step(gray: np.ndarray, axis: int) -> float:
    steps = np.abs(np.diff(gray, axis=axis))
    return steps.sum(dtype="int64") / steps.size
