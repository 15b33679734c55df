"""Exact fields with known parameters, and clips without any law, for laws and their survey."""

from collections.abc import Callable

import numpy as np
import planted
import pytest

from physprobe.simulate import _initial, _spectral
from physprobe.statistics import seeds

SIZE, FRAMES = 32, 48
TIME = np.arange(FRAMES, dtype=float)


@pytest.fixture(scope="session")
def study(tmp_path_factory: pytest.TempPathFactory) -> dict:
    """A small study whose scores are planted, made by the real stages: paths of all that it has."""
    return planted.study(tmp_path_factory.mktemp("results") / "heat")


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> np.random.Generator:
    """A generator of the test's own: what it draws doesn't depend on which tests run before it."""
    return seeds.rng("test", request.node.name)


def patterns(clips: int, seed: int = 0) -> np.ndarray:
    return np.stack([_initial.series(seed, clip) for clip in range(clips)])


def film(modes: np.ndarray) -> np.ndarray:
    """Clips (clip, time, y, x, 1) from modes (clip, time, mode_y, mode_x)."""
    return np.stack([_spectral.film(clip, SIZE) for clip in modes])[..., None]


def carried(alpha: np.ndarray, vy: np.ndarray, vx: np.ndarray) -> np.ndarray:
    factors = [
        _spectral.transport(_initial.BAND, SIZE, a, (y, x), TIME)
        for a, y, x in zip(alpha, vy, vx, strict=True)
    ]
    return film(patterns(len(alpha))[:, None] * np.stack(factors))


def waves(c: np.ndarray, gamma: np.ndarray) -> np.ndarray:
    factors = [
        _spectral.vibration(speed**2 * _spectral.squares(_initial.BAND, SIZE), damping, TIME)[0]
        for speed, damping in zip(c, gamma, strict=True)
    ]
    return film(patterns(len(c))[:, None] * np.stack(factors))


def make_world(law: str, clips: int = 4, seed: int = 0) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Clips that obey a law, and their parameters."""
    rng = np.random.default_rng(seed)
    sign = rng.choice([-1.0, 1.0], (2, clips))
    alpha, none = rng.uniform(0.03, 0.15, clips), np.zeros(clips)
    vy, vx = sign * rng.uniform(0.1, 0.5, (2, clips))
    c, gamma = rng.uniform(0.2, 0.5, clips), rng.uniform(0.01, 0.06, clips)
    match law:
        case "diffusion":
            return carried(alpha, none, none), {"alpha": alpha}
        case "advection":
            return carried(none, vy, vx), {"vy": vy, "vx": vx}
        case "advection_diffusion":
            return carried(alpha, vy, vx), {"vy": vy, "vx": vx, "alpha": alpha}
        case "wave":
            return waves(c, none), {"c": c}
        case "damped_wave":
            return waves(c, gamma), {"c": c, "gamma": gamma}
        case "decay":
            clip = film(
                patterns(clips)[:, None] * np.exp(-np.multiply.outer(gamma, TIME))[..., None, None]
            )
            return clip, {"gamma": gamma}
    raise KeyError(law)


def smooth(rng: np.random.Generator, *lead: int) -> np.ndarray:
    """Random patterns without fine structure."""
    number = np.hypot(np.fft.fftfreq(SIZE)[:, None], np.fft.rfftfreq(SIZE)) * SIZE
    modes = np.fft.rfft2(rng.normal(size=(*lead, SIZE, SIZE))) * np.exp(-((number / 4) ** 2))
    return np.fft.irfft2(modes, (SIZE, SIZE))


def make_null(name: str, clips: int, seed: int = 0) -> np.ndarray:
    """Clips without a law."""
    rng = np.random.default_rng(seed)
    match name:
        case "noise":
            found = rng.normal(size=(clips, FRAMES, SIZE, SIZE))
        case "still":
            found = np.repeat(smooth(rng, clips, 1), FRAMES, axis=1)
        case "still with noise":
            found = smooth(rng, clips, 1) + 0.02 * rng.normal(size=(clips, FRAMES, SIZE, SIZE))
        case "random walk":
            found = smooth(rng, clips, FRAMES).cumsum(1)
        case "shuffled":
            return np.stack(
                [clip[rng.permutation(FRAMES)] for clip in make_world("advection", clips)[0]]
            )
        case "every mode its own way":
            band = 8
            shape = (clips, 2 * band + 1, band + 1)
            start = rng.normal(size=shape) + 1j * rng.normal(size=shape)
            turn = np.exp(1j * rng.uniform(-0.5, 0.5, shape))
            modes = start[:, None] * turn[:, None] ** TIME[:, None, None]
            modes[..., 0] = 0
            return film(modes)
    return found[..., None]


@pytest.fixture(scope="session")
def world() -> Callable:
    """Clips that obey a law, and their parameters, from its name."""
    return make_world


@pytest.fixture(scope="session")
def null() -> Callable:
    """Clips without a law, from the name of what they have instead."""
    return make_null
