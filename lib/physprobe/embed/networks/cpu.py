"""CPU: the forward pass of V-JEPA 2's layers as a processor likes it, with the same weights.

Equal to that of transformers to rounding, and 1.1 to 1.4 times as fast
(``tests/benchmarks/bench_forward.py``): products go to oneDNN with bias, activation and sum in the
same call, and the rotary tables are made once per grid instead of once per call. Such products are
too small to be shared by threads: each thread takes clips of its own.
"""

import functools
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers.activations import GELUActivation
from transformers.models.vjepa2.modeling_vjepa2 import (
    VJEPA2Encoder,
    VJEPA2Layer,
    VJEPA2RopeAttention,
)

from physprobe.statistics import onednn


def accelerate(encoder: VJEPA2Encoder) -> bool:
    """Let an encoder's layers run as :class:`Layer` from now on; for inference on a CPU only.

    Where oneDNN can't be used they stay as they are, and the result is False.

    Parameters
    ----------
    encoder : VJEPA2Encoder
        Float32, on the CPU.
    """
    if onednn.AVAILABLE:
        layers = cast("list[VJEPA2Layer]", list(encoder.layer))
        rotary = functools.cache(functools.partial(tables, layers[0].attention))
        threads = torch.get_num_threads()
        encoder.layer = nn.ModuleList(Layer(layer, rotary, threads) for layer in layers)
    return onednn.AVAILABLE


class Layer(nn.Module):
    """One layer of V-JEPA 2 with the weights of transformers' own.

    Parameters
    ----------
    layer : VJEPA2Layer
    rotary : callable
        From a number of tokens to the tables of :func:`tables`.
    threads : int
        Threads that take a clip each within :func:`apart`.
    """

    def __init__(
        self,
        layer: VJEPA2Layer,
        rotary: Callable[[int], tuple[Tensor, Tensor]],
        threads: int,
    ):
        super().__init__()
        self.norm1, self.attention = layer.norm1, layer.attention
        self.norm2, self.mlp = layer.norm2, layer.mlp
        self.rotary, self.threads = rotary, threads

    def forward(self, hidden: Tensor, *_: object, **__: object) -> tuple[Tensor, None]:
        """Hidden states (clip, token, feature) after this layer; there are no weights to return."""
        if torch.get_num_threads() == self.threads:
            return self._after(hidden), None
        return torch.cat(list(_workers(self.threads).map(self._after, hidden.split(1)))), None

    @torch.inference_mode()
    def _after(self, hidden: Tensor) -> Tensor:
        clips, tokens, features = hidden.shape
        flat = hidden.reshape(-1, features)
        seen = self._attend(self.norm1(flat), clips, tokens)
        flat = _add(seen, self.attention.proj, flat)
        flat = _add(self._expand(self.norm2(flat)), self.mlp.fc2, flat)
        return flat.view(clips, tokens, features)

    def _expand(self, flat: Tensor) -> Tensor:
        if type(self.mlp.activation) is GELUActivation:
            return onednn.product(flat, self.mlp.fc1.weight, self.mlp.fc1.bias, "gelu")
        return self.mlp.activation(_linear(flat, self.mlp.fc1))

    def _attend(self, flat: Tensor, clips: int, tokens: int) -> Tensor:
        """Mean of the values, weighted by attention, of every query: (clip * token, feature)."""
        heads, width = self.attention.num_attention_heads, self.attention.attention_head_size
        cos, sin = self.rotary(tokens)
        query, key = (
            _rotated(_linear(flat, layer).view(clips, tokens, heads, width), cos, sin)
            for layer in (self.attention.query, self.attention.key)
        )
        value = _linear(flat, self.attention.value).view(clips, tokens, heads, width)
        found = functional.scaled_dot_product_attention(
            query, key, value.transpose(1, 2), scale=self.attention.scaling
        )
        return found.transpose(1, 2).reshape(clips * tokens, heads * width)


@contextmanager
def apart(clips: int) -> Iterator[None]:
    """Let each thread take clips of its own in every :class:`Layer`, if there are enough.

    torch computes by one thread meanwhile: those that it lends to a product go on spinning after
    it, where others could compute.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1 if clips >= threads else threads)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@functools.cache
def _workers(threads: int) -> ThreadPoolExecutor:
    """Threads whose products are computed by none but themselves."""
    return ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,))


def tables(attention: VJEPA2RopeAttention, tokens: int) -> tuple[Tensor, Tensor]:
    """Factors (token, 1, feature) of every feature and of its partner in a rotation.

    Features 2 i and 2 i + 1 are partners. What the rotation makes of ones and zeros gives both,
    whatever frequencies it takes and whichever features it leaves as they are.
    """
    even = torch.arange(attention.attention_head_size) % 2 == 0
    ones = even.float().expand(1, 1, tokens, -1)
    places = attention.get_position_ids(torch.empty(1, tokens, 1))
    of_even = attention.apply_rotary_embeddings(ones, places)[0, 0]
    of_odd = attention.apply_rotary_embeddings(1 - ones, places)[0, 0]
    cos, sin = torch.where(even, of_even, of_odd), torch.where(even, of_odd, of_even)
    return cos[:, None], sin[:, None]


def _rotated(value: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Queries or keys (clip, token, head, feature), turned, as (clip, head, token, feature)."""
    clips, tokens, heads, width = value.shape
    turned = value.new_empty(clips, heads, tokens, width)
    there = turned.transpose(1, 2)
    torch.mul(value, cos, out=there)
    even, odd = slice(0, width // 2 * 2, 2), slice(1, None, 2)
    there[..., even].addcmul_(value[..., odd], sin[..., even])
    there[..., odd].addcmul_(value[..., even], sin[..., odd])
    return turned


def _linear(flat: Tensor, layer: nn.Linear) -> Tensor:
    return onednn.product(flat, layer.weight, layer.bias)


def _add(flat: Tensor, layer: nn.Linear, to: Tensor) -> Tensor:
    return onednn.product_plus(flat, layer.weight, layer.bias, to)
