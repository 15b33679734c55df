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
    from scipy.interpolate import UnivariateSpline

    known = np.isfinite(tips).all(1)
    if known.sum() < 2 * WINDOW:
        return dict.fromkeys(TOLD, np.nan)
    fine = np.linspace(time[0], time[-1], (len(time) - 1) * FINE + 1)
    lengths, angles, speeds = [], [], []
    for rod in (tips[known, :2], tips[known, 2:] - tips[known, :2]):
        each = np.hypot(*rod.T)
        length = float(np.median(each))
        noise = 1.4826 * float(np.median(np.abs(each - length))) / length
        angle = np.unwrap(np.arctan2(rod[:, 0], -rod[:, 1]))
        allowed = known.sum() * max(noise, SMOOTH) ** 2 if noise > EXACT else 0.0
        course = UnivariateSpline(time[known], angle, k=5, s=allowed)
        lengths.append(length)
        angles.append(course(fine))
        speeds.append(course.derivative()(fine))
    terms = _terms(lengths, np.stack(angles), np.stack(speeds), fine[1] - fine[0])
    whole = np.sqrt(sum((term**2).sum() for term in terms[0]))

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
    angle, speed = np.stack(angles), np.stack(speeds)
    energy = (bodies.potential(angle) + bodies.kinetic(angle, speed))[0]
    level = (energy.mean() if lost == 0 else energy[:FINE].mean()) / bodies.upright[0, 0]
    found = (ratio, lengths[1] / lengths[0], gravity, lost, float(level), float(np.sqrt(squares)))
    return dict(zip(TOLD, found, strict=True))


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
