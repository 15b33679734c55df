"""Abroad: a clip of another system, a real film perhaps, seen by an encoder that never saw any."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from physprobe.config import kinds
from physprobe.store import job, zarrs
from physprobe.store.inputs import Inputs

QUANTILE = 0.999
"""Of all pixels of a clip, what is white."""
MOVED = 0.25
"""Of white, from where on a pixel counts as moving."""
ROOM = 1.1
"""Side of what is cut out, by that of what moves: as simulated pendulums are filmed."""


@dataclass(frozen=True)
class Abroad:
    """A clip of another system.

    Attributes
    ----------
    system : str
    frames : (time, y, x, rgb) uint8
        As filmed, as far apart in time as what the encoder was trained on.
    side : int
        Of frames that the encoder reads [px].
    encode : callable
        From frames (time, side, side, rgb) uint8 to its last layer's features (token, feature), and
        the number (token,) of each token's last frame.
    """

    system: str
    frames: np.ndarray
    side: int
    encode: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]

    @classmethod
    def of(cls, found: Inputs, home: Path, clips: Path) -> "Abroad":
        """First clip of another system.

        Parameters
        ----------
        found : Inputs
            Of the system that is fitted to.
        home, clips : Path
            Root ``zarr.json`` of that system's clips, and of the other's.

        Raises
        ------
        ValueError
            If either is no video.
        """
        own, film = zarrs.read(home), zarrs.read(clips)
        for path, store in ((home, own), (clips, film)):
            if "video" not in store:
                raise ValueError(f"{path}: holds no video. Hint: leave abroad out.")
        family, spec = kinds.parse("embed", json.dumps(found.source.attrs["spec"]))
        member = next(iter(spec.members)) if found.member is None else found.member
        height, width = own["video"].shape[2:4]
        wanted = own.time.values - own.time.values[0]
        times = film.time.values - film.time.values[0]
        wanted = wanted[wanted <= times[-1] + 1e-9]
        at = np.abs(times[:, None] - wanted).argmin(0)

        def encode(frames: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            encoder = family.load(
                spec.members[member], frames=len(frames), threads=job.current().threads,
                height=height, width=width,
            )  # fmt: skip
            embedded = encoder.encode(frames[None], np.array([0]))
            return np.asarray(embedded.pooled[0, -1], float), encoder.spans[:, 1] - 1

        video = zarrs.values(film, "video", clip=slice(0, 1))[0]
        return cls(clips.absolute().parents[1].name, video[at], int(height), encode)

    def moving(self) -> np.ndarray:
        """What moves, on black (time, y, x) uint8, cut out as a square.

        The median frame is taken away; what is left is stretched until its brightest pixels are
        white, and cut to the square around all that ever moves. Nothing of it is learnt.
        """
        gray = self.frames.mean(-1, dtype=np.float32)
        apart = np.abs(gray - np.median(gray, axis=0))
        white = float(np.quantile(apart, QUANTILE)) or 1.0
        apart = np.clip(apart / white, 0, 1)
        rows, columns = np.nonzero(apart.max(0) > MOVED)
        middle = [(part.min() + part.max() + 1) / 2 for part in (rows, columns)]
        side = int(np.ceil(ROOM * max(np.ptp(part) + 1 for part in (rows, columns))))
        room = [(side, side)] * 2
        padded = np.pad(apart, [(0, 0), *room])
        top, left = (round(m - side / 2) + side for m in middle)
        cut = padded[:, top : top + side, left : left + side]
        return np.rint(cut * 255).astype(np.uint8)
