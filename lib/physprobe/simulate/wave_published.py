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
from functools import cache
from typing import Literal

import numpy as np

from physprobe.simulate import _published_pairs as pairs

FIELD, FIELD_UNIT = "displacement", "1"
RESOLUTION = 2.0**-20  # as stored: far below what even the stills change by
UNITS = {"alpha": "0.08 px^2/s", "c": "0.2 px/s", "gamma": "0.2 1/s"}
CLASSES = ("equation",)

SEED, STEP = 321, 0.2
ALPHA = 0.22  # what ``_published_pairs.matched`` gives for every pair, found once


coords = pairs.coords


class Spec(pairs.Pairs):
    """Published pairs of waves and diffusion: everything but their number is fixed."""

    kind: Literal["wave_published"] = "wave_published"
    """Published pairs of damped waves and diffusion that stands still."""
    equation: Literal["wave", "diffusion"] | None = None
    """The clips of one equation alone; those of both by default."""


def draw(spec: Spec) -> dict[str, np.ndarray]:
    """Labels of every clip, in the published order of draws.

    Parameters
    ----------
    spec : Spec

    Returns
    -------
    dict of str to (clip,)
        ``c`` [0.2 px/s] and ``gamma`` [0.2 1/s], the published numbers, 0 where the clip is
        diffusion; ``alpha`` [0.08 px^2/s], the published number, 0 where it is a wave; ``wave``, 1
        or 0, and ``equation``, "wave" or "diffusion"; ``ic_id``, the pair; ``split`` of "train" and
        "test". There is no ``group``: the published split has pairs on both sides.
    """
    clip = np.arange(spec.clips)
    waves = clip % 2 == 0
    drawn = np.array([[found["c"], found["gamma"]] for _, found in _pairs()])[clip // 2]
    c, gamma = np.where(waves, drawn.T, 0.0)
    labels = {
        "alpha": np.where(waves, 0.0, ALPHA),
        "c": c,
        "gamma": gamma,
        "wave": waves.astype(int),
        "equation": np.where(waves, "wave", "diffusion"),
        "ic_id": clip // 2,
        "split": pairs.split(spec.clips),
    }
    return pairs.only(spec.equation, labels)


def field(spec: Spec, labels: Mapping[str, float]) -> np.ndarray:
    """Displacement of one clip.

    Parameters
    ----------
    spec : Spec
    labels : mapping of str to float
        ``alpha``, ``c``, ``gamma``, ``wave``, ``ic_id`` of the clip.

    Returns
    -------
    (time, y, x) float32
        Displacement [1].
    """
    start = _pairs()[int(labels["ic_id"])][0]
    if not labels["wave"]:
        return pairs.diffused(start, labels["alpha"], spec.frames)
    squared, lost = (labels["c"] * STEP) ** 2, labels["gamma"] * STEP
    u = np.empty((spec.frames, *start.shape))
    u[0] = start
    u[1] = u[0] + squared / 2 * pairs.laplacian(u[0])
    for n in range(1, spec.frames - 1):
        u[n + 1] = (2 - lost) * u[n] - (1 - lost) * u[n - 1] + squared * pairs.laplacian(u[n])
    return u.astype(np.float32)


def check(spec: Spec, labels: Mapping[str, float], field: np.ndarray) -> None:
    """Let only finite numbers pass: this system is here to move too little.

    Raises
    ------
    ValueError
        If a value is not finite; the message names the frame.
    """
    pairs.finite(field)


@cache
def _pairs() -> tuple[tuple[np.ndarray, dict[str, float]], ...]:
    def parameters(rng: np.random.RandomState) -> dict[str, float]:
        return {"c": rng.uniform(0.30, 0.90), "gamma": rng.uniform(0.01, 0.08)}

    return tuple(pairs.starts(SEED, parameters))
