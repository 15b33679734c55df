"""Noisy TV: a rotating signal beside a distractor that may be far louder, seen by twenty sensors.

    s[t+1] = A s[t] + w[t],    d[t+1] = rho d[t] + v[t],    x[t] = C s[t] + sigma D d[t] + e[t]

Signal and distractor have four dimensions each. w has deviation 0.1, e 0.01; columns of C and D are
of length 1, their directions random. Contraction: A = 0.99 x two rotations by 0.1 pi, so that the
signal has variance 0.1^2 / (1 - 0.99^2) = 0.503 in each dimension, of which one step ahead no more
than 1 - 0.01 / 0.503 = 0.980 can be known. Orthogonal: A is a random orthogonal matrix, and the
signal's variance grows by 0.01 a step without end. The distractor's variance, 0.3^2 / (1 - 0.9^2) =
0.474, is the same for every rho: rho sets how slow it is, sigma how loud.

A *draw* is a world of its own: matrices and paths, the same for every sigma, and for every rho up
to the distractor's memory. Clips of one draw and condition are consecutive parts of one path, the
last ones held out, as published (each begins with the frame that the one before ends with); or
paths of their own.

References
----------
JointEmbeddingArchitecturesTutorial (CICS-Oleg), ``tv_noise.py``: contraction, one path;
Huang, VJEPA, arXiv:2601.14354: orthogonal. Both written anew, with draws of our own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Literal, NamedTuple

import numpy as np
from pydantic import Field

from physprobe.config.spec import Spec as Base
from physprobe.simulate import _gates
from physprobe.statistics import seeds

SENSORS, WIDTH = 20, 4
FIELD, FIELD_UNIT, GRID, TOGETHER = "sensors", "1", False, 512
SIGNAL = tuple(f"signal_{n}" for n in range(WIDTH))
DISTRACTOR = tuple(f"distractor_{n}" for n in range(WIDTH))
STATES = dict.fromkeys((*SIGNAL, *DISTRACTOR), "1")
CONDITIONS = ("draw", "distractor_autocorrelation", "sigma")
UNITS = {"sigma": "1", "distractor_autocorrelation": "1", "signal_to_noise": "dB"}

RADIUS, TURN = 0.99, 0.1 * np.pi
DRIVE, NOISE = 0.1, 0.01
LOUDNESS = 0.3**2 / (1 - 0.9**2)
"""Variance of the distractor in each dimension."""
FARTHEST = 7.0
"""Deviations that no step of a path may exceed."""


class Spec(Base):
    """Conditions, and how many worlds, paths and steps."""

    kind: Literal["noisy_tv"] = "noisy_tv"
    """A linear system beside a distractor."""
    sigma: tuple[Annotated[float, Field(ge=0)], ...] = Field(
        tuple(float(s) for s in range(11)), min_length=1
    )
    """Loudness of the distractor: a condition each."""
    autocorrelation: tuple[Annotated[float, Field(ge=0, lt=1)], ...] = Field((0.9,), min_length=1)
    """Of the distractor, from one step to the next: a condition each, with every sigma."""
    dynamics: Literal["contraction", "orthogonal"] = "contraction"
    """Of the signal."""
    paths: Literal["contiguous", "independent"] = "independent"
    """Whether clips are parts of one path, as published, or paths of their own."""
    draws: int = Field(20, gt=0)
    """Worlds, each of its own matrices and paths."""
    train: int = Field(50, gt=1)
    """Training clips of each draw and condition."""
    test: int = Field(50, gt=0)
    """Clips of each that are held out."""
    frames: int = Field(101, gt=1)
    """Frames of a clip."""
    seed: int = Field(0, ge=0, lt=2**32)
    """Seed of all draws."""

    @property
    def clips(self) -> int:
        """Clips in all."""
        each = self.draws * (self.train + self.test)
        return each * len(self.sigma) * len(self.autocorrelation)


@dataclass(frozen=True)
class World:
    """Matrices of one draw."""

    turn: np.ndarray
    """A (signal, signal)"""
    signal: np.ndarray
    """C (sensor, signal)"""
    distractor: np.ndarray
    """D (sensor, distractor)"""


def world(spec: Spec, draw: int) -> World:
    """Matrices of a draw, the same for all conditions."""
    rng = seeds.rng("noisy tv, matrices", spec.seed, draw)
    maps = rng.standard_normal((2, SENSORS, WIDTH))
    maps /= np.linalg.norm(maps, axis=1, keepdims=True)
    if spec.dynamics == "orthogonal":
        turn, triangle = np.linalg.qr(rng.standard_normal((WIDTH, WIDTH)))
        turn = turn * np.sign(np.diag(triangle))
    else:
        cos, sin = np.cos(TURN), np.sin(TURN)
        turn = RADIUS * np.kron(np.eye(2), [[cos, -sin], [sin, cos]])
    return World(turn, *maps)


class Equation(NamedTuple):
    """z[t+1] = turn z[t] + noise of variances ``drive``, x = sensors z + noise, z both parts."""

    turn: np.ndarray
    """(state, state)"""
    drive: np.ndarray
    """(state,) variances."""
    sensors: np.ndarray
    """(sensor, state)"""
    noise: float
    """Variance of each sensor's own noise."""
    start: np.ndarray
    """(state,) variances of a clip's first frame; of one path the widest that it can have."""


