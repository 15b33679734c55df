"""Gaussian: losses of linear models of a signal and of what follows it, by second moments.

A loss over all pairs (x, x') of a path depends on them only by their moments, as far as it is
quadratic; and by those of a normal where a log-variance is linear in x, l = v . x:

    E exp(a . x)              = exp(a . m + a S a / 2)
    E y^2 exp(-l)             = exp(-v . m + v S v / 2) (var y + (E y - cov(y, l))^2)

So a step costs what the moments cost, however long the path is, and networks of many conditions and
members are trained at once: every tensor here begins with (network, ...).
"""

import math
from typing import NamedTuple, Self

import numpy as np
import torch

from physprobe.statistics import projections

LOG_TURN = math.log(2 * math.pi)
EPSILON = 1e-4
"""Under the root of variances, as VICReg has it."""


class Pairs(NamedTuple):
    """Moments of pairs (now, next), of every network (network, ...)."""

    now: torch.Tensor
    """Covariance (network, channel, channel)."""
    across: torch.Tensor
    """Covariance of now and next."""
    following: torch.Tensor
    mean: torch.Tensor
    """(network, 2, channel)"""
    products: torch.Tensor
    """Mean products (network, 3, channel, channel): as the three, about 0."""
    samples: int | torch.Tensor
    """Pairs, by which variances are unbiased."""

    @classmethod
    def of(cls, moments: projections.Moments, device: torch.device | str = "cpu") -> Self:
        """From moments of several worlds (network, ...)."""
        first, second = np.moveaxis(moments.mean, -2, 0)
        means = [
            covariance + one[..., :, None] * other[..., None, :]
            for covariance, one, other in (
                (moments.now, first, first),
                (moments.across, first, second),
                (moments.following, second, second),
            )
        ]
        whole = np.stack(means, -3)
        parts = (moments.now, moments.across, moments.following, moments.mean, whole)
        now, across, following, mean, products = (
            torch.from_numpy(np.asarray(part)).float().to(device) for part in parts
        )
        return cls(now, across, following, mean, products, moments.pairs)

    @property
    def later(self) -> "Pairs":
        """Moments of what follows, in the place of those of now."""
        return self._replace(now=self.following, mean=self.mean.flip(-2))


def quadratic(map_: torch.Tensor, square: torch.Tensor) -> torch.Tensor:
    """Diagonal (network, output) of A S A^T, of maps (network, output, channel)."""
    return (map_ @ square * map_).sum(-1)


def seen(map_: torch.Tensor, *squares: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Products A S (network, output, column) with several S, all in one: each call costs as much.

    Parameters
    ----------
    map_ : (network, output, channel)
    squares : (network, channel, column)
    """
    return (map_ @ torch.cat(squares, -1)).split([each.shape[-1] for each in squares], -1)


def squared_error(
    map_: torch.Tensor,
    pairs: Pairs,
    goal: torch.Tensor | None = None,
    known: tuple[torch.Tensor, torch.Tensor] | None = None,
) -> torch.Tensor:
    """E |A x - B x'|^2 by output (network, output).

    Parameters
    ----------
    map_, goal : (network, output, channel)
        A and B; of None: x' itself.
    pairs : Pairs
    known : (tensor, tensor), optional
        Products of A with those of now, and across, where they are known already.
    """
    now, across, following = pairs.products.unbind(-3)
    if goal is None:
        rest = -2 * (map_ * across.mT).sum(-1) + following.diagonal(dim1=-2, dim2=-1)
        return quadratic(map_, now) + rest
    of_now, of_across = seen(map_, now, across) if known is None else known
    return (of_now * map_).sum(-1) + ((goal @ following - 2 * of_across) * goal).sum(-1)


def exponential(map_: torch.Tensor, pairs: Pairs) -> torch.Tensor:
    """E exp(a . x) by output (network, output), of normal x."""
    return (level(map_, pairs.mean[..., 0, :]) + quadratic(map_, pairs.now) / 2).exp()


def level(map_: torch.Tensor, mean: torch.Tensor) -> torch.Tensor:
    """Mean (network, output) of A x."""
    return (map_ @ mean[..., None])[..., 0]


def likelihood(
    map_: torch.Tensor, spread: torch.Tensor, goal: torch.Tensor, noise: torch.Tensor, pairs: Pairs
) -> torch.Tensor:
    """Negative log-likelihood (network, output) of z = B x' + n under N(A x, exp(v . x)).

        1/2 (E l + E exp(-l) (z - A x)^2 + log 2 pi),    l = v . x

    Parameters
    ----------
    map_, spread, goal : (network, output, channel)
        A, v and B.
    noise : (network, output)
        Variance of n.
    pairs : Pairs
    """
    first, second = pairs.mean.unbind(-2)
    both = torch.stack([map_, spread], -3)
    of_now, of_across, means = (
        part.unflatten(-2, (2, -1))
        for part in seen(both.flatten(-3, -2), pairs.now, pairs.across, first[..., None])
    )
    of_following, mean = seen(goal, pairs.following, second[..., None])
    own, of_spread = (of_now * both).sum(-1).unbind(-2)
    cross, tilt = (of_across * goal[..., None, :, :]).sum(-1).unbind(-2)
    level_, tilted = means[..., 0].unbind(-2)
    tilt = tilt - (of_now[..., 0, :, :] * spread).sum(-1)
    variance = own - 2 * cross + (of_following * goal).sum(-1) + noise
    weight = (of_spread / 2 - tilted).exp()
    error = weight * (variance + (mean[..., 0] - level_ - tilt) ** 2)
    return (tilted + error + LOG_TURN) / 2


def divergence(mean_square: torch.Tensor, log_variance: torch.Tensor) -> torch.Tensor:
    """KL divergence (...) of N(m, exp(l)) from a standard normal, of mean m^2.

    1/2 (exp(l) + m^2 - 1 - l)
    """
    return (log_variance.exp() + mean_square - 1 - log_variance) / 2


def regularised(
    map_: torch.Tensor,
    square: torch.Tensor,
    count: int | torch.Tensor,
    known: torch.Tensor | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """VICReg's terms (network,) of A x, x of this covariance over so many samples.

    The product of A with it may be known already.

        mean_j max(0, 1 - sqrt(var_j + 1e-4)),    1/d sum_{i != j} C_ij^2

    References
    ----------
    Bardes et al. 2022, arXiv:2105.04906, equations 1 and 4.
    """
    known = map_ @ square if known is None else known
    found = known @ map_.mT * (count / (count - 1))
    variance = found.diagonal(dim1=-2, dim2=-1)
    hinge = torch.relu(1 - (variance + EPSILON).sqrt()).mean(-1)
    return hinge, (found.square().sum((-2, -1)) - variance.square().sum(-1)) / map_.shape[-2]
