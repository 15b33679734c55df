"""Embed's contract: what every module of this folder offers, and what it may leave out."""

from abc import abstractmethod
from collections.abc import Callable
from typing import Protocol

import numpy as np

from physprobe.config import spec
from physprobe.embed._encoder import Encoder


class Kind(Protocol):
    """A family of encoders, or of controls that stand in for one."""

    SEES: tuple[str, ...] = ("video",)
    """What it can embed, of ``config.seen.FORMS``."""
    Spec: type[spec.Spec]
    """Fields of the config's entry."""

    @staticmethod
    @abstractmethod
    def tubelet(spec: spec.Spec) -> int | None:
        """Frames per token, if they can be known from the entry alone."""

    @staticmethod
    def predictor(spec: spec.Spec, member: int | None) -> Callable[[np.ndarray], np.ndarray] | None:
        """Function from features (row, feature) of the last layer to those of the next token.

        What a recipe has trained beside the encoder; by default, and of random weights, there is
        none.
        """
        return None

    @staticmethod
    @abstractmethod
    def load(spec: spec.Spec, **sizes: int) -> Encoder:
        """An encoder that is ready for clips of these sizes.

        Parameters
        ----------
        spec : Spec
            Of one network, if the entry has several.
        **sizes : int
            Those of the form that it sees, such as ``frames``, ``height`` and ``width`` of a video,
            or ``frames`` and ``channels`` of a signal; ``threads``; and ``simulation``, the
            Dataset, if the entry reads it.

        Raises
        ------
        ValueError
            If the clips don't fit.
        """
