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
inner products are exact (``_plates``).

Of the linear terms alone the modes of each wavenumber are found once, as generalised eigenvectors
of dissipation and energy. In them a state is one vector y that obeys

    dy/dt = -rates y + tendency(y),      energy and dissipation: sums over |y|^2 and rates |y|^2

which steps of order 3 follow (SBDF3, begun by two of ARS(4,4,3)) with the first term implicit.

References
----------
Ascher, Ruuth, Spiteri, Implicit-explicit Runge-Kutta methods for time-dependent partial
differential equations, Applied Numerical Mathematics 25 (1997) 151-167. Ascher, Ruuth, Wetton,
Implicit-explicit methods for time-dependent partial differential equations, SIAM Journal on
Numerical Analysis 32 (1995) 797-823.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from physprobe.simulate import _plates

COURANT = 0.6
"""Largest step times the fastest rate at which a resolved structure is carried along."""
STEP = 1 / 64
"""Largest step."""
STEPS = 4096
"""No frame that is sound takes as many."""

# ARS(4,4,3): rows of the implicit and of the explicit tableau, of stages 1 to 4.
IMPLICIT = ((1 / 2,), (1 / 6, 1 / 2), (-1 / 2, 1 / 2, 1 / 2), (3 / 2, -3 / 2, 1 / 2, 1 / 2))
EXPLICIT = ((1 / 2,), (11 / 18, 1 / 18), (5 / 6, -5 / 6, 1 / 2), (1 / 4, 7 / 4, 3 / 4, -7 / 4))


class Point(NamedTuple):
    """A state, and what follows from it at once: see ``_plates.Modes.tendency``."""

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

    def __init__(self, modes: _plates.Modes, rayleigh: float, prandtl: float):
        self.modes = modes
        self.nu, self.kappa = (rayleigh / prandtl) ** -0.5, (rayleigh * prandtl) ** -0.5
        heat = modes.heat_rates + modes.k[:, None, None] ** 2
        parts = (self.nu * modes.flow_rates, self.nu * modes.heat_rates, self.kappa * heat)
        self.rates = np.concatenate([part.ravel() for part in parts])
        self._losses = self.rates * modes.power
        self._heat = modes.parts[2].start

    def content(self, state: np.ndarray) -> np.ndarray:
        """Means of (u^2 + w^2) / 2 and theta^2 / 2 (2,)."""
        return self._halves(self.modes.power * _plates.squared(state)) / 2

    def lost(self, state: np.ndarray) -> np.ndarray:
        """Means of nu om^2 and kappa |grad theta|^2 (2,)."""
        return self._halves(self._losses * _plates.squared(state))

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
        self,
        state: np.ndarray,
        interval: float,
        count: int,
        step: float = STEP,
        *,
        finer: int = 1,
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
        finer : int
            Steps in place of one.

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
                    found = self._frame(past, interval, finer * steps)
                except _TooLong as error:
                    steps = max(steps + 2, _steps(interval, error.pace))
                    if steps > STEPS:
                        raise ValueError(
                            f"time step: a frame would take more than {STEPS} steps."
                        ) from None
                    del past[1:]
            past, spent = found
            yield Frame(*past[0][:2], spent, finer * steps)
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


def _steps(interval: float, pace: float) -> int:
    """Steps from one frame to the next, with a tenth to spare: it may grow."""
    return _even(1.1 * interval * pace / COURANT)


def _even(number: float) -> int:
    """Even number that is no less; a large one of what is not finite."""
    return 2 * int(np.ceil(min(number, 1e9) / 2)) if np.isfinite(number) else 10**9
