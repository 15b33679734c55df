"""Laws: the candidates, each a function of the wavevector with a few parameters per clip.

    first order in time     da/dt = s(k) a                      a(t) = b exp(s t)
    second order in time    d2a/dt2 + g da/dt + q(k) a = 0      a(t) = exp(-g t / 2)
                                                                  (b cos w t + d sin(w t) / w)

with w^2 = q - g^2 / 4:

    decay                 s = -gamma
    diffusion             s = -alpha k^2
    half_diffusion        s = -mu |k|
    hyperdiffusion        s = -kappa k^4
    fractional_diffusion  s = -mu |k|^exponent
    advection             s = -i k . v
    advection_diffusion   s = -i k . v - alpha k^2
    wave                  q = c^2 k^2
    damped_wave           q = c^2 k^2,         g = gamma    (telegraph equation without leakage)
    klein_gordon          q = c^2 k^2 + m^2
    telegraph             q = c^2 k^2 + m^2,   g = gamma    (both losses of a line)
    beam, damped_beam     q = b^2 k^4,         g = gamma    (Euler and Bernoulli)
    oscillator, damped_   q = omega0^2,        g = gamma    (every place by itself)

Rivals are declared so that data which obey none of the others have somewhere to go: if one of them
fits best, we cannot tell.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

CANNOT_TELL = "cannot tell"
EXPONENT, HIGHEST = "exponent", 20.0  # beyond which an exponent changes nothing
STEEPEST = 60.0  # no course grows by more than exp of this


_LENGTHS = {None: f"px^{EXPONENT}", 0: "1", 1: "px"}


@dataclass(frozen=True)
class Law:
    """A candidate."""

    name: str
    verdict: str
    """What to say if it holds."""
    order: int
    """In time."""
    parameters: tuple[str, ...]
    symbol: Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, ...]]
    """From parameters (..., 1, parameter) and wavevectors (mode, 2) to s, or to q and g,
    (..., mode)."""
    lengths: tuple[int | None, ...]
    """Power of length in the unit of each parameter, which all but exponents are per time; None if
    that power is the exponent."""
    special: tuple[str, ...] = ()
    """Candidates that it becomes if a parameter is zero, or damping goes to infinity."""
    signed: tuple[str, ...] = ("vy", "vx")
    """Parameters that may be negative."""
    squared: tuple[str, ...] = ()
    """Parameters that enter by their square alone: at zero the slope along them vanishes."""
    periodic: bool = False
    """Whether it needs a grid without walls."""
    limited: bool = False
    """Whether a law that it contains is named as long as this one is not known to do better, and
    what that one lacks is given an upper limit; else either is left open."""

    def basis(self, theta: np.ndarray, wavevector: np.ndarray, time: np.ndarray) -> np.ndarray:
        """Courses that a mode can take.

        Parameters
        ----------
        theta : (clip, parameter)
        wavevector : (mode, 2)
        time : (time,)

        Returns
        -------
        (clip, mode, time, order)
        """
        symbol = self.symbol(theta[:, None, :], wavevector)
        if self.order == 1:
            power = np.multiply.outer(symbol[0], time)
            np.minimum(power.real, STEEPEST, out=power.real)
            return np.exp(power)[..., None]
        stiffness, damping = np.broadcast_arrays(*symbol)
        square = stiffness - damping**2 / 4
        rate = np.maximum(np.sqrt(np.abs(square)), 1e-12)
        angle = np.multiply.outer(rate, time)
        damped = np.exp(np.minimum(np.multiply.outer(-damping / 2, time), STEEPEST))
        even, odd = np.cos(angle), np.sin(angle) / rate[..., None]
        over = square < 0
        if over.any():
            grown = np.minimum(angle[over], STEEPEST)
            even[over] = np.cosh(grown)
            odd[over] = np.sinh(grown) / rate[over][:, None]
        return np.stack([damped * even, damped * odd], axis=-1)

    def units(self, theta: np.ndarray, cell: float, frame: float) -> np.ndarray:
        """Factors (clip, parameter) from cells and frames to px and s.

        Parameters
        ----------
        theta : (clip, parameter)
        cell, frame : float
            [px] and [s].
        """
        found = np.ones_like(theta)
        for place, (name, length) in enumerate(zip(self.parameters, self.lengths, strict=True)):
            if name != EXPONENT:
                power = theta[:, self.parameters.index(EXPONENT)] if length is None else length
                found[:, place] = cell**power / frame
        return found

    def jacobian(self, theta: np.ndarray, cell: float, frame: float) -> np.ndarray:
        """Slopes (clip, parameter, parameter) of parameters in px and s by those in cells."""
        units = self.units(theta, cell, frame)
        found = units[:, :, None] * np.eye(len(self.parameters))
        if None in self.lengths:
            place, power = self.lengths.index(None), self.parameters.index(EXPONENT)
            found[:, place, power] = theta[:, place] * units[:, place] * np.log(cell)
        return found

    def unit(self, name: str) -> str:
        """Unit of a parameter."""
        length = self.lengths[self.parameters.index(name)]
        if name == EXPONENT:
            return "1"
        return f"{_LENGTHS.get(length, f'px^{length}')}/s"

    def frequency(self, theta: np.ndarray, wavevector: np.ndarray) -> np.ndarray:
        """Angular frequency (clip, mode) [1/frame] at which modes of a second-order law swing."""
        stiffness, damping = np.broadcast_arrays(*self.symbol(theta[:, None, :], wavevector))
        return np.sqrt(np.maximum(stiffness - damping**2 / 4, 0))

    def point(self, theta: np.ndarray) -> np.ndarray:
        """Where parameters (clip, parameter) are to a search: the slope vanishes nowhere."""
        return np.where(np.isin(self.parameters, self.squared), theta**2, theta)

    def at(self, point: np.ndarray) -> np.ndarray:
        """Parameters (clip, parameter) at a point of a search."""
        squared = np.isin(self.parameters, self.squared)
        return np.where(squared, np.sqrt(np.maximum(point, 0)), point)

    @property
    def everywhere_alike(self) -> bool:
        """Whether all modes do the same, whatever their wavevector."""
        return all(length == 0 for length in self.lengths)

    @property
    def bounded(self) -> np.ndarray:
        """Which parameters (parameter) can't be negative."""
        return ~np.isin(self.parameters, self.signed)

    def within(self, point: np.ndarray) -> np.ndarray:
        """Point with what can't be negative at zero or more."""
        return np.where(self.bounded, np.maximum(point, 0), point)


