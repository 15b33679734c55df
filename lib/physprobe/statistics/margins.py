"""Margins: how sure it is that a score is above or below a value, and what it would take.

    p           2 S(t d / h),    d: distance of the value to the score; h: from the score to the end
                                 of its 95 % interval on that side; S: tail of Student's t of units
                                 - 1 degrees of freedom; t: its 97.5th percentile
    detectable  (t' + z) h / t,  t': percentile of the level that is asked, z: of the power, h: half
                                 the interval

The interval's ends are what is calibrated (``calibrate``), so p is read off them: it is below 0.05
exactly where the interval leaves the value out, whatever the interval is made of. Further away
than its ends a tail has to be taken. Student's has no floor and knows of few clips, whose number is
in the draws as far as the ends are concerned; it doesn't know of members, which are fewer still.
Draws know of these, but no more than 1 in their number. So where there are draws it is the larger
of both, Student's tail and twice the bias-corrected share of draws beyond the value, and never
below 1 / (1 + draws), which it is beyond all of them. The level that BCa gives such a value,
`bootstrap.p`, may be 0.05 still, with a strong acceleration: of no use in a family.
"""

from typing import NamedTuple

import numpy as np

LEVEL, POWER = 0.05, 0.8
ROUNDS = 4
"""In which the number of units is found, as Student's t follows from it."""
SIZES = (0.01, "negligible"), (0.05, "small"), (0.2, "clear"), (float("inf"), "large")
"""Words for how far a supported claim's value is above its margin, each up to its bound."""


class Reach(NamedTuple):
    """What a study could have told of a score that it can tell nothing of."""

    detectable: float
    """Smallest distance to the margin that it would have told, 8 times in 10."""
    units: float
    """Units that a distance as it was found would need; infinite if no number would do."""


def p(
    value: float,
    low: float,
    high: float,
    at: float,
    units: float = np.inf,
    drawn: np.ndarray | None = None,
) -> float:
    """Two-sided p of a value ``at`` that a score is held against, see above.

    Parameters
    ----------
    value, low, high : float
        Score with its 95 % interval.
    at : float
    units : float
        Clips, or whatever else is drawn independently; none known, a normal's tail.
    drawn : (draw,), optional
        The interval's own draws, if it has any.

    Returns
    -------
    float
        nan without an interval.
    """
    from scipy.special import stdtr, stdtrit

    if not np.isfinite([value, low, high]).all():
        return float("nan")
    left_out = low > at or high <= at
    half = value - low if value > at else high - value
    least = 0.0 if drawn is None else _by_draws(drawn, value, at)
    if high == low:
        return max(least, float(value == at))
    freedom = _freedom(units)
    far = abs(value - at) / (half if half > 0 else (high - low) / 2)
    found = max(float(2 * stdtr(freedom, -far * stdtrit(freedom, 1 - LEVEL / 2))), least)
    edge = np.nextafter(LEVEL, 0.0)
    return float(min(found, edge) if left_out else max(found, LEVEL))


def reach(
    distance: float,
    low: float,
    high: float,
    units: float,
    level: float = LEVEL,
    narrowed: float = 1.0,
) -> Reach:
    """What would have been told with power 0.8, and how many units this distance would need.

    Parameters
    ----------
    distance : float
        Of the score to its margin.
    low, high : float
        Ends of the 95 % interval.
    units : float
        Those that it is over.
    level : float
        What p has to be below, two-sided; that of the whole family, or less.
    narrowed : float
        Share of the interval's variance that falls with the number of units; the rest, of members,
        stays.
    """
    from scipy.special import ndtri, stdtrit

    error = (high - low) / 2 / stdtrit(_freedom(units), 1 - LEVEL / 2)

    def far(many: float) -> float:
        return float((stdtrit(_freedom(many), 1 - level / 2) + ndtri(POWER)) * error)

    detectable, needed = far(units), units
    for _ in range(ROUNDS if detectable > 0 else 0):
        share = (distance / far(needed)) ** 2 - (1 - narrowed)
        needed = units * narrowed / share if share > 0 else float("inf")
    return Reach(detectable, needed if detectable > 0 else float("nan"))


def _by_draws(drawn: np.ndarray, value: float, at: float) -> float:
    """Two-sided p by the share of draws (draw,) beyond ``at``, of those that have a score."""
    from scipy.special import ndtr, ndtri

    there = drawn[np.isfinite(drawn)]
    below, under = (
        float((there < place).mean() + 0.5 * (there == place).mean()) for place in (at, value)
    )
    bias = ndtri(under) if 0 < under < 1 else 0.0
    tail = float(ndtr(ndtri(below) - 2 * bias))
    return max(2 * min(tail, 1 - tail), 1 / (1 + len(drawn)))


def size(above: float) -> str:
    """A word for how far a value is above its margin."""
    return next(word for bound, word in SIZES if above < bound)


def _freedom(units: float) -> float:
    """Degrees of freedom; so many that Student's t is a normal, where units aren't known."""
    return max(units - 1, 1.0) if np.isfinite(units) else 1e9
