"""Laws: the candidates, each a function of the wavevector with a few parameters per clip.

    first order in time     da/dt = s(k) a                      a(t) = b exp(s t)
    second order in time    d2a/dt2 + g da/dt + q(k) a = 0      a(t) = exp(-g t / 2)
                                                                  (b cos w t + d sin(w t) / w)

with w^2 = q - g^2 / 4. Rivals are laws that no system here has; they are declared so that data
which obey none of the others have somewhere to go: if a rival fits best, we cannot tell.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

CANNOT_TELL = "cannot tell"
STEEPEST = 60.0  # no course grows by more than exp of this


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
    special: tuple[str, ...] = ()
    """Candidates that it becomes if a parameter is zero, or damping goes to infinity."""
    signed: tuple[str, ...] = ("vy", "vx")
    """Parameters that may be negative."""
    squared: tuple[str, ...] = ()
    """Parameters that enter by their square alone: at zero the slope along them vanishes."""
    periodic: bool = False
    """Whether it needs a grid without walls."""

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


LAWS = (
    Law("decay", "damped", 1, ("gamma",), lambda p, k: (-p[..., 0] * np.ones(len(k)),)),
    Law("diffusion", "diffusive", 1, ("alpha",), lambda p, k: (-p[..., 0] * _square(k),)),
    Law("advection", "advective", 1, ("vy", "vx"), lambda p, k: (_turn(p, k),), periodic=True),
    Law(
        "advection_diffusion",
        "mixed",
        1,
        ("vy", "vx", "alpha"),
        lambda p, k: (_turn(p, k) - p[..., 2] * _square(k),),
        special=("diffusion", "advection"),
        periodic=True,
    ),
    Law(
        "wave",
        "wave-like",
        2,
        ("c",),
        lambda p, k: (p[..., 0] ** 2 * _square(k), 0 * p[..., 0]),
        squared=("c",),
    ),
    Law(
        "damped_wave",
        "wave-like",
        2,
        ("c", "gamma"),
        lambda p, k: (p[..., 0] ** 2 * _square(k), p[..., 1]),
        special=("wave", "decay", "diffusion"),
        squared=("c",),
    ),
    Law(
        "half_diffusion", CANNOT_TELL, 1, ("rate",), lambda p, k: (-p[..., 0] * _square(k) ** 0.5,)
    ),
    Law("hyperdiffusion", CANNOT_TELL, 1, ("rate",), lambda p, k: (-p[..., 0] * _square(k) ** 2,)),
    Law(
        "beam",
        CANNOT_TELL,
        2,
        ("rate", "gamma"),
        lambda p, k: (p[..., 0] ** 2 * _square(k) ** 2, p[..., 1]),
        special=("decay", "hyperdiffusion"),
        squared=("rate",),
    ),
    Law(
        "oscillator",
        CANNOT_TELL,
        2,
        ("rate", "gamma"),
        lambda p, k: (p[..., 0] ** 2 * np.ones(len(k)), p[..., 1]),
        special=("decay",),
        squared=("rate",),
    ),
    Law(
        "growing_diffusion",
        CANNOT_TELL,
        1,
        ("alpha", "rate"),
        lambda p, k: (p[..., 1] - p[..., 0] * _square(k),),
        special=("decay", "diffusion"),
        signed=("rate",),
    ),
    Law(
        "growing_wave",
        CANNOT_TELL,
        2,
        ("c", "gamma", "rate"),
        lambda p, k: (p[..., 0] ** 2 * _square(k) + p[..., 2], p[..., 1]),
        special=(
            "decay",
            "diffusion",
            "wave",
            "damped_wave",
            "oscillator",
            "growing_diffusion",
        ),
        signed=("gamma", "rate"),
        squared=("c",),
    ),
)
BY_NAME = {law.name: law for law in LAWS}


def candidates(periodic: bool) -> tuple[Law, ...]:
    """Laws that a grid can show: between walls nothing is carried along."""
    return tuple(law for law in LAWS if periodic or not law.periodic)
