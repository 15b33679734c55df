"""Worlds: clips of laws beside those that we name, for judging how often one is misnamed.

Fields (clip, time, y, x, 1) on a square of 32 cells and 48 frames, each clip with its own start and
its own parameters. Linear laws with constant coefficients are exact, mode by mode; all others are
solved by Runge and Kutta's fourth order in Fourier space, small enough steps, products dealiased.
Those of ``law_tuning`` were looked at while thresholds were set, those of ``law_judging`` not.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

SIZE, FRAMES, STEPS = 32, 48, 8
TIME = np.arange(FRAMES, dtype=float)
NONE = "cannot tell"
Draw = np.random.Generator
Operator = Callable[[np.ndarray], np.ndarray]
KY = 2 * np.pi * np.fft.fftfreq(SIZE)[:, None]
KX = 2 * np.pi * np.fft.rfftfreq(SIZE)[None]
SQUARE = KY**2 + KX**2
KEPT = np.maximum(np.abs(KY), np.abs(KX)) < 2 * np.pi / 3
Y, X = np.meshgrid(2 * np.pi * np.arange(SIZE) / SIZE, 2 * np.pi * np.arange(SIZE) / SIZE,
                   indexing="ij")  # fmt: skip


@dataclass(frozen=True)
class World:
    """Clips of one law."""

    name: str
    make: Callable[[Draw, int], np.ndarray]
    """Clips (clip, time, y, x)."""
    law: str | None = None
    """Candidate that they obey; None if they obey none."""
    noise: float = 0.0
    """Standard deviation of white noise, in parts of the field's."""
    periodic: bool = True

    def clips(self, count: int, seed: int = 0) -> np.ndarray:
        """Field (clip, time, y, x, 1)."""
        rng = np.random.default_rng([seed, *self.name.encode()])
        field = self.make(rng, count)
        spread = field.std((1, 2, 3), keepdims=True)
        return (field + self.noise * spread * rng.normal(size=field.shape))[..., None]


def to(field: np.ndarray) -> np.ndarray:
    """Modes of fields."""
    return np.fft.rfft2(field)


def back(modes: np.ndarray) -> np.ndarray:
    """Fields of modes."""
    return np.fft.irfft2(modes, (SIZE, SIZE))


def start(rng: Draw, clips: int, width: float = 3.5) -> np.ndarray:
    """Smooth random patterns with a spread of 1."""
    number = np.sqrt(SQUARE) * SIZE / (2 * np.pi)
    field = back(to(rng.normal(size=(clips, SIZE, SIZE))) * np.exp(-((number / width) ** 2)))
    field -= field.mean((1, 2), keepdims=True)
    return field / field.std((1, 2), keepdims=True)


def blobs(rng: Draw, clips: int) -> np.ndarray:
    """One to three bumps of width 2 to 4 cells, from 0 to about 1."""
    found = np.zeros((clips, SIZE, SIZE))
    for clip in found:
        for _ in range(rng.integers(1, 4)):
            y, x = rng.uniform(0, 2 * np.pi, 2)
            width = (2 * np.pi * rng.uniform(2, 4) / SIZE) ** 2
            clip += np.exp((np.cos(Y - y) + np.cos(X - x) - 2) / width)
    return found


def uniform(rng: Draw, low: float, high: float, clips: int) -> np.ndarray:
    """Parameters (clip, 1, 1)."""
    return rng.uniform(low, high, (clips, 1, 1))


def velocities(rng: Draw, low: float, high: float, clips: int) -> tuple[np.ndarray, np.ndarray]:
    """Two components (clip, 1, 1) of any direction."""
    speed, angle = uniform(rng, low, high, clips), uniform(rng, 0, 2 * np.pi, clips)
    return speed * np.sin(angle), speed * np.cos(angle)


def evolve(first: np.ndarray, rate: Callable, steps: int = STEPS) -> np.ndarray:
    """Frames (clip, time, ...) of du/dt = rate(u, t), u (clip, ...)."""
    found, now, step = [first], first, 1 / steps
    for frame in range(FRAMES - 1):
        for part in range(steps):
            t = frame + part * step
            one = rate(now, t)
            two = rate(now + step / 2 * one, t + step / 2)
            three = rate(now + step / 2 * two, t + step / 2)
            now = now + step / 6 * (one + 2 * two + 2 * three + rate(now + step * three, t + step))
        found.append(now)
    return np.stack(found, axis=1)


def first_order(begin: np.ndarray, symbol: np.ndarray) -> np.ndarray:
    """Exact frames of da/dt = s(k) a; symbol (clip, y, x)."""
    return back(to(begin)[:, None] * np.exp(symbol[:, None] * TIME[:, None, None]))


def integrated(begin: np.ndarray, power: np.ndarray) -> np.ndarray:
    """Exact frames a(0) exp(S(k, t)); power (clip, time, y, x)."""
    return back(to(begin)[:, None] * np.exp(power))


