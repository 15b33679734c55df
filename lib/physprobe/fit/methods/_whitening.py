"""Whitening: all features of the tokens, turned to principal axes and scaled to unit variance."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from physprobe.fit.section import SpatialTokens

FLOOR = 1e-6  # of the largest variance: half precision holds nothing below
BLOCK = 16  # clips read at a time


@dataclass(frozen=True)
class Whitening:
    """From tokens to channels."""

    mean: np.ndarray
    """(feature,)"""
    axes: np.ndarray
    """(feature, channel) orthonormal, variance descending."""
    deviation: np.ndarray
    """(channel,) along the axes, not below the floor."""

    @property
    def matrix(self) -> np.ndarray:
        """(feature, channel): channels = (tokens - mean) @ matrix."""
        return self.axes / self.deviation

    def project(self, tokens: np.ndarray) -> np.ndarray:
        """Channels (..., channel) of tokens (..., feature), single precision."""
        matrix = self.matrix
        shift = (self.mean @ matrix).astype(np.float32)
        channels = tokens.astype(np.float32, copy=False) @ matrix.astype(np.float32)
        channels -= shift
        return channels


def blocks(tokens: SpatialTokens) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Clips' indices and tokens, some at a time."""
    for start in range(0, len(tokens), BLOCK):
        values = tokens[start : start + BLOCK]
        yield np.arange(start, start + len(values)), values


def whiten(
    tokens: SpatialTokens, parts: Sequence[np.ndarray], components: int | None
) -> list[Whitening]:
    """Whitening of each part of the clips.

    Parameters
    ----------
    tokens : (clip, time, y, x, feature)
        Array, or what can be sliced like one.
    parts : sequence of (clip,)
        Training clips of each fit.
    components : int or None
        Leading axes to keep; all if None.
    """
    inside = [np.isin(np.arange(len(tokens)), part) for part in parts]
    moments: list[list[np.ndarray] | None] = [None] * len(parts)
    origin = None
    for clips, values in blocks(tokens):
        for clip, value in zip(clips, values, strict=True):
            rows = value.reshape(-1, value.shape[-1]).astype(np.float64)
            if origin is None:
                # any point near the mean will do: it spares the variance its cancellation
                origin = rows.mean(0)
            rows -= origin
            found = np.array([len(rows)]), rows.sum(0), rows.T @ rows
            if not np.isfinite(found[1]).all():
                raise ValueError(f"spatial head: the tokens are not finite in clip {clip}.")
            for number, chosen in enumerate(inside):
                if chosen[clip]:
                    known = moments[number]
                    # copies: the first sums are nobody else's
                    moments[number] = (
                        [part.copy() for part in found]
                        if known is None
                        else [np.add(a, b, out=a) for a, b in zip(known, found, strict=True)]
                    )
    assert origin is not None, "there are clips"
    return [_from_moments(origin, part, components) for part in moments if part is not None]


def _from_moments(
    origin: np.ndarray,
    moments: Sequence[np.ndarray],
    components: int | None,
) -> Whitening:
    count, total, gram = moments
    mean = total / count
    variances, axes = np.linalg.eigh(gram / count - np.outer(mean, mean))
    variances, axes = variances[::-1][:components], axes[:, ::-1][:, :components]
    if not variances[0] > 0:
        raise ValueError(
            "spatial head: the tokens of the training clips are constant; there is nothing to"
            " model. Hint: leave this encoder out of the head's studies."
        )
    # an eigenvector's sign is arbitrary; this one is the same everywhere
    axes = axes * np.sign(np.take_along_axis(axes, np.abs(axes).argmax(0)[None], 0))
    return Whitening(origin + mean, axes, np.sqrt(np.maximum(variances, FLOOR * variances[0])))
