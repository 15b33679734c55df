"""Null: what the same model scores when its training clips are out of order."""

from collections.abc import Sequence

import numpy as np

from physprobe.fit.methods._pairs import FIRST, Layout
from physprobe.fit.methods._transition import Choice, matrix, solve_all, sse_of_all


def shuffled_sse(
    train: np.ndarray,
    test: np.ndarray,
    layout: Layout,
    choice: Choice,
    orders: np.ndarray,
    horizons: Sequence[int],
) -> np.ndarray:
    """Squared error on held-out clips of order-1 models fitted to shuffled training clips.

    Rank and penalty are those of the model under test.

    Parameters
    ----------
    train, test : (clip, time, component)
    layout : Layout
    choice : Choice
    orders : (draw, clip, time)
        Order of time of each training clip.
    horizons : sequence of int

    Returns
    -------
    (draw, horizon)
    """
    rank = choice.rank
    clips, times, _ = train.shape
    lead = train[..., :rank].reshape(-1, rank)
    rows = orders + times * np.arange(clips)[:, None]
    # buffers, because fresh ones would cost more than the sums
    now, then = np.empty((2, clips * (times - FIRST - 1), rank))
    size = rank + 1
    whole = np.concatenate([lead, np.ones((len(lead), 1))], axis=1)
    gram = np.repeat((whole.T @ whole)[None], len(orders), axis=0)
    cross = np.empty((len(orders), size, rank))
    for draw, row in enumerate(rows):
        lead.take(row[:, FIRST:-1].ravel(), axis=0, out=now, mode="clip")
        lead.take(row[:, FIRST + 1 :].ravel(), axis=0, out=then, mode="clip")
        # every frame starts a pair but the first ones and the last one of each clip
        apart = whole[np.concatenate([row[:, :FIRST], row[:, -1:]], axis=1).ravel()]
        gram[draw] -= apart.T @ apart
        cross[draw, :rank] = now.T @ then - gram[draw, :rank, :rank]
        cross[draw, rank] = (lead[row[:, -1]] - lead[row[:, FIRST]]).sum(0)
    matrices = matrix(solve_all(gram, cross, choice.penalties[1]), rank, 1)
    return sse_of_all(matrices, rank, 1, test, layout, horizons)
