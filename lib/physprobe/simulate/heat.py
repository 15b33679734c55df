"""Heat: one Gaussian blob per clip, diffusing on an insulated square."""

from typing import Literal

import numpy as np
from pydantic import Field

from physprobe.core import seeds
from physprobe.core.spec import Spec as Base

FIELD, FIELD_UNIT = "temperature", "1"
UNITS = {"alpha": "px^2/s", "sigma": "px", "x0": "px", "y0": "px"}


class Spec(Base):
    kind: Literal["heat"] = "heat"
    clips: int = Field(200, gt=0)
    frames: int = Field(64, gt=1)
    size: int = Field(256, gt=0)
    alpha: tuple[float, float] = (0.5, 5.0)
    sigma: tuple[float, float] = (5.0, 20.0)
    seed: int = 0


def draw(spec):
    rng = seeds.rng("heat", spec.seed)
    n = spec.clips
    return {
        "alpha": rng.uniform(*spec.alpha, n),
        "sigma": rng.uniform(*spec.sigma, n),
        "x0": rng.uniform(spec.size / 4, 3 * spec.size / 4, n),
        "y0": rng.uniform(spec.size / 4, 3 * spec.size / 4, n),
    }


def coords(spec):
    return {"time": np.arange(spec.frames, dtype=float), "y": np.arange(spec.size) + 0.0, "x": np.arange(spec.size) + 0.0}


def field(spec, labels):
    k = np.arange(spec.size) * np.pi / spec.size
    x = np.arange(spec.size) + 0.5
    modes = np.cos(np.outer(k, x))
    t = np.arange(spec.frames)[:, None]
    parts = []
    for c in ("y0", "x0"):
        u = np.exp(-((x - 0.5 - labels[c]) ** 2) / (2 * labels["sigma"] ** 2))
        a = modes @ u * 2 / spec.size
        a[0] /= 2
        parts.append(((np.exp(-labels["alpha"] * k**2 * t) * a) @ modes).astype("float32"))
    return parts[0][:, :, None] * parts[1][:, None, :]


def check(spec, labels, solution):
    pass
