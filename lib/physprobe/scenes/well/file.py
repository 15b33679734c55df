"""File: what one HDF5 file of The Well says of itself, and its windows, read without the rest.

Fields and scalars are those that ``field_names`` lists, in that order: HDF5 itself gives them in
the order of the alphabet, and both differ in three systems of The Well. Axes are turned to (time,
y, x, channel); a vector ``velocity`` has the channels ``velocity_x`` and ``velocity_y``, a tensor
``D`` has ``D_xx``, ``D_xy``, ``D_yx``, ``D_yy``. What doesn't vary along an axis is repeated.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from physprobe.scenes.films.film import Faulty
from physprobe.scenes.well import form

if TYPE_CHECKING:
    import h5py

PLACES = ("x", "y")
RENAMED = {("shear_flow", "Rayleigh"): "Reynolds"}
"""Scalars that a release calls otherwise: its Reynolds number is called Rayleigh."""
ENDS = 4096  # bytes at either end of a file that are read for its listing
BLOCK = 16  # frames that are read at once where all of them are
EVEN = 1e-3  # of a time step: how far single precision lets steps be from even ones
UNEVEN = 0.5  # of a time step: how far solvers may, which write at the next step of their own
OPEN = "OPEN"


@dataclass(frozen=True)
class Channel:
    """One number of a field at a place."""

    name: str
    field: str
    group: str
    component: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Header:
    """All of a file but its fields.

    Attributes
    ----------
    path : Path
    dataset : str
        Name of the data set.
    grid : str
        Type of grid.
    dims : tuple of str
        Places in the order of the file's axes.
    places : mapping of str to (place,)
        Coordinates as they are stored.
    trajectories, frames : int
    times : (trajectory, time)
        Times of every trajectory.
    channels : tuple of Channel
        In the order of the groups and of ``field_names``.
    scalars : mapping of str to (trajectory,)
        Those that don't vary in time, by name, in that order.
    states : tuple of str
        Scalars that do.
    boundaries : mapping of str to tuple of str
        PERIODIC, WALL or OPEN at the lower and the upper end of each place.
    doubts : tuple of str
        What is wrong, and didn't keep it from being read.
    notes : tuple of str
        What is otherwise here than in the file: a name, times that are taken for even ones.
    digest : str
        Of all that.
    """

    path: Path
    dataset: str
    grid: str
    dims: tuple[str, ...]
    places: dict[str, np.ndarray]
    trajectories: int
    frames: int
    times: np.ndarray
    channels: tuple[Channel, ...]
    scalars: dict[str, np.ndarray]
    states: tuple[str, ...]
    boundaries: dict[str, tuple[str, str]]
    doubts: tuple[str, ...]
    notes: tuple[str, ...]
    digest: str

    @property
    def interval(self) -> float:
        """Time from one frame to the next."""
        return float(np.diff(self.times, axis=1).mean())

    @property
    def size(self) -> tuple[int, ...]:
        """Points along x and y."""
        return tuple(len(self.places[dim]) for dim in PLACES)

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of the fields."""
        return tuple(dict.fromkeys(channel.field for channel in self.channels))

    def period(self, dim: str) -> float | None:
        """Length after which a dimension comes back, where the file says so: its scalar L."""
        lengths = np.unique(self.scalars.get("L", ()))
        if set(self.boundaries[dim]) != {"PERIODIC"} or len(lengths) != 1:
            return None
        return float(lengths[0])


def look(path: Path) -> Header:
    """What a file says of itself; of its fields nothing is read. What was looked at is kept.

    Raises
    ------
    Faulty
        If it can't be read, or isn't as The Well has it: all reasons.
    """
    found = _look(path, seen(path))
    if not isinstance(found, Header):
        raise Faulty(*found)
    return found


def seen(path: Path) -> tuple[int, int]:
    """What tells within one process that a file is what it was."""
    about = path.stat()
    return about.st_size, about.st_mtime_ns


def listing(path: Path) -> str:
    """Digest of a file's size, of what it says of itself, and of its ends; fields aren't read."""
    with path.open("rb") as file:
        start = file.read(ENDS)
        size = file.seek(0, 2)
        file.seek(max(0, size - ENDS))
        total = hashlib.sha256(start + file.read() + size.to_bytes(8, "big"))
    try:
        total.update(look(path).digest.encode())
    except Faulty as error:
        total.update(str(error).encode())
    return total.hexdigest()


