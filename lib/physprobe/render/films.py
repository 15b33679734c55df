"""Films: frames of the films that a simulation names, decoded once, in the size that is asked."""

from functools import lru_cache
from pathlib import Path
from typing import Literal, Self

import numpy as np
from pydantic import model_validator

from physprobe.config.spec import Spec as Base
from physprobe.scenes.films import folder, rows
from physprobe.scenes.films.film import Faulty
from physprobe.scenes.films.folder import Source
from physprobe.scenes.films.reader import Reader

DRAWS = ("films",)
IN_TURN = True
OPEN = 4  # films at a time


class Spec(Base):
    """What becomes of a film's frames."""

    kind: Literal["films"] = "films"
    """Frames of films from a folder."""
    folder: str = ""
    """Folder, or table, of the films: in a config that of the simulation, as the next two are."""
    leave_out: tuple[str, ...] = ()
    """Films that don't count."""
    array: str | None = None
    """Array that holds the films, in files of several."""
    size: int | tuple[int, int] | None = 64
    """Rows and columns of a frame [px], one number for both; null leaves frames as they are."""
    fit: Literal["resize", "crop", "pad"] = "resize"
    """How frames get that size: squeezed, cut from the middle, or whole with black beside them."""
    color: Literal["rgb", "gray"] = "rgb"
    """Gray frames have three channels that are alike."""
    low: float | None = None
    """Value of arrays that is black, where they aren't 8 bits."""
    high: float | None = None
    """Value that is white."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        sides = () if self.size is None else self.sides
        if sides and min(sides) < 1:
            raise ValueError(f"size: found {self.size}; expected sides of 1 px at least")
        if (self.low is None) != (self.high is None) or (
            self.low is not None and self.high is not None and self.low >= self.high
        ):
            raise ValueError(f"low and high: found {self.low} and {self.high}, which don't ascend")
        return self

    @property
    def sides(self) -> tuple[int, int] | None:
        """Rows and columns [px]."""
        return (self.size, self.size) if isinstance(self.size, int) else self.size


def frames(spec: Spec, field: np.ndarray) -> np.ndarray:
    """Frames of one clip.

    Parameters
    ----------
    spec : Spec
    field : (time, quantity)
        Which frames of which film they are, as ``scenes.films.rows`` numbers them.

    Returns
    -------
    (time, y, x, rgb) uint8

    Raises
    ------
    ValueError
        If the film has changed since it was described, isn't as it was described, or frames can't
        be as asked; the message names it.
    """
    clip = rows.read(field)
    root = Path(spec.folder)
    for fresh in (False, True):
        if fresh:
            _sources.cache_clear()  # a film may have come or gone since it was looked
        sources = _sources(spec.folder, spec.leave_out, spec.array)
        source = sources[clip.film] if clip.film < len(sources) else None
        source = source if source and source.path.exists() else None
        if source is None:
            continue
        try:
            film = _reader(spec, source, folder.seen(source.path))
            if film.checksum == clip.checksum:
                found = film.take(clip.frames, clip.until)
                return np.ascontiguousarray(found[:, ::-1]) if clip.flipped else found
        except Faulty as error:
            raise ValueError(
                f"{root / source.name}: {error}. Hint: python -m physprobe films check {root}"
            ) from None
    name = root / source.name if source else f"film {clip.film + 1}"
    told = "has changed" if source else f"is no film any more; {root} holds {len(sources)}"
    raise ValueError(
        f"{name}: {told} since it was described."
        " Hint: simulate this system again, which reads all of its films anew; by hand with"
        " `--force`, in the workflow by `snakemake --force` and the simulation's `zarr.json`."
    )


@lru_cache(maxsize=4)
def _sources(place: str, leave_out: tuple[str, ...], array: str | None) -> tuple[Source, ...]:
    return folder.listed(place, leave_out, array).sources


@lru_cache(maxsize=OPEN)
def _reader(spec: Spec, source: Source, seen: tuple) -> Reader:
    """Reader of a film, the one that is open if it is."""
    values = None if spec.low is None or spec.high is None else (spec.low, spec.high)
    return Reader(
        source,
        size=spec.sides,
        fit=spec.fit,
        gray=spec.color == "gray",
        array=spec.array,
        values=values,
    )
