"""Blocks: draws of windows of one long film, which hang together in time.

Windows of one film are no independent clips. Blocks of neighbours are drawn in the place of single
ones, from any window on and around the end to the beginning, so that within a block they stay as
they were (circular block bootstrap). How long a block is follows from the series of what each
window does to the score, its influence, with autocovariance R(k) up to a lag M:

    b = (3/2 n G^2 / g^2)^(1/3)
    G = sum_k lambda(k/M) |k| R(k),    g = sum_k lambda(k/M) R(k)
    lambda(t) = 1 up to |t| = 1/2, then 2 (1 - |t|), 0 from 1 on

M is twice the last lag before which correlations stop mattering: K_n of them in a row lie within
2 sqrt(log10(n) / n). Of an autoregressive series of first order b^3 = 6 n rho^2 / (1 - rho^2)^2.
Of n windows there are n / b blocks, and as many degrees of freedom.

Groups are numbered from ``SERIES`` on if they are contiguous parts of one film, in their order;
folds, halves and nulls take them as any others.

References
----------
Politis, White, "Automatic block-length selection for the dependent bootstrap", Econometric Reviews
23 (2004), with the correction of Patton, Politis, White, ibid. 28 (2009);
Politis, Romano, "A circular block-resampling procedure for stationary data" (1992).
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from physprobe.statistics import seeds

SERIES = 2**40
"""First number of groups that are contiguous parts of one film."""
CORRELATED = 2.0
"""Standard errors from which on a correlation matters."""
FEWEST = 3
"""Blocks that there are at least."""


def ordered(groups: Sequence | np.ndarray | None) -> np.ndarray | None:
    """Order (clip,) of clips in time, where all groups are parts of one film; None elsewhere."""
    found = np.asarray(groups)
    if groups is None or found.dtype.kind not in "iu" or not found.size or found.min() < SERIES:
        return None
    return np.argsort(found, kind="stable")


def length(series: np.ndarray) -> float:
    """Length of the blocks that are best for the mean of a series, see above.

    Parameters
    ----------
    series : (time,)

    Returns
    -------
    float
        1 or more, and never more than 3 sqrt(n) or n / ``FEWEST``; 1 of what never varies.
    """
    n = len(series)
    most = max(1.0, min(3 * np.sqrt(n), n / FEWEST))
    centred = np.asarray(series, float) - np.mean(series)
    if not np.isfinite(centred).all() or not (centred**2).sum() > 0:
        return 1.0
    run = max(5, int(np.sqrt(np.log10(n))))
    lags = min(int(np.ceil(np.sqrt(n))) + run, n - 1)
    covariance = np.array([centred[: n - lag] @ centred[lag:] for lag in range(lags + 1)]) / n
    small = np.abs(covariance[1:] / covariance[0]) < CORRELATED * np.sqrt(np.log10(n) / n)
    begins = (lag for lag in range(len(small) - run + 1) if small[lag : lag + run].all())
    # none: all that is known of lags is used
    last = next(begins, None)
    reach = min(2 * max(last, 1), lags) if last is not None else lags
    lag = np.arange(1, reach + 1)
    window = np.minimum(1.0, 2 * (1 - lag / reach))
    weighed = window * covariance[1 : reach + 1]
    spectrum = covariance[0] + 2 * weighed.sum()
    slope = 2 * (lag * weighed).sum()
    if not spectrum > 0:
        return most
    return float(np.clip((1.5 * (slope / spectrum) ** 2 * n) ** (1 / 3), 1.0, most))


@lru_cache(4)
def weights(units: int, length: int, draws: int, seed: int) -> np.ndarray:
    """How often each unit is in each draw of blocks: (draw, unit); every draw has as many units."""
    rng = seeds.rng("blocks", seed, units, length)
    blocks = -(-units // length)
    starts = rng.integers(units, size=(draws, blocks))
    lengths = np.full(blocks, length)
    lengths[-1] = units - length * (blocks - 1)
    # +1 where a block begins, -1 behind its end, summed along a circle that is cut open
    steps = np.zeros((draws, 2 * units + 1))
    row = np.arange(draws)[:, None]
    np.add.at(steps, (row, starts), 1.0)
    np.add.at(steps, (row, starts + lengths), -1.0)
    open_ = steps.cumsum(1)
    return open_[:, :units] + open_[:, units : 2 * units]


def cut(sums: np.ndarray, length: int) -> np.ndarray:
    """Sums (..., block, part) of so many units each, one after the other; the last may be less."""
    return np.add.reduceat(sums, np.arange(0, sums.shape[-2], length), axis=-2)
