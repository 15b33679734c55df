"""Random streams by name: the same names give the same draws, different names independent ones."""

import hashlib

import numpy as np


def rng(*names: str | int) -> np.random.Generator:
    """Generator for a named purpose, for instance ``rng("bootstrap", spec.seed)``.

    Parameters
    ----------
    *names : str or int
        What the stream is for; order counts.

    Returns
    -------
    numpy Generator
    """
    words = hashlib.sha256("\x1f".join(map(str, names)).encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(words[:16], "big")))
