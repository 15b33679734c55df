"""Arrays: npy, npz, zarr and HDF5 files that hold films as (clip, time, y, x[, channel]).

Every clip of an array is a film of its own, ``file#0``, ``file#1``, ... Arrays along (clip,) beside
it are labels, ``time`` (time,) says when frames are, in seconds.
"""

import hashlib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from physprobe.scenes.films.film import Faulty, Film, Image

ENDINGS = (".npy", ".npz", ".zarr", ".h5", ".hdf5")
CHANNELS = {1: "gray", 3: "colour"}


class Held(NamedTuple):
    """What a file of arrays holds."""

    films: Any
    """(clip, time, y, x[, channel]); read when it is indexed by clip."""
    times: np.ndarray | None
    """(time,) [s]"""
    labels: dict[str, np.ndarray]
    """(clip,)"""
    units: dict[str, str]
    """Of the labels that have one."""


def held(path: Path, name: str | None = None) -> Held:
    """What a file holds; a clip is read when it is asked for.

    Parameters
    ----------
    path : Path
    name : str, optional
        Array that holds the films, if several could.

    Raises
    ------
    Faulty
        If there are no films in it, or more than one array may be meant.
    """
    return _held(path, name, _seen(path))


def _seen(path: Path) -> tuple:
    files = [path, *path.rglob("*")] if path.is_dir() else [path]
    about = [file.stat() for file in sorted(files)]
    return tuple((each.st_size, each.st_mtime_ns) for each in about)


@lru_cache(maxsize=4)
def _held(path: Path, name: str | None, seen: tuple) -> Held:
    arrays, units = _arrays(path)
    able = [key for key, array in arrays.items() if len(array.shape) in (4, 5)]
    shapes = ", ".join(f"{key or 'it'} {tuple(array.shape)}" for key, array in arrays.items())
    if name is not None:
        if name not in able and len(arrays) > 1:
            raise Faulty(f"holds no film {name!r}: {shapes}")
        able = [name] if name in able else able
    if not able:
        raise Faulty(f"holds no (clip, time, y, x[, channel]): {shapes or 'no arrays'}")
    if len(able) > 1:
        raise Faulty(f"holds several films: {', '.join(able)}; `array` says which is meant")
    films = arrays[able[0]]
    if films.ndim == 5 and films.shape[4] not in CHANNELS:
        raise Faulty(f"has {films.shape[4]} channels, expected 1 (gray) or 3 (red, green, blue)")
    if 0 in films.shape:
        raise Faulty(f"is empty: its shape is {tuple(films.shape)}")
    if np.dtype(films.dtype).kind not in "uif":
        raise Faulty(f"holds {films.dtype}, expected numbers")
    times, labels = None, {}
    for key, array in arrays.items():
        if key == "time" and len(array.shape) == 1:
            if array.shape[0] != films.shape[1]:
                raise Faulty(f"has {array.shape[0]} times for {films.shape[1]} frames")
            times = np.asarray(array[...], np.float64)
        elif tuple(array.shape) == (films.shape[0],) and key not in ("clip", able[0]):
            values = np.asarray(array[...])
            _check_label(key, values)
            labels[key] = values.astype(str) if values.dtype.kind in "SUOT" else values
    return Held(films, times, labels, {key: unit for key, unit in units.items() if key in labels})


def _check_label(name: str, values: np.ndarray) -> None:
    """Refuse labels that can't be used.

    Raises
    ------
    Faulty
        If a value is not finite, or the name can't be one.
    """
    if not name.isidentifier():
        raise Faulty(f"has a label {name!r}, expected letters, digits and _")
    if values.dtype.kind == "f" and (bad := np.flatnonzero(~np.isfinite(values))).size:
        raise Faulty(f"label {name} is not finite in {bad.size} clips, first in clip {bad[0]}")


def _arrays(path: Path) -> tuple[Mapping[str, Any], dict[str, str]]:
    """Arrays of a file by name, and their units."""
    try:
        if path.suffix == ".npy":
            return {"": np.load(path, mmap_mode="r", allow_pickle=False)}, {}
        if path.suffix == ".npz":
            with np.load(path, allow_pickle=False) as file:
                return {key: file[key] for key in file.files}, {}
        if path.suffix == ".zarr":
            import zarr

            group = zarr.open(path, mode="r")
            found = dict(group.arrays()) if isinstance(group, zarr.Group) else {"": group}
        else:
            found = _hdf5(path)
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise Faulty(f"can't be read: {error}") from None
    units = {
        key: unit.decode() if isinstance(unit, bytes) else str(unit)
        for key, array in found.items()
        if (unit := array.attrs.get("units")) is not None
    }
    return found, units


def _hdf5(path: Path) -> dict[str, Any]:
    import h5py

    found: dict[str, Any] = {}
    file = h5py.File(path, "r")
    file.visititems(
        lambda key, item: found.update({key: item}) if isinstance(item, h5py.Dataset) else None
    )
    return found


def look(path: Path, clip: int, name: str | None = None) -> Film:
    """Read one clip, and say what it is.

    Raises
    ------
    Faulty
        If a value is not finite, or times don't ascend.
    """
    here = held(path, name)
    try:
        values = np.asarray(here.films[clip])
    except (OSError, ValueError, RuntimeError) as error:
        raise Faulty(f"can't be read: {error}") from None
    if (bad := ~np.isfinite(values)).any():
        frame = int(np.argwhere(bad)[0][0])
        raise Faulty(f"{int(bad.sum())} values are not finite, first in frame {frame}")
    times, tick = None, 0.0
    if here.times is not None:
        if not np.isfinite(here.times).all() or (np.diff(here.times) <= 0).any():
            raise Faulty("its times don't ascend")
        times = here.times - here.times[0]
        tick = float(np.spacing(np.float32(np.abs(here.times).max())))
    notes = (f"{values.dtype}, not 8 bits",) * (values.dtype != np.uint8)
    return Film(times, tick, values.shape[1:3], 1.0, _digest(values), len(values), notes)


def frames(
    path: Path, clip: int, name: str | None, values: tuple[float, float] | None
) -> Iterator[Image]:
    """Frames (y, x, rgb) uint8 of one clip; pixels are square.

    Parameters
    ----------
    path : Path
    clip : int
    name : str, optional
        Array that holds the films.
    values : tuple of float, optional
        What becomes black and white; needed unless they are 8 bits.

    Raises
    ------
    Faulty
        If that is needed and isn't there, or a value is outside.
    """
    film = np.asarray(held(path, name).films[clip])
    if film.ndim == 3:
        film = film[..., None]
    if film.dtype != np.uint8:
        if values is None:
            raise Faulty(
                f"holds {film.dtype}, from {film.min():g} to {film.max():g}; `low` and `high` of"
                " render say what is black and white"
            )
        low, high = values
        if film.min() < low or film.max() > high:
            raise Faulty(
                f"has values from {film.min():g} to {film.max():g}, not {low:g} to {high:g}"
            )
        film = np.rint((film.astype(np.float64) - low) / (high - low) * 255).astype(np.uint8)
    for image in film:
        yield np.broadcast_to(image, (*image.shape[:2], 3)), 1.0


def digest(path: Path, clip: int, name: str | None = None) -> str:
    """Digest of one clip's content."""
    return _digest(np.asarray(held(path, name).films[clip]))


def _digest(values: np.ndarray) -> str:
    total = hashlib.sha256(f"{values.dtype} {values.shape} ".encode())
    total.update(np.ascontiguousarray(values).data)
    return total.hexdigest()
