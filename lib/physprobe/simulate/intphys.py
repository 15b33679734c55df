"""IntPhys: the public development set, read from a folder; nothing is simulated.

Frames are taken as published, at ``round(linspace(0, 99, frames))``. What is kept of a movie is
which files its frames are, and their checksums; the renderer of the same name reads them. The four
movies of a scene are one group. The set has no times: 1 s is taken for ``RATE`` frames.

References
----------
Layout of the files: ``scenes.intphys``. Sampling: PEZ-Reproduction (arXiv 2602.07050),
``step_intphys_probe.py``; written anew.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field

from physprobe.config.spec import Spec as Base
from physprobe.scenes import intphys

FIELD, FIELD_UNIT = "files", "by quantity: " + ", ".join(intphys.QUANTITIES)
GRID = False
RESOLUTION = None
UNITS = {"possible": "1", "scene": "1", "movie": "1"}
CLASSES = ("principle",)
RATE = 15  # frames of a movie per second


class Spec(Base):
    """Movies of the development set: where they are, how many, and which of their frames."""

    kind: Literal["intphys"] = "intphys"
    """The public development set of IntPhys 2019, from a folder."""
    folder: str
    """Folder that holds O1, O2 and O3."""
    scenes: int = Field(30, gt=0, le=99)
    """Scenes of each principle; another number there is an error."""
    length: int = Field(100, gt=1, le=999)
    """Frames of each movie; another number there is an error."""
    frames: int = Field(16, gt=1)
    """Frames that are taken of a movie, evenly from the first to the last."""

    def listing(self) -> str:
        """Digest of the set's files, without reading them whole."""
        return intphys.listing(Path(self.folder), scenes=self.scenes, taken=_taken(self) + 1)

    def content(self) -> str:
        """Digest of the set's content.

        Raises
        ------
        ValueError
            If a frame is damaged; the message names it.
        """
        return intphys.content(Path(self.folder), scenes=self.scenes, taken=_taken(self) + 1)


def draw(spec: Spec) -> dict[str, np.ndarray]:
    """Labels of every movie.

    Parameters
    ----------
    spec : Spec

    Returns
    -------
    dict of str to (clip,)
        ``possible``, 1 or 0; ``principle``; ``scene``, its number in all of the set, and ``group``,
        the same; ``movie``, 1 to 4; ``number``, of the scene within its principle.

    Raises
    ------
    ValueError
        If a file is missing, truncated, not known or not like the others; the message names it.
    """
    found = intphys.possible(Path(spec.folder), scenes=spec.scenes, frames=spec.length)
    block, number, movie = np.array(list(found)).T
    scene = (block - 1) * spec.scenes + number - 1
    return {
        "principle": np.array(intphys.PRINCIPLES)[block - 1],
        "number": number,
        "scene": scene,
        "group": scene,
        "movie": movie,
        "possible": np.array(list(found.values())).astype(int),
    }


def coords(spec: Spec) -> dict[str, np.ndarray]:
    """Times [s] of the frames, and names of what is kept of each."""
    return {"time": _taken(spec) / RATE, "quantity": np.array(intphys.QUANTITIES)}


def field(spec: Spec, labels: Mapping[str, Any]) -> np.ndarray:
    """Which files the frames of a movie are.

    Parameters
    ----------
    spec : Spec
    labels : mapping of str to object
        As drawn.

    Returns
    -------
    (time, quantity) float32

    Raises
    ------
    ValueError
        If a frame is damaged; the message names it.
    """
    movie = (
        intphys.PRINCIPLES.index(labels["principle"]) + 1,
        int(labels["number"]),
        int(labels["movie"]),
    )
    rows = []
    for frame in _taken(spec) + 1:
        content = intphys.whole_frame(intphys.frame_path(Path(spec.folder), *movie, frame))
        rows.append((*movie, frame, intphys.checksum(content)))
    return np.array(rows, np.float32)


def check(spec: Spec, labels: Mapping[str, object], field: np.ndarray) -> None:
    """Let only movies pass whose frames are in order.

    Raises
    ------
    ValueError
        If they are not: movie, and frames.
    """
    frame = field[:, intphys.QUANTITIES.index("frame")]
    if not (np.diff(frame) > 0).all():
        raise ValueError(
            f"frames: {frame.astype(int).tolist()} don't ascend. Hint: set frames to"
            f" {spec.length} at most."
        )


@cache
def _taken(spec: Spec) -> np.ndarray:
    """Numbers (time,) of the frames that are taken, from 0."""
    return np.rint(np.linspace(0, spec.length - 1, spec.frames)).astype(int)
