"""Encoder: what every family returns from ``load``, and what comes out of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from physprobe.store.zarrs import Lazy

Video: TypeAlias = "np.ndarray | Lazy"
"""Some clips (clip, frame, y, x, rgb) uint8, in memory or read when they are indexed."""
Block: TypeAlias = tuple[Video, np.ndarray]
"""Video and numbers of some clips: what ``encode`` takes."""


@dataclass
class Embedding:
    """What an encoder makes of a block of clips.

    Attributes
    ----------
    pooled : ndarray
        (clip, layer, time, feature): mean over the tokens of one time, in the encoder's ``dtype``.
    tokens : dict of str to ndarray
        (clip, time, y, x, feature) float16 for each layer whose spatial tokens are kept.
    """

    pooled: np.ndarray
    tokens: dict[str, np.ndarray] = field(default_factory=dict)


class Encoder(Protocol):
    """A frozen encoder, ready for clips of one length and size.

    Attributes
    ----------
    layers : tuple of str
        Names along ``layer``.
    features : int
        Length of ``feature``.
    spans : ndarray
        (time, 2): first frame of each token's tubelet, and the one after its last.
    grid : tuple of int
        (y, x): tokens per side.
    dtype : str
        Storage type of ``pooled``: float16 for networks, float32 for pixels and statistics.
    provenance : dict
        All that the numbers follow from but code, spec and clips, in plain types: ``label``,
        ``hf_repo``, ``revision``, ``weights_hash``, ``device``, ``dtype``, ``versions`` of the
        libraries that compute them; of a network also the content of its files, ``architecture``
        and ``processor``. It is part of a store's fingerprint whole, so it names no time.
    """

    layers: tuple[str, ...]
    features: int
    spans: np.ndarray
    grid: tuple[int, int]
    dtype: str
    provenance: dict

    def encode(self, video: Video, clips: np.ndarray) -> Embedding:
        """Embed a block of clips.

        Parameters
        ----------
        video : ndarray or Lazy
            (clip, frame, y, x, rgb) uint8.
        clips : ndarray
            (clip) number of each clip in its system: errors name it, shuffled frames follow it.
        """
        ...

    def each(self, blocks: Sequence[Block]) -> Iterator[Embedding]:
        """Embed blocks one after the other.

        Parameters
        ----------
        blocks : sequence of (video, clips)
            What :meth:`encode` takes.
        """
        return (self.encode(video, clips) for video, clips in blocks)


def provenance(label: str, **more: object) -> dict:
    """Provenance of an encoder; without more, of one that has no weights."""
    return {
        "label": label,
        "hf_repo": label,
        "revision": None,
        "weights_hash": None,
        "device": "cpu",
        "dtype": "float32",
        "versions": versions("numpy"),
        **more,
    }


def versions(*libraries: str) -> dict[str, str]:
    """Versions of libraries, by name."""
    return {name: version(name) for name in libraries}
