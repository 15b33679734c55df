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

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from pydantic import Field

from physprobe.config.spec import Spec
from physprobe.simulate import _cells, _gates, _initial, _reading, _spectral

PAIRS, SIZE, FRAMES, STEP = 60, 128, 64, 0.08
CANDIDATES = np.linspace(0.01, 0.22, 28)
SPLIT_SEED, TEST_SHARE = 42, 0.2

RESOLUTION = _cells.RESOLUTION  # far below what even the stills change by
CLASSES = ("equation",)
coords = _cells.coords


class Pairs(Spec):
    """How much of the published pairs."""

    if TYPE_CHECKING:
        equation: str | None

    clips: int = Field(2 * PAIRS, ge=10, le=2 * PAIRS, multiple_of=2)
    """Number of clips: the first ones of the published 120."""
    frames: int = Field(FRAMES, gt=1, le=FRAMES)
    """Frames of a clip, one time unit [s] apart; the first is the initial condition."""

    SEED: ClassVar[int]
    """Of NumPy's legacy generator, which draws for all pairs in turn."""
    FIRST: ClassVar[str]
    """Equation of the even clips."""
    ALPHA: ClassVar[float]
    """What :func:`matched` gives for every pair, found once."""

    @property
    def size(self) -> int:
        """Cells along each side of the square."""
        return SIZE

    @staticmethod
    @abstractmethod
    def parameters(rng: np.random.RandomState) -> dict[str, float]:
        """Parameters of a pair's first equation, drawn after its blobs."""

    @abstractmethod
    def factors(self, labels: Mapping[str, float]) -> np.ndarray:
        """What the first equation's steps make of every mode, (time, mode_y, mode_x)."""

    @abstractmethod
    def follow(self, start: np.ndarray, labels: Mapping[str, float]) -> np.ndarray:
        """What the first equation makes of a start (y, x): (time, y, x) float32."""


def draw(spec: Pairs) -> dict[str, np.ndarray]:
    """Labels of every clip, in the published order of draws.

    Parameters
    ----------
    spec : Pairs

    Returns
    -------
    dict of str to (clip,)
        ``alpha`` [0.08 px^2/s], the published number, 0 where the clip is not diffusion; the
        parameters of the other equation, 0 where it is; one label of that equation's name, 1 or 0,
        and ``equation``, its name or "diffusion"; ``ic_id``, the pair; ``split`` of "train" and
        "test". There is no ``group``: the published split has pairs on both sides.
    """
    clip = np.arange(spec.clips)
    first = clip % 2 == 0
    drawn = [found for _, found in starts(type(spec))]
    labels = {
        "alpha": np.where(first, 0.0, spec.ALPHA),
        **{
            name: np.where(first, np.array([pair[name] for pair in drawn], float)[clip // 2], 0.0)
            for name in drawn[0]
        },
        spec.FIRST: first.astype(int),
        "equation": np.where(first, spec.FIRST, "diffusion"),
        "ic_id": clip // 2,
        "split": split(spec.clips),
    }
    if spec.equation is None:
        return labels
    shown = labels["equation"] == spec.equation
    return {name: values[shown] for name, values in labels.items()}


def field(spec: Pairs, labels: Mapping[str, float]) -> np.ndarray:
    """One clip.

    Parameters
    ----------
    spec : Pairs
    labels : mapping of str to float
        As drawn.

    Returns
    -------
    (time, y, x) float32
    """
    start = starts(type(spec))[int(labels["ic_id"])][0]
    if labels[spec.FIRST]:
        return spec.follow(start, labels)
    return diffused(start, labels["alpha"], spec.frames)


def check(spec: Pairs, labels: Mapping[str, float], field: np.ndarray) -> None:
    """Let only finite numbers pass: these clips are here to move too little.

    Raises
    ------
    ValueError
        If a value is not finite; the message names the frame.
    """
    _gates.finite(field, labels["alpha"])


@cache
def starts(pairs: type[Pairs]) -> tuple[tuple[np.ndarray, dict[str, float]], ...]:
    """Every pair's start (y, x) float32 and the parameters of its first equation."""
    return tuple(_drawn(pairs))


def _drawn(pairs: type[Pairs]) -> Iterator[tuple[np.ndarray, dict[str, float]]]:
    rng = np.random.RandomState(pairs.SEED)
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
        yield np.clip(u / u.max(), 0, 1).astype(np.float32), pairs.parameters(rng)


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


def told(spec: Pairs, field: np.ndarray) -> dict[str, float]:
    """Parameters of a clip by both equations, mode by mode, as the published steps have them.

    Parameters
    ----------
    spec : Pairs
    field : (time, y, x)
        As it was, or as it is read off bytes.

    Returns
    -------
    dict of str to float
        Parameters as of a clip of the first equation, and ``misfit``; ``alpha`` as of one of
        diffusion, and ``misfit_diffusion``.
    """
    first, second = (_reading.modes(each, field) for each in _courses(spec))
    second["misfit_diffusion"] = second.pop("misfit")
    return first | second


def kappa() -> np.ndarray:
    """What the laplacian of five points makes of every mode, (mode_y, mode_x), but for its sign."""
    y, x = _spectral.waves(_initial.BAND, SIZE)
    return 4 - 2 * np.cos(y) - 2 * np.cos(x)


@lru_cache(maxsize=2)
def _courses(spec: Pairs) -> tuple[_reading.Course, _reading.Course]:
    steps = np.arange(spec.frames)[:, None, None]
    generator = np.random.RandomState(0)

    def diffusion(labels: Mapping[str, float]) -> np.ndarray:
        return (1 - STEP * labels["alpha"] * kappa()) ** steps

    return (
        _reading.course(_initial.BAND, spec.factors, lambda rng: spec.parameters(generator)),
        _reading.course(
            _initial.BAND, diffusion, lambda rng: {"alpha": rng.uniform(*CANDIDATES[[0, -1]])}
        ),
    )
