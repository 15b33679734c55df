"""Samples: what of a clip's tokens is a row that is fitted, or is attended to."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from physprobe.fit.methods._selection import Part
from physprobe.fit.section import SpatialTokens
from physprobe.statistics import ridge
from physprobe.statistics.splits import Fold
from physprobe.store import scratch

BLOCK = 16  # clips read at a time


@dataclass(frozen=True)
class Source:
    """A sample of every layer that has such a one."""

    sample: str
    names: Sequence[str]
    """Layers that have it."""
    read: Callable[[int, int], np.ndarray]
    """Rows (clip, row, feature) of a layer, by its place among the names, for an outer fold."""

    def parts(self, folds: Sequence[Fold]) -> Iterator[Part]:
        """What is fitted, layer by layer and fold by fold; layers are read one at a time."""
        for layer in range(len(self.names)):
            for place, fold in enumerate(folds):
                yield Part(self.read(layer, place), layer, place, fold)


def pooled(
    samples: Sequence[str],
    features: Sequence[np.ndarray],
    layers: Sequence[str],
    folds: Sequence[Fold] = (),
    components: int | None = None,
) -> list[Source]:
    """Samples of pooled tokens; while they take turns a layer is read once for all of them.

    Parameters
    ----------
    samples : sequence of str
        See :func:`rows_of`.
    features : sequence over layers of (clip, time, feature)
    layers : (layer,) of str
    folds : sequence of Fold
        What components are fitted for.
    components : int, optional
        Principal components, fitted on training clips, to use in place of the features.
    """

    @lru_cache(maxsize=1)
    def tokens(layer: int) -> np.ndarray:
        return np.asarray(features[layer], dtype=np.float64)

    @lru_cache(maxsize=1)
    def projected(layer: int, place: int) -> np.ndarray:
        assert components
        return ridge.principal(tokens(layer), folds[place].train, components)

    def source(sample: str) -> Source:
        def read(layer: int, place: int) -> np.ndarray:
            return rows_of(projected(layer, place) if components else tokens(layer), sample)

        return Source(sample, layers, read)

    return [source(sample) for sample in samples]


def spatial(sample: str, tokens: Mapping[str, SpatialTokens], cells: int | None) -> Source:
    """Spatial tokens of the layers that keep them, all of them or those of the last time.

    Parameters
    ----------
    sample : "space_time" or "space_last"
    tokens : mapping of str to (clip, time, y, x, feature)
    cells : int or None
        As for :func:`gathered`.
    """
    names = list(tokens)

    @lru_cache(maxsize=1)
    def read(layer: int) -> np.ndarray:
        return rows_of_places(tokens[names[layer]], sample, cells)

    return Source(sample, names, lambda layer, place: read(layer))


def rows_of(tokens: np.ndarray, sample: str) -> np.ndarray:
    """Rows (clip, row, feature) that a probe is fitted to.

    Parameters
    ----------
    tokens : (clip, time, feature)
    sample : str
        "token", "time": each token time; and one row per clip "clip", the mean over time,
        "temporal_last", "temporal_first", and "temporal_diff", the last less the first.

    Raises
    ------
    ValueError
        If a difference is asked of a single token time.
    """
    match sample:
        case "token" | "time":
            return tokens
        case "clip":
            return tokens.mean(1, keepdims=True)
        case "temporal_last":
            return tokens[:, -1:]
        case "temporal_first":
            return tokens[:, :1]
        case "temporal_diff" if tokens.shape[1] > 1:
            return tokens[:, -1:] - tokens[:, :1]
    raise ValueError(
        f"sample {sample!r} of {tokens.shape[1]} token times can't be had. Hint: a difference needs"
        " two times."
    )


def rows_of_places(tokens: SpatialTokens, sample: str, cells: int | None) -> np.ndarray:
    """Rows (clip, row, feature) of spatial tokens, read some clips at a time.

    Means over cells are float32, others stay as they are stored; many of them lie in a file.

    Parameters
    ----------
    tokens : (clip, time, y, x, feature)
    sample : "space_time" or "space_last"
    cells : int or None
        As for :func:`gathered`.
    """
    found: np.ndarray | None = None
    for start in range(0, len(tokens), BLOCK):
        some = np.asarray(tokens[start : start + BLOCK])
        some = some[:, -1:] if sample == "space_last" else some
        some = gathered(some.astype(np.float32) if cells else some, cells)
        if found is None:
            found = scratch.zeros((len(tokens), *some.shape[1:]), some.dtype)
        found[start : start + len(some)] = some
    assert found is not None, "there are clips"
    return found


def gathered(tokens: np.ndarray, cells: int | None) -> np.ndarray:
    """Tokens (clip, token, feature) of all times and places.

    Parameters
    ----------
    tokens : (clip, time, y, x, feature)
    cells : int or None
        Cells along each side of the image whose means are taken.

    Raises
    ------
    ValueError
        If the grid can't be cut into so many cells.
    """
    clips, times, height, width, features = tokens.shape
    if cells:
        if height % cells or width % cells:
            raise ValueError(
                f"cells: a grid of {height} x {width} tokens can't be cut into {cells} x {cells}."
            )
        shape = (clips, times, cells, height // cells, cells, width // cells, features)
        tokens = tokens.reshape(shape).mean((3, 5))
    return tokens.reshape(clips, -1, features)
