"""Simulate's contract: what every module of this folder offers, and what it may leave out."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import Protocol

import numpy as np

from physprobe.config import spec


class Kind(Protocol):
    """A system: a physical world that yields clips with labels.

    A module is one by having these names. A new system is a file whose docstring opens with its
    equation; those on a periodic square are short, see ``_periodic`` and ``_linear``.
    """

    FIELD: str
    """Name of what is stored of a clip; a renderer's ``DRAWS`` names those that it knows."""
    FIELD_UNIT: str
    RESOLUTION: float | None = None
    """Values are stored to the nearest multiple of it, a power of two; by default every bit."""
    LAW: str | None = None
    """Candidate of ``discover`` that its clips obey; by default none of them."""
    GRID: bool = True
    """Whether that is a field on a grid of y and x, as laws are read off; by default it is."""
    PERIODIC: tuple[bool, bool] = (True, True)
    """Whether what leaves along y, and along x, comes back; otherwise there are walls."""
    DIMENSIONS: Mapping[str, str] = {"time": "s", "y": "px", "x": "px"}
    """Units along the dimensions of a clip, by name."""
    UNITS: Mapping[str, str]
    """Units of the labels that are numbers to decode, by name."""
    STATES: Mapping[str, str] = {}
    """Units of what a clip has at every frame besides, such as angles, by name."""
    TOGETHER: int = 1
    """Clips that are solved at once, and lie in one file of the store."""
    GROUPED: bool = True
    """Whether clips have a ``group`` or a ``split``, which one fit to several systems needs."""
    REFINES: bool = False
    """Whether trajectories can be solved again in more steps and on finer grids; its entry then has
    ``length``, ``interval`` and ``trajectories``."""
    CLASSES: tuple[str, ...] = ()
    """Labels to tell apart."""
    CONDITIONS: tuple[str, ...] = ()
    """Labels of which every combination is a world of its own, that is fitted and trained on apart
    from the others; by default all clips are of one."""
    TOLD: tuple[str, ...] = ()
    """What ``told`` gives, by name; by default its clips are read by no equation."""
    Spec: type[spec.Spec]
    """Fields of the config's entry. Training streams set ``clips`` and ``seed``, and ask for
    ``frames`` and ``size``."""

    def together(self, spec: spec.Spec) -> int:
        """Clips that are solved at once, where it follows from the entry."""
        return self.TOGETHER

    def periodic(self, spec: spec.Spec) -> tuple[bool, bool]:
        """Whether what leaves along y, and along x, comes back, where it follows from the entry."""
        return self.PERIODIC

    def label_units(self, spec: spec.Spec) -> Mapping[str, str]:
        """Units of the labels that are numbers, where they follow from the entry."""
        return self.UNITS

    def label_classes(self, spec: spec.Spec) -> tuple[str, ...]:
        """Labels to tell apart, where they follow from the entry."""
        return self.CLASSES

    def state_units(self, spec: spec.Spec) -> Mapping[str, str]:
        """Units of what a clip has at every frame, where they follow from the entry."""
        return self.STATES

    @staticmethod
    def problems(spec: spec.Spec) -> Iterator[str]:
        """What is wrong with files that the entry names, as can be told at once; none are read."""
        yield from ()

    @staticmethod
    def about(spec: spec.Spec) -> Mapping[str, object]:
        """What the store says of its clips besides, once they are drawn; by default nothing."""
        return {}

    @staticmethod
    def trajectory(
        spec: spec.Spec,
        own: Mapping[str, float],
        rng: np.random.Generator,
        *,
        finer: int = 1,
        cells: int = 1,
    ) -> np.ndarray:
        """A whole trajectory (time, y, x, channel), from one start however it is solved.

        Parameters
        ----------
        spec : Spec
        own : mapping of str to float
            Its labels.
        rng : numpy Generator
            Source of the initial condition.
        finer : int
            Steps in place of one.
        cells : int
            Cells in place of one that equations are solved on, along y as along x.
        """
        raise NotImplementedError

    @staticmethod
    def endless(spec: spec.Spec, clips: int, seed: int) -> spec.Spec | None:
        """The same with as many clips at least, of another seed; None if its clips are fixed.

        What is trained on them is shown those that are possible, where a label says so.
        """
        if not {"clips", "seed"} <= type(spec).model_fields.keys():
            return None
        return spec.model_copy(update={"clips": clips, "seed": seed})

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

    def solved(
        self, spec: spec.Spec, labels: Mapping[str, np.ndarray]
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Several clips (clip, ...) from their labels (clip,), and their states (clip, time).

        A clip may not depend on those that are solved beside it. By default each is solved by
        itself, and has no states.
        """
        clips = range(len(next(iter(labels.values()))))
        each = ({name: values[clip] for name, values in labels.items()} for clip in clips)
        return np.stack([self.field(spec, one) for one in each]), {}

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

    @staticmethod
    def check_states(
        spec: spec.Spec, labels: Mapping[str, float], states: Mapping[str, np.ndarray]
    ) -> None:
        """Let the states (time,) of one clip pass; by default all do.

        Raises
        ------
        ValueError
            If a gate is broken: which, where, expected, got.
        """

    @staticmethod
    def told(spec: spec.Spec, field: np.ndarray) -> Mapping[str, float]:
        """Parameters of one clip as one can tell them who knows the equation, but no label.

        A ceiling of what any encoder can tell of them by physics. By default nothing is told.

        Parameters
        ----------
        spec : Spec
            What all clips share: times, box, what they are drawn from.
        field : (time, ...)
            The field as it was, or as a renderer's ``back`` reads it off what is seen.

        Returns
        -------
        mapping of str to float
            Of ``TOLD``: labels in their units, and ``misfit``, where it is known what the equation
            leaves unexplained of a clip. nan is what can't be told of this one.
        """
        return {}
