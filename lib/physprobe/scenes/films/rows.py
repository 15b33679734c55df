"""Rows: what a simulation hands to a renderer of films, numbers (time, quantity) float32."""

import numpy as np

QUANTITIES = ("film", "frame", "flipped", "checksum")
"""Place of the film among those of its folder, in the order of their names; frame, from 0; whether
it is shown upside down; checksum of the film."""
MOST = 2**24  # what a float32 counts exactly


def described(film: int, frames: np.ndarray, flipped: bool, checksum: int) -> np.ndarray:
    """Rows (time, quantity) of one clip.

    Raises
    ------
    ValueError
        If a number is too large to be counted.
    """
    if max(film, int(frames.max())) >= MOST:
        raise ValueError(f"frame {int(frames.max())} of film {film}: {MOST} is the most.")
    found = np.empty((len(frames), len(QUANTITIES)), np.float32)
    found[:] = film, 0, flipped, checksum
    found[:, 1] = frames
    return found


def read(field: np.ndarray) -> tuple[int, np.ndarray, bool, int]:
    """Film, frames, whether flipped, and checksum, of one clip's rows.

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
    film, frames, flipped, checksum = field.T.astype(np.int64)
    return int(film[0]), frames, bool(flipped[0]), int(checksum[0])
