"""Bounds: how fast a device multiplies and attends by itself, and what a network takes of both.

    seconds of a clip >= products / rate of products + attention / rate of the backend

Both rates are measured at the network's own sizes, so that the bound is what is left to gain.
"""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch.nn import functional
from torch.nn.attention import sdpa_kernel

from physprobe.embed.networks import attention

PEAKS = {
    "B200": 2250.0,
    "GH200": 989.0,
    "H200 NVL": 835.0,
    "H200": 989.0,
    "H100 PCIe": 756.0,
    "H100 NVL": 835.0,
    "H100": 989.0,
    "A100": 312.0,
    "A40": 149.7,
    "L40S": 362.0,
    "L4": 121.0,
    "RTX 4090": 165.2,
}
"""bf16 products without sparsity [TFLOP/s] as the maker states them, by a part of the name."""
LEAST = 3  # calls that a rate is the median of


def peak(name: str) -> float | None:
    """Stated peak of a device [TFLOP/s]; None of one that isn't known."""
    words = name.replace("-", " ").split()
    for known, value in PEAKS.items():
        parts = known.split()
        if any(words[at : at + len(parts)] == parts for at in range(len(words))):
            return value
    return None


def seconds(work: Callable[[], object], device: torch.device, longest: float) -> float:
    """Median time of a call [s], after one to warm up, within about ``longest`` seconds."""
    end = time.monotonic() + longest
    found: list[float] = []
    _timed(work, device)
    while len(found) < LEAST or time.monotonic() < end:
        found.append(_timed(work, device))
    return statistics.median(found)


def _timed(work: Callable[[], object], device: torch.device) -> float:
    start = time.perf_counter()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - start


@dataclass(frozen=True)
class Size:
    """A V-JEPA 2 and the clips that it is shown."""

    features: int
    blocks: int
    heads: int
    widening: int
    """Width of a block's hidden layer over ``features``."""
    patch: int
    tubelet: int
    side: int
    """Of a frame [px]."""
    frames: int
    clips: int
    """Per forward pass."""

    @property
    def config(self) -> dict:
        """Fields of its config.json."""
        return {
            "hidden_size": self.features,
            "num_hidden_layers": self.blocks,
            "num_attention_heads": self.heads,
            "mlp_ratio": self.widening,
            "patch_size": self.patch,
            "tubelet_size": self.tubelet,
            "crop_size": self.side,
            "frames_per_clip": self.frames,
        }

    @property
    def tokens(self) -> int:
        """Of a clip."""
        return self.frames // self.tubelet * (self.side // self.patch) ** 2

    @property
    def layers(self) -> tuple[tuple[int, int], ...]:
        """Inputs and outputs of every linear layer of a block."""
        wide = self.features * self.widening
        return (*[(self.features,) * 2] * 4, (self.features, wide), (wide, self.features))

    @property
    def products(self) -> float:
        """Operations of a clip's products with weights [TFLOP]."""
        patch = 3 * self.tubelet * self.patch**2 * self.features
        block = sum(inputs * outputs for inputs, outputs in self.layers)
        return 2e-12 * self.tokens * (self.blocks * block + patch)

    @property
    def attention(self) -> float:
        """Operations of a clip's attention [TFLOP]: scores, and the values that they weigh."""
        return 4e-12 * self.blocks * self.tokens**2 * self.features

    @property
    def operations(self) -> float:
        """All of a clip [TFLOP]."""
        return self.products + self.attention


def measured_peak(device: torch.device, side: int, longest: float) -> float:
    """Rate of one large square product in bf16 [TFLOP/s]."""
    left, right = (torch.randn(side, side, device=device).bfloat16() for _ in range(2))
    return 2e-12 * side**3 / seconds(lambda: left @ right, device, longest)


@torch.inference_mode()
def product_rate(size: Size, device: torch.device, longest: float) -> float:
    """Rate of a block's linear layers in bf16, on all tokens of a forward pass [TFLOP/s]."""
    rows = size.clips * size.tokens

    def drawn(*shape: int) -> torch.Tensor:
        return torch.randn(shape, device=device).bfloat16()

    shown = {inputs: drawn(rows, inputs) for inputs, _ in size.layers}
    layers = [(drawn(outputs, inputs), drawn(outputs)) for inputs, outputs in size.layers]

    def block() -> None:
        for weight, bias in layers:
            functional.linear(shown[weight.shape[1]], weight, bias)

    operations = 2e-12 * rows * sum(weight.numel() for weight, _ in layers)
    return operations / seconds(block, device, longest)


@torch.inference_mode()
def attention_rates(size: Size, device: torch.device, longest: float) -> dict[str, float]:
    """Rate of every backend that runs, in bf16 at the size of a forward pass [TFLOP/s]."""
    width = size.features // size.heads
    names = attention.runnable(
        device, torch.bfloat16, heads=size.heads, tokens=size.tokens, width=width
    )
    # scores of all tokens at once don't fit where there are many: the last resort is left out
    names = [name for name in names if name != "math"] or names
    query, key, value = (
        torch.randn(size.clips, size.heads, size.tokens, width, device=device).bfloat16()
        for _ in range(3)
    )
    operations = size.clips * size.attention / size.blocks

    def attend() -> torch.Tensor:
        return functional.scaled_dot_product_attention(query, key, value)

    found = {}
    for name in names:
        with sdpa_kernel(attention.BACKENDS[name]):
            found[name] = operations / seconds(attend, device, longest / len(names))
    return found
