"""Losses: the terms of the recipes, on tensors."""

import numpy as np
import torch
from torch import nn

EPSILON = 1e-4  # under the root of variances, as VICReg has it
FLAT = 1e-6  # variance at which a patch, or a feature, counts as flat


def latent(predicted: torch.Tensor, hidden: torch.Tensor) -> torch.Tensor:
    """Mean absolute difference to normed hidden states, which get no gradient.

        mean |p - LN(sg(h))|,    LN(h) = (h - mean h) / sqrt(var h + 1e-5)  over features

    Without the norm, a target that shrinks would lower the loss.

    Parameters
    ----------
    predicted, hidden : Tensor
        (..., feature).

    References
    ----------
    Assran et al. 2025, arXiv:2506.09985, equation 1.
    """
    goal = nn.functional.layer_norm(hidden.detach().float(), hidden.shape[-1:])
    return nn.functional.l1_loss(predicted.float(), goal)


def normalised_pixels(patches: torch.Tensor, tubelet: int, colours: int) -> torch.Tensor:
    """Patches with mean 0 and variance 1 in each colour; flat ones are 0.

        (x - mean x) / sqrt(var x + 1e-6)

    Parameters
    ----------
    patches : Tensor
        (clip, token, value) as ``_tokens.patches`` cuts them.
    tubelet, colours : int
        Frames per token, and colours.

    Returns
    -------
    Tensor
        (clip, token, value).

    References
    ----------
    He et al. 2022, arXiv:2111.06377, section 3; Tong et al. 2022, arXiv:2203.12602, per colour.
    """
    values = patches.unflatten(-1, (tubelet, colours, -1))
    variance, mean = torch.var_mean(values, dim=(-3, -1), keepdim=True)
    return ((values - mean) / (variance + FLAT).sqrt()).flatten(-3)


def variance(embeddings: torch.Tensor) -> torch.Tensor:
    """Mean shortfall of the features' standard deviations below 1.

        v = 1/d sum_j max(0, 1 - sqrt(var z_j + 1e-4))

    Parameters
    ----------
    embeddings : Tensor
        (sample, feature), two samples at least.

    References
    ----------
    Bardes et al. 2022, arXiv:2105.04906, equation 1.
    """
    std = (embeddings.float().var(0) + EPSILON).sqrt()
    return torch.relu(1 - std).mean()


def covariance(embeddings: torch.Tensor) -> torch.Tensor:
    """Sum of squared covariances between different features, over their number.

        c = 1/d sum_{i != j} C_ij^2,    C = sum_n (z_n - mean z) (z_n - mean z)^T / (n - 1)

    Parameters
    ----------
    embeddings : Tensor
        (sample, feature), two samples at least.

    References
    ----------
    Bardes et al. 2022, arXiv:2105.04906, equations 3 and 4.
    """
    centred = embeddings.float() - embeddings.float().mean(0)
    # a matrix product would be rounded to bfloat16 on a GPU, and the difference below with it
    with torch.autocast(embeddings.device.type, enabled=False):
        matrix = centred.T @ centred / (len(centred) - 1)
    return (matrix.square().sum() - matrix.diagonal().square().sum()) / len(matrix)


def pairwise(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Mean squared distance between all pairs of two sets.

        1/nm sum_ij |a_i - b_j|^2 = mean |a|^2 + mean |b|^2 - 2 mean a . mean b

    It is least where all are equal.

    Parameters
    ----------
    first, second : Tensor
        (sample, feature).
    """
    sizes = sum(side.square().sum(-1).mean() for side in (first, second))
    return sizes - 2 * (first.mean(0) * second.mean(0)).sum()


def redundancy(first: torch.Tensor, second: torch.Tensor, weight: float) -> torch.Tensor:
    """Distance of two views' correlations from the identity.

        sum_i (C_ii - 1)^2 + weight sum_{i != j} C_ij^2,    C = A^T B / n

    with A and B the views less their means over their deviations, feature by feature.

    Parameters
    ----------
    first, second : Tensor
        (sample, feature), two samples at least.
    weight : float
        Of pairs of different features.

    References
    ----------
    Zbontar et al. 2021, Barlow Twins, arXiv:2103.03230, equation 1.
    """

    def standard(side: torch.Tensor) -> torch.Tensor:
        variance, mean = torch.var_mean(side.float(), 0)
        return (side.float() - mean) / (variance + FLAT).sqrt()

    with torch.autocast(first.device.type, enabled=False):
        matrix = standard(first).T @ standard(second) / len(first)
    own = matrix.diagonal()
    off = matrix.square().sum() - own.square().sum()
    return (own - 1).square().sum() + weight * off


def directions(features: int, count: int, rng: np.random.Generator) -> torch.Tensor:
    """Directions (feature, direction) of length 1, uniform on the sphere."""
    drawn = torch.from_numpy(rng.standard_normal((features, count), np.float32))
    return nn.functional.normalize(drawn, dim=0)


def normality(embeddings: torch.Tensor, directions: torch.Tensor) -> torch.Tensor:
    """Distance of embeddings from a standard normal, along random directions.

        mean over u of  int |1/n sum_n exp(i s u.z_n) - exp(-s^2 / 2)|^2 exp(-s^2 / 2) ds

    The statistic of Epps and Pulley, by the trapezoid rule on 17 points of s in -5 ... 5.

    Parameters
    ----------
    embeddings : Tensor
        (sample, feature).
    directions : Tensor
        (feature, direction) of length 1.

    References
    ----------
    Epps, Pulley, "A test for normality based on the empirical characteristic function", Biometrika
    70 (1983); Balestriero, LeCun 2025, LeJEPA, arXiv:2511.08544.
    """
    along = embeddings.float() @ directions
    points = torch.linspace(-5, 5, 17, device=embeddings.device)
    normal = (-0.5 * points**2).exp()
    phase = along[..., None] * points
    apart = (phase.cos().mean(0) - normal).square() + phase.sin().mean(0).square()
    return torch.trapezoid(apart * normal, points).mean()


def change(field: torch.Tensor, first: int, frames: int, scale: float) -> torch.Tensor:
    """Scaled change of some frames since the one before them.

        asinh((u[t] - u[first - 1]) / scale),    t = first ... first + frames - 1

    The inverse sine keeps small changes in sight beside large ones.

    Parameters
    ----------
    field : Tensor
        (clip, frame, y, x).
    first, frames : int
        First frame, from 1 on, and number of them.
    scale : float
        Change from which on it counts by its logarithm.

    Returns
    -------
    Tensor
        (clip, frame, y, x).
    """
    return torch.asinh((field[:, first : first + frames] - field[:, first - 1 : first]) / scale)
