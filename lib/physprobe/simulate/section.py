"""Simulate's contract: what every module of this folder offers, and what it may leave out."""

from abc import abstractmethod
from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

import numpy as np

from physprobe.config import spec


class Kind(Protocol):
    """A system: a physical world that yields clips with labels.

    A module is one by having these names. A new system is a file whose docstring opens with its
    equation; those on a periodic square are short, see ``_periodic`` and ``_linear``.
    """

    FIELD: str
    """Name of what is stored of a clip; renderers know ``scene``, ``screens`` and ``files``."""
    FIELD_UNIT: str
    RESOLUTION: float | None = None
    """Values are stored to the nearest multiple of it, a power of two; by default every bit."""
    WALLS: bool = False
    """Whether the square has walls, that nothing passes; by default what leaves it comes back."""
    UNITS: Mapping[str, str]
    """Units of the labels that are numbers to decode, by name."""
    STATES: Mapping[str, str] = MappingProxyType({})
    """Units of what a clip has at every frame, by name; see ``solved``."""
    CLASSES: tuple[str, ...] = ()
    """Labels to tell apart."""
    Spec: type[spec.Spec]
    """Fields of the config's entry. Training streams set ``clips`` and ``seed``, and ask for
    ``frames`` and ``size``."""

    @staticmethod
    @abstractmethod
    def draw(spec: spec.Spec) -> dict[str, np.ndarray]:
        """Labels (clip,) of every clip, the same ones for the same spec.

        Among them may be ``group``, of clips that are never split, and ``split``, of "train" and
        "test".
        """

    @staticmethod
    @abstractmethod
    def coords(spec: spec.Spec) -> dict[str, np.ndarray]:
        """Coordinates along each dimension of a clip, ``time`` [s] first."""

    @staticmethod
    @abstractmethod
    def field(spec: spec.Spec, labels: Mapping[str, float]) -> np.ndarray:
        """One clip, float32, along the dimensions of ``coords``, from its labels."""

    @staticmethod
    @abstractmethod
    def check(spec: spec.Spec, labels: Mapping[str, float], field: np.ndarray) -> None:
        """Let a clip pass that keeps the system's laws.

        Raises
        ------
        ValueError
            If a gate is broken: which, where, expected, got.
        """

    @staticmethod
    def check_labels(spec: spec.Spec, labels: Mapping[str, np.ndarray]) -> None:
        """Refuse labels (clip,) that would measure nothing; by default none are.

        Raises
        ------
        ValueError
            If a gate is broken: which label, expected, got.
        """
