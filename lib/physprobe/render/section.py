"""Render's contract: what every module of this folder offers, and what it may leave out."""

from abc import abstractmethod
from typing import Protocol

import numpy as np

from physprobe.config import spec


class Kind(Protocol):
    """A renderer: from a clip of a simulation to what an encoder sees of it.

    A module is one by having these names.
    """

    DRAWS: tuple[str, ...] = ()
    """Fields of systems that it knows, by name; by default any on a grid of y and x."""
    SEEN: str = "video"
    """What comes of it, one of ``config.seen.FORMS``."""
    CHANNELS: tuple[str, ...] | None = ("red", "green", "blue")
    """Names along the last dimension; None if they are the field's own."""
    UNIT: str | None = None
    """Unit of what comes of it; colours have none."""
    BACK: bool = False
    """Whether ``back`` reads the field off what is seen; by default it can't be read so."""
    TOGETHER: int | None = None
    """Clips in one file of the store, where they are small; by default as many as its form has."""
    IN_TURN: bool = False
    """Whether a clip goes on where the one before it ended, so that they aren't drawn at once."""
    Spec: type[spec.Spec]
    """Fields of the config's entry."""

    @staticmethod
    @abstractmethod
    def frames(spec: spec.Spec, field: np.ndarray) -> np.ndarray:
        """What is seen of one clip, along the dimensions of its form, from its field.

        Raises
        ------
        ValueError
            If the field is none that it knows, or a frame is not finite; the message names it.
        """

    @staticmethod
    def back(spec: spec.Spec, frames: np.ndarray) -> np.ndarray:
        """Field of one clip, along its dimensions, as far as what is seen of it tells.

        What can't be told is nan. By default nothing can.

        Raises
        ------
        ValueError
            If the frames are none that it draws; the message says what they show.
        """
        return np.full(frames.shape, np.nan)
