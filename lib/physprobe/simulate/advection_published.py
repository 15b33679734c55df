"""Advection and diffusion as published, in pairs: one moves by whole cells, the other stands still.

    even clips    u <- u shifted by (vy, vx) whole cells a frame, on the periodic square
    odd clips     u <- clip(u + 0.08 alpha lap(u), 0, 1), one explicit step a frame

Both clips of a pair start alike, from one to three blobs. The match of alpha to the partner's
smoothness chose 0.01 for all 60 pairs, and no diffusion changes any value by more than 0.006 over
its whole clip, 1.4 grey levels: what tells the equations apart is that one moves. The published
split goes through the pairs. Nothing here is meant to be right: the gates of ``diffusion`` refuse
these clips, and ``check`` only wants finite numbers. Values are between 0 and 1; that is also the
published range of colours.

References
----------
As in ``_published_pairs``. The published ``vx`` is along the image's rows, here ``vy``.
"""

from collections.abc import Mapping
from typing import Literal

import numpy as np

from physprobe.simulate import _initial, _spectral
from physprobe.simulate import _published_pairs as pairs

FIELD, FIELD_UNIT, RESOLUTION = "concentration", "1", pairs.RESOLUTION
UNITS = {"alpha": "0.08 px^2/s", "vy": "px/s", "vx": "px/s"}
CLASSES = pairs.CLASSES

SPEEDS = (-2, -1, 1, 2)

draw, coords, field, check = pairs.draw, pairs.coords, pairs.field, pairs.check
told, TOLD = pairs.told, ("alpha", "vy", "vx", "misfit", "misfit_diffusion")


class Spec(pairs.Pairs):
    """Published pairs of advection and diffusion: everything but their number is fixed."""

    kind: Literal["advection_published"] = "advection_published"
    """Published pairs of advection by whole cells and diffusion that stands still."""
    equation: Literal["advection", "diffusion"] | None = None
    """The clips of one equation alone; those of both by default."""

    SEED, FIRST, ALPHA = 123, "advection", 0.01

    @staticmethod
    def parameters(rng: np.random.RandomState) -> dict[str, float]:
        """``vy`` and ``vx`` [px/s] of a pair."""
        return {"vy": rng.choice(SPEEDS), "vx": rng.choice(SPEEDS)}

    def factors(self, labels: Mapping[str, float]) -> np.ndarray:
        """exp(-i k . v t)."""
        velocity, time = (labels["vy"], labels["vx"]), np.arange(self.frames)
        return _spectral.transport(_initial.BAND, pairs.SIZE, 0.0, velocity, time)

    def follow(self, start: np.ndarray, labels: Mapping[str, float]) -> np.ndarray:
        """Concentration (time, y, x) float32 [1] of a start (y, x) that is carried along."""
        step = np.array([labels["vy"], labels["vx"]], int)
        return np.stack([np.roll(start, step * frame, (0, 1)) for frame in range(self.frames)])
