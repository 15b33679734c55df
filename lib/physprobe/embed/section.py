"""Embed's contract: what every module of this folder offers, and what it may leave out."""

from abc import abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self

import numpy as np

from physprobe.config.spec import Spec
from physprobe.embed._encoder import Encoder

if TYPE_CHECKING:
    from xarray import Dataset


class EncoderSpec(Spec):
    """What is asked of every encoder's and control's spec; a kind overrides what it is."""

    if TYPE_CHECKING:
        kind: str = ""

    SEES_SIMULATION: ClassVar[bool] = False
    """Whether it reads the simulation; encoders see clips alone."""
    READS: ClassVar[tuple[str, str]] = ("scene", "where a ball is")
    """Field that a system has to have for it to be read so, and what is read, for people."""
    GPUS: ClassVar[int] = 0
    """GPUs that a job can use."""

    @property
    def members(self) -> dict[int, Self]:
        """Spec of each of the networks that the entry stands for, by name; by default of one."""
        return {0: self}

    @property
    def sees_future(self) -> bool:
        """Whether an embedding at one time follows from frames of later ones."""
        return False

    @property
    def checkpoints(self) -> dict[str, bool]:
        """Checkpoints that are read, and whether their weights are."""
        return {}


class Kind(Protocol):
    """A family of encoders, or of controls that stand in for one.

    A module is one by having these names.
    """

    SEES: tuple[str, ...] = ("video",)
    """What it can embed, of ``config.seen.FORMS``."""
    Spec: type[EncoderSpec]
    """Fields of the config's entry."""

    @staticmethod
    @abstractmethod
    def tubelet(spec: EncoderSpec) -> int | None:
        """Frames per token, if it can be known without touching the hub."""

    @staticmethod
    def predictor(
        spec: EncoderSpec, member: int | None
    ) -> Callable[[np.ndarray], np.ndarray] | None:
        """Function from features (row, feature) of the last layer to those of the next token.

        What a recipe has trained beside the encoder; by default, and of random weights, there is
        none.
        """
        return None

    @staticmethod
    def anywhere(
        spec: EncoderSpec, member: int | None, simulation: "Dataset"
    ) -> Callable[..., np.ndarray] | None:
        """Function from points (row, channel) that are no clips to features (layer, row, feature).

        Numbers of layers after the points are those that are wanted. By default there is none.
        """
        return None

    @staticmethod
    @abstractmethod
    def load(spec: EncoderSpec, **sizes: Any) -> Encoder:
        """An encoder that is ready for clips of these sizes.

        Parameters
        ----------
        spec : EncoderSpec
            Of several members, the one that is meant.
        **sizes : int
            Those of the form that it sees, such as ``frames``, ``height`` and ``width`` of a video,
            or ``frames`` and ``channels`` of a signal; ``threads``; and ``simulation``, the
            Dataset, if the entry reads it.

        Raises
        ------
        ValueError
            If the clips don't fit.
        """
