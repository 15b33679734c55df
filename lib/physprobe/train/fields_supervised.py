"""Fields supervised: give the labels themselves; the ceiling of what the networks can learn here.

    loss = mean (A mean E(x) + b - y)^2

with y the labels, each with mean 0 and deviation 1, and the mean over the places of a group.

References
----------
"Representation Learning for Spatiotemporal Physical Systems", arXiv:2603.13227, has no such row.
"""

from typing import TYPE_CHECKING, Literal

import numpy as np

from physprobe.train._fields import Told

if TYPE_CHECKING:
    import torch
    from torch import nn

    from physprobe.train._stored import Batch, Networks

KEPT = ("encoder", "readout")
STOPS = False


class Spec(Told):
    """Regression of the labels that ``validation`` names."""

    kind: Literal["fields_supervised"] = "fields_supervised"
    """Recipe."""


def networks(spec: Spec) -> "dict[str, nn.Module | None]":
    """Encoder, and a linear map to the labels."""
    from physprobe.train import _stored

    return _stored.networks(spec, lambda shown: {"readout": _stored.readout(spec)})


def loss(
    spec: Spec, net: "Networks", batch: "Batch", drawn: np.random.Generator
) -> "tuple[torch.Tensor, dict[str, torch.Tensor]]":
    """Loss of a batch, and nothing else to report; nothing is drawn."""
    from physprobe.train import _stored

    return _stored.regression(net, batch), {}
