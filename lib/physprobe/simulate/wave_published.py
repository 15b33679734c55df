"""Damped waves and diffusion as published, in pairs: one moves little, the other stands still.

    even clips    u[n+1] = (2 - 0.2 gamma) u[n] - (1 - 0.2 gamma) u[n-1] + (0.2 c)^2 lap(u[n])
    odd clips     u <- clip(u + 0.08 alpha lap(u), 0, 1), one explicit step a frame

Both clips of a pair start alike, from one to three blobs; waves start at rest. They run 4 to 11 px
over a clip and lose 5 to 40 % of their amplitude, which leaves little to read gamma from. The match
of alpha to the partner's smoothness chose the largest candidate, 0.22, for all 60 pairs, and that
diffusion changes a pixel by 0.001 on average over its whole clip. The published split goes through
the pairs. Nothing here is meant to be right, and ``check`` only wants finite numbers. Values are
between -1 and 1; that is also the published range of colours, since no pair needed a larger one.

References
----------
As in ``_published_pairs``.
"""

from collections.abc import Mapping
from typing import Literal

import numpy as np

from physprobe.simulate import _published_pairs as pairs

FIELD, FIELD_UNIT, RESOLUTION = "displacement", "1", pairs.RESOLUTION
UNITS = {"alpha": "0.08 px^2/s", "c": "0.2 px/s", "gamma": "0.2 1/s"}
CLASSES = pairs.CLASSES

STEP = 0.2

draw, coords, field, check = pairs.draw, pairs.coords, pairs.field, pairs.check
told, TOLD = pairs.told, ("alpha", "c", "gamma", "misfit", "misfit_diffusion")


class Spec(pairs.Pairs):
    """Published pairs of waves and diffusion: everything but their number is fixed."""

    kind: Literal["wave_published"] = "wave_published"
    """Published pairs of damped waves and diffusion that stands still."""
    equation: Literal["wave", "diffusion"] | None = None
    """The clips of one equation alone; those of both by default."""

    SEED, FIRST, ALPHA = 321, "wave", 0.22

    @staticmethod
    def parameters(rng: np.random.RandomState) -> dict[str, float]:
        """``c`` [0.2 px/s] and ``gamma`` [0.2 1/s], the published numbers, of a pair."""
        return {"c": rng.uniform(0.30, 0.90), "gamma": rng.uniform(0.01, 0.08)}

    def factors(self, labels: Mapping[str, float]) -> np.ndarray:
        """Steps of one mode, of height 1 at first."""
        squared, lost = (labels["c"] * STEP) ** 2, labels["gamma"] * STEP
        turned = squared * pairs.kappa()
        a = np.empty((self.frames, *turned.shape))
        a[0], a[1] = 1.0, 1 - turned / 2
        for n in range(1, self.frames - 1):
            a[n + 1] = (2 - lost - turned) * a[n] - (1 - lost) * a[n - 1]
        return a

    def follow(self, start: np.ndarray, labels: Mapping[str, float]) -> np.ndarray:
        """Displacement (time, y, x) float32 [1] of a start (y, x) that is let go."""
        squared, lost = (labels["c"] * STEP) ** 2, labels["gamma"] * STEP
        u = np.empty((self.frames, *start.shape))
        u[0] = start
        u[1] = u[0] + squared / 2 * pairs.laplacian(u[0])
        for n in range(1, self.frames - 1):
            u[n + 1] = (2 - lost) * u[n] - (1 - lost) * u[n - 1] + squared * pairs.laplacian(u[n])
        return u.astype(np.float32)
