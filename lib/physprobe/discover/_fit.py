"""Fit: parameters of a law for each clip, by least squares on the courses of its modes.

Amplitudes enter linearly and are projected out (variable projection), so that only the parameters
are searched for: the best of a grid, then steps of Levenberg and Marquardt. A parameter that enters
by its square is searched for by its square: along itself the slope vanishes at zero, and a step to
there would be the last. Fitting whole courses instead of steps from frame to frame is what makes
noise in the frames harmless.

References
----------
Golub and Pereyra, The differentiation of pseudo-inverses and nonlinear least squares problems
whose variables separate, SIAM J. Numer. Anal. 10 (1973) 413-432.
"""

from collections.abc import Callable
from itertools import product

import numpy as np

from physprobe.discover._laws import EXPONENT, Law
from physprobe.discover._modes import Modes

STEPS, STARTS = 10, 20
DAMPINGS = (1.0, 4.0, 16.0)  # per clip: what hardly fades, what fades, what creeps
EXPONENTS = (0.5, 1.5, 3.0)
PARTS = {"m": (0.0, 0.5, 0.9)}  # of the squared frequency at a middling wavenumber
NORMAL95 = 1.645  # one-sided
STRONGEST = 24  # modes on which starts are compared


def orthonormal(basis: np.ndarray, rows: slice = slice(None)) -> np.ndarray:
    """Same courses, orthonormal over some of the times.

    Parameters
    ----------
    basis : (..., time, course)
        One course, or two.
    rows : slice
        Of the times.
    """
    first = _unit(basis[..., :1], rows)
    if basis.shape[-1] == 1:
        return first
    second = _unit(basis[..., 1:], rows)
    for _ in range(2):
        shared = (first[..., rows, :].conj() * second[..., rows, :]).sum(-2, keepdims=True)
        second = _unit(second - first * shared, rows)
    return np.concatenate([first, second], axis=-1)


def _unit(course: np.ndarray, rows: slice) -> np.ndarray:
    norm = np.sqrt((np.abs(course[..., rows, :]) ** 2).sum(-2, keepdims=True))
    return course / np.where(norm > 1e-150, norm, np.inf)


def predict(basis: np.ndarray, amplitude: np.ndarray, rows: slice = slice(None)) -> np.ndarray:
    """Courses that fit best at some of the times, at all of them.

    Parameters
    ----------
    basis : (clip, mode, time, course)
    amplitude : (clip, mode, time, feature)
    rows : slice
        Times that are fitted.
    """
    frame = orthonormal(basis, rows)
    return frame @ (frame[..., rows, :].conj().swapaxes(-1, -2) @ amplitude[..., rows, :])


def fit(law: Law, modes: Modes, folds: np.ndarray | None = None) -> np.ndarray:
    """Parameters of each clip, from all modes or from some.

    Parameters
    ----------
    law : Law
    modes : Modes
    folds : (fold, clip, mode) bool, optional
        Modes that each fit may see; all of them by default.

    Returns
    -------
    (fold, clip, parameter)
        In units of cells and frames.
    """
    if folds is None:
        folds = np.ones((1, *modes.amplitude.shape[:2]), bool)
    found = []
    for fold, start in zip(folds, _starts(law, modes, folds), strict=True):
        hidden = np.where(fold[:, :, None, None], modes.amplitude, 0.0)
        seen = Modes(hidden, modes.wavevector, modes.periodic)
        strongest = seen.some(np.sort(seen.ranking[:STRONGEST]))
        costs = [_cost(law, strongest, theta).sum(1) for theta in start]
        best = start[np.argmin(costs, axis=0), np.arange(len(hidden))]
        found.append(refine(law, seen, best))
    return np.stack(found)


