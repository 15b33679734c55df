"""Active matter: apolar rods in a Stokes flow, as moments of their angles on a periodic square.

Of the density psi(x, theta, t) of rods there are even harmonics alone, m_n = <exp(2 i n theta)>;
m_0 is their concentration, which is passive and stays 1. Exactly, for n = 1, 2, ...,

    dm_n/dt + u.grad m_n = i n w m_n + n (a m_(n-1) - a* m_(n+1)) - 4 n^2 d_R m_n + d_T lap m_n

with a = e + zeta m_1, strain e = E_xx + i E_xy and vorticity w of the flow. Its traceless stress,

    sigma = alpha q + beta/4 [e + m_2 e* - 2 zeta (q - m_2 q*)],    q = m_1 / 2

is balanced by viscosity at every time: -lap u + grad p = div Sigma, div u = 0. In Fourier space,
with k = |k| (cos phi, sin phi), the vorticity is sin(2 phi) sigma_xx - cos(2 phi) sigma_xy. The
strain that is in the stress is solved for: of the term e exactly, of m_2 e* by passes, each of
which leaves less than a part beta / (8 + beta) of the error. One is enough from a strain that is
extrapolated in time.

The hierarchy is cut off: after M harmonics, or after the first by the closure of Bingham, of whose
densities exp(kappa cos 2 theta) m_2 = m_1^2 h(|m_1|^2) is a function of m_1.

Plane waves, of which two thirds are kept; diffusion is exact, steps of Runge-Kutta's fourth order
are for all else. Fields are (y, x), waves (ky, kx), of those that are kept.

References
----------
Maddu, Weady, Shelley, Learning fast, accurate, and stable closures of a kinetic theory of an active
fluid, Journal of Computational Physics 504 (2024) 112869. Bingham: Chaubal, Leal, A closure
approximation for liquid-crystalline polymer models, Journal of Rheology 42 (1998) 177.
"""

from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import numpy as np

DEGREE, POWERS = 19, 5
"""Degree of the closure's polynomial, and how many of its powers are summed up at once."""
CONVERGED = 1e-12
"""What passes leave of the error of the first frame's strain, and its root of the others'."""


class Rods(NamedTuple):
    """What a trajectory's rods are like; lengths in units of the equation."""

    alpha: float
    """Their force on the fluid: below 0 they push."""
    zeta: float
    """How strongly they align."""
    beta: float
    """How much of the volume is theirs."""
    drift: float
    """Translational diffusion d_T."""
    turning: float
    """Rotational diffusion d_R."""


@cache
def closure() -> np.ndarray:
    """Polynomial (part, power) of t = 2 |m_1|^2 - 1 for h, the parts by powers of t^5.

    h = A_2 / A_1^2, A_n = I_n(kappa) / I_0(kappa) and |m_1| = A_1, which is met where Chebyshev
    has the extrema of his polynomial: the ends are exact, and h nowhere off by more than 2e-6.
    """
    nodes = np.cos(np.pi * np.arange(DEGREE + 1) / DEGREE)
    series = np.polynomial.Chebyshev.fit(nodes, bingham((nodes + 1) / 2), DEGREE, domain=[-1, 1])
    return series.convert(kind=np.polynomial.Polynomial).coef.reshape(-1, POWERS)


def ratio(square: np.ndarray) -> np.ndarray:
    """The polynomial h at |m_1|^2 (...)."""
    return np.polynomial.polynomial.polyval(2 * np.minimum(square, 1) - 1, closure().ravel())


def bingham(square: np.ndarray) -> np.ndarray:
    """The same from the root of A_1(kappa) = |m_1|, by Newton's method.

    Parameters
    ----------
    square : (point,)
        From 0 to 1.
    """
    from scipy import special

    root = np.sqrt(square)
    # h is known to 1e-8 where kappa is hard to find: at no order, and beyond kappa = 5e4
    found = np.where(square < 0.5, 0.5, (1 - 4 * root * (1 - root)) / np.maximum(square, 0.5))
    inner = (square > 1e-7) & (root < 1 - 1e-5)
    aim = root[inner]
    kappa = np.where(aim < 0.5, 2 * aim, 1 / (2 - 2 * aim))
    for _ in range(50):
        first = special.ive(1, kappa) / special.ive(0, kappa)
        kappa = np.maximum(kappa - (first - aim) / (1 - first / kappa - first**2), kappa / 4)
    ratio = special.ive(2, kappa) * special.ive(0, kappa) / special.ive(1, kappa) ** 2
    found[inner] = ratio
    return found


