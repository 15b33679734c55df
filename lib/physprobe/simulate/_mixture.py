"""Mixture of normals in the plane: density, score, and what losses on it come to at their best.

    p(x) = sum_k w_k N(x; m_k, S_k),    grad log p = sum_k r_k(x) S_k^-1 (m_k - x)

with r_k the posterior of component k. Noise of deviation s makes S_k + s^2 I of S_k.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class Mixture(NamedTuple):
    """Weights, means and covariances of the components."""

    weights: np.ndarray
    """(component,)"""
    means: np.ndarray
    """(component, 2)"""
    covariances: np.ndarray
    """(component, 2, 2)"""

    def smoothed(self, noise: float) -> "Mixture":
        """The mixture that points of this one are of, once noise of this deviation is added."""
        return self._replace(covariances=self.covariances + noise**2 * np.eye(2))

    def log_parts(self, points: np.ndarray) -> np.ndarray:
        """Logarithms (point, component) of the terms of p."""
        apart = points[:, None] - self.means
        scaled = np.einsum("kij,nkj->nki", np.linalg.inv(self.covariances), apart)
        size = np.log(self.weights) - np.log(2 * np.pi)
        size = size - np.log(np.linalg.det(self.covariances)) / 2
        return size - (apart * scaled).sum(-1) / 2

    def log_density(self, points: np.ndarray) -> np.ndarray:
        """Logarithm of p (point,) in nats per unit area."""
        return np.logaddexp.reduce(self.log_parts(points), axis=1)

    def posterior(self, points: np.ndarray) -> np.ndarray:
        """Probability (point, component) that a point is of a component."""
        parts = self.log_parts(points)
        return np.exp(parts - np.logaddexp.reduce(parts, axis=1, keepdims=True))

    def score(self, points: np.ndarray) -> np.ndarray:
        """Gradient (point, 2) of log p."""
        pulls = np.einsum(
            "kij,nkj->nki", np.linalg.inv(self.covariances), self.means - points[:, None]
        )
        return np.einsum("nk,nki->ni", self.posterior(points), pulls)

    def drawn(self, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Points (point, 2), and the component (point,) of each."""
        component = rng.choice(len(self.weights), size=count, p=self.weights)
        roots = np.linalg.cholesky(self.covariances)
        normal = rng.standard_normal((count, 2))
        return self.means[component] + np.einsum("nij,nj->ni", roots[component], normal), component


def mixture(
    weights: Sequence[float],
    means: Sequence[Sequence[float]],
    covariances: Sequence[Sequence[Sequence[float]]],
) -> Mixture:
    """Mixture from plain numbers.

    Raises
    ------
    ValueError
        If weights don't add up to 1, there are not as many of each, or a covariance is none.
    """
    found = Mixture(*(np.asarray(part, float) for part in (weights, means, covariances)))
    if abs(found.weights.sum() - 1) > 1e-9:
        raise ValueError(f"weights: they add up to {found.weights.sum():g}, expected 1")
    if not len(found.weights) == len(found.means) == len(found.covariances):
        raise ValueError("weights, means and covariances: as many of each")
    whole = found.covariances
    if (whole != whole.transpose(0, 2, 1)).any() or (np.linalg.eigvalsh(whole) <= 0).any():
        raise ValueError("covariances: each has to be symmetric and positive")
    return found


def contrastive_optimum(log_density: np.ndarray, log_noise: float) -> float:
    """Least value of E_p[E] + E_q[exp(-E)], which E* = log q - log p reaches.

        E_p[log q - log p] + E_q[p / q] = log q + H(p) + 1

    Parameters
    ----------
    log_density : (point,)
        log p at points of p, all of them where q is.
    log_noise : float
        log q, q uniform.
    """
    return float(log_noise - log_density.mean() + 1)


def denoising_optimum(score: np.ndarray, noise: float) -> float:
    """Least mean over dimensions of (score model + e / s^2)^2, which the smoothed score reaches.

        1 / s^2 - E |grad log p_s|^2 / 2

    Parameters
    ----------
    score : (point, 2)
        Of the smoothed density, at points of it.
    noise : float
        Its deviation s.

    References
    ----------
    Vincent, "A connection between score matching and denoising autoencoders", Neural Computation 23
    (2011) 1661.
    """
    return float(1 / noise**2 - (score**2).mean())
