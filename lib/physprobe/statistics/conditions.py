"""Conditions: clips of several worlds, each of which is fitted by itself."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np


class Conditions(NamedTuple):
    """Combinations of labels, in ascending order."""

    names: tuple[str, ...]
    table: np.ndarray
    """(condition, name) values of the labels."""
    of: np.ndarray
    """(clip,) number of each clip's condition."""

    def number(self, values: np.ndarray) -> int:
        """Number of the condition with these values (name,).

        Raises
        ------
        KeyError
            If there is none.
        """
        found = np.flatnonzero((self.table == values).all(1))
        if not len(found):
            told = ", ".join(f"{n} {v:g}" for n, v in zip(self.names, values, strict=True))
            raise KeyError(f"no condition of {told}")
        return int(found[0])


def numbered(labels: Mapping[str, np.ndarray], names: Sequence[str]) -> Conditions:
    """Conditions of clips.

    Parameters
    ----------
    labels : mapping of str to (clip,)
        Numbers.
    names : sequence of str
        Labels that part conditions; none: all clips are of one.
    """
    if not names:
        clips = len(next(iter(labels.values())))
        return Conditions((), np.zeros((1, 0)), np.zeros(clips, int))
    columns = np.stack([np.asarray(labels[name], float) for name in names], 1)
    table, of = np.unique(columns, axis=0, return_inverse=True)
    return Conditions(tuple(names), table, of.ravel())