class Square:
    """Waves on a periodic square, and the transforms from and to its cells.

    Parameters
    ----------
    cells : int
        Cells of a side.
    box : float
        Length of a side.
    """

    def __init__(self, cells: int, box: float) -> None:
        self.cells, self.box, self.highest = cells, box, (cells - 1) // 3
        """Highest wave that is kept, along x and along y: two thirds of all."""
        unit, columns = 2 * np.pi / box, self.highest + 1
        kx = unit * np.arange(columns)
        ky = unit * np.fft.fftfreq(cells, 1 / cells)[:, None]
        self.shape = (cells, columns)
        self.square = kx**2 + ky**2
        self.cut = slice(columns, cells - self.highest)
        """Rows that are not kept."""
        inverse = np.zeros(self.shape)
        np.divide(1, self.square, where=self.square > 0, out=inverse)
        inverse[self.cut] = 0
        self.sine = 2 * kx * ky * inverse
        self.cosine = (kx**2 - ky**2) * inverse
        self.slopes = tuple(1j * np.broadcast_to(k, self.shape) for k in (kx, ky))
        self.flow = 1j * ky * inverse, -1j * kx * inverse
        """Velocity by vorticity, along x and along y."""
        self._all = np.zeros((cells, cells // 2 + 1), complex)
        self._rows = np.zeros_like(self._all)

    def field(self, waves: np.ndarray, factor: np.ndarray | float, out: np.ndarray) -> None:
        """Field (y, x) of waves times a factor (ky, kx); a real one is repeated, see ``paired``."""
        from scipy import fft

        kept = self._all[:, : self.highest + 1]
        if np.iscomplexobj(factor):
            np.multiply(waves, factor, out=kept)
        else:
            np.multiply(waves.view(float), factor, out=kept.view(float))
        fft.ifft(kept, axis=0, norm="forward", overwrite_x=True)
        np.fft.irfft(self._all, n=self.cells, axis=1, norm="forward", out=out)

    def waves(self, field: np.ndarray) -> np.ndarray:
        """Waves of a field (y, x), with those rows that are not kept; the next call's too."""
        from scipy import fft

        np.fft.rfft(field, axis=1, norm="forward", out=self._rows)
        kept = self._rows[:, : self.highest + 1]
        return fft.fft(kept, axis=0, norm="forward", overwrite_x=True)

    def kept(self, fields: np.ndarray) -> np.ndarray:
        """Waves (..., ky, kx) of fields (..., y, x), those that are not kept at 0."""
        flat = fields.reshape(-1, self.cells, self.cells)
        found = np.stack([self.waves(field).copy() for field in flat])
        found[:, self.cut] = 0
        return found.reshape(*fields.shape[:-2], *self.shape)


def paired(values: np.ndarray) -> np.ndarray:
    """Real factors (row, 2 column) of complex numbers that are seen as pairs of real ones."""
    return np.repeat(values, 2, axis=-1)


class State(NamedTuple):
    """Fields of one time, on the cells that were solved."""

    moments: np.ndarray
    """m_n (harmonic, 2, y, x), real and imaginary parts."""
    strain: np.ndarray
    """E_xx and E_xy (2, y, x)."""
    velocity: np.ndarray
    """Along x and along y (2, y, x)."""


class Suspension:
    """The right-hand side of the equations: the flow of moments, and what they change by.

    Parameters
    ----------
    rods : Rods
    square : Square
    harmonics : int
        Moments that are solved for; a single one is closed, more are cut off.
    """

    def __init__(self, rods: Rods, square: Square, harmonics: int) -> None:
        self.rods, self.square = rods, square
        pair = (2, square.cells, square.cells)
        self.moments = np.empty((harmonics, *pair))
        self.strain, self.velocity = np.zeros(pair), np.empty(pair)
        share = 1 + rods.beta / 8
        self._project = paired(square.sine / share / 2), paired(-square.cosine / share / 2)
        self._stretch = paired(-square.sine / 2), paired(square.cosine / 2)
        self._vorticity = np.empty(square.shape, complex)
        self._waves = np.empty((harmonics, 2, *square.shape), complex)
        self._second, self._aligned, self._stress, self._turned = (np.empty(pair) for _ in range(4))
        self._one, self._curl = np.empty(pair[1:]), np.empty(pair[1:])
        self._powers = np.empty((POWERS, pair[1] * pair[2]))
        self._parts = np.empty((len(closure()), pair[1] * pair[2]))

    def flow(self, waves: np.ndarray, passes: int = 1) -> None:
        """Moments of waves (harmonic, 2, ky, kx), and the strain of their flow.

        Passes start from the strain that is there.
        """
        rods = self.rods
        for moment, own in zip(self.moments, waves, strict=True):
            for part, out in zip(own, moment, strict=True):
                self.square.field(part, 1.0, out)
        if len(self.moments) == 1:
            self._close()
        else:
            self._second = self.moments[1]
            self._turn(self.moments[0], self._aligned)
            np.subtract(self.moments[0], self._aligned, out=self._aligned)
            self._aligned *= rods.zeta
        for _ in range(passes):
            # 2 sigma without e: alpha m - beta / 2 (zeta (m - m_2 m*) - m_2 e*)
            self._turn(self.strain, self._stress)
            self._stress -= self._aligned
            self._stress *= rods.beta / 2
            np.multiply(self.moments[0], rods.alpha, out=self._turned)
            self._stress += self._turned
            vorticity, (sine, cosine) = self._vorticity.view(float), self._project
            np.multiply(self.square.waves(self._stress[0]).view(float), sine, out=vorticity)
            found = self.square.waves(self._stress[1]).view(float)
            found *= cosine
            vorticity += found
            for part, factor in zip(self.strain, self._stretch, strict=True):
                self.square.field(self._vorticity, factor, part)

    def move(self) -> None:
        """Velocity of the flow."""
        for part, factor in zip(self.velocity, self.square.flow, strict=True):
            self.square.field(self._vorticity, factor, part)

    def rates(self, waves: np.ndarray, strain: np.ndarray) -> np.ndarray:
        """What waves (harmonic, 2, ky, kx) change by, diffusion apart; the next call's too.

        Parameters
        ----------
        waves : (harmonic, 2, ky, kx)
        strain : (2, y, x)
            Estimate of it, which one pass starts from.
        """
        square, one, vorticity = self.square, self._one, self._curl
        self.strain[:] = strain
        self.flow(waves)
        self.move()
        square.field(self._vorticity, 1.0, vorticity)
        change, slope = self._stress, self._turned
        for n, moment in enumerate(self.moments, 1):
            self._strained(n, change)
            if n > 1:
                change *= n
                vorticity *= n / (n - 1)
            np.multiply(vorticity, moment[1], out=one)
            change[0] -= one
            np.multiply(vorticity, moment[0], out=one)
            change[1] += one
            for speed, along in zip(self.velocity, square.slopes, strict=True):
                for part, out in zip(waves[n - 1], slope, strict=True):
                    square.field(part, along, out)
                slope *= speed
                change -= slope
            for part, out in zip(change, self._waves[n - 1], strict=True):
                out[:] = square.waves(part)
        self._waves[:, :, square.cut] = 0
        return self._waves

    def _strained(self, n: int, out: np.ndarray) -> None:
        """What turns moments towards each other, by n: a m_(n-1) - a* m_(n+1)."""
        if n == 1:
            self._turn(self.strain, out)
            np.subtract(self.strain, out, out=out)
            out += self._aligned
            return
        (x, y), (below, beside) = self._pull(), self.moments[n - 2]
        np.multiply(x, below, out=out[0])
        out[0] -= np.multiply(y, beside, out=self._one)
        np.multiply(x, beside, out=out[1])
        out[1] += np.multiply(y, below, out=self._one)
        if n < len(self.moments):
            above, beyond = self.moments[n]
            for part, sign, (one, other) in ((0, 1, (above, beyond)), (1, -1, (beyond, above))):
                out[part] -= np.multiply(x, one, out=self._one)
                np.multiply(y, other, out=self._one)
                self._one *= sign
                out[part] -= self._one

    def _pull(self) -> np.ndarray:
        """Strain and alignment, e + zeta m_1 (2, y, x)."""
        np.multiply(self.moments[0], self.rods.zeta, out=self._turned)
        self._turned += self.strain
        return self._turned

    def _turn(self, field: np.ndarray, out: np.ndarray) -> None:
        """m_2 times the conjugate of a complex field (2, y, x)."""
        (a, b), (x, y) = self._second, field
        np.multiply(a, x, out=out[0])
        out[0] += np.multiply(b, y, out=self._one)
        np.multiply(b, x, out=out[1])
        out[1] -= np.multiply(a, y, out=self._one)

    def _close(self) -> None:
        """m_2 = m_1^2 h, and zeta (m_1 - m_2 m_1*) = zeta (1 - |m_1|^2 h) m_1."""
        (real, imaginary), (one, other) = self.moments[0], self._second
        t, spare = (power.reshape(real.shape) for power in self._powers[1:3])
        np.multiply(real, real, out=t)
        t += np.multiply(imaginary, imaginary, out=spare)
        np.minimum(t, 1, out=self._one)
        np.multiply(self._one, 2, out=t)
        t -= 1
        h = self._polynomial()
        np.add(real, imaginary, out=one)
        one *= np.subtract(real, imaginary, out=other)
        one *= h
        np.multiply(real, imaginary, out=other)
        other *= h
        other *= 2
        h *= self._one
        h -= 1
        h *= -self.rods.zeta
        np.multiply(self.moments[0], h, out=self._aligned)

    def _polynomial(self) -> np.ndarray:
        """The closure's h (y, x) at the first power t."""
        powers, (_, t, *others) = self._powers, self._powers
        powers[0] = 1
        for before, power in zip(powers[1:], others, strict=False):
            np.multiply(before, t, out=power)
        *parts, found = np.matmul(closure(), powers, out=self._parts)
        t *= powers[-1]
        for part in reversed(parts):
            found *= t
            found += part
        return found.reshape(self._one.shape)


def solve(
    rods: Rods, square: Square, start: np.ndarray, interval: float, frames: int, steps: int
) -> Iterator[State]:
    """States at equally spaced times, the first one as given.

    Parameters
    ----------
    rods : Rods
    square : Square
    start : (harmonic, 2, y, x)
        Moments.
    interval : float
        Time between frames.
    frames : int
    steps : int
        Steps from one frame to the next.

    Yields
    ------
    State
        Its arrays are the iterator's own.
    """
    suspension, h = Suspension(rods, square, len(start)), interval / steps
    order = np.arange(1, len(start) + 1)[:, None, None, None]
    rate = 4 * order**2 * rods.turning + rods.drift * paired(square.square)
    half, whole = np.exp(-rate * h / 2), np.exp(-rate * h)
    waves = square.kept(start)
    inner = np.empty_like(waves)
    # complex arrays as pairs of real ones, which real factors multiply
    here, there = waves.view(float), inner.view(float)
    total = np.empty_like(here)
    # of beta 0 one is enough, of 0.8 twelve
    left = max(rods.beta / (8 + rods.beta), CONVERGED)
    passes = int(np.ceil(np.log(CONVERGED) / np.log(left)))
    suspension.flow(waves, passes)
    strain = suspension.strain
    first, before, guess = strain.copy(), strain.copy(), strain.copy()
    for frame in range(frames):
        for _ in range(steps if frame else 0):
            change = suspension.rates(waves, guess).view(float)
            first[:] = strain
            np.multiply(change, h / 2, out=there)
            there += here
            there *= half
            np.multiply(change, h / 6, out=total)
            total += here
            total *= whole
            here *= half
            # half a step on, by what it was a step ago
            np.multiply(first, 1.5, out=guess)
            before *= 0.5
            guess -= before
            before[:] = first
            change = suspension.rates(inner, guess).view(float)
            np.multiply(change, h / 2, out=there)
            there += here
            change *= h / 3
            change *= half
            total += change
            guess[:] = strain
            change = suspension.rates(inner, guess).view(float)
            np.multiply(change, h, out=there)
            there += here
            there *= half
            change *= h / 3
            change *= half
            total += change
            # the other half, by what it was at the start
            np.multiply(strain, 2, out=guess)
            guess -= first
            change = suspension.rates(inner, guess).view(float)
            change *= h / 6
            np.add(total, change, out=here)
            guess[:] = strain
        suspension.flow(waves, -(-passes // 2))
        suspension.move()
        guess[:] = strain
        yield State(suspension.moments, strain, suspension.velocity)
