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


@cache
def _tableau() -> tuple[np.ndarray, np.ndarray]:
    from scipy.integrate import DOP853

    return np.array(DOP853.A[:STAGES, :STAGES]), np.array(DOP853.B)


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
    tableau, last = _tableau()
    step, state = interval / steps, np.array(start, float)
    flat = state.reshape(-1)
    stages = np.empty((STAGES, *state.shape))
    flats, inner = stages.reshape(STAGES, -1), np.empty_like(state)
    for frame in range(count):
        for _ in range(steps if frame else 0):
            rates(state, stages[0])
            for stage in range(1, STAGES):
                # the plain loop of einsum: BLAS rounds by the number of systems
                weights = step * tableau[stage, :stage]
                np.einsum("s,sx->x", weights, flats[:stage], out=inner.reshape(-1))
                inner += state
                rates(inner, stages[stage])
            flat += np.einsum("s,sx->x", step * last, flats)
        yield state