def _square(k: np.ndarray) -> np.ndarray:
    return (k**2).sum(-1)


def _turn(theta: np.ndarray, k: np.ndarray) -> np.ndarray:
    return -1j * (theta[..., 0] * k[:, 0] + theta[..., 1] * k[:, 1])


def _power(k: np.ndarray, exponent: float | np.ndarray) -> np.ndarray:
    return np.maximum(_square(k), 1e-300) ** (np.minimum(exponent, HIGHEST) / 2)


LAWS = (
    Law("decay", "damped", 1, ("gamma",), lambda p, k: (-p[..., 0] * np.ones(len(k)),), (0,)),
    Law("diffusion", "diffusive", 1, ("alpha",), lambda p, k: (-p[..., 0] * _square(k),), (2,)),
    Law(
        "half_diffusion",
        "half-diffusive",
        1,
        ("mu",),
        lambda p, k: (-p[..., 0] * _power(k, 1),),
        (1,),
    ),
    Law(
        "hyperdiffusion",
        "hyperdiffusive",
        1,
        ("kappa",),
        lambda p, k: (-p[..., 0] * _power(k, 4),),
        (4,),
    ),
    Law(
        "fractional_diffusion",
        "fractional",
        1,
        ("mu", "exponent"),
        lambda p, k: (-p[..., 0] * _power(k, p[..., 1]),),
        (None, 0),
        special=("decay", "half_diffusion", "diffusion", "hyperdiffusion"),
        limited=True,
    ),
    Law(
        "advection",
        "advective",
        1,
        ("vy", "vx"),
        lambda p, k: (_turn(p, k),),
        (1, 1),
        periodic=True,
    ),
    Law(
        "advection_diffusion",
        "mixed",
        1,
        ("vy", "vx", "alpha"),
        lambda p, k: (_turn(p, k) - p[..., 2] * _square(k),),
        (1, 1, 2),
        special=("diffusion", "advection"),
        periodic=True,
    ),
    Law(
        "wave",
        "wave-like",
        2,
        ("c",),
        lambda p, k: (p[..., 0] ** 2 * _square(k), 0 * p[..., 0]),
        (1,),
        squared=("c",),
    ),
    Law(
        "damped_wave",
        "wave-like",
        2,
        ("c", "gamma"),
        lambda p, k: (p[..., 0] ** 2 * _square(k), p[..., 1]),
        (1, 0),
        special=("wave", "decay", "diffusion"),
        squared=("c",),
    ),
    Law(
        "klein_gordon",
        "Klein-Gordon",
        2,
        ("c", "m"),
        lambda p, k: (p[..., 0] ** 2 * _square(k) + p[..., 1] ** 2, 0 * p[..., 0]),
        (1, 0),
        special=("wave", "oscillator"),
        squared=("c", "m"),
        limited=True,
    ),
    Law(
        "telegraph",
        "telegraph",
        2,
        ("c", "gamma", "m"),
        lambda p, k: (p[..., 0] ** 2 * _square(k) + p[..., 2] ** 2, p[..., 1]),
        (1, 0, 0),
        special=(
            "decay",
            "diffusion",
            "growing_diffusion",
            "wave",
            "damped_wave",
            "klein_gordon",
            "oscillator",
            "damped_oscillator",
        ),
        squared=("c", "m"),
        limited=True,
    ),
    Law(
        "beam",
        "beam-like",
        2,
        ("b",),
        lambda p, k: (p[..., 0] ** 2 * _power(k, 4), 0 * p[..., 0]),
        (2,),
        squared=("b",),
    ),
    Law(
        "damped_beam",
        "beam-like",
        2,
        ("b", "gamma"),
        lambda p, k: (p[..., 0] ** 2 * _power(k, 4), p[..., 1]),
        (2, 0),
        special=("beam", "decay", "hyperdiffusion"),
        squared=("b",),
    ),
    Law(
        "oscillator",
        "oscillating",
        2,
        ("omega0",),
        lambda p, k: (p[..., 0] ** 2 * np.ones(len(k)), 0 * p[..., 0]),
        (0,),
        squared=("omega0",),
    ),
    Law(
        "damped_oscillator",
        "oscillating",
        2,
        ("omega0", "gamma"),
        lambda p, k: (p[..., 0] ** 2 * np.ones(len(k)), p[..., 1]),
        (0, 0),
        special=("oscillator", "decay"),
        squared=("omega0",),
    ),
    Law(
        "growing_diffusion",
        CANNOT_TELL,
        1,
        ("alpha", "rate"),
        lambda p, k: (p[..., 1] - p[..., 0] * _square(k),),
        (2, 0),
        special=("decay", "diffusion"),
        signed=("rate",),
    ),
    Law(
        "growing_wave",
        CANNOT_TELL,
        2,
        ("c", "gamma", "rate"),
        lambda p, k: (p[..., 0] ** 2 * _square(k) + p[..., 2], p[..., 1]),
        (1, 0, 0),
        special=(
            "decay",
            "diffusion",
            "wave",
            "damped_wave",
            "klein_gordon",
            "telegraph",
            "oscillator",
            "damped_oscillator",
            "growing_diffusion",
        ),
        signed=("gamma", "rate"),
        squared=("c",),
    ),
)
BY_NAME = {law.name: law for law in LAWS}
VERDICTS = (*dict.fromkeys(law.verdict for law in LAWS if law.verdict != CANNOT_TELL), CANNOT_TELL)
"""All that can be said, in the order of the table."""


def beyond(law: Law) -> Iterator[tuple[Law, str]]:
    """Laws that we name which have one parameter more, and that parameter."""
    for other in LAWS:
        more = set(other.parameters) - set(law.parameters)
        if law.name in other.special and other.verdict != CANNOT_TELL and (
            len(more) == 1 and len(other.parameters) == len(law.parameters) + 1
        ):  # fmt: skip
            (parameter,) = more
            yield other, parameter


def candidates(periodic: bool) -> tuple[Law, ...]:
    """Laws that a grid can show: between walls nothing is carried along."""
    return tuple(law for law in LAWS if periodic or not law.periodic)
