"""Wave: a pattern is let go and runs apart in waves that fade, on a periodic square.

    d2u/dt2 + gamma du/dt = c^2 lap(u),    u(x, 0) a pattern of ``_initial``,    du/dt(x, 0) = 0

Solved exactly, mode by mode: no dispersion that the equation doesn't have, no time-step error. The
first frame is the initial condition, frame n the field at t = n. The field stays between -1 and 1,
since the amplitudes of a pattern's modes add up to 1 and none of them ever grows; render every clip
on that range. Its mean stays what it is, as that of the other equations does.

For 128 x 128 cells and 64 frames c is uniform in its logarithm from 0.4 to 1.5 px/s: waves run 25
to 95 px, and stripes three to a side swing through 0.6 to 2.2 periods. gamma is uniform in its
logarithm from 0.005 to 0.05 1/s: waves keep 85 to 21 % of their amplitude. Other sizes and numbers
of frames scale the ranges, so that a clip looks alike. Both are drawn independently.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from physprobe.simulate import _draws, _gates, _initial, _linear, _periodic, _spectral

FIELD, FIELD_UNIT, RESOLUTION = "displacement", "1", _linear.RESOLUTION
UNITS = {"c": "px/s", "gamma": "1/s"}

draw, coords, field = _linear.draw, _linear.coords, _linear.field
check, check_labels = _linear.check, _linear.check_labels

# Energy is compared to 1e-4 of the least that a first frame can have, in modes of up to two radians
# per frame.
ENERGY, FASTEST = 1e-4, 2.0


class Spec(_linear.Equation):
    """Damped waves: grid, frames, and the draws of each clip's parameters."""

    kind: Literal["wave"] = "wave"
    """Damped waves on a periodic square, starting at rest, solved exactly."""
    c: Annotated[
        _draws.Range, _periodic.bounded(1.5, "waves would go around the square", size=1)
    ] = Field(default_factory=_periodic.scaled(0.4, 1.5, size=1, frames=-1))
    """Speed of the waves [px/s]: ends of the draw, uniform in the logarithm; by default 0.4 to 1.5,
    in proportion to (size / 128) (64 / frames)."""
    gamma: Annotated[_draws.Range, _periodic.bounded(20, "no wave would be left to see")] = Field(
        default_factory=_periodic.scaled(0.005, 0.05, frames=-1)
    )
    """Damping [1/s]: ends of the draw, uniform in the logarithm; by default 0.005 to 0.05, in
    proportion to 64 / frames."""

    RANGE, SLACK = (-1.0, 1.0), _gates.POINTWISE

    def propose(self, rng: np.random.Generator) -> dict[str, float]:
        """``c`` and ``gamma`` of one clip."""
        return {name: _draws.log_uniform(rng, getattr(self, name)) for name in UNITS}

    def factors(self, labels: Mapping[str, float], time: np.ndarray) -> np.ndarray:
        """exp(-gamma t / 2) (cos(w t) + gamma t / 2 sinc(w t)), w^2 = c^2 k^2 - gamma^2 / 4."""
        return _vibration(self, labels, time)[0]

    def laws(self, labels: Mapping[str, float], field: np.ndarray) -> None:
        """Energy, budget, and the course of every mode."""
        energy_law(self, labels, field)
        super().laws(labels, field)


def energies(spec: Spec, labels: Mapping[str, float], field: np.ndarray) -> np.ndarray:
    """Energy of every frame but the last: mean of ((du/dt)^2 + c^2 |grad u|^2) / 2.

    A mode's amplitude at one frame and a frame later give its rate at the first, exactly: one
    damped wave alone leads from here to there. For modes of more than two radians per frame
    rounding shows, and they are left out.

    Parameters
    ----------
    spec : Spec
    labels : mapping of str to float
        ``c``, ``gamma`` of the clip.
    field : (time, y, x) float32

    Returns
    -------
    (time,) float64
        Energy [1/s^2].
    """
    y, x = _spectral.waves(_initial.BAND, spec.size)
    stiffness = labels["c"] ** 2 * (y**2 + x**2)
    step = _vibration(spec, labels, np.ones(1))
    # Modes with x = 0 stand for themselves alone, the others also for their mirror image.
    counted = np.where(x > 0, 2.0, 1.0) * (stiffness > 0) * (stiffness <= FASTEST**2)
    kept, pushed = step[0][0], -step[1][0] / np.where(counted, stiffness, 1)
    modes = _spectral.analyse(field, _initial.BAND)
    rate = (modes[1:] - kept * modes[:-1]) / np.where(counted, pushed, 1)
    density = np.abs(rate) ** 2 + stiffness * np.abs(modes[:-1]) ** 2
    return (density * counted).sum((1, 2)) / 2


def energy_law(spec: Spec, labels: Mapping[str, float], field: np.ndarray) -> None:
    """Damping only takes: no frame has more energy than the frame before it had."""
    energy = energies(spec, labels, field)
    # what the same contrast would have if it were all in the slowest mode
    least = (2 * np.pi * labels["c"] / spec.size) ** 2 * field[0].var(dtype=float) / 2
    sound = np.diff(energy) <= ENERGY * least
    if not sound.all():
        frame = int(np.argmin(sound)) + 1
        raise ValueError(
            f"energy: frame {frame} has {energy[frame]:.6g} 1/s^2; expected no more than the"
            f" {energy[frame - 1]:.6g} of frame {frame - 1}."
        )


def _vibration(
    spec: Spec, labels: Mapping[str, float], time: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    return _spectral.vibration(_initial.BAND, spec.size, labels["c"], labels["gamma"], time)