def refine(
    law: Law, modes: Modes, theta: np.ndarray, steps: int = STEPS, early: int | None = None
) -> np.ndarray:
    """Parameters (clip, parameter) after some steps downhill, each clip's damping its own.

    Downhill is less misfit of whole courses, or of late frames foretold from so many early ones.
    """
    point = law.within(law.point(theta))

    def residual(point: np.ndarray) -> np.ndarray:
        return _residual(law, modes, law.at(point), early)

    damping = np.full(len(point), 1e-3)
    here = residual(point)
    cost = _squared(here).sum(1)
    stuck, better = np.zeros(len(point), int), np.ones(len(point), bool)
    for _ in range(steps):
        # where no clip has moved, slopes are as they were
        if better.any():
            products, sides = _linearised(residual, point, here)
        # what is at zero and would go below it stays, and the others go as if it were not there
        held = law.bounded & (point <= 0) & (sides > 0)
        gram = np.where(held[:, :, None] | held[:, None, :], 0.0, products)
        side = np.where(held, 0.0, sides)
        diagonal = np.einsum("cpp->cp", gram)
        lifted = (
            gram
            + np.eye(point.shape[1])
            * (damping[:, None] * diagonal + 1e-12 * diagonal.max(1, keepdims=True) + 1e-200)[
                :, None, :
            ]
        )
        step = np.linalg.solve(lifted, -side[..., None])[..., 0]
        tried = law.within(point + step)
        there = residual(tried)
        found = _squared(there).sum(1)
        better = found < cost
        moved = np.abs(tried - point).max(1) > 1e-9 * np.abs(point).max(1)
        point = np.where(better[:, None], tried, point)
        here = np.where(better[:, None, None, None], there, here)
        cost = np.where(better, found, cost)
        damping = np.clip(np.where(better, damping / 10, damping * 10), 1e-9, 1e9)
        stuck += ~(better & moved)
        if (stuck > 2).all():
            break
    return law.at(point)


def covariance(law: Law, modes: Modes, theta: np.ndarray) -> np.ndarray:
    """Covariance (clip, parameter, parameter) of fitted parameters, for white noise.

    It is nan of a parameter at zero that enters by its square: to first order nothing is known.
    """
    found = _spread(lambda theta: _residual(law, modes, theta), theta, modes.periodic)
    unknown = np.isin(law.parameters, law.squared) & (theta == 0)
    return np.where(unknown[:, :, None] | unknown[:, None, :], np.nan, found)


def limit(law: Law, modes: Modes, name: str) -> np.ndarray:
    """Upper 95 % limit (clip) of a parameter that can't be negative, for white noise.

    Where it enters by its square, that of the square: it is known at zero as well.
    """
    point, place = law.point(fit(law, modes)[0]), law.parameters.index(name)
    spread = _spread(lambda point: _residual(law, modes, law.at(point)), point, modes.periodic)
    upper = point.copy()
    upper[:, place] += NORMAL95 * np.sqrt(np.maximum(spread[:, place, place], 0))
    return law.at(upper)[:, place]


def _spread(
    residual: Callable[[np.ndarray], np.ndarray], point: np.ndarray, periodic: bool
) -> np.ndarray:
    """Covariance (clip, coordinate, coordinate) of a point of least squares."""
    here = residual(point)
    gram, _ = _linearised(residual, point, here)
    clips, count = len(here), here[0].size * (2 if periodic else 1)
    noise = (np.abs(here) ** 2).reshape(clips, -1).sum(-1) / max(count - point.shape[1], 1)
    scale = np.sqrt(np.maximum(np.einsum("cpp->cp", gram), 1e-300))
    scaled = gram / (scale[:, :, None] * scale[:, None, :])
    inverse = np.linalg.pinv(scaled, rcond=1e-12, hermitian=True)
    return inverse / (scale[:, :, None] * scale[:, None, :]) * noise[:, None, None]


def _residual(law: Law, modes: Modes, theta: np.ndarray, early: int | None = None) -> np.ndarray:
    """Misfit of whole courses, or of late frames that are foretold from so many early ones.

    Parameters (clip, parameter), or (1, parameter) of all clips alike.
    """
    basis = law.basis(theta, modes.wavevector, np.arange(modes.amplitude.shape[2], dtype=float))
    misfit = modes.amplitude - predict(basis, modes.amplitude, slice(early))
    return misfit[:, :, early:]


def _cost(law: Law, modes: Modes, theta: np.ndarray) -> np.ndarray:
    """Squared misfit (clip, mode)."""
    # of parameters that all clips have alike, courses are computed once
    alike = (theta == theta[:1]).all()
    return _squared(_residual(law, modes, theta[:1] if alike else theta))


