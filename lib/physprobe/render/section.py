"""Render's contract: what every module of this folder offers."""

from abc import abstractmethod
from typing import Protocol

import numpy as np

from physprobe.config import spec


class Kind(Protocol):
    """A way to film a system: from what is stored of a clip to frames.

    A module is one by having these names.
    """

    Spec: type[spec.Spec]
    """Fields of the config's entry."""

    @staticmethod
    @abstractmethod
    def frames(spec: spec.Spec, field: np.ndarray) -> np.ndarray:
        """Frames (time, y, x, rgb) uint8 of one clip (time, ...), as its simulation stores it.

        Raises
        ------
        ValueError
            If it can't be shown.
        """
