"""Periodic: the square without walls that the systems exact in Fourier space share.

A system on it is a :class:`Square` that says how a clip's parameters are drawn and which laws its
clips keep, and a ``field``; the rest of a system's contract is below. Where the equation is linear,
``_linear`` has the field and the laws as well.
"""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from pydantic import AfterValidator, Field, ValidationInfo

from physprobe.config.spec import Spec as Base
from physprobe.simulate import _draws, _gates, _initial

SIZE, FRAMES = 128, 64


class Square(Base):
    """Clips on a periodic square: how many, how long, how fine."""

    if TYPE_CHECKING:
        kind: str

    clips: int = Field(200, gt=0)
    """Number of clips."""
    frames: int = Field(FRAMES, gt=1)
    """Frames of a clip, one time unit [s] apart; the first is the initial condition."""
    size: int = Field(SIZE, ge=32)
    """Cells along each side of the square, 1 px apart."""
    seed: int = Field(0, ge=0, lt=2**32)
    """Seed of the draws; clips of the same number start alike in every system of the same seed."""

    RANGE: ClassVar[tuple[float, float]] = (0.0, 1.0)
    """What one scale of colours has to show."""
    SLACK: ClassVar[float] = _initial.BETWEEN_CELLS
    """What values may be beyond it."""

    @abstractmethod
    def propose(self, rng: np.random.Generator) -> dict[str, float]:
        """Parameters of one clip, by label."""

    def suits(self, clip: int, labels: Mapping[str, float]) -> bool:
        """Whether the parameters proposed for a clip, given by its number, may stay."""
        return True

    def laws(self, labels: Mapping[str, float], field: np.ndarray) -> None:
        """Raise a ValueError if a clip (time, y, x) breaks a law of the equation's own."""


def draw(spec: Square) -> dict[str, np.ndarray]:
    """Labels of every clip, drawn independently of each other where no motion is declared.

    Parameters
    ----------
    spec : Square

    Returns
    -------
    dict of str to (clip,)
        Parameters as the equation proposes them, float64; ``ic_id`` and ``group``, the number of
        the clip's initial condition, int64.
    """
    return _draws.clipwise(spec.kind, spec.seed, spec.clips, spec.propose, spec.suits)


def check(spec: Square, labels: Mapping[str, float], field: np.ndarray) -> None:
    """Let only clips of the equation pass: range, motion, and its laws.

    Parameters
    ----------
    spec : Square
    labels : mapping of str to float
        Parameters of the clip.
    field : (time, y, x) float32

    Raises
    ------
    ValueError
        If a gate is broken: which, where, expected, got.
    """
    _gates.within(field, *spec.RANGE, spec.SLACK)
    _gates.moves(field, *spec.RANGE)
    spec.laws(labels, field)


def check_labels(spec: Square, labels: Mapping[str, np.ndarray]) -> None:
    """Refuse parameters (clip,) that have collapsed to a few values.

    Raises
    ------
    ValueError
        If one takes fewer than 20 distinct values in 20 clips or more.
    """
    _gates.varied(labels, [name for name in labels if name not in _draws.NUMBERS])


def scaled(*values: float, size: int = 0, frames: int = 0) -> Callable[[dict[str, Any]], Any]:
    """Default that keeps a clip alike, whatever its size and its number of frames.

    Parameters
    ----------
    *values : float
        One value, or the two ends of a range, for 128 x 128 cells and 64 frames.
    size, frames : int
        Powers that they grow with; a speed [px/s] has 1 and -1.

    Returns
    -------
    callable
        Default factory of a field of a :class:`Square`.
    """

    def default(square: dict[str, Any]) -> float | tuple[float, ...]:
        ratio = (square["size"] / SIZE) ** size * (square["frames"] / FRAMES) ** frames
        found = tuple(value * ratio for value in values)
        return found if len(found) > 1 else found[0]

    return default


def bounded(most: float, beyond: str, *, size: int = 0) -> AfterValidator:
    """Rate, or range of rates, that doesn't lead too far within a clip.

    Parameters
    ----------
    most : float
        Largest rate times frames, in sides^size.
    beyond : str
        What happens to a clip beyond it.
    size : int
        Power of the side that the rate goes with: it is in sides^size per second.

    Returns
    -------
    AfterValidator
        For the type of a field of a :class:`Square`; a larger rate is an error.
    """

    def within(
        value: float | tuple[float, float], info: ValidationInfo
    ) -> float | tuple[float, float]:
        if {"size", "frames"} <= info.data.keys():
            limit = most * info.data["size"] ** size / info.data["frames"]
            if np.max(value) > limit:
                raise ValueError(f"{np.max(value):g} is more than {limit:g}: {beyond}")
        return value

    return AfterValidator(within)