def _squared(misfit: np.ndarray) -> np.ndarray:
    """Squares (clip, mode), summed over times and features."""
    return (np.abs(misfit) ** 2).sum((2, 3))


def _starts(law: Law, modes: Modes, seen: np.ndarray) -> np.ndarray:
    """Parameters (fold, start, clip, parameter) to start from."""
    frames = modes.amplitude.shape[2]
    folds, clips = len(seen), len(modes.amplitude)
    if law.name == "advection":
        return _velocity(modes, seen)[:, None]
    # from a change of 1 % over a clip in a mode of middling length, to one that is over in a frame
    weight = (np.abs(modes.amplitude) ** 2).sum((0, 2, 3))
    middle = (weight @ modes.wavenumber) / max(weight.sum(), 1e-300)
    span = np.geomspace(0.01 / frames, 2.0, STARTS)
    if law.name == "advection_diffusion":
        span = np.append(0, np.geomspace(0.01 / frames, 1.0, STARTS // 2)) / middle**2
        velocity = np.broadcast_to(_velocity(modes, seen)[:, None], (folds, len(span), clips, 2))
        alpha = np.broadcast_to(span[:, None, None], (folds, len(span), clips, 1))
        return np.concatenate([velocity, alpha], axis=-1)
    if law.order == 2:
        fine = STARTS if PARTS.keys() & set(law.parameters) else 2 * STARTS
        span = np.geomspace(0.3 / frames, 2.5, fine)
    found = []
    for others in product(*(_tried(law, name, frames) for name in law.parameters[1:])):
        one = np.array([[1.0, *others]])
        one[:, [name in PARTS for name in law.parameters]] = 0.0
        unit = np.abs(law.symbol(one[:, None], np.array([[middle, 0.0]]))[0]).ravel()[0]
        theta = np.zeros((folds, len(span), clips, len(law.parameters)))
        theta[..., 0] = (span / (unit if law.order == 1 else np.sqrt(unit)))[:, None]
        theta[..., 1:] = others
        for name, part in zip(law.parameters[1:], others, strict=True):
            if name in PARTS:
                theta[..., law.parameters.index(name)] = np.sqrt(part) * span[:, None]
                theta[..., 0] *= np.sqrt(1 - part)
        found.append(theta)
    return np.concatenate(found, axis=1)


def _tried(law: Law, name: str, frames: int) -> tuple[float, ...]:
    """What to start with for a parameter that isn't the first."""
    if name == "gamma":
        damped = (0.0, *DAMPINGS[1:]) if "gamma" in law.signed else DAMPINGS
        return tuple(value / frames for value in damped)
    return PARTS.get(name, EXPONENTS if name == EXPONENT else (0.0,))


def _velocity(modes: Modes, seen: np.ndarray) -> np.ndarray:
    """Velocities (fold, clip, 2) from how far phases turn in a frame; noise turns them evenly."""
    turned = (modes.amplitude[:, :, 1:] * modes.amplitude[:, :, :-1].conj()).sum((2, 3))
    k = modes.wavevector
    weight = np.abs(turned) * seen
    gram = np.einsum("fcm,mi,mj->fcij", weight, k, k)
    side = np.einsum("fcm,mi->fci", -weight * np.angle(turned), k)
    small = 1e-9 * np.trace(gram, axis1=-2, axis2=-1)[..., None, None] + 1e-300
    return np.linalg.solve(gram + small * np.eye(2), side[..., None])[..., 0]


def _linearised(
    residual: Callable[[np.ndarray], np.ndarray], point: np.ndarray, here: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Products of a residual's slopes at a point with each other, and with what it is there."""
    scale = np.maximum(np.abs(point), 1e-4)
    slopes = []
    for place in range(point.shape[1]):
        step = np.zeros_like(point)
        step[:, place] = 1e-5 * scale[:, place]
        moved = residual(point + step)
        slopes.append((moved - here).reshape(len(point), -1) / step[:, place, None])
    stacked = np.stack(slopes, axis=1)
    flat = here.reshape(len(point), -1)
    gram = (stacked.conj() @ stacked.swapaxes(1, 2)).real
    side = (stacked.conj() @ flat[..., None]).real[..., 0]
    return gram, side
