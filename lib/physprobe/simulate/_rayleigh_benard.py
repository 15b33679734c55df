"""Convection between two plates: the equations of Rayleigh and Benard in modes that decay alone.

In units of the plates' distance, of the difference of buoyancy that they hold, and of the speed
that it gives in free fall, with b = 1 - z + theta and the vorticity om = dw/dx - du/dz = -lap(psi),

    dom/dt    + u.grad om    = nu lap(om) + dtheta/dx,      nu    = (Ra / Pr)^-1/2
    dtheta/dt + u.grad theta = kappa lap(theta) + w,        kappa = (Ra Pr)^-1/2
    u = dpsi/dz + U(z, t),   w = -dpsi/dx

x is periodic; at z = 0 and z = 1 velocity and theta are 0. psi and theta are Fourier series in x
whose coefficients are polynomials in z that keep these conditions (Shen's bases of Legendre
polynomials), U is such a polynomial, and the equations hold against all of these (Galerkin). So
velocity, made of psi, has no divergence, and neither energy nor variance comes from nowhere: all
inner products are exact, by quadrature on half as many points again in either direction.

Of the linear terms alone the modes of each wavenumber are found once, as generalised eigenvectors
of dissipation and energy. In them a state is one vector y that obeys

    dy/dt = -rates y + tendency(y),      energy and dissipation: sums over |y|^2 and rates |y|^2

which steps of order 3 follow (SBDF3, begun by two of ARS(4,4,3)) with the first term implicit.

References
----------
Shen, Efficient spectral-Galerkin method I, SIAM Journal on Scientific Computing 15 (1994)
1489-1505. Ascher, Ruuth, Spiteri, Implicit-explicit Runge-Kutta methods for time-dependent partial
differential equations, Applied Numerical Mathematics 25 (1997) 151-167. Ascher, Ruuth, Wetton,
Implicit-explicit methods for time-dependent partial differential equations, SIAM Journal on
Numerical Analysis 32 (1995) 797-823.
"""

from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.polynomial import legendre

LENGTH = 4.0
"""Period of x, in distances of the plates."""
COURANT = 0.6
"""Largest step times the fastest rate at which a resolved structure is carried along."""
STEP = 1 / 64
"""Largest step."""
STEPS = 4096
"""No frame that is sound takes as many."""

# ARS(4,4,3): rows of the implicit and of the explicit tableau, of stages 1 to 4.
IMPLICIT = ((1 / 2,), (1 / 6, 1 / 2), (-1 / 2, 1 / 2, 1 / 2), (3 / 2, -3 / 2, 1 / 2, 1 / 2))
EXPLICIT = ((1 / 2,), (11 / 18, 1 / 18), (5 / 6, -5 / 6, 1 / 2), (1 / 4, 7 / 4, 3 / 4, -7 / 4))


