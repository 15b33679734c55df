"""Shared: what follows from a system alone is fitted once for all members of an encoder.

A network that reads frames, or one of true states, knows nothing of the encoder; members are fitted
one after another in one process, and the next one finds what the first has made. The key is all
that it is made of.
"""

import hashlib
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from physprobe.statistics.splits import Fold

Made = TypeVar("Made")
MOST = 16
_MADE: dict[str, Any] = {}


def once(make: Callable[[], Made], name: str, fold: Fold, *of: object) -> Made:
    """What a function makes, or has made of the same before.

    Parameters
    ----------
    make : callable
    name : str
        Of what is made.
    fold : Fold
    *of : ndarray, or what prints as itself
        All else that it is made of.
    """
    digest = hashlib.blake2b(name.encode())
    for part in (fold.train, *(clips for pair in fold.inner for clips in pair), *of):
        if isinstance(part, np.ndarray):
            digest.update(f"{part.dtype} {part.shape}".encode())
            digest.update(np.ascontiguousarray(part).tobytes())
        else:
            digest.update(repr(part).encode())
    key = digest.hexdigest()
    if key not in _MADE:
        while len(_MADE) >= MOST:
            del _MADE[next(iter(_MADE))]
        _MADE[key] = make()
    return _MADE[key]
