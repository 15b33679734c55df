"""Rendering: how a film was made - colours, grain, compression - and nothing of what moves in it.

Of each frame, of gray g = (r + g + b) / 3 in 0..1 and its waves a_uv in blocks of 8 x 8 pixels,
orthonormal, as JPEG and most codecs have them:

    colour     log of mean r and of mean b, each over mean g
    grain      log of the median |g[t] - g[t-1]| less its mean over 2 x 2 pixels
    bands      log mean a_uv^2 where u + v is 1..3, 4..7, 8..14
    zeros      share of waves of each band that are smaller than 1.5/255
    step       log of the lowest tenth of the other |a_uv|: what they were rounded to
    blocks     log of mean |g[x+1] - g[x]| across the borders of blocks over that within them

Pixels know these too, but not linearly.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import Literal

import numpy as np
from pydantic import Field

from physprobe.embed import _frames
from physprobe.embed._encoder import Embedding, Encoder, Video, provenance
from physprobe.embed.section import EncoderSpec

BLOCK = 8
BANDS = (1, 3), (4, 7), (8, 14)
"""First and last u + v."""
LEAST = 1e-4  # of differences, added before a logarithm: a fortieth of a step of 8 bits
ZERO = 1.5 / 255  # a wave of what 8 bits are rounded to hardly ever reaches it


class Spec(EncoderSpec):
    """What stands in for an embedding."""

    kind: Literal["rendering"] = "rendering"
    """Family."""
    tubelet: int = Field(2, ge=2)
    """Frames per token [frames]; the same as the encoder's that it is a control of."""


def tubelet(spec: Spec) -> int:
    """Frames per token."""
    return spec.tubelet


def load(spec: Spec, *, frames: int, height: int, width: int, threads: int) -> Encoder:
    """Give the encoder whose one layer, ``rendering``, holds eleven numbers.

    Parameters
    ----------
    spec : Spec
        Frames per token.
    frames : int
        Frames per clip.
    height, width : int
        Size of a frame [px]; rows and columns beyond whole blocks don't count.
    threads : int
        Clips at a time.

    Raises
    ------
    ValueError
        If frames are smaller than two blocks, or a clip can't be cut into tubelets.
    """
    if min(height, width) < 2 * BLOCK:
        raise ValueError(
            f"rendering: frames of {height} x {width} px, expected {2 * BLOCK} at least each way."
            " Hint: leave this control out of its study."
        )
    return Rendering(spec, frames, threads)


class Rendering(Encoder):
    """See :class:`physprobe.embed._encoder.Encoder`."""

    layers = ("rendering",)
    dtype = "float32"
    grid = (1, 1)
    features = 5 + 2 * len(BANDS)

    def __init__(self, spec: Spec, frames: int, threads: int):
        self.tubelet, self.threads = spec.tubelet, threads
        self.spans = _frames.spans(frames, spec.tubelet)
        self.provenance = provenance("colours, grain, traces of compression")

    def encode(self, video: Video, clips: np.ndarray) -> Embedding:
        """Numbers of each tubelet, means over its frames.

        Parameters
        ----------
        video : ndarray or Lazy
            (clip, frame, y, x, rgb) uint8.
        clips : ndarray
            (clip) number of each clip in its system; not used.
        """
        with ThreadPoolExecutor(self.threads) as pool:
            found = np.stack(list(pool.map(lambda clip: measure(np.asarray(clip)), video)))
        shape = (len(found), 1, len(self.spans), self.tubelet, self.features)
        return Embedding(np.nanmean(found.reshape(shape), axis=3).astype("float32"))


def measure(clip: np.ndarray) -> np.ndarray:
    """Eleven numbers of each frame, see above; that of its grain is nan of the first one.

    Parameters
    ----------
    clip : (frame, y, x, rgb) uint8

    Returns
    -------
    (frame, 11) float64
    """
    from scipy.fft import dctn

    rows, columns = (size // BLOCK * BLOCK for size in clip.shape[1:3])
    clip = clip[:, :rows, :columns] / 255.0
    red, green, blue = np.moveaxis(np.log(clip.mean((1, 2)) + LEAST), -1, 0)
    gray = clip.mean(-1)
    shape = (len(gray), rows // BLOCK, BLOCK, columns // BLOCK, BLOCK)
    waves = dctn(gray.reshape(shape), axes=(2, 4), norm="ortho")
    order = np.arange(BLOCK)[:, None] + np.arange(BLOCK)
    found = [red - green, blue - green, _grain(gray)]
    for first, last in BANDS:
        chosen = np.moveaxis(waves, 3, 2)[..., (first <= order) & (order <= last)]
        found.append(np.log((chosen**2).mean((1, 2, 3)) + LEAST**2))
        found.append((np.abs(chosen) < ZERO).mean((1, 2, 3)))
    fine = np.abs(np.moveaxis(waves, 3, 2)[..., order > 0])
    found.append(np.log([_lowest(frame) + LEAST for frame in fine]))
    steps = np.abs(np.diff(gray, axis=2)).mean(1)
    border = np.arange(1, columns) % BLOCK == 0
    across, within = steps[:, border].mean(1), steps[:, ~border].mean(1)
    return np.stack([*found, np.log((across + LEAST) / (within + LEAST))], axis=1)


def _lowest(sizes: np.ndarray) -> float:
    """Lowest tenth of the sizes (wave,) that aren't 0, or the largest if all are."""
    there = sizes[sizes >= ZERO]
    return float(np.quantile(there, 0.1)) if len(there) else float(sizes.max())


def _grain(gray: np.ndarray) -> np.ndarray:
    """Logarithm of how much pixels flicker, (frame,), beside their neighbours."""
    change = np.diff(gray, axis=0)
    smooth = (change[:, :-1] + change[:, 1:])[:, :, :-1] + (change[:, :-1] + change[:, 1:])[
        :, :, 1:
    ]
    fine = np.abs(change[:, :-1, :-1] - smooth / 4)
    return np.concatenate([[np.nan], np.log(np.median(fine, axis=(1, 2)) + LEAST)])
