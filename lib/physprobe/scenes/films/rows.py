"""Rows: what a simulation hands to a renderer of films, numbers (time, quantity) float32."""

from typing import NamedTuple

import numpy as np

QUANTITIES = ("film", "frame", "flipped", "checksum", "until")
"""Place of the film among those of its folder, in the order of their names; frame, from 0; whether
it is shown upside down; checksum of the film; of the last clip of a film that nobody has decoded
yet, how many frames it is to have, else 0."""
MOST = 2**24  # what a float32 counts exactly


class Rows(NamedTuple):
    """What a clip is: see `QUANTITIES`."""

    film: int
    frames: np.ndarray
    flipped: bool
    checksum: int
    until: int = 0


def described(clip: Rows) -> np.ndarray:
    """Rows (time, quantity) of one clip.

    Raises
    ------
    ValueError
        If a number is too large to be counted.
    """
    most = max(int(clip.frames.max()), clip.until)
    if max(clip.film, most) >= MOST:
        raise ValueError(f"frame {most} of film {clip.film}: {MOST} is the most.")
    return np.stack(np.broadcast_arrays(*clip), axis=1, dtype=np.float32)


def read(field: np.ndarray) -> Rows:
    """One clip from its rows.

    Raises
    ------
    ValueError
        If they are no such rows.
    """
    field = np.asarray(field)
    if field.ndim != 2 or field.shape[1] != len(QUANTITIES) or not np.isfinite(field).all():
        raise ValueError(
            f"shape {field.shape}: expected (time, {len(QUANTITIES)}), numbers of films."
            " Hint: this renderer is for systems of kind `films`."
        )
    film, frames, flipped, checksum, until = field.T.astype(np.int64)
    return Rows(int(film[0]), frames, bool(flipped[0]), int(checksum[0]), int(until[0]))
