"""Plates: functions between two of them, periodic along them, in modes of which each decays alone.

What ``_rayleigh_benard`` says of its stream function psi, mean flow U and theta, in arrays. x is
periodic; psi and its slope, U and theta are 0 at z = 0 and z = 1. All are Fourier series in x whose
coefficients are polynomials in z that keep these conditions: Shen's bases of Legendre polynomials.
Inner products are exact, by quadrature on half as many points again in either direction.

References
----------
Shen, Efficient spectral-Galerkin method I, SIAM Journal on Scientific Computing 15 (1994)
1489-1505.
"""

from functools import cache

import numpy as np
from numpy.polynomial import legendre

LENGTH = 4.0
"""Period of x, in distances of the plates."""


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
        return float(np.sqrt((self.twice * squared(series * self.size[:, None])).sum()))

    def spread(self, series: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean squares (..., wave) and (..., degree) of series (..., degree, wave)."""
        power = self.twice * squared(series * self.size[:, None])
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


def squared(state: np.ndarray) -> np.ndarray:
    """|y|^2, of complex values."""
    return state.real**2 + state.imag**2
