"""Film: what was found out about one by reading it, and what is said of those that fail."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

Image = tuple[np.ndarray, float]
"""A frame (y, x, rgb) uint8, and the width of a pixel in heights of one."""


class Fault(NamedTuple):
    """One thing that is wrong."""

    file: str
    """Film or table, by its path within the folder; with the row, of a table."""
    what: str
    """What is wrong, with the numbers: found, expected."""


class Faulty(ValueError):
    """A film that can't be used, for the reasons that it lists."""

    def __init__(self, *reasons: str):
        super().__init__("; ".join(reasons))
        self.reasons = reasons


def checksum(digest: str) -> int:
    """First 24 bits of a digest: what a float32 holds exactly."""
    return int(digest[:6], 16)


@dataclass(frozen=True, eq=False)
class Film:
    """What a film is.

    Attributes
    ----------
    times : (frame,), optional
        When each frame is presented [s], from the first on; None if the file doesn't say.
    tick : float
        What those times are whole multiples of [s].
    size : tuple of int
        Rows and columns of a frame [px].
    pixel : float
        Width of a pixel, in heights of one.
    digest : str
        Of the file's content, hexadecimal.
    count : int
        Frames.
    notes : tuple of str
        What was taken care of: a rotation, more than 8 bits, sound.
    decoded : bool
        Whether every frame was decoded to say so; else who decodes it checks them.
    """

    times: np.ndarray | None
    tick: float
    size: tuple[int, int]
    pixel: float
    digest: str
    count: int
    notes: tuple[str, ...] = ()
    decoded: bool = True

    @property
    def rate(self) -> float | None:
        """Frames per second, on average."""
        if self.times is None or self.count < 2:
            return None
        return (self.count - 1) / float(self.times[-1])
