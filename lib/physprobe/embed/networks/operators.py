"""Operators: small networks that evolve fields, all of whose weights follow from a latent.

    du/dt = f(u; theta),    theta = G(latent),    f = W3 gelu(W2 * gelu(W1 * u + b1) + b2) + b3

with convolutions W1 and W2, the latter dilated, a pointwise map W3 and G of two layers: nothing of
f is learned by itself. Fields go from one frame to the next by one step of the third-order method
of Bogacki and Shampine, without the error that it estimates. Where the world is periodic so are
the convolutions, so that shifted fields evolve as the fields do, by any number of cells.

References
----------
Morel, Han, Oyallon 2025, DISCO: learning to DISCover an evolution Operator for
multi-physics-agnostic prediction, arXiv:2504.19496 (a larger operator, in the form of a U);
Bogacki, Shampine 1989, A 3(2) pair of Runge-Kutta formulas.
"""

from collections.abc import Callable

import torch
from torch import nn
from torch.nn import functional

from physprobe.config.fields import Hypernetwork, Shown

DILATED = 2
"""Cells from one weight of the second kernel to the next."""
SLOW = 0.1
"""First size of what the last layer gives: fields change little from one frame to the next."""


class Generator(nn.Module):
    """From latents (sample, feature) to the weights of an operator each."""

    gains: torch.Tensor

    def __init__(self, sizes: Hypernetwork, shown: Shown):
        super().__init__()
        fields, width, side = len(shown.channels), sizes.operator_width, sizes.operator_kernel
        self.periodic = shown.periodic
        self.shapes = {
            "first": (width, fields, side, side), "first_bias": (width,),
            "second": (width, width, side, side), "second_bias": (width,),
            "last": (fields, width, 1, 1), "last_bias": (fields,),
        }  # fmt: skip
        gains = []
        for name, shape in self.shapes.items():
            inputs = torch.Size(self.shapes[name.removesuffix("_bias")][1:]).numel()
            gain = inputs**-0.5 * (SLOW if name.startswith("last") else 1.0)
            gains.append(torch.full((torch.Size(shape).numel(),), gain))
        self.register_buffer("gains", torch.cat(gains), persistent=False)
        self.enter = nn.Linear(sizes.latent, 2 * sizes.latent)
        self.leave = nn.Linear(2 * sizes.latent, self.count)
        nn.init.uniform_(self.leave.bias, -(3**0.5), 3**0.5)  # weights of an operator vary by 1

    @property
    def count(self) -> int:
        """Weights of an operator."""
        return sum(torch.Size(shape).numel() for shape in self.shapes.values())

    def forward(self, latent: torch.Tensor) -> dict[str, torch.Tensor]:
        """Weights (sample, ...) by name."""
        numbers = self.leave(functional.gelu(self.enter(latent))) * self.gains
        parts = numbers.split([torch.Size(shape).numel() for shape in self.shapes.values()], 1)
        pairs = zip(parts, self.shapes.items(), strict=True)
        return {name: part.unflatten(1, shape) for part, (name, shape) in pairs}

    def evolved(self, latent: torch.Tensor, first: torch.Tensor, frames: int) -> torch.Tensor:
        """Fields (sample, frame, y, x, channel) of so many frames after the first (sample, ...)."""
        weights = self(latent)
        fields, found = first.movedim(-1, 1), []
        for _ in range(frames):
            fields = step(lambda now: change(now, weights, self.periodic), fields)
            found.append(fields)
        return torch.stack(found, 1).movedim(2, -1)


def step(rate: Callable[[torch.Tensor], torch.Tensor], fields: torch.Tensor) -> torch.Tensor:
    """Fields after one unit of time, to third order."""
    one = rate(fields)
    two = rate(fields + one / 2)
    three = rate(fields + 3 * two / 4)
    return fields + (2 * one + 3 * two + 4 * three) / 9


def change(
    fields: torch.Tensor, weights: dict[str, torch.Tensor], periodic: tuple[bool, bool]
) -> torch.Tensor:
    """Rate of change of fields (sample, channel, y, x), of each sample by its own weights."""
    found = _convolved(fields, weights["first"], weights["first_bias"], periodic, 1)
    found = functional.gelu(found)
    found = _convolved(found, weights["second"], weights["second_bias"], periodic, DILATED)
    found = functional.gelu(found)
    return _convolved(found, weights["last"], weights["last_bias"], periodic, 1)


def _convolved(
    fields: torch.Tensor,
    kernel: torch.Tensor,
    bias: torch.Tensor,
    periodic: tuple[bool, bool],
    dilated: int,
) -> torch.Tensor:
    """Fields (sample, channel, y, x) after kernels (sample, output, channel, y, x)."""
    around = dilated * (kernel.shape[-1] // 2)
    for axis, wraps in zip((2, 3), periodic, strict=True):
        if not around:
            break
        if wraps:
            size = fields.shape[axis]
            places = torch.arange(-around, size + around, device=fields.device) % size
            fields = fields.index_select(axis, places)
        else:
            side = [around, around]
            fields = functional.pad(fields, side if axis == 3 else [0, 0, *side])
    count = len(fields)
    found = functional.conv2d(
        fields.flatten(0, 1)[None],
        kernel.flatten(0, 1),
        bias.flatten(),
        dilation=dilated,
        groups=count,
    )
    return found[0].unflatten(0, (count, -1))