def second_order(
    begin: np.ndarray, stiffness: np.ndarray, damping: np.ndarray | float = 0.0
) -> np.ndarray:
    """Exact frames of d2a/dt2 + g da/dt + q(k) a = 0 from rest; stiffness (clip, y, x)."""
    damping = np.broadcast_to(damping, stiffness.shape)
    root = np.sqrt((damping**2 / 4 - stiffness).astype(complex))[:, None]
    root = np.where(np.abs(root) < 1e-9, 1e-9, root)
    t, half = TIME[:, None, None], damping[:, None] / 2
    course = np.exp(-half * t) * (np.cosh(root * t) + half * np.sinh(root * t) / root)
    return back(to(begin)[:, None] * course.real)


def spectral(
    begin: np.ndarray, linear: np.ndarray, rest: Callable, steps: int = STEPS
) -> np.ndarray:
    """Frames of da/dt = s(k) a + N(u, t): the linear part exact (integrating factor).

    linear : (clip, y, x); rest : from fields (clip, y, x) and time to modes
    """
    step = 1 / steps
    half, whole = np.exp(linear * step / 2), np.exp(linear * step)

    def other(modes: np.ndarray, t: float) -> np.ndarray:
        return KEPT * rest(back(modes), t)

    now = to(begin)
    found = [now]
    for frame in range(FRAMES - 1):
        for part in range(steps):
            t = frame + part * step
            one = other(now, t)
            two = other(half * (now + step / 2 * one), t + step / 2)
            three = other(half * now + step / 2 * two, t + step / 2)
            four = other(whole * now + step * half * three, t + step)
            now = whole * now + step / 6 * (whole * one + 2 * half * (two + three) + four)
        found.append(now)
    return back(np.stack(found, axis=1))


def swing(begin: np.ndarray, force: Callable, steps: int = STEPS) -> np.ndarray:
    """Frames of d2u/dt2 = force(u, du/dt, t) from rest."""

    def rate(state: np.ndarray, t: float) -> np.ndarray:
        return np.stack([state[:, 1], force(state[:, 0], state[:, 1], t)], axis=1)

    first = np.stack([begin, np.zeros_like(begin)], axis=1)
    return evolve(first, rate, steps)[:, :, 0]


def lap(field: np.ndarray) -> np.ndarray:
    """Laplacian."""
    return back(-SQUARE * to(field))


def dy(field: np.ndarray) -> np.ndarray:
    """Derivative along y."""
    return back(1j * KY * KEPT * to(field))


def dx(field: np.ndarray) -> np.ndarray:
    """Derivative along x."""
    return back(1j * KX * KEPT * to(field))


def div(field: np.ndarray, coefficient: np.ndarray) -> np.ndarray:
    """Divergence of coefficient times gradient."""
    return dy(coefficient * dy(field)) + dx(coefficient * dx(field))


def wavy(rng: Draw, clips: int, depth: float) -> np.ndarray:
    """Factor (clip, y, x) about 1: one period along a random axis."""
    phase, axis = uniform(rng, 0, 2 * np.pi, clips), rng.integers(0, 2, (clips, 1, 1))
    return 1 + depth * np.sin(np.where(axis, Y, X) + phase)


def bump(rng: Draw, clips: int, depth: float, sharp: float = 1.5) -> np.ndarray:
    """Factor (clip, y, x), 1 far from a place and 1 + depth at it."""
    y, x = uniform(rng, 0, 2 * np.pi, clips), uniform(rng, 0, 2 * np.pi, clips)
    return 1 + depth * np.exp(sharp * (np.cos(Y - y) + np.cos(X - x) - 2))


def halves(rng: Draw, clips: int, depth: float) -> np.ndarray:
    """Factor (clip, y, x) of two halves with soft edges."""
    phase = uniform(rng, 0, 2 * np.pi, clips)
    return 1 + depth * np.tanh(4 * np.sin(X + phase))


def turn(vy: np.ndarray, vx: np.ndarray) -> np.ndarray:
    """Symbol (clip, y, x) of a drift."""
    return -1j * (vy * KY + vx * KX)


def drifted(vy: np.ndarray, vx: np.ndarray) -> np.ndarray:
    """Power (clip, time, y, x) of way (clip, time) travelled."""
    return -1j * (vy[..., None, None] * KY + vx[..., None, None] * KX)


def walled(make: Callable[[Draw, int], np.ndarray]) -> Callable[[Draw, int], np.ndarray]:
    """Even clips on the doubled square, of which one quarter has walls.

    The maker's own square is that of 32 cells, so that the quarter has 16.
    """

    def quarter(rng: Draw, clips: int) -> np.ndarray:
        return make(rng, clips)[:, :, : SIZE // 2, : SIZE // 2]

    return quarter


def even(field: np.ndarray) -> np.ndarray:
    """Even part of fields about walls half a cell outside the first cell, spread of 1."""
    field = field + field[:, ::-1] + field[:, :, ::-1] + field[:, ::-1, ::-1]
    return field / field.std((1, 2), keepdims=True)
