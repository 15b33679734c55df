"""Fields supervised: give the labels themselves; the ceiling of what the networks can learn here.

    loss = mean (A mean E(x) + b - y)^2

with y the labels, each with mean 0 and deviation 1, and the mean over the places of a group.

References
----------
"Representation Learning for Spatiotemporal Physical Systems", arXiv:2603.13227, has no such row.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

import numpy as np

from physprobe.config import kinds
from physprobe.config.system import System
from physprobe.train._fields import GROUPS, Fields

if TYPE_CHECKING:
    import torch
    from torch import nn

    from physprobe.train._stored import Batch, Networks

KEPT = ("encoder", "readout")
STOPS = False


class Spec(Fields):
    """Regression of the labels that ``validation`` names."""

    kind: Literal["fields_supervised"] = "fields_supervised"
    """Recipe."""

    def unseen(self, system: System, name: str) -> Iterator[str]:
        """As of others, and clips whose labels it was told."""
        yield from super().unseen(system, name)
        drawn = "seed" in type(system.simulate).model_fields  # others would have to read files
        kind = kinds.load("simulate", system.simulate.kind)
        if name == self.data and drawn and "split" not in kind.draw(system.simulate):
            yield f"it was told the labels of the clips of {name}, which has no split"


def networks(spec: Spec) -> "dict[str, nn.Module | None]":
    """Encoder, and a linear map to the labels."""
    from torch import nn

    from physprobe.train import _stored

    outputs = len(_stored.stored(spec).columns)
    return _stored.networks(spec, lambda shown: {"readout": nn.Linear(spec.widths[-1], outputs)})


def loss(
    spec: Spec, net: "Networks", batch: "Batch", drawn: np.random.Generator
) -> "tuple[torch.Tensor, dict[str, torch.Tensor]]":
    """Loss of a batch, and nothing else to report; nothing is drawn."""
    from physprobe.train import _stored

    found = net.readout(net.encoder(_stored.samples(batch)).mean((1, 2, 3)))
    goal = batch.labels.repeat_interleave(GROUPS, 0)
    return (found.float() - goal).square().mean(), {}