def chosen(header: Header, names: Sequence[str] | None) -> tuple[Channel, ...]:
    """Channels of fields, or channels, that are named, in that order; all if none are.

    Raises
    ------
    KeyError
        If the file has no such field or channel: its name.
    """
    if names is None:
        return header.channels
    found = []
    for name in names:
        own = [channel for channel in header.channels if name in (channel.name, channel.field)]
        if not own:
            raise KeyError(name)
        found += own
    return tuple(found)


def window(
    header: Header, channels: Sequence[Channel], trajectory: int, frames: range
) -> np.ndarray:
    """Some frames of a trajectory, as they are stored; nothing else is read.

    Parameters
    ----------
    header : Header
    channels : sequence of Channel
    trajectory : int
    frames : range
        Stored frames.

    Returns
    -------
    (time, y, x, channel) float32

    Raises
    ------
    ValueError
        If they can't be read, or a value isn't finite; the message names file, trajectory, field
        and frame.
    """
    found = np.empty((len(frames), *header.size[::-1], len(channels)), np.float32)
    with opened(header.path) as file:
        read: dict[str, np.ndarray] = {}
        for place, channel in enumerate(channels):
            if channel.field not in read:
                read = {channel.field: _field(header, file, channel, trajectory, frames)}
            component: tuple[Any, ...] = (..., *channel.component)
            found[..., place] = read[channel.field][component]
    return found


def states(header: Header, trajectory: int, frames: range) -> dict[str, np.ndarray]:
    """Scalars (time,) that vary in time, at some frames of a trajectory."""
    with opened(header.path) as file:
        found = {}
        for name in header.states:
            item = file["scalars"][name]
            lead = (trajectory,) * bool(item.attrs["sample_varying"])
            values = item[(*lead, slice(frames.start, frames.stop, frames.step))]
            found[name] = values.astype(np.float64)
    return found


def unfinite(header: Header) -> Iterator[str]:
    """Fields with values that aren't finite, trajectory by trajectory; all of a file is read."""
    with opened(header.path) as file:
        for channel in {channel.field: channel for channel in header.channels}.values():
            for trajectory in range(header.trajectories):
                try:
                    for first in range(0, header.frames, BLOCK):
                        frames = range(first, min(first + BLOCK, header.frames))
                        _field(header, file, channel, trajectory, frames)
                except ValueError as error:
                    yield str(error)


def opened(path: Path) -> "h5py.File":
    """A file that is open for reading.

    Raises
    ------
    Faulty
        If it can't be opened: cut off, or of another format.
    """
    import h5py

    try:
        return h5py.File(path, "r")
    except OSError as error:
        if not path.exists():
            raise
        raise Faulty(f"can't be read: {error}") from None


def _field(
    header: Header, file: "h5py.File", channel: Channel, trajectory: int, frames: range
) -> np.ndarray:
    """Frames (time, y, x[, component[, component]]) of a field."""
    item = file[channel.group][channel.field]
    asked: list[Any] = [trajectory] if item.attrs["sample_varying"] else []
    if item.attrs["time_varying"]:
        asked.append(slice(frames.start, frames.stop, frames.step))
    where = f"trajectory {trajectory} of {channel.field}"
    try:
        values = item[tuple(asked)]
    except (OSError, RuntimeError) as error:
        raise ValueError(f"{header.path}: {where} can't be read: {error}") from None
    along = np.atleast_1d(item.attrs["dim_varying"]).tolist()
    lacking = [axis + 1 for axis, varies in enumerate(along) if not varies]
    lacking = [0] * (not item.attrs["time_varying"]) + lacking
    for axis in lacking:
        values = np.expand_dims(values, axis)
    if not (finite := np.isfinite(values)).all():
        frame = frames[int(np.argwhere(~finite)[0][0])] if len(values) > 1 else frames[0]
        raise ValueError(
            f"{header.path}: {where} is not finite at {int((~finite).sum())} of {finite.size}"
            f" values, first in frame {frame}"
        )
    size = [len(header.places[dim]) for dim in header.dims]
    whole = np.broadcast_to(values, (len(frames), *size, *values.shape[3:]))
    return np.moveaxis(whole, [1 + header.dims.index(dim) for dim in ("y", "x")], [1, 2])


@lru_cache(maxsize=10_000)
def _look(path: Path, seen: tuple[int, int]) -> Header | tuple[str, ...]:
    try:
        with opened(path) as file:
            if found := form.faults(file) or [*_unread(file)]:
                return tuple(found)
            return _header(path, file)
    except Faulty as error:
        return error.reasons
    except (OSError, RuntimeError, KeyError) as error:
        return (f"can't be read: {error}",)


