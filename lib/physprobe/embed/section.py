"""Embed's contract: what every module of this folder offers, and what it may leave out."""

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar, Protocol, Self

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
    """A family: what turns clips into features, layer by layer.

    A module is one by having these names.
    """

    Spec: type[EncoderSpec]
    """Fields of the config's entry."""

    @staticmethod
    @abstractmethod
    def tubelet(spec: EncoderSpec) -> int | None:
        """Frames per token, if it can be known without touching the hub."""

    @staticmethod
    @abstractmethod
    def load(
        spec: EncoderSpec,
        *,
        frames: int,
        height: int,
        width: int,
        threads: int,
        **known: "Dataset",
    ) -> Encoder:
        """Encoder for clips of so many frames of one size [px].

        Parameters
        ----------
        spec : EncoderSpec
            Of several members, the one that is meant.
        frames : int
            Frames per clip.
        height, width : int
            Size of a frame [px].
        threads : int
            Threads on a CPU.
        **known : Dataset
            ``simulation``, if it reads that.

        Raises
        ------
        ValueError
            If the clips don't fit.
        """
