"""oneDNN: products of float32 matrices on a CPU, with what comes after them in the same call.

Twice as fast as torch's own on many processors. torch has no public entry for float32; these are
inductor's, private and free to change, so they are tried once against torch's public functions.
Whoever uses them looks at ``AVAILABLE`` first.
"""

import logging
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

NAME = "_linear_pointwise"


def agrees(operator: Any) -> bool:
    """Whether an operator computes what ``product`` and ``product_plus`` want of it.

    Parameters
    ----------
    operator : callable or None
        Like ``torch.ops.mkldnn._linear_pointwise``, with its overload ``binary``.
    """
    left = torch.linspace(-2, 2, 4 * 5 * 8).view(4, 5, 8).sin()
    right = torch.linspace(-3, 1, 8 * 6).view(8, 6).cos().T
    bias, other = torch.linspace(-1, 1, 6), torch.linspace(0, 2, 5 * 6).view(5, 6)
    try:
        found = [
            (operator(left, right, None, "none", [], "none"), F.linear(left, right)),
            (operator(left, right, bias, "none", [], "none"), F.linear(left, right, bias)),
            (operator(left, right, bias, "gelu", [], "none"), F.gelu(F.linear(left, right, bias))),
            (
                operator.binary(left[0], other, right, bias, "add"),
                F.linear(left[0], right, bias) + other,
            ),
        ]
        for value, expected in found:
            apart = (value - expected).abs().max()
            if value.shape != expected.shape or not apart <= 1e-5:
                raise ValueError(f"{tuple(value.shape)}, {apart:.1e} apart")
    except (AttributeError, TypeError, ValueError, RuntimeError) as error:
        if operator is not None:
            about = " ".join(str(error).split())[:200]
            logging.getLogger("physprobe").info("oneDNN's %s is not used: %s", NAME, about)
        return False
    return True


AVAILABLE = torch.backends.mkldnn.is_available() and agrees(getattr(torch.ops.mkldnn, NAME, None))
"""Whether products can go to oneDNN, and are right there."""


def product(left: Tensor, right: Tensor, bias: Tensor | None = None, then: str = "none") -> Tensor:
    """Rows of left times rows of right, plus a bias, through an activation.

    Parameters
    ----------
    left : Tensor
        (..., row, inner).
    right : Tensor
        (column, inner).
    bias : Tensor, optional
        (column).
    then : str
        "none" or "gelu".

    Returns
    -------
    Tensor
        (..., row, column).
    """
    return torch.ops.mkldnn._linear_pointwise(left, right, bias, then, [], "none")


def product_plus(left: Tensor, right: Tensor, bias: Tensor | None, other: Tensor) -> Tensor:
    """Rows of left times rows of right, plus a bias, plus a matrix (row, column)."""
    return torch.ops.mkldnn._linear_pointwise.binary(left, other, right, bias, "add")