def equation(spec: Spec, draw: int, rho: float, sigma: float) -> Equation:
    """Equation of one draw and condition, of signal and distractor together."""
    own = world(spec, draw)
    turn = np.zeros((2 * WIDTH, 2 * WIDTH))
    turn[:WIDTH, :WIDTH], turn[WIDTH:, WIDTH:] = own.turn, rho * np.eye(WIDTH)
    drive = np.repeat([DRIVE**2, LOUDNESS * (1 - rho**2)], WIDTH)
    # a part of the one path may begin anywhere: of the growing signal all that it could have become
    steps = (spec.train + spec.test) * spec.frames if spec.paths == "contiguous" else 0
    still = DRIVE**2 / (1 - RADIUS**2)
    level = still if spec.dynamics == "contraction" else 1 + steps * DRIVE**2
    start = np.repeat([max(level, 1.0), 1.0] if steps else [level, LOUDNESS], WIDTH)
    sensors = np.concatenate([own.signal, sigma * own.distractor], 1)
    return Equation(turn, drive, sensors, NOISE**2, start)


def signal_to_noise(sigma: np.ndarray) -> np.ndarray:
    """Power of C s over that of sigma D d + e [dB], of the contraction.

    10 log10(4 x 0.503 / (4 x 0.474 sigma^2 + 20 x 0.01^2))
    """
    power = WIDTH * DRIVE**2 / (1 - RADIUS**2)
    return 10 * np.log10(power / (WIDTH * LOUDNESS * np.square(sigma) + SENSORS * NOISE**2))


def draw(spec: Spec) -> dict[str, np.ndarray]:
    """Labels of every clip.

    Returns
    -------
    dict of str to (clip,)
        ``sigma``, ``distractor_autocorrelation``, ``signal_to_noise`` [dB], of the contraction;
        ``draw``; ``path``, the clip's number within its draw and condition; ``split``.
    """
    each = spec.train + spec.test
    number, memory, loud, path = (
        part.ravel()
        for part in np.meshgrid(
            np.arange(spec.draws), spec.autocorrelation, spec.sigma, np.arange(each), indexing="ij"
        )
    )
    labels = {
        "sigma": loud,
        "distractor_autocorrelation": memory,
        "draw": number,
        "path": path,
        "split": np.where(path < spec.train, "train", "test"),
    }
    if spec.dynamics == "contraction":
        labels["signal_to_noise"] = signal_to_noise(loud)
    return labels


def coords(spec: Spec) -> dict[str, np.ndarray]:
    """Times, a step each, and names of the sensors."""
    names = np.array([f"x{n}" for n in range(SENSORS)])
    return {"time": np.arange(float(spec.frames)), "quantity": names}


