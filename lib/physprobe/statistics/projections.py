"""Projections: the few directions of a signal in time that a closed form keeps.

With S00, S01, S11 the second moments of x[t] and x[t+1] about their means:

    pca           eigenvectors of S00: most variance
    reduced_rank  of the regression B = S10 S00^-1 of the next on this, B x in the eigenvectors of
                  B S01: least squared error of all forecasts of that rank
    lagged_cca    left singular vectors of S00^-1/2 S01 S11^-1/2, times S00^-1/2: the highest
                  correlations between now and next
    random        normal draws

References
----------
Izenman, "Reduced-rank regression for the multivariate linear model", J. Multivariate Analysis 5
(1975) 248; Hotelling, "Relations between two sets of variates", Biometrika 28 (1936) 321.
"""

from collections.abc import Iterable
from typing import Literal, NamedTuple, Self

import numpy as np

How = Literal["pca", "reduced_rank", "lagged_cca", "random"]


class Moments(NamedTuple):
    """Of pairs of a signal now and one step later, about their means."""

    now: np.ndarray
    """S00 (channel, channel)"""
    across: np.ndarray
    """S01 (channel now, channel next)"""
    following: np.ndarray
    """S11 (channel, channel)"""
    mean: np.ndarray
    """(2, channel) of now and next."""
    pairs: int

    @classmethod
    def of(cls, paths: np.ndarray) -> Self:
        """Of all steps of paths (path, time, channel)."""
        paths = np.asarray(paths, float)
        width = paths.shape[-1]
        both = np.stack([paths[:, :-1].reshape(-1, width), paths[:, 1:].reshape(-1, width)])
        mean = both.mean(1)
        now, following = both - mean[:, None]
        count = len(now)
        return cls(
            now.T @ now / count, now.T @ following / count, following.T @ following / count,
            mean, count,
        )  # fmt: skip

    @staticmethod
    def stacked(parts: Iterable["Moments"]) -> "Moments":
        """Those of several worlds (world, ...), of equally many pairs."""
        now, across, following, mean, pairs = zip(*parts, strict=True)
        return Moments(
            np.stack(now), np.stack(across), np.stack(following), np.stack(mean), pairs[0]
        )


def directions(how: How, moments: Moments, width: int, rng: np.random.Generator) -> np.ndarray:
    """Map (channel, width) to what is kept, best first.

    Parameters
    ----------
    how : str
    moments : Moments
    width : int
        Directions to keep.
    rng : numpy Generator
        Of the random ones.

    Raises
    ------
    ValueError
        If there are fewer channels.
    """
    channels = len(moments.now)
    if width > channels:
        raise ValueError(f"{width} directions of {channels} channels. Hint: no more than these.")
    if how == "random":
        return rng.standard_normal((channels, width))
    if how == "pca":
        return _leading(moments.now, width)
    if how == "reduced_rank":
        forecast = np.linalg.solve(moments.now, moments.across)
        return forecast @ _leading(moments.across.T @ forecast, width)
    whiten, other = _whitening(moments.now), _whitening(moments.following)
    left, _, _ = np.linalg.svd(whiten @ moments.across @ other)
    return whiten @ left[:, :width]


def _leading(square: np.ndarray, width: int) -> np.ndarray:
    """Eigenvectors (channel, width) of the largest eigenvalues, the largest first."""
    return np.linalg.eigh((square + square.T) / 2)[1][:, ::-1][:, :width]


def _whitening(square: np.ndarray) -> np.ndarray:
    values, axes = np.linalg.eigh(square)
    return axes / np.sqrt(values) @ axes.T
