"""Statistics of named fields by hand: what a network has to beat that claims to read parameters.

    moments       mean u, log var u, skewness, excess kurtosis, over the grid
    gradients     log g, log g / var u;    g = mean (u[y+1] - u[y])^2 + mean (u[x+1] - u[x])^2
    spectra       log of |u_k|^2 summed over shells of |k|, an octave each
    changes       log d, log d / var u, log var u[t] / var u[t-1];    d = mean (u[t] - u[t-1])^2
    correlations  of every two fields over the grid

of every field at every frame, averaged over the frames of a token. Many a parameter is a ratio of
these: a diffusivity is the rate at which variance falls over the mean squared gradient.
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
Group = Literal["moments", "gradients", "spectra", "changes", "correlations"]
ALL: tuple[Group, ...] = ("moments", "gradients", "spectra", "changes", "correlations")
FLOOR = 1e-12
"""Of a field's mean square over a clip, below which nothing is logged: rounding, and constants."""


class Spec(EncoderSpec):
    """Which numbers stand in for an embedding."""

    kind: Literal["channel_statistics"] = "channel_statistics"
    """Family."""
    features: tuple[Group, ...] = Field(ALL, min_length=1)
    """Groups of numbers per token, in this order."""
    tubelet: int = Field(4, gt=0)
    """Frames per token [frames]; the same as the encoder's that it is a control of."""


def tubelet(spec: Spec) -> int:
    """Frames per token."""
    return spec.tubelet


def load(
    spec: Spec, *, frames: int, height: int, width: int, channels: int, threads: int
) -> Encoder:
    """Give the encoder whose one layer, ``statistics``, holds numbers made by hand.

    Parameters
    ----------
    spec : Spec
        Which numbers.
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
        If a clip can't be cut into tubelets.
    """
    return Statistics(spec, frames, (height, width), channels)


class Statistics(Encoder):
    """See :class:`physprobe.embed._encoder.Encoder`."""

    layers = ("statistics",)
    dtype = "float32"
    grid = (1, 1)

    def __init__(self, spec: Spec, frames: int, size: tuple[int, int], channels: int):
        self.spec, self.spans = spec, _frames.spans(frames, spec.tubelet)
        example = measure(np.zeros((1, *size, channels)), spec.features)
        self.features = example.shape[1]
        what = ", ".join(spec.features)
        self.provenance = provenance(f"{what} of {channels} fields")

    def encode(self, video: "np.ndarray | Lazy", clips: np.ndarray) -> Embedding:
        """Statistics of each token.

        Parameters
        ----------
        video : ndarray or Lazy
            (clip, frame, y, x, channel) float.
        clips : ndarray
            (clip) number of each clip in its system; not used.
        """
        found = []
        for clip in video:
            values = measure(np.asarray(clip, float), self.spec.features)
            found.append(values.reshape(len(self.spans), self.spec.tubelet, -1).mean(1))
        return Embedding(np.stack(found)[:, None].astype("float32"))


def measure(clip: np.ndarray, features: tuple[Group, ...] = ALL) -> np.ndarray:
    """Statistics of each frame.

    Parameters
    ----------
    clip : ndarray
        (frame, y, x, channel) float64.
    features : tuple of str
        Groups of them.

    Returns
    -------
    (frame, feature) float64
        Of the first frame changes are those into the second one, as none lead into it.
    """
    floor = FLOOR * (clip**2).mean((0, 1, 2)) + np.finfo("float32").tiny
    centred = clip - clip.mean((1, 2), keepdims=True)
    variance = np.maximum((centred**2).mean((1, 2)), floor)
    parts = {
        "moments": _moments, "gradients": _gradients, "spectra": _spectra, "changes": _changes,
        "correlations": _correlations,
    }  # fmt: skip
    found = (parts[name](clip, centred, variance, floor) for name in features)
    return np.concatenate(list(found), axis=1)


def _moments(
    clip: np.ndarray, centred: np.ndarray, variance: np.ndarray, floor: np.ndarray
) -> np.ndarray:
    third, fourth = ((centred**power).mean((1, 2)) for power in (3, 4))
    mean = clip.mean((1, 2))
    shapes = [third / variance**1.5, fourth / variance**2 - 3]
    return np.concatenate([mean, np.log(variance), *shapes], axis=1)


def _gradients(
    clip: np.ndarray, centred: np.ndarray, variance: np.ndarray, floor: np.ndarray
) -> np.ndarray:
    steps = sum((np.diff(clip, axis=axis) ** 2).mean((1, 2)) for axis in (1, 2))
    found = np.log(np.maximum(steps, floor))
    return np.concatenate([found, found - np.log(variance)], axis=1)


def _spectra(
    clip: np.ndarray, centred: np.ndarray, variance: np.ndarray, floor: np.ndarray
) -> np.ndarray:
    rows, columns = clip.shape[1:3]
    power = np.abs(np.fft.fft2(centred, axes=(1, 2), norm="forward")) ** 2
    numbers = [np.fft.fftfreq(size, 1 / size) for size in (rows, columns)]
    length = np.hypot(*np.meshgrid(*numbers, indexing="ij"))
    shell = np.floor(np.log2(np.maximum(length, 0.5))).astype(int)
    found = (power[:, shell == octave].sum(1) for octave in range(shell.max() + 1))
    return np.log(np.maximum(np.concatenate(list(found), 1), np.tile(floor, shell.max() + 1)))


def _changes(
    clip: np.ndarray, centred: np.ndarray, variance: np.ndarray, floor: np.ndarray
) -> np.ndarray:
    if len(clip) == 1:
        return np.zeros((1, 3 * clip.shape[-1]))
    steps = np.log(np.maximum((np.diff(clip, axis=0) ** 2).mean((1, 2)), floor))
    level = np.log(variance)
    found = np.concatenate([steps, steps - level[1:], np.diff(level, axis=0)], axis=1)
    return np.concatenate([found[:1], found])


def _correlations(
    clip: np.ndarray, centred: np.ndarray, variance: np.ndarray, floor: np.ndarray
) -> np.ndarray:
    one, other = np.triu_indices(clip.shape[-1], 1)
    products = (centred[..., one] * centred[..., other]).mean((1, 2))
    return products / np.sqrt(variance[:, one] * variance[:, other])