def solved(
    spec: Spec, labels: Mapping[str, np.ndarray]
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Several clips at once: sensors (clip, time, quantity) float32, and states (clip, time).

    Parameters
    ----------
    spec : Spec
    labels : mapping of str to (clip,)
        ``sigma``, ``distractor_autocorrelation``, ``draw``, ``path``.
    """
    sigma, memory, number, path = (
        np.asarray(labels[name]) for name in ("sigma", "distractor_autocorrelation", "draw", "path")
    )
    states = np.empty((len(sigma), spec.frames, 2 * WIDTH))
    sensors = np.empty((len(sigma), spec.frames, SENSORS), np.float32)
    for one in np.unique(number):
        maps = world(spec, int(one))
        for rho in np.unique(memory[number == one]):
            mine = np.flatnonzero((number == one) & (memory == rho))
            for clip in mine:
                both, noise = _clip(spec, int(one), float(rho), int(path[clip]))
                states[clip] = both
                loud = sigma[clip] * both[:, WIDTH:] @ maps.distractor.T
                sensors[clip] = both[:, :WIDTH] @ maps.signal.T + loud + noise
    return sensors, {name: states[..., n] for n, name in enumerate(STATES)}


def field(spec: Spec, labels: Mapping[str, float]) -> np.ndarray:
    """Sensors (time, quantity) float32 of one clip, from its labels."""
    return solved(spec, {name: np.array([value]) for name, value in labels.items()})[0][0]


def check(spec: Spec, labels: Mapping[str, float], field: np.ndarray) -> None:
    """Let finite numbers pass; the law is checked on the states.

    Raises
    ------
    ValueError
        If a value is not finite; the message names the frame.
    """
    if (frame := _gates.first(np.isfinite(field).all(1))) is not None:
        raise ValueError(f"finite values: frame {frame} has others.")


def check_states(spec: Spec, labels: Mapping[str, float], states: Mapping[str, np.ndarray]) -> None:
    """Let paths pass whose every step is the equation's, up to noise of its size.

    Raises
    ------
    ValueError
        If a step is farther off than seven deviations; the message names frame and part.
    """
    rho = labels["distractor_autocorrelation"]
    rules = {
        "signal": (SIGNAL, world(spec, int(labels["draw"])).turn, DRIVE),
        "distractor": (DISTRACTOR, rho * np.eye(WIDTH), np.sqrt(LOUDNESS * (1 - rho**2))),
    }
    for what, (names, turn, size) in rules.items():
        path = np.stack([states[name] for name in names], -1)
        off = np.abs(path[1:] - path[:-1] @ turn.T).max(1) / size
        if (frame := _gates.first(off < FARTHEST)) is not None:
            raise ValueError(
                f"{what}: the step after frame {frame} is {off[frame]:.1f} deviations of its noise"
                f" off, expected below {FARTHEST:g}."
            )


def _clip(spec: Spec, draw: int, rho: float, path: int) -> tuple[np.ndarray, np.ndarray]:
    """Signal and distractor (time, 8) of one clip, and the sensors' noise (time, sensor)."""
    if spec.paths == "independent":
        return _path(spec, draw, rho, path)
    start = path * (spec.frames - 1)
    both, noise = (part[start : start + spec.frames] for part in _path(spec, draw, rho, None))
    return both, noise


@lru_cache(128)
def _path(spec: Spec, draw: int, rho: float, path: int | None) -> tuple[np.ndarray, np.ndarray]:
    """The same of a whole path; None: of the one that all clips are parts of."""
    whole = path is None
    steps = (spec.train + spec.test) * (spec.frames - 1) + 1 if whole else spec.frames
    rng = seeds.rng("noisy tv, path", spec.seed, draw, -1 if path is None else path)
    first, drive = rng.standard_normal((2, WIDTH)), rng.standard_normal((2, steps - 1, WIDTH))
    noise = NOISE * rng.standard_normal((steps, SENSORS))
    if not whole:
        # as the stationary ones are; a signal that only grows begins as published
        first[1] *= np.sqrt(LOUDNESS)
        if spec.dynamics == "contraction":
            first[0] *= DRIVE / np.sqrt(1 - RADIUS**2)
    signal = _moved(world(spec, draw).turn, first[0], DRIVE * drive[0])
    size = np.sqrt(LOUDNESS * (1 - rho**2))
    distractor = _moved(rho * np.eye(WIDTH), first[1], size * drive[1])
    return np.concatenate([signal, distractor], 1), noise


def _moved(turn: np.ndarray, first: np.ndarray, drive: np.ndarray) -> np.ndarray:
    """Path (time, dimension) of z[t+1] = A z[t] + drive[t], A normal: one recursion a mode."""
    from scipy.linalg import schur
    from scipy.signal import lfilter

    triangle, axes = schur(turn, output="complex")
    pushed = np.concatenate([first[None], drive]) @ axes.conj()
    modes = [lfilter([1], [1, -pole], pushed[:, n]) for n, pole in enumerate(np.diag(triangle))]
    return (np.stack(modes, 1) @ axes.T).real
