"""Vibrating: linear equations of second order in time, let go from rest on a periodic square.

    d2u/dt2 + gamma du/dt + q u = 0    mode by mode, q a function of the wavenumber,
    u(x, 0) a pattern of ``_initial``,    du/dt(x, 0) = 0

An equation is its stiffness q and the draws of its parameters. The field stays between -1 and 1,
since the amplitudes of a pattern's modes add up to 1 and none of them ever grows.
"""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Annotated

import numpy as np
from pydantic import Field

from physprobe.simulate import _draws, _gates, _initial, _linear, _periodic, _spectral

# Energy is compared to 1e-4 of the least that a first frame can have, in modes of up to two radians
# per frame.
ENERGY, FASTEST = 1e-4, 2.0

Speed = Annotated[_draws.Range, _periodic.bounded(1.5, "waves would go around the square", size=1)]
SPEED = Field(default_factory=_periodic.scaled(0.4, 1.5, size=1, frames=-1))


class Vibrating(_linear.Equation):
    """Clips of an equation of second order; with ``gamma`` among its labels it is damped."""

    RANGE, SLACK = (-1.0, 1.0), _gates.POINTWISE

    @abstractmethod
    def stiffness(self, labels: Mapping[str, float]) -> np.ndarray:
        """Stiffness q (mode_y, mode_x) [1/s^2]."""

    def propose(self, rng: np.random.Generator) -> dict[str, float]:
        """Every parameter of one clip, uniform in its logarithm."""
        ranges = {name: getattr(self, name) for name in self.parameters()}
        return {name: _draws.log_uniform(rng, ends) for name, ends in ranges.items()}

    @classmethod
    def parameters(cls) -> tuple[str, ...]:
        """Fields of its own that are ranges of a parameter, in the order that they are drawn in."""
        return tuple(
            n for n in cls.model_fields if n not in {"kind", *_linear.Equation.model_fields}
        )

    def factors(self, labels: Mapping[str, float], time: np.ndarray) -> np.ndarray:
        """exp(-gamma t / 2) (cos(w t) + gamma t / 2 sinc(w t)), w^2 = q - gamma^2 / 4."""
        return self.vibration(labels, time)[0]

    def vibration(
        self, labels: Mapping[str, float], time: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Amplitudes and their rates; see :func:`_spectral.vibration`."""
        return _spectral.vibration(self.stiffness(labels), labels.get("gamma", 0.0), time)

    def laws(self, labels: Mapping[str, float], field: np.ndarray) -> None:
        """Energy, the course of every mode, and a budget if nothing pulls at the mean."""
        energy_law(self, labels, field)
        if self.stiffness(labels)[_initial.BAND, 0] == 0:
            super().laws(labels, field)
        else:
            _gates.every_mode(field, self.factors(labels, _linear.coords(self)["time"]))


def energies(spec: Vibrating, labels: Mapping[str, float], field: np.ndarray) -> np.ndarray:
    """Energy of every frame but the last: mean of ((du/dt)^2 + u q u) / 2.

    Of waves the second part is c^2 |grad u|^2. A mode's amplitude at one frame and a frame later
    give its rate at the first, exactly: one damped vibration alone leads from here to there. For
    modes of more than two radians per frame rounding shows, and they are left out.

    Parameters
    ----------
    spec : Vibrating
    labels : mapping of str to float
        Parameters of the clip.
    field : (time, y, x) float32

    Returns
    -------
    (time,) float64
        Energy [1/s^2].
    """
    stiffness, column = spec.stiffness(labels), np.arange(_initial.BAND + 1)
    step = spec.vibration(labels, np.ones(1))
    # Modes with x = 0 stand for themselves alone, the others also for their mirror image.
    counted = np.where(column > 0, 2.0, 1.0) * (stiffness > 0) * (stiffness <= FASTEST**2)
    kept, pushed = step[0][0], -step[1][0] / np.where(counted, stiffness, 1)
    modes = _spectral.analyse(field, _initial.BAND)
    rate = (modes[1:] - kept * modes[:-1]) / np.where(counted, pushed, 1)
    density = np.abs(rate) ** 2 + stiffness * np.abs(modes[:-1]) ** 2
    return (density * counted).sum((1, 2)) / 2


def energy_law(spec: Vibrating, labels: Mapping[str, float], field: np.ndarray) -> None:
    """Damping only takes: no frame has more energy than the frame before it had."""
    energy, stiffness = energies(spec, labels, field), spec.stiffness(labels)
    # what the same contrast would have if it were all in the slowest mode
    least = stiffness[stiffness > 0].min() * field[0].var(dtype=float) / 2
    sound = np.diff(energy) <= ENERGY * least
    if not sound.all():
        frame = int(np.argmin(sound)) + 1
        raise ValueError(
            f"energy: frame {frame} has {energy[frame]:.6g} 1/s^2; expected no more than the"
            f" {energy[frame - 1]:.6g} of frame {frame - 1}."
        )
