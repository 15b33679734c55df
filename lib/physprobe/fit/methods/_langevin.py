"""Langevin: draw points of a density by its score, from hot to cold or from much noise to little.

    x <- x + h score(x) / T + sqrt(2 h) xi,    xi ~ N(0, I)

Of energies that were learned with noise each deviation s has its own score, T = 1 and h = r s^2; of
one without noise T falls to 1 and h = r T, and points stay in the square that it was learned on, by
reflection. A step of size h widens a normal of variance v to about v / (1 - h / 2 v).

References
----------
Song, Ermon, "Generative modeling by estimating gradients of the data distribution", NeurIPS 2019.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

HOTTEST, COOLER = 20.0, 6
"""First temperature, and how many there are."""
NOISY, SHARP = 0.1, 0.02
"""Step r, over the variance of the noise, and over the temperature."""


class Level(NamedTuple):
    """A score that points follow for a while."""

    layer: int
    """Number of the energy that it is of."""
    temperature: float
    step: float


def levels(deviations: Sequence[float]) -> list[Level]:
    """From much noise to little; without any from hot to cold."""
    noisy = sorted((n for n, s in enumerate(deviations) if s > 0), key=lambda n: -deviations[n])
    if noisy:
        return [Level(n, 1.0, NOISY * deviations[n] ** 2) for n in noisy]
    return [Level(0, t, SHARP * t) for t in np.geomspace(HOTTEST, 1.0, COOLER)]


def sampled(
    score: Callable[[np.ndarray, int], np.ndarray],
    plan: Sequence[Level],
    start: np.ndarray,
    steps: int,
    rng: np.random.Generator,
    half_width: float | None = None,
    keep: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """Points after all levels, and their ways.

    Parameters
    ----------
    score : callable
        From points (row, 2) and a layer's number to scores (row, 2).
    plan : sequence of Level
    start : (row, 2)
    steps : int
        In all, as many for each level.
    rng : numpy Generator
    half_width : float, optional
        Of the square about the origin that points stay in.
    keep : int
        How often positions are kept on the way, the last ones included.

    Returns
    -------
    points : (row, 2)
    path : (time, row, 2)
    """
    points, path = start.astype(float), []
    each = max(1, steps // len(plan))
    kept = set(np.linspace(0, each * len(plan), keep).round().astype(int))
    done = 0
    for layer, temperature, step in plan:
        for _ in range(each):
            if done in kept:
                path.append(points)
            drift = step * score(points, layer) / temperature
            points = points + drift + np.sqrt(2 * step) * rng.standard_normal(points.shape)
            if half_width is not None:
                points = _reflected(points, half_width)
            done += 1
    if done in kept:
        path.append(points)
    return points, np.array(path)


def _reflected(points: np.ndarray, half_width: float) -> np.ndarray:
    """Points folded back into a square."""
    beyond = np.mod(points + half_width, 4 * half_width)
    return half_width - np.abs(beyond - 2 * half_width)
