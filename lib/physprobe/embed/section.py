"""Embed's contract: what every module of this folder offers, and what it may leave out."""

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, Self

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
    JOINED: ClassVar[bool] = False
    """Whether it brings what it gives, and is told the clips' ids to join it to them."""
    NAMED: ClassVar[bool] = False
    """Whether it is told the ``names`` of the fields that clips show, to find its own by."""
    READS: ClassVar[tuple[str, str]] = ("scene", "where a ball is")
    """Field that a system has to have for it to be read so, any if empty, and what is read, for
    people."""
    SEES_RENDERING: ClassVar[bool] = False
    """Whether it is told the renderer's entry besides."""
    ROLE: ClassVar[Literal["rival", "ceiling"]] = "rival"
    """What it is to encoders, as a control: a rival to beat, or a ceiling that none can pass by
    physics alone, and that is no rival."""
    GPUS: ClassVar[int] = 0
    """GPUs that a job can use."""

    @property
    def members(self) -> dict[int, Self]:
        """Spec of each of the networks that the entry stands for, by name; by default of one."""
        return {0: self}

    @property
    def modules(self) -> tuple[str, ...]:
        """Modules of this package that it finds by name, from ``embed.`` on."""
        return ()

    def finds(self, simulate: str, render: str) -> tuple[str, ...]:
        """Modules of other stages that it finds by name, for a kind of system and of renderer."""
        return ()

    def unread(self, simulate: str, render: str) -> str | None:
        """Why clips of a kind of system, rendered by a kind, can't be read by it; None if not."""
        return None

    @property
    def only(self) -> str | None:
        """System whose clips alone it can embed; by default any."""
        return None

    @property
    def sees_future(self) -> bool:
        """Whether an embedding at one time follows from frames of later ones."""
        return False

    @property
    def foresees(self) -> bool:
        """Whether it may have a predictor of tokens that are masked; see :class:`Foresight`."""
        return False

    @property
    def checkpoints(self) -> dict[str, bool]:
        """Checkpoints that are read, and whether their weights are."""
        return {}


class Foresight(Protocol):
    """A network's own predictor: what it expects of the rest of a window, and how far off it is.

    Attributes
    ----------
    tubelet : int
        Frames per token.
    longest : int
        Frames of the windows that it was trained on, at most.
    context_from : str
        Which encoder the predictor reads, for people.
    """

    tubelet: int
    longest: int
    context_from: str

    def surprise(
        self,
        film: np.ndarray,
        stranger: np.ndarray,
        starts: np.ndarray,
        window: int,
        contexts: Sequence[int],
        orders: Mapping[int, np.ndarray],
        *,
        causal: bool = False,
    ) -> dict[str, np.ndarray]:
        """Mean absolute error of what is expected after the first frames of windows.

        Parameters
        ----------
        film, stranger : (frame, y, x, rgb) uint8
            The film, and another one of the same size, whose frames stand in as a control.
        starts : (start,) int
            First frame of each window.
        window : int
            Frames of a window.
        contexts : sequence of int
            Frames that are seen, each in turn.
        orders : mapping of int to (context,) int
            By context, the order in which its frames are shown as a control.
        causal : bool
            Whether targets see no frames that come after them.

        Returns
        -------
        dict of str to (start, context)
            ``predictor``, and of ``copy``, ``shuffled``, ``stranger`` what foresees nothing.
        """


class Kind(Protocol):
    """A family of encoders, or of controls that stand in for one.

    A module is one by having these names.
    """

    SEES: tuple[str, ...] = ("video",)
    """What it can embed, of ``config.seen.FORMS``."""
    Spec: type[EncoderSpec]
    """Fields of the config's entry."""

    @staticmethod
    def problems(spec: EncoderSpec) -> Iterator[str]:
        """What is wrong with the files that the entry names, as can be told at once."""
        yield from ()

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
    def foresight(
        spec: EncoderSpec, member: int | None, *, height: int, width: int, threads: int
    ) -> Foresight | None:
        """A member's predictor of masked tokens, for frames of one size; by default there is none.

        Raises
        ------
        FileNotFoundError
            If its checkpoint can't be had.
        ValueError
            If that isn't whole.
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
            or ``frames`` and ``channels`` of a signal; ``threads``; ``names`` of the fields, if it
            is told them; ``simulation``, the Dataset, if the entry reads it; ``rendering``, the
            renderer's entry, if it is told it; and ``clips``, the ids (clip,), with ``digest``,
            that of their store, if it is joined to them.

        Raises
        ------
        ValueError
            If the clips don't fit.
        """
