"""Latent space: principal components of training clips, about their mean."""

from dataclasses import dataclass

import numpy as np

RANK = 1e-10  # of the largest eigenvalue: below it a direction is rounding


@dataclass(frozen=True)
class Space:
    """Leading principal components of some clips' features."""

    mean: np.ndarray
    """(feature,)"""
    axes: np.ndarray
    """(feature, component) orthonormal, variance descending."""

    @property
    def components(self) -> int:
        """Dimension of the latent space."""
        return self.axes.shape[1]

    def project(self, features: np.ndarray) -> np.ndarray:
        """Latent (clip, time, component) of features (clip, time, feature)."""
        return (features - self.mean) @ self.axes


def principal(features: np.ndarray, clips: np.ndarray, components: int) -> Space:
    """Principal components of the frames of some clips.

    Parameters
    ----------
    features : (clip, time, feature)
    clips : (clip,)
        Indices of the clips to learn from.
    components : int
        At most so many; fewer where the features span fewer.
    """
    rows = features[clips].reshape(-1, features.shape[-1])
    mean = rows.mean(0)
    rows = rows - mean
    width = rows.shape[1]
    kept = min(components, width)
    if width <= 4 * kept:
        variances, axes = np.linalg.eigh(rows.T @ rows)
    else:
        from scipy.linalg import eigh

        variances, axes = eigh(rows.T @ rows, subset_by_index=(width - kept, width - 1))
    variances, axes = variances[::-1][:kept], axes[:, ::-1][:, :kept]
    axes = axes[:, variances > RANK * max(variances[0], 0.0)]
    # an eigenvector's sign is arbitrary; this one is the same everywhere
    signs = np.sign(np.take_along_axis(axes, np.abs(axes).argmax(0)[None], 0))
    return Space(mean, axes * signs)


@dataclass(frozen=True)
class Published:
    """What the published scores need: errors in feature space from latent predictions."""

    space: Space
    latent: np.ndarray
    """(clip, time, component)"""
    along: np.ndarray
    """(clip, time) product of a frame with the mean frame."""
    square: np.ndarray
    """(clip, time) squared length of a frame, not centred."""
    beyond: np.ndarray
    """(clip, time) squared length of what the components leave out."""

    @classmethod
    def of(cls, space: Space, features: np.ndarray, latent: np.ndarray) -> "Published":
        """Products of some clips' frames."""
        along = features @ space.mean
        square = np.einsum("ntf,ntf->nt", features, features)
        centred = square - 2 * along + space.mean @ space.mean
        beyond = np.maximum(centred - np.einsum("ntc,ntc->nt", latent, latent), 0.0)
        return cls(space, latent, along, square, beyond)

    def scores(self, predicted: np.ndarray, first: int = 1) -> tuple[np.ndarray, np.ndarray]:
        """Mean squared error per feature, and uncentred cosine, each a clip's mean over time.

        Parameters
        ----------
        predicted : (clip, time, component)
            For the frames from ``first`` on.
        """
        truth, offset = self.latent[:, first:], self.space.mean @ self.space.axes
        error = ((truth - predicted) ** 2).sum(-1) + self.beyond[:, first:]
        dot = self.along[:, first:] + np.einsum("ntc,ntc->nt", predicted, truth + offset)
        length = np.einsum("ntc,ntc->nt", predicted, predicted + 2 * offset)
        # where a prediction is next to nothing, rounding may take its length below it
        length = np.maximum(length + self.space.mean @ self.space.mean, 0.0)
        norms = np.sqrt(length * self.square[:, first:])
        cosine = dot / np.where(norms > 0, norms, np.nan)
        return error.mean(1) / len(self.space.mean), cosine.mean(1)
