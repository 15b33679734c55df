"""Neighbours: the nearest of some points to others, exactly, by products of matrices."""

from collections.abc import Iterator
from typing import Literal

import numpy as np

Distance = Literal["cosine", "euclid"]
PIECE = 512
"""Points whose neighbours are looked for at a time."""


def nearest(query: np.ndarray, index: np.ndarray, count: int, distance: Distance) -> np.ndarray:
    """Places of the nearest rows, nearest first.

    Parameters
    ----------
    query : (row, feature) float
    index : (other row, feature) float
    count : int
        How many; no more than there are.
    distance : "euclid" or "cosine"
        Rows without a direction are as far from all others as those at right angles.

    Returns
    -------
    (row, neighbour) int
    """
    count = min(count, len(index))
    if distance == "cosine":
        query, index = _unit(query), _unit(index)
        size = np.zeros(len(index), np.float32)
    else:
        middle = index.mean(0)
        query, index = query - middle, index - middle
        size = 0.5 * np.einsum("nf,nf->n", index, index)
    found = np.empty((len(query), count), int)
    for piece in pieces(len(query)):
        far = size - query[piece] @ index.T
        some = np.argpartition(far, count - 1, axis=1)[:, :count]
        order = np.argsort(np.take_along_axis(far, some, 1), axis=1, kind="stable")
        found[piece] = np.take_along_axis(some, order, 1)
    return found


def distances(
    query: np.ndarray, index: np.ndarray, near: np.ndarray, distance: Distance
) -> np.ndarray:
    """How far rows are from those at some places, exactly: 0 where they coincide.

    Parameters
    ----------
    query : (row, feature)
    index : (other row, feature)
    near : (row, neighbour) int
        Places among the other rows.
    distance : "euclid" or "cosine"
        The latter is 1 less the cosine; rows without a direction are at right angles to all.

    Returns
    -------
    (row, neighbour) float64
    """
    query, index = query.astype(np.float64), index.astype(np.float64)
    if distance == "cosine":
        query, index = _unit(query), _unit(index)
    found = np.empty(near.shape)
    for column, places in enumerate(near.T):
        for piece in pieces(len(query)):
            apart = query[piece] - index[places[piece]]
            found[piece, column] = np.einsum("nf,nf->n", apart, apart)
    if distance == "euclid":
        return np.sqrt(found)
    # of unit vectors half the square is 1 less the cosine, without its cancellation
    still, nowhere = ((rows**2).sum(1) == 0 for rows in (query, index))
    aimless = still[:, None] | nowhere[near]
    return np.where(aimless, 1.0, found / 2)


def _unit(rows: np.ndarray) -> np.ndarray:
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(length > 0, length, 1.0)


def pieces(count: int) -> Iterator[slice]:
    """Slices of so many rows."""
    return (slice(start, min(count, start + PIECE)) for start in range(0, count, PIECE))
