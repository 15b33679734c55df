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
from functools import cache
from typing import Literal

import numpy as np

from physprobe.simulate import _published_pairs as pairs

FIELD, FIELD_UNIT = "concentration", "1"
RESOLUTION = 2.0**-20  # as stored: far below what even the stills change by
UNITS = {"alpha": "0.08 px^2/s", "vy": "px/s", "vx": "px/s"}
CLASSES = ("equation",)

SEED, SPEEDS = 123, (-2, -1, 1, 2)
ALPHA = 0.01  # what ``_published_pairs.matched`` gives for every pair, found once


coords = pairs.coords


class Spec(pairs.Pairs):
    """Published pairs of advection and diffusion: everything but their number is fixed."""

    kind: Literal["advection_published"] = "advection_published"
    """Published pairs of advection by whole cells and diffusion that stands still."""
    equation: Literal["advection", "diffusion"] | None = None
    """The clips of one equation alone; those of both by default."""


def draw(spec: Spec) -> dict[str, np.ndarray]:
    """Labels of every clip, in the published order of draws.

    Parameters
    ----------
    spec : Spec

    Returns
    -------
    dict of str to (clip,)
        ``vy``, ``vx`` [px/s], 0 where the clip is diffusion; ``alpha`` [0.08 px^2/s], the published
        number, 0 where it is advection; ``advection``, 1 or 0, and ``equation``, "advection"
        or "diffusion"; ``ic_id``, the pair; ``split`` of "train" and "test". There is no ``group``:
        the published split has pairs on both sides.
    """
    clip = np.arange(spec.clips)
    moves = clip % 2 == 0
    velocity = np.array([[found["vy"], found["vx"]] for _, found in _pairs()], float)[clip // 2]
    vy, vx = np.where(moves, velocity.T, 0.0)
    labels = {
        "alpha": np.where(moves, 0.0, ALPHA),
        "vy": vy,
        "vx": vx,
        "advection": moves.astype(int),
        "equation": np.where(moves, "advection", "diffusion"),
        "ic_id": clip // 2,
        "split": pairs.split(spec.clips),
    }
    return pairs.only(spec.equation, labels)


def field(spec: Spec, labels: Mapping[str, float]) -> np.ndarray:
    """Concentration of one clip.

    Parameters
    ----------
    spec : Spec
    labels : mapping of str to float
        ``alpha``, ``vy``, ``vx``, ``advection``, ``ic_id`` of the clip.

    Returns
    -------
    (time, y, x) float32
        Concentration [1].
    """
    start = _pairs()[int(labels["ic_id"])][0]
    if not labels["advection"]:
        return pairs.diffused(start, labels["alpha"], spec.frames)
    step = np.array([labels["vy"], labels["vx"]], int)
    return np.stack([np.roll(start, step * frame, (0, 1)) for frame in range(spec.frames)])


def check(spec: Spec, labels: Mapping[str, float], field: np.ndarray) -> None:
    """Let only finite numbers pass: this system is here to stand still.

    Raises
    ------
    ValueError
        If a value is not finite; the message names the frame.
    """
    pairs.finite(field)


@cache
def _pairs() -> tuple[tuple[np.ndarray, dict[str, float]], ...]:
    def velocity(rng: np.random.RandomState) -> dict[str, float]:
        return {"vy": rng.choice(SPEEDS), "vx": rng.choice(SPEEDS)}

    return tuple(pairs.starts(SEED, velocity))
