"""Balance: clips of different equations that start alike move equally much.

    motion = (mean |u[1] - u[0]| + sum over t of mean |u[t] - u[t-1]|) / mean |u[0] - mean u[0]|

is the way that a cell's value goes over a clip, in parts of the pattern's own contrast. Its first
step counts twice, as it does in the mean over tokens of ``embed.statistics``: else what starts fast
would look faster there than what starts slowly. The motion that clip n is to have is drawn from a
stream of its own, so that it is the same whatever the equation; then the clip's parameters are
drawn until they lead to it. Clip n of one equation moves as much as clip n of another one, on the
whole; how the motion is spread over the clip is left to the law.

Nothing that fades moves by much more than 1, so no balance with diffusion can have more. Within
that, patterns are carried along by 2 to 23 px of 128, and waves swing through about a quarter
period. The mean of the field is the same in any case; on a linear scale of colours, such as
``gray``, so is the brightness.

The price: how fast a clip is now follows from its pattern and its motion. Linear in a pattern's
wavenumbers, log alpha has R2 0.7 (of 200 clips of 128 px), log c too, and 0.99 and 0.9 with the
motion; of free draws it has none. Only gamma and the direction of a velocity stay independent.
Balanced clips are for telling equations apart; parameters are asked of free ones.
"""

from abc import abstractmethod
from collections.abc import Mapping
from functools import lru_cache

import numpy as np

from physprobe.simulate import _draws, _initial, _periodic, _spectral
from physprobe.statistics import seeds

TOLERANCE = 0.03
# Enough to know motion to 1 %: cells hold every mode, and what moves so little hardly turns back.
CELLS, TIMES = 32, 8


class Square(_periodic.Square):
    """Clips on a periodic square whose motion can be declared."""

    motion: _draws.Range | None = None
    """Motion of a clip, in parts of its pattern's contrast: ends of the draw, uniform in the
    logarithm and the same in every system of the same seed; other parameters are then drawn until
    the clip has it, within 3 %. By default they are drawn freely."""

    @abstractmethod
    def factors(self, labels: Mapping[str, float], time: np.ndarray) -> np.ndarray:
        """What the equation makes of every mode, (time, mode_y, mode_x), at times [s]."""

    def suits(self, clip: int, labels: Mapping[str, float]) -> bool:
        """Whether a clip with these parameters moves as much as it is to."""
        if self.motion is None:
            return True
        time = np.append(0, np.linspace(1, self.frames - 1, min(TIMES, self.frames - 1)))
        modes = _start(self.seed, clip) * self.factors(labels, time)
        found = motion(_spectral.synthesise(modes, CELLS))
        return bool(abs(np.log(found / wanted(self, clip))) <= TOLERANCE)


def motion(field: np.ndarray) -> float:
    """Way that a cell's value goes over a clip, in parts of the first frame's contrast.

    Parameters
    ----------
    field : (time, y, x)
        The first two frames are one time unit apart, the others as they like.

    Returns
    -------
    float
        (mean |u[1] - u[0]| + sum over t of mean |u[t] - u[t-1]|) / mean |u[0] - mean u[0]|.
    """
    contrast = np.abs(field[0] - field[0].mean(dtype=float)).mean(dtype=float)
    steps = np.abs(np.diff(field, axis=0)).mean((1, 2), dtype=float)
    return float((steps[0] + steps.sum()) / contrast)


def wanted(spec: Square, clip: int) -> float:
    """Motion that a clip, given by its number, is to have in every system of the same seed."""
    rng = seeds.rng("motion", spec.seed, clip)
    return _draws.log_uniform(rng, spec.motion)  # type: ignore[arg-type]  # it is declared


# for as long as a clip's parameters are drawn anew
_start = lru_cache(maxsize=8)(_initial.series)
