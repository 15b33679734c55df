"""Images' classes: name the perturbed image's class, by labels; what an encoder can reach.

    loss = mean -log softmax(R E(x~)) of the image's class

Not without labels: the ceiling of all other recipes of the same encoder and perturbations.
"""

from typing import TYPE_CHECKING, Literal

import numpy as np

from physprobe.train._image_models import ImageModels

if TYPE_CHECKING:
    import torch
    from torch import nn

    from physprobe.train._images import Batch, Networks

KEPT = ("encoder", "readout")
STOPS = False


class Spec(ImageModels):
    """Supervised by the classes."""

    kind: Literal["images_classes"] = "images_classes"
    """Recipe."""


def networks(spec: Spec) -> "dict[str, nn.Module]":
    """Encoder and linear readout."""
    from torch import nn

    from physprobe.embed.networks import latent
    from physprobe.train import _images

    shown = _images.seen(spec)
    classes = int(_images.world(spec).classes.max()) + 1
    return latent.drawn(
        spec.seed,
        lambda: {
            "encoder": latent.Encoder(spec, shown),
            "readout": nn.Linear(spec.embedding, classes),
        },
    )


def draw(spec: Spec, rng: np.random.Generator) -> "dict[str, torch.Tensor]":
    """Nothing."""
    return {}


def loss(
    spec: Spec, net: "Networks", batch: "Batch", drawn: "dict[str, torch.Tensor]"
) -> "tuple[torch.Tensor, dict[str, torch.Tensor]]":
    """Loss of a batch, and the share that is named right."""
    from torch.nn import functional

    told = net.readout(net.encoder(batch.seen))
    right = (told.argmax(-1) == batch.classes).float().mean()
    return functional.cross_entropy(told, batch.classes), {"right": right.detach()}
