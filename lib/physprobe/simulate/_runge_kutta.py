"""Runge-Kutta: many systems of the same equations at once, by fixed steps of order 8.

The twelve stages of Dormand and Prince's pair 8(5,3), without its error estimates. Every operation
is one of its own for each system, so what comes of one doesn't depend on those beside it.

References
----------
Hairer, Norsett, Wanner, Solving Ordinary Differential Equations I, 2nd ed., section II.5; the
coefficients are those of ``scipy.integrate.DOP853``.
"""

from collections.abc import Callable, Iterator
from functools import cache

import numpy as np

ORDER, STAGES = 8, 12
Rates = Callable[[np.ndarray, np.ndarray], None]
"""Writes the derivative of a state (quantity, system) into the second array."""


# Where each stage is kept: the second and the third one, which few others need, come first.
KEPT = (2, 0, 1, *range(3, STAGES))


@cache
def _tableau() -> list[tuple[slice, np.ndarray]]:
    """Of each stage after the first, and of the step, which kept ones it takes, and their parts."""
    from scipy.integrate import DOP853

    found = []
    for row in (*DOP853.A[1:STAGES, :STAGES], DOP853.B):
        parts = np.zeros(STAGES)
        parts[list(KEPT)] = row
        taken = np.flatnonzero(parts)
        which = slice(int(taken[0]), int(taken[-1]) + 1)
        found.append((which, parts[which].copy()))
    return found


def frames(
    rates: Rates, start: np.ndarray, interval: float, count: int, steps: int
) -> Iterator[np.ndarray]:
    """States at equally spaced times, the first one as given.

    Parameters
    ----------
    rates : callable
        Of an autonomous equation.
    start : (quantity, system) float64
    interval : float
        Time between frames.
    count : int
        Frames.
    steps : int
        Steps from one frame to the next.

    Yields
    ------
    (quantity, system) float64
        The array is the iterator's own: what is changed in it goes on.
    """
    state = np.array(start, float)
    # zeros: a row of the tableau spans stages of weight 0, and 0 times what memory held may be nan
    stages, inner = np.zeros((STAGES, *state.shape)), np.empty_like(state)
    flat, flats = inner.reshape(-1), stages.reshape(STAGES, -1)
    *weights, last = [(parts * interval / steps, flats[which]) for which, parts in _tableau()]
    first, *others = (stages[place] for place in KEPT)
    for frame in range(count):
        for _ in range(steps if frame else 0):
            rates(state, first)
            for (parts, taken), stage in zip(weights, others, strict=True):
                # the plain loop of einsum: BLAS rounds by the number of systems
                np.einsum("s,sx->x", parts, taken, out=flat)
                inner += state
                rates(inner, stage)
            np.einsum("s,sx->x", *last, out=flat)
            state += inner
        yield state
