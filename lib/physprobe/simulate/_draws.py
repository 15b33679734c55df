"""Draws: the random parameters of a system's clips."""

from collections.abc import Callable, Mapping
from typing import Annotated

import numpy as np
from pydantic import AfterValidator, Field

from physprobe.statistics import seeds


def _ascending(ends: tuple[float, float]) -> tuple[float, float]:
    low, high = ends
    if low >= high:
        raise ValueError(f"the low end {low:g} has to be below the high end {high:g}")
    return ends


Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NUMBERS = ("ic_id", "group")
"""Labels that say which clip it is."""
Range = Annotated[tuple[Positive, Positive], AfterValidator(_ascending)]
"""Ends of a uniform distribution over positive numbers."""


def uniform(
    rng: np.random.Generator, ranges: Mapping[str, tuple[float, float]], clips: int
) -> dict[str, np.ndarray]:
    """Independent uniform parameters of every clip.

    Parameters
    ----------
    rng : numpy Generator
    ranges : mapping of str to (low, high)
        Ends by parameter.
    clips : int
        Number of clips. Drawn clip by clip: more clips leave the first ones as they were.

    Returns
    -------
    dict of str to (clip,) float64
    """
    low, high = np.array(list(ranges.values()), float).T
    drawn = rng.uniform(low, high, (clips, len(ranges)))
    return dict(zip(ranges, np.ascontiguousarray(drawn.T), strict=True))


def log_uniform(rng: np.random.Generator, ends: tuple[float, float]) -> float:
    """One draw, uniform in the logarithm: as many between 1 and 2 as between 2 and 4."""
    return float(np.exp(rng.uniform(*np.log(ends))))


def clipwise(
    kind: str,
    seed: int,
    clips: int,
    propose: Callable[[np.random.Generator], dict[str, float]],
    suits: Callable[[int, dict[str, float]], bool] = lambda clip, labels: True,
) -> dict[str, np.ndarray]:
    """Parameters of every clip, drawn anew for as long as they don't suit; one pattern per clip.

    Parameters
    ----------
    kind : str
        System; every clip of every system has a stream of its own.
    seed : int
    clips : int
        Number of clips. More clips leave the first ones as they were.
    propose : callable
        Parameters of one clip from a generator.
    suits : callable
        Whether the parameters proposed for a clip, given by its number, may stay.

    Returns
    -------
    dict of str to (clip,)
        Parameters, float64; ``ic_id``, the number of the clip's initial condition, and ``group``,
        the same: where systems of one seed are put together, twins stay on one side of a split.

    Raises
    ------
    ValueError
        If a thousand proposals for a clip don't suit.
    """
    drawn = [_suiting(seeds.rng(kind, seed, clip), clip, propose, suits) for clip in range(clips)]
    labels = {name: np.array([clip[name] for clip in drawn]) for name in drawn[0]}
    return labels | {name: np.arange(clips) for name in NUMBERS}


def _suiting(
    rng: np.random.Generator, clip: int, propose: Callable, suits: Callable
) -> dict[str, float]:
    for _ in range(1000):
        labels = propose(rng)
        if suits(clip, labels):
            return labels
    raise ValueError(
        f"clip {clip}: none of 1000 draws suits. Hint: the ranges leave it hardly any room."
    )


def velocity(rng: np.random.Generator, speed: float) -> dict[str, float]:
    """Parts ``vy`` and ``vx`` of a velocity [px/s], uniform over a square without its middle.

    Each goes up to ``speed`` either way. Velocities of less than an eighth of it, 1.2 % of the
    square, are drawn anew: a clip can't tell them from rest.
    """
    while True:
        y, x = rng.uniform(-speed, speed, 2)
        if np.hypot(y, x) >= speed / 8:
            return {"vy": float(y), "vx": float(x)}


def pace(rng: np.random.Generator, speed: float) -> dict[str, float]:
    """Parts ``vy`` and ``vx`` of a velocity [px/s] in any direction, as likely as any other.

    Its size is uniform in the logarithm, from a 32nd of ``speed`` up to it.
    """
    angle, size = rng.uniform(0, 2 * np.pi), log_uniform(rng, (speed / 32, speed))
    return {"vy": float(size * np.sin(angle)), "vx": float(size * np.cos(angle))}
