"""Train's contract: what every module of this folder offers, and what it may leave out."""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self

import numpy as np

from physprobe.train._training import Schedule

if TYPE_CHECKING:
    import torch
    from torch import nn


class Batch(Protocol):
    """What is seen in one step: a frozen dataclass of tensors."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    def to(self, device: "torch.device") -> Self:
        """Same batch on another device."""


class Family(Protocol):
    """What recipes of one sort share: a module that the spec's ``family`` names."""

    FILES: tuple[str, ...]
    """Files that a recipe writes for networks to be read from."""
    WIDE: bool
    """Whether layers are wide enough for oneDNN's products to be the faster ones on a CPU."""

    @staticmethod
    @abstractmethod
    def batch(spec: Schedule, step: int) -> Batch:
        """What is seen in one step; the same step gives the same."""

    @staticmethod
    @abstractmethod
    def hidden(net: "nn.Module", batch: Batch) -> "torch.Tensor":
        """Features (clip, token, feature) that the judged network gives to a batch."""

    @staticmethod
    @abstractmethod
    def judge(spec: Schedule, threads: int) -> "Callable[[nn.Module], Mapping[str, float]]":
        """Function from the judged network to its scores on validation clips, by name."""

    @staticmethod
    @abstractmethod
    def write(
        spec: Schedule, tensors: "Mapping[int, Mapping[str, torch.Tensor]]", folder: Path
    ) -> None:
        """Write the files from tensors ``{network}.{parameter}`` of every member."""


class Kind(Protocol):
    """A recipe: networks, and the loss that trains them without labels.

    A module is one by having these names. It is imported wherever a config is read, so it imports
    torch within its functions.
    """

    Spec: type[Schedule]
    """Fields of the config's entry."""
    KEPT: tuple[str, ...] = ("encoder",)
    """Networks that are saved; the first of them is judged."""
    FORESEES: bool = False
    """Whether the kept ``predictor`` gives hidden states at other places, as V-JEPA 2's does."""
    STOPS: bool = True
    """Whether a run ends where features collapse; otherwise it is written down."""

    @staticmethod
    @abstractmethod
    def networks(spec: Schedule) -> "dict[str, nn.Module | None]":
        """Networks by name, ``encoder`` among them; what needs a gradient is trained."""

    @staticmethod
    def draw(spec: Schedule, rng: np.random.Generator) -> Any:
        """What a step's loss draws: masks and the like; by default the source itself.

        Parameters
        ----------
        spec : Schedule
        rng : numpy Generator
            A step's own, so that a resumed run draws the same.

        Returns
        -------
        dict of str to Tensor
            Where members may be trained together; their shapes are every member's.
        """
        return rng

    @staticmethod
    @abstractmethod
    def loss(
        spec: Schedule, net: "nn.Module", batch: Batch, drawn: Any
    ) -> "tuple[torch.Tensor, dict[str, Any]]":
        """Loss of a batch, and parts of it to report by name.

        Where members may be trained together it is mapped over them by ``torch.vmap``: shapes and
        branches follow from spec and shapes alone, never from values, and parts are tensors.

        Parameters
        ----------
        spec : Schedule
        net : Module
            The networks, as attributes.
        batch : Batch
            On their device.
        drawn : dict of str to Tensor, or numpy Generator
            What ``draw`` has returned, on their device.
        """

    @staticmethod
    def after_step(spec: Schedule, net: "nn.Module", progress: float) -> None:
        """Follow the optimiser's step, such as with a moving average; progress goes 0 to 1."""
