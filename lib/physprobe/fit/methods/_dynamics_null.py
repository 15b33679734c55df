"""Null: what the same model scores when its training clips are out of order."""

from collections.abc import Sequence

import numpy as np

from physprobe.fit.methods._pairs import FIRST
from physprobe.fit.methods._transition import Choice, matrix, solve_all


def shuffled_sse(
    train: np.ndarray,
    test: np.ndarray,
    choice: Choice,
    orders: np.ndarray,
    horizons: Sequence[int],
) -> np.ndarray:
    """Squared error on held-out clips of order-1 models fitted to shuffled training clips.

    Rank and penalty are those of the model under test. Errors are quadratic forms of sums over the
    held-out clips, so no draw is rolled out.

    Parameters
    ----------
    train, test : (clip, time, component)
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
    found = np.empty((len(orders), len(horizons)))
    for place, ahead in enumerate(horizons):
        truth = test[:, FIRST + ahead :].reshape(-1, test.shape[-1])
        state = test[:, FIRST:-ahead].reshape(-1, test.shape[-1])
        rest = truth[:, rank:] - state[:, rank:]
        state = np.concatenate([state[:, :rank], np.ones((len(state), 1))], axis=1)
        ahead_of = np.linalg.matrix_power(matrices, ahead)[:, :rank]
        spread = ((ahead_of @ (state.T @ state)) * ahead_of).sum((1, 2))
        towards = np.tensordot(ahead_of, truth[:, :rank].T @ state, 2)
        energy = np.vdot(truth[:, :rank], truth[:, :rank]) + np.vdot(rest, rest)
        found[:, place] = energy - 2 * towards + spread
    return found
