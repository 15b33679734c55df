"""Specification: what a law leaves out, sought in what it foretells wrongly.

A law says that its coefficients are the same at all times, in all places and for fields of any
strength, and that its terms are all that there are. Each of these is tested by adding directions in
which it could be wrong, to first order in how wrong it is (Lagrange multipliers):

    time        each coefficient goes with time, as a polynomial of degree 1 to 3
    place       each coefficient goes with place, one period (between walls: half a one) along an
                axis, inside or outside of the derivatives
    detail      the same with all waves of up to two periods along both axes, outside of them
    strength    products of the field with itself, bare or under derivatives
    terms       powers of the wavevector that the law lacks, another exponent, another speed along
                either axis

A coefficient that changes by epsilon psi(x, t) drives mode k by what the law's own term becomes
when multiplied by psi; the answer to that is a course, and how much of each course there is in the
errors is a linear regression in a few numbers per clip, shared by all modes. So they are found on
one hand of modes and foretell the errors of the other, exactly as parameters do, and are scored
alike: a direction that noise alone has found foretells nothing.

A field that is seen through what bends it (colours, a network) looks as if its strength mattered.
So where features have been combined, law and alternatives alike may add the square and the cube of
the field to what is seen, and strength is no evidence.

References
----------
Chow, Tests of equality between sets of coefficients in two linear regressions, Econometrica 28
(1960) 591-605: constancy. Ramsey, Tests for specification errors in classical linear least-squares
regression analysis, J. R. Stat. Soc. B 31 (1969) 350-371: powers of what is fitted. Breusch and
Pagan, The Lagrange multiplier test and its applications to model specification in econometrics,
Rev. Econ. Stud. 47 (1980) 239-253.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np

from physprobe.discover._laws import Law
from physprobe.discover._modes import Modes

ALTERNATIVES = {
    "time": "its coefficients change with time",
    "place": "its coefficients change with place",
    "detail": "its coefficients change from place to place",
    "strength": "its coefficients change with the field's strength",
    "terms": "it lacks a term",
}
DEGREES, PERIODS = 3, 2
LIKELY = 0.5  # relative change of a coefficient that is expected before anything is seen


@dataclass(frozen=True)
class _Base:
    """Courses that the law gives the modes of some clips, from their early frames."""

    law: Law
    theta: np.ndarray
    modes: Modes
    course: np.ndarray
    """(clip, mode, time, feature)"""
    speed: np.ndarray
    """Its derivative by time, of a law of second order; else zero."""
    grid: "_Grid"

    def slopes(self) -> list[np.ndarray]:
        """What the right-hand side gains (clip, mode, time, feature) with each parameter.

        Per relative change; of a parameter at zero, per 1.
        """
        found = []
        for place in range(self.theta.shape[1]):
            size = np.where(self.theta[:, place] == 0, 1.0, np.abs(self.theta[:, place]))
            step = np.zeros_like(self.theta)
            step[:, place] = 1e-4 * size
            above, below = (self._symbol(self.theta + sign * step) for sign in (1, -1))
            found.append(self.acts(*((a - b) / 2e-4 for a, b in zip(above, below, strict=True))))
        return found

    def acts(self, *symbol: np.ndarray) -> np.ndarray:
        """What a symbol (clip, mode), or stiffness and damping, adds to the right-hand side."""
        widened = [part[..., None, None] for part in symbol]
        if self.law.order == 1:
            return widened[0] * self.course
        return -widened[0] * self.course - widened[1] * self.speed

    def _symbol(self, theta: np.ndarray) -> tuple[np.ndarray, ...]:
        symbol = self.law.symbol(theta[:, None, :], self.modes.wavevector)
        shape = len(theta), len(self.modes.wavevector)
        return tuple(np.broadcast_to(part, shape) for part in symbol)


class _Grid:
    """A grid just fine enough for products of the modes."""

    def __init__(self, modes: Modes):
        from scipy import fft

        k = modes.wavevector
        step = np.array([_step(axis) for axis in k.T])
        self.number = np.rint(k / step).astype(int)
        self.periodic = modes.periodic
        self.side = fft.next_fast_len(3 * int(np.abs(self.number).max()) + 1, real=True)

    def fields(self, amplitude: np.ndarray) -> np.ndarray:
        """Fields (clip, time, feature, y, x) of amplitudes (clip, mode, time, feature)."""
        from scipy import fft

        clips, _, times, features = amplitude.shape
        lead, (y, x) = (clips, times, features), self.number.T
        if self.periodic:
            filled = np.zeros((*lead, self.side, self.side // 2 + 1), complex)
            filled[..., y, x] = np.moveaxis(amplitude, 1, -1)
            edge = x == 0  # the other half of a real field's series
            filled[..., -y[edge], 0] = np.moveaxis(amplitude[:, edge], 1, -1).conj()
            return fft.irfft2(filled, (self.side, self.side), norm="forward")
        filled = np.zeros((*lead, self.side, self.side))
        filled[..., y, x] = np.moveaxis(amplitude, 1, -1)
        return fft.idctn(filled, axes=(-2, -1), norm="ortho") * self.side

    def modes(self, field: np.ndarray) -> np.ndarray:
        """Amplitudes of the same modes: undoes :meth:`fields`."""
        from scipy import fft

        y, x = self.number.T
        if self.periodic:
            found = fft.rfft2(field, norm="forward")
        else:
            found = fft.dctn(field, axes=(-2, -1), norm="ortho") / self.side
        return np.moveaxis(found[..., y, x], -1, 1)

    def harmonics(self, most: int) -> list[np.ndarray]:
        """Waves (y, x) along either axis, of one period; or along both, of up to ``most``."""
        cell = (np.arange(self.side) + (0 if self.periodic else 0.5)) / self.side
        turns = np.outer(np.arange(most + 1), (2 if self.periodic else 1) * np.pi * cell)
        along = [*np.cos(turns), *(np.sin(turns[1:]) if self.periodic else ())]
        pairs = product(range(len(along)), repeat=2)
        return [
            np.multiply.outer(along[y], along[x])
            for y, x in pairs
            if (y or x) and (most > 1 or not (y and x))
        ]


def _step(along: np.ndarray) -> float:
    """Smallest difference of wavevectors along an axis: what numbers are counted in."""
    apart = np.diff(np.unique(np.round(np.append(along, 0.0), 9)))
    return float(apart.min()) if len(apart) else 1.0


def errors(
    law: Law, modes: Modes, theta: np.ndarray, dealt: np.ndarray, early: slice, bent: bool
) -> np.ndarray:
    """Squared errors of late frames if a law is all there is, and under each alternative.

    Parameters
    ----------
    law : Law
    modes : Modes
    theta : (hand, clip, parameter)
        From the modes of either hand.
    dealt : (hand, clip, mode) bool
        Modes of either hand.
    early : slice
        Frames that are known.
    bent : bool
        Whether the field may be seen through what bends it, such as colours or a network: its
        square and cube are then added to what is seen, whatever is or isn't wrong with the law.

    Returns
    -------
    (clip, mode, 1 + alternative)
        Of each mode, with the parameters and directions of the other hand.
    """
    found = np.zeros((*modes.amplitude.shape[:2], 1 + len(ALTERNATIVES)))
    for seen, own in zip(dealt, theta, strict=True):
        base, residual, project = _based(law, modes, own, early)
        tangent = base.slopes()
        always = project(_answer(base, np.stack(tangent, axis=-1)))
        if bent:
            view = project(np.stack(_powers(base), axis=-1))
            always = np.concatenate([always, view], axis=-1)
        for place, name in enumerate(("", *ALTERNATIVES)):
            left = residual
            if name or bent:
                drives = _DRIVES[name](base) if name else []
                more = [project(_answer(base, np.stack(drives, axis=-1)))] if drives else []
                answers = np.concatenate([always, *more], axis=-1)
                left = residual - _explained(answers, residual, seen, len(tangent))
            squared = (np.abs(left) ** 2).sum((2, 3))
            found[..., place] = np.where(seen, found[..., place], squared)
    return found


def _based(law: Law, modes: Modes, theta: np.ndarray, early: slice) -> tuple:
    """Courses from early frames; errors of late ones; what fits early frames taken off others."""
    frames = modes.amplitude.shape[2]
    basis = law.basis(theta, modes.wavevector, np.arange(frames, dtype=float))
    inverse = np.linalg.pinv(basis[:, :, early])
    weights = inverse @ modes.amplitude[:, :, early]
    course = basis @ weights
    speed = np.zeros_like(course)
    if law.order == 2:
        stepped, damping = _propagator(law, theta, modes)
        first = np.stack([weights[:, :, 0], weights[:, :, 1]
                          - damping[..., None] / 2 * weights[:, :, 0]], axis=2)  # fmt: skip
        for time in range(frames):
            speed[:, :, time] = first[:, :, 1]
            first = stepped @ first

    def project(course: np.ndarray) -> np.ndarray:
        """Late part (clip, mode, late, feature, direction) without what early frames would fit."""
        known = np.einsum("cmpt,cmtfd->cmpfd", inverse, course[:, :, early])
        whole = np.einsum("cmtp,cmpfd->cmtfd", basis[:, :, early.stop :], known)
        return course[:, :, early.stop :] - whole

    residual = (modes.amplitude - course)[:, :, early.stop :]
    return _Base(law, theta, modes, course, speed, _Grid(modes)), residual, project


def _propagator(law: Law, theta: np.ndarray, modes: Modes) -> tuple[np.ndarray, np.ndarray]:
    """Steps (clip, mode, order, order) of one frame, and damping (clip, mode)."""
    one = law.basis(theta, modes.wavevector, np.array([1.0]))[:, :, 0]
    if law.order == 1:
        return one[..., None], np.zeros(one.shape[:2])
    symbol = law.symbol(theta[:, None, :], modes.wavevector)
    stiffness, damping = (np.broadcast_to(part, one.shape[:2]) for part in symbol)
    even, odd = one[..., 0], one[..., 1]
    rows = [
        np.stack([even + damping / 2 * odd, odd], axis=-1),
        np.stack([-stiffness * odd, even - damping / 2 * odd], axis=-1),
    ]
    return np.stack(rows, axis=-2), damping


def _answer(base: _Base, drives: np.ndarray) -> np.ndarray:
    """Courses (clip, mode, time, feature, direction) of modes at rest that are driven."""
    stepped, _ = _propagator(base.law, base.theta, base.modes)
    found = np.zeros(drives.shape, np.result_type(drives, stepped))
    clips, count, frames, features, directions = drives.shape
    flat = drives.reshape(clips, count, frames, 1, features * directions)
    order = base.law.order
    state = np.zeros((clips, count, order, features * directions), found.dtype)
    view = found.reshape(clips, count, frames, features * directions)
    for time in range(1, frames):
        # trapezoids of the drive, in the frame that moves with the mode
        state[:, :, -1:] += flat[:, :, time - 1] / 2
        state = stepped @ state
        state[:, :, -1:] += flat[:, :, time] / 2
        view[:, :, time] = state[:, :, 0]
    return found


def _explained(answers: np.ndarray, residual: np.ndarray, seen: np.ndarray, own: int) -> np.ndarray:
    """Errors (clip, mode, late, feature) that the directions foretell, found on the modes seen."""
    size = np.sqrt((np.abs(answers) ** 2 * seen[:, :, None, None, None]).sum((1, 2, 3)))
    unit = size[:, :own].max(1, keepdims=True)
    scaled = (
        answers
        * np.where(size > 1e-9 * unit, unit / np.maximum(size, 1e-300), 0)[:, None, None, None, :]
    )
    shape = len(answers), -1, answers.shape[-1]
    rows = (scaled * seen[:, :, None, None, None]).reshape(shape)
    side = (residual * seen[:, :, None, None]).reshape(len(answers), -1)
    gram = (rows.conj().swapaxes(1, 2) @ rows).real
    noise = (np.abs(side) ** 2).sum(1) / (seen.sum(1) * residual[0, 0].size)
    ridge = noise / LIKELY**2 + 1e-12 * unit[:, 0] ** 2 + 1e-300
    gram = gram + ridge[:, None, None] * np.eye(gram.shape[-1])
    product = (rows.conj().swapaxes(1, 2) @ side[..., None]).real
    weights = np.linalg.solve(gram, product)[..., 0]
    return np.einsum("cmtfd,cd->cmtf", scaled, weights)


def _of_time(base: _Base) -> list[np.ndarray]:
    frames = base.course.shape[2]
    time = np.linspace(-1, 1, frames)[:, None]
    return [drive * time**degree for drive in base.slopes() for degree in range(1, DEGREES + 1)]


def _of_place(base: _Base) -> list[np.ndarray]:
    grid, found = base.grid, _modulated(base, 1)
    for shape in grid.harmonics(1):
        moved = _Base(
            base.law, base.theta, base.modes,
            grid.modes(grid.fields(base.course) * shape),
            grid.modes(grid.fields(base.speed) * shape) if base.law.order == 2 else base.speed,
            grid,
        )  # fmt: skip
        found += moved.slopes()
    return found


def _of_detail(base: _Base) -> list[np.ndarray]:
    return _modulated(base, PERIODS)


def _modulated(base: _Base, most: int) -> list[np.ndarray]:
    grid = base.grid
    return [
        grid.modes(field * shape)
        for field in map(grid.fields, base.slopes())
        for shape in grid.harmonics(most)
    ]


def _of_strength(base: _Base) -> list[np.ndarray]:
    grid, k = base.grid, base.modes.wavevector
    square = (k**2).sum(-1)[:, None, None]
    two, three = _powers(base)
    curved = grid.modes(grid.fields(base.course) * grid.fields(-square * base.course))
    found = [two, three, square * two, square * three, curved]
    if base.modes.periodic:
        found += [1j * k[:, axis, None, None] * two for axis in (0, 1)]
    return found


def _powers(base: _Base) -> list[np.ndarray]:
    """Square and cube of the field."""
    field = base.grid.fields(base.course)
    field = field / (np.sqrt((field**2).mean((1, 2, 3, 4), keepdims=True)) + 1e-300)
    return [base.grid.modes(field**2), base.grid.modes(field**3)]


def _of_terms(base: _Base) -> list[np.ndarray]:
    k = base.modes.wavevector
    square = (k**2).sum(-1)
    unit = np.broadcast_to(1.0, square.shape)
    even = [unit, square, k[:, 0] ** 2, square**2]
    if base.modes.periodic:
        even.append(k[:, 0] * k[:, 1])
    clips = len(base.theta)
    whole = [np.broadcast_to(part, (clips, len(square))) for part in even]
    symbol = base._symbol(base.theta)
    bent = np.log(np.sqrt(np.maximum(square, 1e-12)))
    if base.law.order == 1:
        found = [base.acts(part) for part in (*whole, symbol[0] * bent)]
        if base.modes.periodic:
            odd = [1j * k[:, axis] * more for axis in (0, 1) for more in (unit, square)]
            found += [base.acts(np.broadcast_to(part, (clips, len(square)))) for part in odd]
        return found
    none = np.zeros((clips, len(square)))
    found = [base.acts(part, none) for part in (*whole, symbol[0] * bent)]
    found += [base.acts(none, part) for part in whole[:2]]
    if base.modes.periodic:
        found += [base.acts(none, 1j * np.broadcast_to(k[:, axis], none.shape)) for axis in (0, 1)]
    return found


_DRIVES = {
    "time": _of_time,
    "place": _of_place,
    "detail": _of_detail,
    "strength": _of_strength,
    "terms": _of_terms,
}
