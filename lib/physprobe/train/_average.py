"""Average: a network that follows another one as the moving average of its weights."""

import copy

import torch
from torch import nn


def follower(network: nn.Module) -> nn.Module:
    """Copy of a network that no gradient reaches."""
    return copy.deepcopy(network).requires_grad_(False)


def momentum(ends: tuple[float, float], progress: float) -> float:
    """Momentum at a part of the training, 0 to 1: a straight line between its ends."""
    return ends[0] + (ends[1] - ends[0]) * progress


@torch.no_grad()
def follow(follower: nn.Module, network: nn.Module, momentum: float) -> None:
    """Move a follower's weights, in place.

    w <- w + (1 - m) (w_network - w)
    """
    for slow, fast in zip(follower.parameters(), network.parameters(), strict=True):
        slow.lerp_(fast, 1 - momentum)


@torch.no_grad()
def follow_statistics(follower: nn.Module, network: nn.Module, momentum: float) -> None:
    """Move a follower's running statistics, such as those of batch norms, in place."""
    for slow, fast in zip(follower.buffers(), network.buffers(), strict=True):
        if slow.is_floating_point():
            slow.lerp_(fast, 1 - momentum)
        else:
            slow.copy_(fast)
