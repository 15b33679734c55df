"""Train's contract: what every module of this folder offers, and what it may leave out."""

from abc import abstractmethod
from typing import TYPE_CHECKING, Protocol

import numpy as np

from physprobe.train._training import Training

if TYPE_CHECKING:
    import torch
    from torch import nn

    from physprobe.train._stream import Batch


class Kind(Protocol):
    """A recipe: networks, and the loss that trains them without labels.

    A module is one by having these names. It is imported wherever a config is read, so it imports
    torch within its functions.
    """

    Spec: type[Training]
    """Fields of the config's entry."""
    KEPT: str = "encoder"
    """Network that is judged and saved."""

    @staticmethod
    @abstractmethod
    def networks(spec: Training) -> "dict[str, nn.Module | None]":
        """Networks by name, ``encoder`` among them; what needs a gradient is trained."""

    @staticmethod
    @abstractmethod
    def loss(
        spec: Training, net: "nn.Module", batch: "Batch", rng: np.random.Generator
    ) -> "tuple[torch.Tensor, dict[str, float]]":
        """Loss of a batch, and parts of it to report by name.

        Parameters
        ----------
        spec : Training
        net : Module
            The networks, as attributes.
        batch : Batch
            On their device.
        rng : numpy Generator
            Source of masks and the like: a step's own, so that a resumed run draws the same.
        """

    @staticmethod
    def after_step(spec: Training, net: "nn.Module", progress: float) -> None:
        """Follow the optimiser's step, such as with a moving average; progress goes 0 to 1."""
