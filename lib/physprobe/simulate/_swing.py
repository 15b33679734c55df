"""Swing: what a double pendulum is made of, from how its rods turn; masses are not seen.

The equation of ``_pendulum``, over the second mass and with s = 1 + m1 / m2, in its weak form: of
smooth windows phi that are 0 at their ends

    -int phi' p1 = int phi (C' w1 w2 sin d - s g l1 sin theta1 - damping p1)
    -int phi' p2 = int phi (-C' w1 w2 sin d - g l2 sin theta2 - damping p2)
    p1 = s l1^2 w1 + C' w2 cos d,   p2 = l2^2 w2 + C' w1 cos d,   C' = l1 l2,   d = theta2 - theta1

so that no angle has to be derived twice. Angles are smoothed by as much as the rods seem to change
their lengths. Only the ratio of masses is told, as one factor of both leaves every motion as it is;
of motions so small that they are linear it can still be told from both frequencies.
"""

import numpy as np

from physprobe.simulate._pendulum import Bodies
from physprobe.statistics import descent

TOLD = ("mass_ratio", "length_ratio", "gravity", "damping", "energy_level", "misfit")
FINE, WINDOW = 8, 9
"""Parts that a frame is divided into, and frames of a window."""
STANDARD, FAR = 9.8, 5.0
"""Gravity [m/s^2] to begin with, and by how many factors of e parameters may be other than that."""
EXACT, SMOOTH = 1e-5, 1e-3
"""Noise of angles [rad] that is none, and the least that they are smoothed by otherwise."""


def told(tips: np.ndarray, time: np.ndarray, damping: float | None) -> dict[str, float]:
    """Parameters of one clip.

    Parameters
    ----------
    tips : (time, 4)
        Of the first and of the second rod along x and y [m], the pivot at the origin; nan where
        they are not known.
    time : (time,)
        [s], evenly spaced.
    damping : float or None
        [1/s], if it is the same for all clips; otherwise it is told.

    Returns
    -------
    dict of str to float
        ``mass_ratio``, ``length_ratio``, ``gravity`` [m/s^2], ``damping`` [1/s], ``energy_level``,
        and ``misfit``: root of the share of the forces that is left unexplained. nan where tips
        are known in too few frames.
    """
    known = np.isfinite(tips).all(1)
    frames = np.flatnonzero(known)
    # how a rod turns between frames that lack one isn't known
    runs = np.split(frames, np.flatnonzero(np.diff(frames) > 1) + 1)
    runs = [run for run in runs if len(run) > WINDOW]
    if not runs:
        return dict.fromkeys(TOLD, np.nan)
    first, second = tips[known, :2], tips[known, 2:] - tips[known, :2]
    lengths = [float(np.median(np.hypot(*rod.T))) for rod in (first, second)]
    courses = [_course(tips[run], time[run], lengths) for run in runs]
    parts = [_terms(lengths, *course) for course in courses]
    terms = [np.concatenate(each, axis=1) for each in zip(*parts, strict=True)]
    whole = np.sqrt(sum((term**2).sum() for term in terms))

    def residual(at: np.ndarray) -> np.ndarray:
        if np.abs(at).max() > FAR:
            return np.array([np.nan])
        masses, gravity = 1 + np.exp(-at[0]), STANDARD * np.exp(at[1])
        lost = at[2] if damping is None else damping
        weights = np.array([1.0, masses, gravity, masses * gravity, lost, lost * masses])
        return np.concatenate([weights @ part for part in terms]) / whole

    start = [0.0, 0.0, *([0.0] if damping is None else [])]
    at, squares = descent.least_squares(residual, np.array(start))
    ratio, gravity = float(np.exp(at[0])), STANDARD * float(np.exp(at[1]))
    lost = float(at[2]) if damping is None else damping
    made = {"mass1": 1.0, "mass2": ratio, "length1": lengths[0], "length2": lengths[1]}
    bodies = Bodies.of({**made, "gravity": gravity, "damping": lost}).steady
    # of what is the same at all times the middle: where a course ends its slope is least certain
    energies = [bodies.potential(angle) + bodies.kinetic(angle, w) for angle, w, _ in courses]
    energy = energies[0][0, :FINE] if lost else np.concatenate(energies, axis=1)
    level = np.median(energy) / bodies.upright[0, 0]
    found = (ratio, lengths[1] / lengths[0], gravity, lost, float(level), float(np.sqrt(squares)))
    return dict(zip(TOLD, found, strict=True))


def _course(
    tips: np.ndarray, time: np.ndarray, lengths: list[float]
) -> tuple[np.ndarray, np.ndarray, float]:
    """Angles and angular velocities (2, point) between frames without a gap, and their step [s]."""
    from scipy.interpolate import UnivariateSpline

    fine = np.linspace(time[0], time[-1], (len(time) - 1) * FINE + 1)
    angles, speeds = [], []
    for rod, length in zip((tips[:, :2], tips[:, 2:] - tips[:, :2]), lengths, strict=True):
        noise = 1.4826 * float(np.median(np.abs(np.hypot(*rod.T) - length))) / length
        allowed = len(time) * max(noise, SMOOTH) ** 2 if noise > EXACT else 0.0
        angle = np.unwrap(np.arctan2(rod[:, 0], -rod[:, 1]))
        course = UnivariateSpline(time, angle, k=5, s=allowed)
        angles.append(course(fine))
        speeds.append(course.derivative()(fine))
    return np.stack(angles), np.stack(speeds), float(fine[1] - fine[0])


def _terms(
    lengths: list[float], angles: np.ndarray, speeds: np.ndarray, step: float
) -> tuple[np.ndarray, np.ndarray]:
    """Of both equations the terms (term, window) of 1, s, g, s g, damping and damping s."""
    first, second = lengths
    apart, mixed = angles[1] - angles[0], first * second
    half = WINDOW * FINE // 2
    place = np.linspace(-1, 1, 2 * half + 1)
    window = (1 - place**2) ** 3
    fall = -6 * place * (1 - place**2) ** 2 / (half * step)

    def over(series: np.ndarray, weights: np.ndarray) -> np.ndarray:
        return np.correlate(series, weights, "valid")[::FINE]

    def held(series: np.ndarray) -> np.ndarray:
        return over(series, window)

    def changed(series: np.ndarray) -> np.ndarray:
        return -over(series, fall)

    pushed = mixed * speeds[0] * speeds[1] * np.sin(apart)
    coupled = [mixed * np.cos(apart) * speed for speed in speeds[::-1]]
    own = [first**2 * speeds[0], second**2 * speeds[1]]
    pulled = [length * np.sin(angle) for length, angle in zip(lengths, angles, strict=True)]
    none = np.zeros_like(held(pushed))
    return (
        np.stack([changed(coupled[0]) - held(pushed), changed(own[0]), none,
                  held(pulled[0]), held(coupled[0]), held(own[0])]),
        np.stack([changed(coupled[1] + own[1]) + held(pushed), none, held(pulled[1]),
                  none, held(coupled[1] + own[1]), none]),
    )  # fmt: skip