class Modes:
    """Bases, quadrature and modes of one grid, the same ones for all parameters.

    Functions of z are even or odd about the middle, so that half of the points tell them: points
    are those above it, then their mirror images, and modes have a parity.

    Parameters
    ----------
    columns : int
        Fourier modes are those below ``columns / 2`` periods.
    rows : int
        Polynomials in z are those of a degree below ``rows``; an even number.
    length : float
        Period of x.
    """

    def __init__(self, columns: int, rows: int, length: float = LENGTH):
        self.columns, self.rows, self.length = columns, rows, length
        self.waves = columns // 2
        self.k = 2 * np.pi / length * np.arange(self.waves)
        self.half = -(-3 * rows // 4)
        points, weights = (each[self.half :] / 2 for each in legendre.leggauss(2 * self.half))
        self.z = np.concatenate([0.5 + points, 0.5 - points])
        self.weights = np.concatenate([weights, weights])
        self.twice = np.where(self.k > 0, 2.0, 1.0)
        """How often a coefficient stands for its complex conjugate's too."""

        clamped, fixed = _clamped(rows), _fixed(rows)
        phi, phi1, phi2 = (self._values(self.z, clamped, order) for order in range(3))
        chi, chi1 = (self._values(self.z, fixed, order) for order in range(2))
        k2 = self.k[:, None, None, None] ** 2
        slope, square = self.inner(phi1, phi1), self.inner(phi, phi)
        self.flow_rates, self.flow = _modes(
            slope + k2 * square, self.inner(phi2, phi2) + 2 * k2 * slope + k2**2 * square
        )
        """Of psi: <om^2> by energy (wave, parity, mode), modes (wave, parity, polynomial, mode)."""
        self.heat_rates, shapes = _modes(self.inner(chi, chi), self.inner(chi1, chi1))
        """Eigenvalues of -d2/dz2 (parity, mode), the same for all wavenumbers."""
        chi, chi1 = chi @ shapes, chi1 @ shapes
        self.coupling = np.swapaxes(self.flow, -1, -2) @ self.inner(phi, chi)
        """(psi, theta) (wave, parity, mode of psi, mode of theta): what buoyancy does."""

        above = np.s_[:, : self.half]
        w = self.weights[: self.half, None]
        self._seen = np.concatenate([phi1[above], phi[above], phi2[above]], axis=1)
        self._chi = np.ascontiguousarray(chi[above])
        self._flow_tests, self._heat_tests = (
            np.ascontiguousarray(np.concatenate([w * f[above], w * f1[above]], 1).swapaxes(1, 2))
            for f, f1 in ((phi, phi1), (chi, chi1))
        )
        self._mean, self._mean1 = np.concatenate(chi, axis=1), np.concatenate(chi1, axis=1)

        w = self.weights[:, None]
        values, slopes = (self._values(self.z, np.eye(rows), order) for order in range(2))
        self.size = np.sqrt(1 / (2.0 * np.arange(rows) + 1))
        """Root mean square (degree,) of each Legendre polynomial."""
        self.derive = np.vstack([2 * legendre.legder(np.eye(rows)), np.zeros(rows)])
        """Takes a Legendre series to that of its derivative (degree, degree)."""
        self._analyse = (w * values).T / self.size[:, None] ** 2
        self._slope = slopes @ self._analyse
        self._pressure_tests = (w * values).T, (w * slopes).T
        stiffness = self.inner(slopes, slopes) + k2[:, 0] * self.inner(values, values)
        stiffness[0, 0, 0] = 1
        self._pressure = np.linalg.inv(stiffness)

        sizes = np.cumsum([self.waves * (rows - 4), rows - 2, self.waves * (rows - 2)])
        self.parts = tuple(map(slice, (0, *sizes[:-1]), sizes))
        self.power = np.ones(sizes[-1])
        """Of a state: what |y|^2 is counted by in a mean over the plane."""
        for part in (0, 2):
            self.divided(self.power)[part][1:] = 2

    def inner(self, one: np.ndarray, other: np.ndarray) -> np.ndarray:
        """Inner products of functions (..., point, function), integrals over z."""
        return np.swapaxes(one, -1, -2) @ (self.weights[:, None] * other)

    @staticmethod
    def _values(z: np.ndarray, series: np.ndarray, order: int) -> np.ndarray:
        """Derivatives (..., z, function) of Legendre series (..., degree, function) in z."""
        derived = 2.0**order * legendre.legder(series, order, axis=-2) if order else series
        return legendre.legvander(2 * z - 1, derived.shape[-2] - 1) @ derived

    def divided(self, state: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Views of a state: psi (wave, parity, mode), U (mode,), theta (wave, parity, mode)."""
        flow, mean, heat = (state[part] for part in self.parts)
        return flow.reshape(self.waves, 2, -1), mean, heat.reshape(self.waves, 2, -1)

    def spectra(self, state: np.ndarray) -> np.ndarray:
        """Coefficients (4, point of z, wave) of u, w, vorticity and theta."""
        flow, mean, heat = self.divided(state)
        psi = _by_wave(self.flow @ flow.view(float).reshape(*flow.shape, 2))
        shape = (2, -1, self.half, self.waves)
        seen = (self._seen @ psi).view(complex).reshape(shape)
        warm = (self._chi @ _by_wave(heat)).view(complex).reshape(shape)
        found = np.empty((4, len(self.z), self.waves), complex)
        above, below = found[:, : self.half], found[:, self.half :]
        # above the middle the sum, below the difference, of what is even and what is odd
        np.add(seen[0], seen[1], out=above[:3])
        np.subtract(seen[0], seen[1], out=below[:3])
        np.negative(below[0], out=below[0])
        above[3], below[3] = warm[0, 0] + warm[1, 0], warm[0, 0] - warm[1, 0]
        np.subtract(self.k**2 * found[1], found[2], out=found[2])
        found[1] *= -1j * self.k
        found[0, :, 0] += self._mean @ mean.real
        found[2, :, 0] -= self._mean1 @ mean.real
        return found

    def space(self, spectra: np.ndarray) -> np.ndarray:
        """Values (..., z, x) of spectra (..., z, wave), on half as many columns again."""
        from scipy import fft

        return fft.irfft(spectra, 3 * self.waves, norm="forward")

    def waved(self, values: np.ndarray) -> np.ndarray:
        """Spectra (..., z, wave) of values (..., z, x)."""
        from scipy import fft

        return fft.rfft(values, norm="forward")[..., : self.waves]

    def tendency(self, state: np.ndarray) -> tuple[np.ndarray, float, float]:
        """All that changes a state but the decay of its modes: being carried along, and buoyancy.

        Returns
        -------
        tendency : (value,) complex
        flux : float
            Mean of w theta, the work of buoyancy.
        pace : float
            Largest rate at which the finest structures are carried along.
        """
        spectra = self.spectra(state)
        values = self.space(spectra)
        pace = np.abs(values[0])
        pace *= self.k[-1] + self.k[1]
        pace += 1.6 * self.rows * np.abs(values[1])
        hat = self.waved(values[2:, None] * values[None, :2])
        work = float(self.weights @ hat[1, 1, :, 0].real)
        mean = self._mean.T @ (self.weights * hat[0, 1, :, 0].real)
        hat[:, 0] *= -1j * self.k
        hat[0, 0] += 1j * self.k * spectra[3]
        hat[1, 0] += spectra[1]
        split = hat.reshape(2, 2, 2, self.half, self.waves)
        tested = np.empty(split.shape, complex)
        # (equation, parity, function or derivative): what is even adds up with its mirror image
        tested[:, 0, 0] = split[:, 0, 0] + split[:, 0, 1]
        tested[:, 1, 0] = split[:, 0, 0] - split[:, 0, 1]
        tested[:, 0, 1] = split[:, 1, 0] - split[:, 1, 1]
        tested[:, 1, 1] = split[:, 1, 0] + split[:, 1, 1]
        stacked = tested.view(float).reshape(2, 2, 2 * self.half, 2 * self.waves)
        found = np.empty_like(state)
        flow, found[self.parts[1]], heat = self.divided(found)[0], mean, self.divided(found)[2]
        psi = _by_mode(self._flow_tests @ stacked[0])
        flow[:] = (self.flow.swapaxes(-1, -2) @ psi).view(complex)[..., 0]
        flow[0] = 0
        heat[:] = _by_mode(self._heat_tests @ stacked[1]).view(complex)[..., 0]
        return found, work, float(pace.max())

    def series(self, spectra: np.ndarray) -> np.ndarray:
        """Legendre series (..., degree, wave) of spectra (..., point of z, wave)."""
        return self._analyse @ spectra

    def cells(self, series: np.ndarray, rows: int, columns: int) -> np.ndarray:
        """Values (..., row, column) of series (..., degree, wave) at the centres of cells."""
        along_z, along_x = _sampling(self, rows, columns)
        return (along_z @ series).view(float) @ along_x

    def rms(self, series: np.ndarray) -> float:
        """Root mean square over the plane of series (..., degree, wave), of vectors if need be."""
        return float(np.sqrt((self.twice * _squared(series * self.size[:, None])).sum()))

    def spread(self, series: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean squares (..., wave) and (..., degree) of series (..., degree, wave)."""
        power = self.twice * _squared(series * self.size[:, None])
        return power.sum(-2), power.sum(-1)

    def pressure(self, force: np.ndarray) -> np.ndarray:
        """Series (degree, wave) of the pressure that balances a force (2, point of z, wave).

        Weakly, (grad p, grad q) = (force, grad q) for every polynomial q: walls need no condition.
        Its mean is 0.
        """
        plain, slope = self._pressure_tests
        tested = slope @ force[1] - 1j * self.k * (plain @ force[0])
        tested[0, 0] = 0
        return (self._pressure @ tested.T[..., None])[..., 0].T

    def state(self, theta: np.ndarray) -> np.ndarray:
        """State at rest, from theta (point of z, wave), as near as modes come to it."""
        found = np.zeros(len(self.power), complex)
        heat = (self._mean.T @ (self.weights[:, None] * theta)).T
        self.divided(found)[2][:] = heat.reshape(self.waves, 2, -1)
        return found


@cache
def modes(columns: int, rows: int, length: float = LENGTH) -> Modes:
    """Modes of a grid, made once."""
    return Modes(columns, rows, length)


@cache
def _sampling(modes: Modes, rows: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """Legendre polynomials (row, degree) and waves, real and imaginary (2 wave, column)."""
    z = (np.arange(rows) + 0.5) / rows
    turns = np.exp(1j * np.outer(modes.k, (np.arange(columns) + 0.5) * modes.length / columns))
    waves = modes.twice[:, None, None] * np.stack([turns.real, -turns.imag], axis=1)
    return Modes._values(z, np.eye(modes.rows), 0), waves.reshape(-1, columns)


def _by_parity(series: np.ndarray) -> np.ndarray:
    """Functions (degree, function) that are even and odd in turn, as (parity, degree, function)."""
    return np.stack([series[:, ::2], series[:, 1::2]])


def _clamped(rows: int) -> np.ndarray:
    """Legendre series (parity, degree, function) that are 0 at both ends with their slopes."""
    degree = np.arange(rows - 4)
    found = np.zeros((rows, rows - 4))
    found[degree, degree] = 1
    found[degree + 2, degree] = -2 * (2 * degree + 5) / (2 * degree + 7)
    found[degree + 4, degree] = (2 * degree + 3) / (2 * degree + 7)
    # of one size, as their second derivatives are
    return _by_parity(found / ((2 * degree + 3) * np.sqrt(32 * (2 * degree + 5.0))))


def _fixed(rows: int) -> np.ndarray:
    """Legendre series (parity, degree, function) that are 0 at both ends."""
    degree = np.arange(rows - 2)
    found = np.zeros((rows, rows - 2))
    found[degree, degree] = 1 / np.sqrt(8 * degree + 12.0)
    found[degree + 2, degree] = -found[degree, degree]
    return _by_parity(found)


def _by_wave(values: np.ndarray) -> np.ndarray:
    """Complex values (wave, parity, mode[, 2]) as real ones (parity, mode, 2 wave)."""
    if values.dtype == complex:
        values = values.view(float).reshape(*values.shape, 2)
    found = np.ascontiguousarray(values.transpose(1, 2, 0, 3))
    return found.reshape(*found.shape[:2], -1)


def _by_mode(values: np.ndarray) -> np.ndarray:
    """Real values (parity, mode, 2 wave) as (wave, parity, mode, 2)."""
    found = values.reshape(*values.shape[:2], -1, 2).transpose(2, 0, 1, 3)
    return np.ascontiguousarray(found)


def _modes(energy: np.ndarray, loss: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rates (..., mode) and modes (..., function, mode) with loss v = rate energy v, of energy 1.

    By Cholesky's factor of the loss: what decays slowly is exact to rounding.
    """
    factor = np.linalg.inv(np.linalg.cholesky(loss))
    back = np.swapaxes(factor, -1, -2)
    parts, vectors = np.linalg.eigh(factor @ energy @ back)
    order = np.s_[..., ::-1]
    parts, vectors = parts[order], vectors[order]
    return 1 / parts, np.ascontiguousarray(back @ vectors / np.sqrt(parts)[..., None, :])


class Point(NamedTuple):
    """A state, and what follows from it at once: see ``Modes.tendency``."""

    state: np.ndarray
    tendency: np.ndarray
    flux: float
    pace: float


class Frame(NamedTuple):
    """A state as it is stored, and what came before.

    Attributes
    ----------
    state, tendency : (value,) complex
    spent : (3,)
        Integrals over the time since the frame before of <w theta>, the work of buoyancy, of
        nu <om^2> and of kappa <|grad theta|^2>.
    steps : int
        Steps since the frame before.
    """

    state: np.ndarray
    tendency: np.ndarray
    spent: np.ndarray
    steps: int


class Look(NamedTuple):
    """What is stored of a frame.

    Attributes
    ----------
    series : (channel, degree, wave)
        Of buoyancy, pressure, velocity_x, velocity_y.
    missing, force : float
        Root mean square over the plane of what the momentum equation lacks, and of all force but
        that of pressure.
    divergence, shear : float
        The same of the divergence, and of dw/dx and du/dz.
    low, high : float
        Least and largest buoyancy.
    """

    series: np.ndarray
    missing: float
    force: float
    divergence: float
    shear: float
    low: float
    high: float


class Convection:
    """Convection of one Rayleigh and Prandtl number on one grid."""

    def __init__(self, modes: Modes, rayleigh: float, prandtl: float):
        self.modes = modes
        self.nu, self.kappa = (rayleigh / prandtl) ** -0.5, (rayleigh * prandtl) ** -0.5
        heat = modes.heat_rates + modes.k[:, None, None] ** 2
        parts = (self.nu * modes.flow_rates, self.nu * modes.heat_rates, self.kappa * heat)
        self.rates = np.concatenate([part.ravel() for part in parts])
        self._losses = self.rates * modes.power
        self._heat = modes.parts[2].start

    def content(self, state: np.ndarray) -> np.ndarray:
        """Means of (u^2 + w^2) / 2 and theta^2 / 2 (2,)."""
        return self._halves(self.modes.power * _squared(state)) / 2

    def lost(self, state: np.ndarray) -> np.ndarray:
        """Means of nu om^2 and kappa |grad theta|^2 (2,)."""
        return self._halves(self._losses * _squared(state))

    def _halves(self, summed: np.ndarray) -> np.ndarray:
        return np.array([summed[: self._heat].sum(), summed[self._heat :].sum()])

    def look(self, frame: Frame) -> "Look":
        """All that is stored of a frame, and how well the equations hold there."""
        modes = self.modes
        ik = 1j * modes.k
        u, w, om, theta = spectra = modes.spectra(frame.state)
        here = modes.space(spectra[:2])
        carried = [
            (here * modes.space(np.stack([ik * each, modes._slope @ each]))).sum(0)
            for each in (u, w)
        ]
        buoyancy = theta.copy()
        buoyancy[:, 0] += 1 - modes.z
        force = -modes.waved(np.stack(carried))
        force[0] -= self.nu * (modes._slope @ om)
        force[1] += self.nu * ik * om + buoyancy
        values = modes.space(buoyancy)
        pressure = modes.pressure(force)
        change = modes.spectra(frame.tendency - self.rates * frame.state)[:2]
        push = modes.series(force - change)
        push[0] -= ik * pressure
        push[1] -= modes.derive @ pressure
        u, w, buoyancy = modes.series(np.stack([u, w, buoyancy]))
        divergence = ik * u + modes.derive @ w
        sheared = np.stack([modes.derive @ u, ik * w])
        return Look(
            np.stack([buoyancy, pressure, u, w]),
            modes.rms(push),
            modes.rms(modes.series(force)),
            modes.rms(divergence),
            modes.rms(sheared),
            float(values.min()),
            float(values.max()),
        )

    def frames(
        self, state: np.ndarray, interval: float, count: int, step: float = STEP
    ) -> Iterator[Frame]:
        """States at equally spaced times, the first one as given.

        Steps are short at the start. Where one turns out to be too long for what moves
        there, the frame is solved again from its start by shorter ones; where much longer ones
        would do, they are longer from then on.

        Parameters
        ----------
        state : (value,) complex
        interval : float
            Time between frames.
        count : int
            Frames.
        step : float
            Largest step.

        Yields
        ------
        Frame

        Raises
        ------
        ValueError
            If no step is short enough.
        """
        fewest = _even(interval / step)
        # the noise of a start is gone before long steps could follow it
        steps = 4 * fewest
        past = [self._point(state)]
        yield Frame(*past[0][:2], np.zeros(3), 0)
        for _ in range(count - 1):
            found = None
            while found is None:
                try:
                    found = self._frame(past, interval, steps)
                except _TooLong as error:
                    steps = max(steps + 2, _steps(interval, error.pace))
                    if steps > STEPS:
                        raise ValueError(
                            f"time step: a frame would take more than {STEPS} steps."
                        ) from None
                    del past[1:]
            past, spent = found
            yield Frame(*past[0][:2], spent, steps)
            fewer = max(fewest, _steps(interval, past[0].pace))
            if fewer < 0.75 * steps:
                steps = fewer
                del past[1:]

    def _point(self, state: np.ndarray) -> Point:
        return Point(state, *self.modes.tendency(state))

    def _frame(
        self, past: list[Point], interval: float, steps: int
    ) -> tuple[list[Point], np.ndarray]:
        """From one frame to the next, by Simpson's rule what is spent."""
        step = interval / steps
        scale = 1 / (11 / 6 + step * self.rates)
        spent = np.zeros(3)
        for number in range(steps + 1):
            weight = 1 if number in (0, steps) else 2 + 2 * (number % 2)
            spent += weight * step / 3 * np.array([past[0].flux, *self.lost(past[0].state)])
            if number == steps:
                break
            if not step * past[0].pace <= COURANT:
                raise _TooLong(past[0].pace)
            if len(past) < 3:
                state = self._stages(past[0], step)
            else:
                (y, n, *_), (y1, n1, *_), (y2, n2, *_) = past
                state = scale * (3 * y - 1.5 * y1 + y2 / 3 + step * (3 * (n - n1) + n2))
            past = [self._point(state), *past[:2]]
        return past, spent

    def _stages(self, now: Point, step: float) -> np.ndarray:
        """A step of ARS(4,4,3)."""
        decays: list[np.ndarray] = []
        tendencies = [now.tendency]
        found = now.state
        for implicit, explicit in zip(IMPLICIT, EXPLICIT, strict=True):
            if decays:
                tendencies.append(self.modes.tendency(found)[0])
            known = now.state + step * _sum(explicit, tendencies) + step * _sum(implicit, decays)
            found = known / (1 + step / 2 * self.rates)
            decays.append(-self.rates * found)
        return found


class _TooLong(Exception):
    """A step is too long for what moves at this pace."""

    def __init__(self, pace: float):
        self.pace = pace


def _sum(factors: tuple[float, ...], terms: list[np.ndarray]) -> np.ndarray:
    """Sum over terms; the last factor may have none."""
    parts = [factor * term for factor, term in zip(factors, terms, strict=False)]
    return np.sum(parts, axis=0)


def _squared(state: np.ndarray) -> np.ndarray:
    return state.real**2 + state.imag**2


def _steps(interval: float, pace: float) -> int:
    """Steps from one frame to the next, with a tenth to spare: it may grow."""
    return _even(1.1 * interval * pace / COURANT)


def _even(number: float) -> int:
    """Even number that is no less; a large one of what is not finite."""
    return 2 * int(np.ceil(min(number, 1e9) / 2)) if np.isfinite(number) else 10**9