def _unread(file: "h5py.File") -> Iterator[str]:
    """What The Well's form allows, and isn't read here."""
    group = file["dimensions"]
    dims = form.texts(group, "spatial_dims")
    if set(dims) != set(PLACES):
        yield f"has the dimensions {', '.join(dims)}; x and y are read"
        return
    if file.attrs["grid_type"] != "cartesian":
        yield f"has a grid of type {file.attrs['grid_type']}; cartesian ones are read"
    for dim in dims:
        if group[dim].ndim > 1:
            yield f"dimensions/{dim} varies between trajectories or in time"
    if not any(np.size(file[name].attrs["field_names"]) for name in form.FIELDS):
        yield "has no field"
    steps = np.diff(np.atleast_2d(group["time"][()]).astype(np.float64), axis=1)
    if (np.abs(steps - steps.mean()) > UNEVEN * steps.mean()).any():
        yield f"its times are {steps.min():.4g} to {steps.max():.4g} apart, which isn't even"


def _header(path: Path, file: "h5py.File") -> Header:
    dims = form.texts(file["dimensions"], "spatial_dims")
    dataset, count = str(file.attrs["dataset_name"]), int(file.attrs["n_trajectories"])
    times = np.atleast_2d(file["dimensions/time"][()]).astype(np.float64)
    scalars: dict[str, np.ndarray] = {}
    states, notes = [], []
    steps = np.diff(times, axis=1)
    if (far := np.abs(steps - steps.mean()).max() / steps.mean()) > EVEN:
        notes.append(
            f"frames are {steps.min():.4g} to {steps.max():.4g} apart, up to {far:.2g} of a step"
            f" off {steps.mean():.4g}, which they are taken to be"
        )
    for name in form.texts(file["scalars"], "field_names"):
        item = file["scalars"][name]
        if item.attrs["time_varying"]:
            states.append(name)
            continue
        called = RENAMED.get((dataset, name), name)
        if called != name and called in form.texts(file["scalars"], "field_names"):
            called = name
        if called != name:
            notes.append(f"scalars/{name} is called {called} here, which it is in {dataset}")
        values = np.asarray(item[()], np.float64).reshape(-1)
        scalars[called] = np.array(np.broadcast_to(values, (count,)))
    boundaries = _boundaries(file, dims)
    channels = tuple(_channels(file, dims))
    places = {dim: file["dimensions"][dim][()].astype(np.float64) for dim in dims}
    said = {
        "dataset": dataset,
        "channels": [channel.name for channel in channels],
        "boundaries": boundaries,
        "states": states,
        "arrays": {
            name: values.tolist() for name, values in {"time": times, **places, **scalars}.items()
        },
    }
    return Header(
        path=path,
        dataset=dataset,
        grid=str(file.attrs["grid_type"]),
        dims=dims,
        places=places,
        trajectories=count,
        frames=times.shape[1],
        times=np.broadcast_to(times, (count, times.shape[1])),
        channels=channels,
        scalars=scalars,
        states=tuple(states),
        boundaries=boundaries,
        doubts=tuple(form.doubts(file)),
        notes=tuple(notes),
        digest=hashlib.sha256(json.dumps(said).encode()).hexdigest(),
    )


def _channels(file: "h5py.File", dims: Sequence[str]) -> Iterator[Channel]:
    for order, group in enumerate(form.FIELDS):
        for name in form.texts(file[group], "field_names"):
            for component in product(range(len(dims)), repeat=order):
                ending = "".join(dims[each] for each in component)
                yield Channel(f"{name}_{ending}" if ending else name, name, group, component)


def _boundaries(file: "h5py.File", dims: Sequence[str]) -> dict[str, tuple[str, str]]:
    """What is at both ends of each place: OPEN where nothing is said, as the_well has it."""
    ends = {dim: [OPEN, OPEN] for dim in dims}
    for group in file["boundary_conditions"].values():
        kind = str(group.attrs["bc_type"]).upper()
        for dim in form.texts(group, "associated_dims"):
            there = form.mask_ends(group, dim)
            for end in (0, 1):
                # a mask that is false at both ends is malformed, and noted: the type is what counts
                if there[end] or not any(there):
                    ends[dim][end] = kind
    return {dim: (first, last) for dim, (first, last) in ends.items()}
