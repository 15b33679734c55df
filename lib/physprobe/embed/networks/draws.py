"""Draws: random weights for any module, the same on every machine."""

from typing import Literal

import numpy as np
import torch
from torch import nn

from physprobe.statistics import seeds

FIXED = 0.02
Init = Literal["fan_in", "fixed"]


def redraw(network: nn.Module, seed: int, init: Init = "fan_in") -> None:
    """Draw a module's weights anew, in place.

    Norms are 1 and 0, biases 0, other vectors (scales of layers) 1. What has more dimensions is
    normal, with standard deviation 1 / sqrt(inputs of the unit), or 0.02 if ``fixed``; tokens and
    tables of positions, whose first length is 1, are drawn with 0.02 in both. Buffers stay, but
    for the running moments of norms.

    Parameters
    ----------
    network : Module
    seed : int
        Every parameter has its own stream, named for it.
    init : str
        ``fan_in`` or ``fixed``.
    """
    with torch.no_grad():
        for path, module in network.named_modules():
            norm = "norm" in type(module).__name__.lower()
            for name, value in module.named_parameters(path, recurse=False):
                if value.ndim < 2:
                    value.fill_(float(not name.endswith("bias")))
                    continue
                std = FIXED if init == "fixed" or len(value) == 1 else value[0].numel() ** -0.5
                draw = seeds.rng("untrained weights", seed, name)
                values = draw.standard_normal(value.shape, "float32") * np.float32(std)
                value.copy_(torch.from_numpy(values))
            for name, value in module.named_buffers(recurse=False) if norm else ():
                if name.startswith("running_"):
                    value.fill_(float(name.endswith("var")))
