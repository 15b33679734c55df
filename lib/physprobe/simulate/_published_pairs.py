"""Published pairs: one start for two equations, and a diffusion matched until it stands still.

Clips 2n and 2n + 1 start alike; the first follows an equation of its own, the second is diffusion
by explicit steps. Its alpha was chosen from 28 candidates so that the clip's smoothness follows its
partner's most closely, which gives every clip the same alpha, at one end or the other of them.

References
----------
Parameters, order of the draws, match and split as in Physics-Probe-VJEPA2,
``advection_diffusion/equation_sim.py``, ``wave_diffusion/equation_sim.py`` and their
``try_to_fit.py``; written anew.
"""

from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise

import numpy as np
from pydantic import Field

from physprobe.core.spec import Spec

PAIRS, SIZE, FRAMES, STEP = 60, 128, 64, 0.08
CANDIDATES = np.linspace(0.01, 0.22, 28)
SPLIT_SEED, TEST_SHARE = 42, 0.2


class Pairs(Spec):
    """How much of the published pairs."""

    clips: int = Field(2 * PAIRS, ge=10, le=2 * PAIRS, multiple_of=2)
    """Number of clips: the first ones of the published 120."""
    frames: int = Field(FRAMES, gt=1, le=FRAMES)
    """Frames of a clip, one time unit [s] apart; the first is the initial condition."""


def coords(spec: Pairs) -> dict[str, np.ndarray]:
    """Times [s] and positions [px] of the field's cells."""
    side = np.arange(SIZE, dtype=float)
    return {"time": np.arange(spec.frames, dtype=float), "y": side, "x": side}


def starts(
    seed: int, parameters: Callable[[np.random.RandomState], dict[str, float]]
) -> Iterator[tuple[np.ndarray, dict[str, float]]]:
    """Every pair's start (y, x) float32 and the parameters of its first equation.

    Parameters
    ----------
    seed : int
        Of NumPy's legacy generator, which draws for all pairs in turn.
    parameters : callable
        Draws a pair's parameters, after its blobs.
    """
    rng = np.random.RandomState(seed)
    y, x = np.ogrid[:SIZE, :SIZE]
    for _ in range(PAIRS):
        blobs = [
            (rng.uniform(0.5, 1.2), rng.uniform(4, 14), *rng.uniform(0.2 * SIZE, 0.8 * SIZE, 2))
            for _ in range(rng.randint(1, 4))
        ]
        u = sum(
            height * np.exp(-((y - row) ** 2 + (x - column) ** 2) / (2 * width**2))
            for height, width, row, column in blobs
        )
        yield np.clip(u / u.max(), 0, 1).astype(np.float32), parameters(rng)


def split(clips: int) -> np.ndarray:
    """Published split: a fifth of the clips of each equation, without regard to pairs.

    Returns
    -------
    (clip,) str
        "train" or "test". Of the 24 test clips of all 120, 20 have their twin in training.
    """
    rng = np.random.RandomState(SPLIT_SEED)
    found = np.full(clips, "train", dtype="<U5")
    for first in (0, 1):
        shuffled = rng.permutation(np.arange(first, clips, 2))
        found[shuffled[: int(len(shuffled) * TEST_SHARE)]] = "test"
    return found


def laplacian(u: np.ndarray) -> np.ndarray:
    """Sum of four neighbours less four times the cell, on the periodic square."""
    return sum(np.roll(u, step, axis) for axis in (0, 1) for step in (1, -1)) - 4 * u


def diffused(start: np.ndarray, alpha: float, frames: int) -> np.ndarray:
    """Diffusion by one explicit step per frame.

    u <- clip(u + 0.08 alpha lap(u), 0, 1)

    Returns
    -------
    (time, y, x) float32
    """
    found = np.empty((frames, *start.shape), np.float32)
    found[0] = start
    for before, after in pairwise(found):
        np.clip(before + np.float32(STEP * alpha) * laplacian(before), 0, 1, out=after)
    return found


def smoothness(field: np.ndarray) -> np.ndarray:
    """Mean steepness of every frame, by forward differences.

    Parameters
    ----------
    field : (time, y, x)

    Returns
    -------
    (time,) float64
    """
    steps = (np.roll(field, -1, axis) - field for axis in (1, 2))
    return np.sqrt(sum(step**2 for step in steps)).mean((1, 2), dtype=float)


def matched(field: np.ndarray) -> float:
    """Candidate for alpha whose diffusion has the smoothness most like that of a clip.

    Parameters
    ----------
    field : (time, y, x)
        Clip of the pair's first equation.

    Returns
    -------
    float
        As published: for a pattern that moves without change the least alpha, since less is always
        closer; for waves the largest, since none is enough.
    """
    wanted = smoothness(field)
    misses = [
        ((smoothness(diffused(field[0], alpha, len(field))) - wanted) ** 2).mean()
        for alpha in CANDIDATES
    ]
    return float(CANDIDATES[np.argmin(misses)])


def only(equation: str | None, labels: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Labels (clip,) of the clips that obey an equation; all of them if none is given."""
    chosen = np.full(len(labels["equation"]), True)
    if equation:
        chosen = labels["equation"] == equation
    return {name: values[chosen] for name, values in labels.items()}


def finite(field: np.ndarray) -> None:
    """Let only finite numbers pass.

    Raises
    ------
    ValueError
        If a value is not finite; the message names the frame.
    """
    sound = np.isfinite(field).all((1, 2))
    if not sound.all():
        raise ValueError(f"finite values: frame {int(np.argmin(sound))} has others.")
