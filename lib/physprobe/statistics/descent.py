"""Descent: least squares of a few parameters, which residuals need not follow from linearly.

References
----------
Moré, The Levenberg-Marquardt algorithm, Lecture Notes in Mathematics 630 (1978) 105-116.
"""

from collections.abc import Callable

import numpy as np

STEP, CLOSE, LONGEST = 1e-5, 1e-8, 30
"""Of derivatives by differences; of a sum of squares that no longer falls; most steps."""


def least_squares(
    residual: Callable[[np.ndarray], np.ndarray], start: np.ndarray
) -> tuple[np.ndarray, float]:
    """Least squares by steps of Levenberg and Marquardt, derivatives by differences.

    Parameters
    ----------
    residual : callable
        (residual,) of parameters (parameter,) of about the size of 1; nan where they may not be.
    start : (parameter,)

    Returns
    -------
    parameters : (parameter,)
    squares : float
        Sum of squares there.
    """
    at, found = np.array(start, float), residual(start)
    squares, damping = float(found @ found), 1e-3
    for _ in range(LONGEST):
        slope = np.stack([_slope(residual, at, found, s) for s in np.eye(len(at)) * STEP])
        curve, fall = slope @ slope.T, slope @ found
        scale = np.diag(np.diag(curve) + 1e-30)
        move, gain = np.zeros_like(at), 0.0
        while damping < 1e12:
            move = -np.linalg.solve(curve + damping * scale, fall)
            tried = residual(at + move)
            if np.isfinite(tried).all() and tried @ tried <= squares:
                gain = squares - float(tried @ tried)
                break
            damping *= 4
        else:
            break
        at, found, squares = at + move, tried, squares - gain
        damping = max(damping / 9, 1e-12)
        if gain <= CLOSE * squares:
            break
    return at, squares


def _slope(
    residual: Callable[[np.ndarray], np.ndarray],
    at: np.ndarray,
    found: np.ndarray,
    step: np.ndarray,
) -> np.ndarray:
    """Change of residuals along a step; backwards where parameters may not be beyond."""
    ahead = residual(at + step)
    if np.isfinite(ahead).all():
        return (ahead - found) / STEP
    return (found - residual(at - step)) / STEP
