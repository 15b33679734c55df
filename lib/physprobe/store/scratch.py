"""Scratch: arrays that grow with the clips, in files without a name where they are large."""

import tempfile

import numpy as np
from numpy.typing import DTypeLike

LARGE = 2**26
"""Bytes from which on an array lies in a file, or all arrays of a sort do."""


def zeros(shape: tuple[int, ...], dtype: DTypeLike, kept: int = 1) -> np.ndarray:
    """Zeros to be filled in: in memory, or, where that would be much, in a file.

    The file is in the folder for temporary files (``TMPDIR``), and gone with the array. What of it
    is in memory the system can take back at any time.

    Parameters
    ----------
    shape : tuple of int
    dtype : dtype
    kept : int
        About how many of this sort are kept at the same time.
    """
    if kept * int(np.prod(shape)) * np.dtype(dtype).itemsize < LARGE:
        return np.zeros(shape, dtype)
    with tempfile.TemporaryFile(prefix="physprobe-") as file:
        return np.memmap(file, dtype, "w+", shape=shape)
