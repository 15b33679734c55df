"""Rollout: from a clip's first tokens to its last by the model alone."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from physprobe.fit.methods._stencil import apply
from physprobe.fit.methods._whitening import Whitening

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class Rollouts:
    """Scores of some clips at every step after the first frame, each (clip, step)."""

    sse: np.ndarray
    """Squared error, whitened."""
    persistence: np.ndarray
    """That of the first frame held still."""
    cosine: np.ndarray
    """Uncentred, of the whole frame of raw tokens."""
    persistence_cosine: np.ndarray

    @classmethod
    def join(cls, parts: Sequence["Rollouts"], order: np.ndarray | slice) -> "Rollouts":
        """Clips of several, in another order."""
        names = ("sse", "persistence", "cosine", "persistence_cosine")
        return cls(*(np.concatenate([getattr(p, name) for p in parts])[order] for name in names))


def roll(
    tokens: np.ndarray,
    whitening: Whitening,
    models: Mapping[Key, tuple[np.ndarray, np.ndarray]],
) -> dict[Key, Rollouts]:
    """Roll out several models from the first frame.

    Parameters
    ----------
    tokens : (clip, time, y, x, feature)
    whitening : Whitening
    models : mapping to (alpha, kernels)
        Alpha (clip,) and kernels (channel, column).
    """
    tokens = tokens.astype(np.float32)
    truth = whitening.project(tokens)
    raw = _Raw.of(whitening, tokens)
    still = truth[:, :1]
    steps = range(1, truth.shape[1])
    persistence = np.einsum("ntyxc->nt", (truth[:, 1:] - still) ** 2).astype(float)
    held = np.stack([raw.cosine(still[:, 0], truth[:, step], step) for step in steps], axis=-1)
    found = {}
    for key, (alpha, kernels) in models.items():
        rate = alpha[:, None, None, None].astype(np.float32)
        state, sse, cosine = still[:, 0], [], []
        # a kernel may grow without bound; what overflows is reported as undefined
        with np.errstate(over="ignore", invalid="ignore"):
            for step in steps:
                state = state + rate * apply(state, kernels)
                sse.append(_square(state - truth[:, step]))
                cosine.append(raw.cosine(state, truth[:, step], step))
        found[key] = Rollouts(np.stack(sse, -1), persistence, np.stack(cosine, -1), held)
    return found


def _square(field: np.ndarray) -> np.ndarray:
    return np.einsum("nyxc,nyxc->n", field, field).astype(float)


@dataclass(frozen=True)
class _Raw:
    """Products of raw tokens, from whitened ones."""

    scale: np.ndarray
    offset: np.ndarray
    """(channel,) of the mean token along the axes, times the deviation."""
    mean: float
    along: np.ndarray
    """(clip, time) product of a frame with a frame of mean tokens."""
    square: np.ndarray
    """(clip, time)"""

    @classmethod
    def of(cls, whitening: Whitening, tokens: np.ndarray) -> "_Raw":
        return cls(
            whitening.deviation**2,
            whitening.deviation * (whitening.mean @ whitening.axes),
            float(whitening.mean @ whitening.mean),
            tokens.sum((2, 3), dtype=float) @ whitening.mean,
            np.einsum("ntyxf,ntyxf->nt", tokens, tokens).astype(float),
        )

    def cosine(self, predicted: np.ndarray, truth: np.ndarray, step: int) -> np.ndarray:
        """Cosine (clip,) of whole frames, as if the prediction were taken back to raw tokens."""
        cells = predicted.shape[1] * predicted.shape[2]
        shift = predicted.sum((1, 2)) @ self.offset
        dot = self.along[:, step] + shift
        dot = dot + np.einsum("nyxc,nyxc->nc", predicted, truth) @ self.scale
        length = cells * self.mean + 2 * shift
        length = length + np.einsum("nyxc,nyxc->nc", predicted, predicted) @ self.scale
        norms = np.sqrt(np.maximum(length, 0.0) * self.square[:, step])
        return dot / np.where(norms > 0, norms, np.nan)
