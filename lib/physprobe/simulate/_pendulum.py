"""Pendulum: two point masses on massless rods, one hung from the other, in a plane.

    M w' = f - damping M w,    theta' = w,    d = theta2 - theta1
    M = (A, C cos d; C cos d, B),    A = (m1 + m2) l1^2,    B = m2 l2^2,    C = m2 l1 l2
    f = (C w2^2 sin d - (m1 + m2) g l1 sin theta1,  -C w1^2 sin d - m2 g l2 sin theta2)

Angles are measured from the downward vertical, the pivot is the origin, y goes up. Each mass is
slowed by a force against its velocity, ``damping`` x mass x velocity. So energy is lost at the rate
2 damping T, T = w M w / 2, which is integrated beside the motion: energy and loss add up to what
they were. Volume of phase space (angles and momenta) shrinks by exp(-2 damping t).

References
----------
Goldstein, Poole, Safko, Classical Mechanics, 3rd ed., sections 1.5 (dissipation function) and 1.6.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import ArrayLike

from physprobe.simulate import _runge_kutta

# Rate times step: what keeps energy to a relative 1e-6 over a thousand frames of the wildest clips.
STEP = 0.1
ANGLES, SPEEDS = ("theta1", "theta2"), ("omega1", "omega2")
MOTION = (*ANGLES, *SPEEDS)
STATES = {
    **dict.fromkeys(ANGLES, "rad"),  # continuous: after a turn 2 pi more
    **{f"{form}_{angle}": "1" for angle in ANGLES for form in ("sin", "cos")},
    **dict.fromkeys(SPEEDS, "rad/s"),
    **dict.fromkeys(("kinetic", "potential", "lost"), "J"),
}
"""Units of what a clip has at every frame; the potential is that above hanging at rest."""
AT_A_TIME = 512


@dataclass(frozen=True)
class Bodies:
    """Masses, rods, gravity and damping of many pendulums (clip,), as the equation has them."""

    first: np.ndarray
    """A [kg m^2]"""
    second: np.ndarray
    """B [kg m^2]"""
    coupling: np.ndarray
    """C [kg m^2]"""
    first_weight: np.ndarray
    """(m1 + m2) g l1 [J]"""
    second_weight: np.ndarray
    """m2 g l2 [J]"""
    damping: np.ndarray
    """[1/s]"""

    @classmethod
    def of(cls, labels: Mapping[str, ArrayLike]) -> "Bodies":
        """Bodies with ``mass1``, ``mass2``, ``length1``, ``length2``, ``gravity``, ``damping``."""
        mass1, mass2, length1, length2, gravity = (
            np.atleast_1d(np.asarray(labels[name], float))
            for name in ("mass1", "mass2", "length1", "length2", "gravity")
        )
        return cls(
            (mass1 + mass2) * length1**2,
            mass2 * length2**2,
            mass2 * length1 * length2,
            (mass1 + mass2) * gravity * length1,
            mass2 * gravity * length2,
            np.atleast_1d(np.asarray(labels["damping"], float)),
        )

    def part(self, clips: slice) -> "Bodies":
        """Some of them."""
        return Bodies(*(getattr(self, field.name)[clips] for field in fields(self)))

    @property
    def steady(self) -> "Bodies":
        """The same (clip, 1), beside times."""
        return Bodies(*(getattr(self, field.name)[:, None] for field in fields(self)))

    def energy(self, state: np.ndarray) -> np.ndarray:
        """Energy (clip,) above hanging at rest [J], of a state (4, clip)."""
        return self.potential(state[:2]) + self.kinetic(*np.split(state, 2))

    @property
    def upright(self) -> np.ndarray:
        """Potential energy (clip,) of both rods upright, above hanging at rest [J]."""
        return 2 * (self.first_weight + self.second_weight)

    def potential(self, angles: np.ndarray) -> np.ndarray:
        """Potential energy (clip,) above hanging at rest [J], of angles (2, clip)."""
        # 1 - cos without cancellation
        first, second = 2 * np.sin(angles / 2) ** 2
        return self.first_weight * first + self.second_weight * second

    def kinetic(self, angles: np.ndarray, speeds: np.ndarray) -> np.ndarray:
        """Kinetic energy (clip,) [J], of angles and speeds (2, clip)."""
        mixed = self.coupling * np.cos(angles[1] - angles[0])
        own = self.first * speeds[0] ** 2 + self.second * speeds[1] ** 2
        return own / 2 + mixed * speeds[0] * speeds[1]

    def inertia(self, angles: np.ndarray) -> np.ndarray:
        """Determinant (clip,) of M [kg^2 m^4]."""
        mixed = self.coupling * np.cos(angles[1] - angles[0])
        return self.first * self.second - mixed**2


def rates(bodies: Bodies) -> _runge_kutta.Rates:
    """Equation of motion, of states (theta1, theta2, omega1, omega2, lost; clip)."""
    damped = bool(bodies.damping.any())

    def write(state: np.ndarray, rate: np.ndarray) -> None:
        speeds = state[2:4]
        rate[:2] = speeds
        _, mixed, *forces, inertia = _forces(bodies, state)
        _solved(bodies, mixed, forces, inertia, rate[2:4])
        if damped:
            rate[2:4] -= bodies.damping * speeds
            kinetic = (bodies.first * speeds[0] ** 2 + bodies.second * speeds[1] ** 2) / 2
            rate[4] = 2 * bodies.damping * (kinetic + mixed * speeds[0] * speeds[1])
        else:
            rate[4] = 0

    return write


def _forces(bodies: Bodies, state: np.ndarray) -> tuple[np.ndarray, ...]:
    """C sin d and C cos d, both parts of f without damping, and the determinant of M."""
    apart = state[1] - state[0]
    turned, mixed = bodies.coupling * np.sin(apart), bodies.coupling * np.cos(apart)
    squares, sines = state[2:4] * state[2:4], np.sin(state[:2])
    first = turned * squares[1]
    first -= bodies.first_weight * sines[0]
    second = turned * squares[0]
    second += bodies.second_weight * sines[1]
    np.negative(second, out=second)
    inertia = bodies.first * bodies.second
    inertia -= mixed * mixed
    return turned, mixed, first, second, inertia


def _solved(
    bodies: Bodies,
    mixed: np.ndarray,
    forces: Sequence[np.ndarray],
    inertia: np.ndarray,
    out: np.ndarray,
) -> None:
    """Write M^-1 f (2, ...)."""
    first, second = forces
    np.multiply(bodies.second, first, out=out[0])
    out[0] -= mixed * second
    np.multiply(bodies.first, second, out=out[1])
    out[1] -= mixed * first
    out /= inertia


def _tangent_rates(bodies: Bodies) -> _runge_kutta.Rates:
    """The variational equation beside the motion: four neighbours, (5 + 4 x 4; clip)."""
    move = rates(bodies)

    def write(state: np.ndarray, rate: np.ndarray) -> None:
        move(state[:5], rate[:5])
        turned, mixed, *forces, inertia = _forces(bodies, state)
        speeds = state[2:4]
        pushed = np.empty_like(state[:2])
        _solved(bodies, mixed, forces, inertia, pushed)
        near, change = (part[5:].reshape(4, 4, -1) for part in (state, rate))
        angles, paces = near[:2], near[2:]
        apart = angles[1] - angles[0]
        swings = np.cos(state[:2])
        # d(M w') = df: what f changes by, less what M does times w'
        first = 2 * turned * speeds[1] * paces[1]
        first += (mixed * speeds[1] ** 2 + turned * pushed[1]) * apart
        first -= bodies.first_weight * swings[0] * angles[0]
        second = -2 * turned * speeds[0] * paces[0]
        second -= (mixed * speeds[0] ** 2 - turned * pushed[0]) * apart
        second -= bodies.second_weight * swings[1] * angles[1]
        change[:2] = paces
        _solved(bodies, mixed, (first, second), inertia, change[2:])
        change[2:] -= bodies.damping * paces

    return write


def solve(
    bodies: Bodies, start: np.ndarray, interval: float, frames: int, steps: int
) -> dict[str, np.ndarray]:
    """States at every frame.

    Parameters
    ----------
    bodies : Bodies
    start : (4, clip)
        Angles [rad] and angular velocities [rad/s] at the first frame.
    interval : float
        Time between frames [s].
    frames : int
    steps : int
        Steps of the integrator from one frame to the next.

    Returns
    -------
    dict of str to (clip, time) float64
        As named in ``STATES``.
    """
    state = np.concatenate([start, np.zeros_like(start[:1])])
    moved = _runge_kutta.frames(rates(bodies), state, interval, frames, steps)
    whole = np.empty((*state.shape, frames))
    for frame, now in enumerate(moved):
        whole[..., frame] = now
    return described(bodies, whole[:4], whole[4])


def described(bodies: Bodies, motion: np.ndarray, lost: np.ndarray) -> dict[str, np.ndarray]:
    """States (clip, time) by name, from angles and angular velocities (4, clip, time)."""
    angles, speeds = np.split(motion, 2)
    values = {**dict(zip(MOTION, motion, strict=True)), "lost": lost}
    for name, angle in zip(ANGLES, angles, strict=True):
        values |= {f"sin_{name}": np.sin(angle), f"cos_{name}": np.cos(angle)}
    whole = bodies.steady
    values["kinetic"] = whole.kinetic(angles, speeds)
    values["potential"] = whole.potential(angles)
    return {name: values[name] for name in STATES}


def lyapunov(
    bodies: Bodies, start: np.ndarray, pace: np.ndarray, interval: float, frames: int, steps: int
) -> np.ndarray:
    """Largest Lyapunov exponent of each clip, over the time that it shows.

        lambda = ln s / t

    s is the largest singular value of the matrix that takes small differences of the first frame to
    those of the last, of angles and of angular velocities in units of ``pace``: no two neighbours
    part faster. Over a finite time the value depends on these units and on the start, and falls
    towards that of t to infinity about as 1/t; a regular clip, whose neighbours part in proportion
    to time, has ln t / t, not 0.

    Parameters
    ----------
    bodies : Bodies
    start : (4, clip)
    pace : (clip,)
        Angular velocity that counts as much as 1 rad [rad/s].
    interval, frames, steps
        As for :func:`solve`.

    Returns
    -------
    (clip,) float64
        [1/s]

    References
    ----------
    Benettin et al., Meccanica 15 (1980) 9; Shadden, Lekien, Marsden, Physica D 212 (2005) 271.
    """
    found = []
    for first in range(0, start.shape[1], AT_A_TIME):
        clips = slice(first, first + AT_A_TIME)
        units = np.ones((4, len(pace[clips])))
        units[2:] = pace[clips]
        near = np.eye(4)[:, :, None] * units
        state = np.concatenate([start[:, clips], np.zeros_like(units[:1]), near.reshape(16, -1)])
        grown = np.zeros(units.shape[1])
        equation = _tangent_rates(bodies.part(clips))
        for now in _runge_kutta.frames(equation, state, interval, frames, steps):
            # before it overflows; of a view, so that the iterator goes on with it
            largest = np.abs(now[5:]).max(0)
            now[5:] /= largest
            grown += np.log(largest)
        map_ = now[5:].reshape(4, 4, -1) / units[:, None]
        # of the squares: the largest is as exact, and its iteration ends whatever the others are
        squares = np.einsum("ijc,ikc->cjk", map_, map_)
        singular = np.sqrt(np.linalg.eigvalsh(squares)[:, -1])
        found.append((grown + np.log(singular)) / (interval * (frames - 1)))
    return np.concatenate(found)
