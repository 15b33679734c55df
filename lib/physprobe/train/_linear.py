"""Linear: layers whose products go to oneDNN forward and backward; half of a step on a CPU."""

from typing import Protocol

import torch
from torch import Tensor, nn

from physprobe.statistics import onednn


def accelerate(module: nn.Module) -> None:
    """Let every linear layer of a float32 module on the CPU run as :class:`Linear`."""
    if onednn.AVAILABLE:
        for layer in module.modules():
            if type(layer) is nn.Linear:
                layer.__class__ = Linear


class Linear(nn.Linear):
    """Linear layer with the same parameters and gradients."""

    def forward(self, value: Tensor) -> Tensor:
        """Value (..., feature) after the layer."""
        return _Product.apply(value, self.weight, self.bias)


class _Kept(Protocol):
    """What autograd keeps of a call, from forward to backward."""

    saved_tensors: tuple[Tensor, ...]
    needs_input_grad: tuple[bool, ...]
    biased: bool

    def save_for_backward(self, *tensors: Tensor) -> None: ...


class _Product(torch.autograd.Function):
    @staticmethod
    def forward(ctx: _Kept, value: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(value, weight)
        ctx.biased = bias is not None
        return onednn.product(value, weight, bias)

    @staticmethod
    def backward(ctx: _Kept, gradient: Tensor) -> tuple[Tensor | None, ...]:
        value, weight = ctx.saved_tensors
        gradient = gradient.contiguous()
        rows, seen = gradient.flatten(0, -2), value.flatten(0, -2)
        needed = ctx.needs_input_grad
        return (
            onednn.product(gradient, weight.T) if needed[0] else None,
            _summed(rows, seen) if needed[1] else None,
            rows.sum(0) if ctx.biased and needed[2] else None,
        )


def _summed(left: Tensor, right: Tensor) -> Tensor:
    """Sum over rows of the products of left's and right's columns, the fewer of them first."""
    if left.shape[1] > right.shape[1]:
        return onednn.product(right.T, left.T).T
    return onednn.product(left.T, right.T)
