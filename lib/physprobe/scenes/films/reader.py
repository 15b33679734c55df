"""Reader: frames of films, each decoded once and in order, however many clips share them.

Clips come in the order of their films and starts. So the last few films stay open, and of each
those frames that the clip before has used, as small as they are asked for.
"""

from threading import Lock

import numpy as np

from physprobe.scenes.films import shapes
from physprobe.scenes.films.film import Faulty, checksum
from physprobe.scenes.films.folder import Source


class Reader:
    """One film, read on as far as it is asked for.

    Parameters
    ----------
    source : Source
    size : tuple of int, optional
    fit : str
    gray : bool
        How frames are to be; see ``shapes``.
    array : str, optional
    values : tuple of float, optional
        See ``arrays``.

    Attributes
    ----------
    checksum : int
        Of the film's content.
    """

    def __init__(
        self,
        source: Source,
        *,
        size: tuple[int, int] | None,
        fit: shapes.Fit,
        gray: bool,
        array: str | None,
        values: tuple[float, float] | None,
    ):
        self.source, self.size, self.fit, self.gray = source, size, fit, gray
        self.array, self.values = array, values
        self.checksum = checksum(source.digest(array))
        self.lock = Lock()
        self._begin()

    def _begin(self) -> None:
        self._frames = self.source.frames(self.array, self.values)
        self._kept: dict[int, np.ndarray] = {}
        self._next = 0

    def take(self, wanted: np.ndarray, until: int = 0) -> np.ndarray:
        """Frames (time, y, x, rgb) uint8 by number.

        Parameters
        ----------
        wanted : (time,) int
        until : int
            Frames that the film is to have: it is read on to its end to see that it has. 0: any.

        Raises
        ------
        Faulty
            If the film ends before them, or has another number of frames, or one is damaged.
        ValueError
            If they can't be as they are asked for.
        """
        with self.lock:
            try:
                return self._taken(wanted, until)
            except Faulty:
                self._begin()  # who asks again is told the same
                raise

    def _taken(self, wanted: np.ndarray, until: int) -> np.ndarray:
        first, last = int(wanted.min()), int(wanted.max())
        if any(number < self._next and number not in self._kept for number in wanted.tolist()):
            self._begin()
        self._kept = {n: image for n, image in self._kept.items() if n >= first}
        while self._next <= last:
            found = next(self._frames, None)
            if found is None:
                raise Faulty(f"ends after {self._next} frames, expected {last + 1}")
            if self._next >= first:
                image = shapes.fitted(found[0], self.size, self.fit, found[1])
                self._kept[self._next] = shapes.gray(image) if self.gray else image
            self._next += 1
        if until:
            self._next += sum(1 for _ in self._frames)
            if self._next != until:
                raise Faulty(f"decodes {self._next} frames, expected {until}")
        return np.stack([self._kept[number] for number in wanted.tolist()])
