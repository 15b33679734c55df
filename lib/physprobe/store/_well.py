"""The Well: a simulation of a fluid written as its files, for the_well's loader and others'.

    <out>/stats.yaml                        of the training files, as the loader normalises by them
    <out>/<name>.yaml                       what the files hold
    <out>/data/{train,valid,test}/<name>.hdf5

Every clip is a trajectory of its own; ``group`` and ``t0`` stay with it as scalars, and groups are
on one side of the split. Labels that differ from clip to clip are scalars
(trajectory), those that don't are ``simulation_parameters`` besides. Numbers are in single
precision, as The Well has them. Clips are written one by one; memory doesn't grow with them.

References
----------
Ohana et al. 2024, The Well; form and pitfalls as measured on the_well 1.2.0.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from physprobe.config import kinds
from physprobe.statistics import seeds
from physprobe.store import files, log, zarrs

if TYPE_CHECKING:
    import h5py
    import xarray as xr

SPLITS = ("train", "valid", "test")
SIDES = {"train": "train", "neither": "valid", "test": "test"}
HELD_OUT = 10  # groups, of which one is for validation and one for test
PLACES = ("x", "y")
LEFT_OUT = ("clip", "split", "start", "trajectory")
"""Labels that say where a clip is from, or on which side."""


@dataclass(frozen=True)
class Field:
    """A field of The Well: its order as a tensor, and its channels, row by row."""

    name: str
    order: int
    channels: tuple[int, ...]

    @property
    def group(self) -> str:
        """Group of the file that it lies in."""
        return f"t{self.order}_fields"

    @property
    def shape(self) -> tuple[int, ...]:
        """Of its components."""
        return (len(PLACES),) * self.order


@dataclass
class Moments:
    """Mean and deviation of numbers that come clip by clip, channel by channel; in double.

    References
    ----------
    Chan, Golub and LeVeque 1983, equation 2.1b.
    """

    count: int = 0
    mean: np.ndarray = field(default_factory=lambda: np.zeros(1))
    squares: np.ndarray = field(default_factory=lambda: np.zeros(1))
    """Sum of squared deviations."""

    def add(self, values: np.ndarray) -> None:
        """Take values (..., channel) in."""
        flat = values.reshape(-1, values.shape[-1]).astype(np.float64)
        mean = flat.mean(0)
        count = self.count + len(flat)
        apart = mean - self.mean
        self.squares = (
            self.squares + ((flat - mean) ** 2).sum(0) + apart**2 * self.count * len(flat) / count
        )
        self.mean = self.mean + apart * len(flat) / count
        self.count = count

    @property
    def deviation(self) -> np.ndarray:
        """Of all numbers, as a population."""
        return np.sqrt(self.squares / self.count)

    @property
    def rms(self) -> np.ndarray:
        """Root of the mean square."""
        return np.sqrt(self.squares / self.count + self.mean**2)


def write(simulation: Path, out: Path, name: str) -> None:
    """Write a simulation of a fluid as The Well's files; see :func:`physprobe.store.export.run`."""
    source = zarrs.read(simulation)
    if source.attrs.get("field") != "fluid":
        raise ValueError(
            f"{simulation} is no simulation of a fluid: it holds"
            f" {', '.join(map(str, source.data_vars))}."
            " Hint: give results/{system}/simulation.zarr of a system with channels."
        )
    name = name or zarrs.place(simulation).absolute().parent.name
    places = {split: out / "data" / split / f"{name}.hdf5" for split in SPLITS}
    others = [
        path
        for split, place in places.items()
        for path in (out / "data" / split).glob("*.h*5")
        if path != place
    ]
    if others:
        raise ValueError(
            f"{others[0]}: a loader would take it for a part of {name}. Hint: give another folder."
        )
    sides = split(source)
    if not (sides == "train").any():
        raise ValueError(f"{simulation}: no clip is for training, so there are no statistics.")
    fields = shaped([str(each) for each in source.channel.values])
    values, deltas = Moments(), Moments()
    for side, place in places.items():
        clips = np.flatnonzero(sides == side)
        if not len(clips):
            place.unlink(missing_ok=True)
            continue
        with files.replacing(place) as temporary:
            for clip in _written(source, temporary, name, fields, clips):
                if side == "train":
                    values.add(clip)
                    deltas.add(np.diff(clip, axis=0))
    files.write_text(out / "stats.yaml", _yaml(_statistics(fields, values, deltas)))
    files.write_text(out / f"{name}.yaml", _yaml(_about(source, name, fields, sides)))
    counts = ", ".join(f"{int((sides == side).sum())} {side}" for side in SPLITS)
    log.done(f"{out}: {counts} trajectories x {source.sizes['time']} frames")


def split(source: "xr.Dataset") -> np.ndarray:
    """File (clip,) of each clip: train, valid or test.

    As the simulation declares it, if it does; else of every ten groups, in an order that is drawn,
    one is for validation and one for test, and of fewer than three none is.
    """
    if "split" in source:
        return np.array([SIDES[side] for side in source["split"].values.tolist()])
    groups = source["group"].values if "group" in source else np.arange(source.sizes["clip"])
    names, member = np.unique(groups, return_inverse=True)
    order = seeds.rng("the_well", "split", len(names)).permutation(len(names))
    held = max(1, len(names) // HELD_OUT) if len(names) > 2 else 0
    sides = np.full(len(names), "train")
    sides[order[:held]] = "valid"
    sides[order[held : 2 * held]] = "test"
    return sides[member]


def shaped(channels: Sequence[str]) -> list[Field]:
    """Fields that channels are components of: ``v_x, v_y``, or ``D_xx, D_xy, D_yx, D_yy``."""
    found: dict[str, Field] = {}
    places = {channel: place for place, channel in enumerate(channels)}
    components = {
        1: [f"_{i}" for i in PLACES],
        2: [f"_{i}{j}" for i in PLACES for j in PLACES],
    }
    for place, channel in enumerate(channels):
        name, _, ending = channel.rpartition("_")
        order = len(ending) if f"_{ending}" in components.get(len(ending), ()) else 0
        own = [places.get(name + each) for each in components.get(order, ())]
        if order and None not in own:
            found[name] = Field(name, order, tuple(each for each in own if each is not None))
        else:
            found[channel] = Field(channel, 0, (place,))
    return list(found.values())


def _written(
    source: "xr.Dataset", path: Path, name: str, fields: Sequence[Field], clips: np.ndarray
) -> Iterator[np.ndarray]:
    """Write a file, and give every clip (time, y, x, channel) that was written."""
    import h5py

    with h5py.File(path, "w") as file:
        _head(source, file, name, clips)
        items = {}
        for order in range(3):
            own = [each for each in fields if each.order == order]
            group = file.create_group(f"t{order}_fields")
            _names(group, "field_names", [each.name for each in own])
            size = [source.sizes[dim] for dim in ("time", *PLACES)]
            for each in own:
                shape = (len(clips), *size, *each.shape)
                items[each.name] = group.create_dataset(each.name, shape, np.float32)
                _flags(items[each.name], sample=True, time=True)
                items[each.name].attrs["dim_varying"] = np.ones(len(PLACES), bool)
                if order == 2:
                    items[each.name].attrs["symmetric"] = False
                    items[each.name].attrs["antisymmetric"] = False
        for row, clip in enumerate(clips):
            values = zarrs.values(source, "fluid", clip=int(clip))
            turned = values.transpose(0, 2, 1, 3)
            for each in fields:
                own_values = turned[..., list(each.channels)]
                items[each.name][row] = own_values.reshape(*turned.shape[:3], *each.shape)
            yield values


def _head(source: "xr.Dataset", file: "h5py.File", name: str, clips: np.ndarray) -> None:
    """All of a file but its fields."""
    scalars, constants = labels(source)
    file.attrs["dataset_name"] = name
    file.attrs["grid_type"] = "cartesian"
    file.attrs["n_spatial_dims"] = len(PLACES)
    file.attrs["n_trajectories"] = len(clips)
    _names(file, "simulation_parameters", list(constants))
    for key, value in constants.items():
        file.attrs[key] = value
    group = file.create_group("dimensions")
    _names(group, "spatial_dims", PLACES)
    for dim in ("time", *PLACES):
        group[dim] = source[dim].values.astype(np.float32)
        _flags(group[dim], sample=False, time=False)
    group = file.create_group("scalars")
    _names(group, "field_names", [*constants, *scalars])
    for key, value in constants.items():
        group[key] = np.float32(value)
        _flags(group[key], sample=False, time=False)
    for key, values in scalars.items():
        group[key] = values[clips].astype(np.float32)
        _flags(group[key], sample=True, time=False)
    group = file.create_group("boundary_conditions")
    for dim, ends in boundaries(source).items():
        for kind in dict.fromkeys(ends):
            own = group.create_group(f"{dim}_{kind.lower()}")
            own.attrs["bc_type"] = kind
            _names(own, "associated_dims", [dim])
            _names(own, "associated_fields", [])
            _flags(own, sample=False, time=False)
            # the loader looks at the first and the last point
            mask = np.zeros(source.sizes[dim], bool)
            mask[[0, -1]] = [end == kind for end in ends]
            own["mask"] = mask


def labels(source: "xr.Dataset") -> tuple[dict[str, np.ndarray], dict[str, float]]:
    """Labels (clip,) that are numbers and differ, and those that are the same of all clips."""
    scalars: dict[str, np.ndarray] = {}
    constants: dict[str, float] = {}
    for label in map(str, source.variables):
        values = np.asarray(source[label].values)
        if source[label].dims != ("clip",) or label in LEFT_OUT:
            continue
        if values.dtype.kind not in "fiub":
            log.info("label %s is no number, and is left out", label)
        elif label != "group" and (values == values[0]).all():
            constants[label] = float(values[0])
        else:
            scalars[label] = values
    return scalars, constants


def boundaries(source: "xr.Dataset") -> dict[str, tuple[str, str]]:
    """What is at both ends of each place: PERIODIC, WALL or OPEN."""
    if "boundaries" in source.attrs:
        return {dim: tuple(source.attrs["boundaries"][dim]) for dim in PLACES}
    y, x = kinds.load("simulate", source.attrs["spec"]["kind"]).PERIODIC
    return {dim: ("PERIODIC" if own else "WALL",) * 2 for dim, own in (("x", x), ("y", y))}


def _names(group: Any, key: str, names: Sequence[str]) -> None:
    """Write a list of names; an empty one would be of numbers otherwise."""
    import h5py

    group.attrs.create(key, list(names), dtype=h5py.string_dtype())


def _flags(item: Any, *, sample: bool, time: bool) -> None:
    item.attrs["sample_varying"], item.attrs["time_varying"] = sample, time


def _statistics(
    fields: Sequence[Field], values: Moments, deltas: Moments
) -> dict[str, dict[str, Any]]:
    """Statistics by name and field, components nested as the field's."""
    found = {
        "mean": values.mean,
        "std": values.deviation,
        "rms": values.rms,
        "mean_delta": deltas.mean,
        "std_delta": deltas.deviation,
        "rms_delta": deltas.rms,
    }
    return {
        key: {
            each.name: numbers[list(each.channels)].reshape(each.shape).tolist() for each in fields
        }
        for key, numbers in found.items()
    }


def _about(
    source: "xr.Dataset", name: str, fields: Sequence[Field], sides: np.ndarray
) -> dict[str, Any]:
    """What the files hold, under the_well's names."""
    scalars, constants = labels(source)
    channels = [str(each) for each in source.channel.values]
    counts = [int((sides == side).sum()) for side in SPLITS if (sides == side).any()]
    return {
        "dataset_name": name,
        "n_spatial_dims": len(PLACES),
        "spatial_resolution": [source.sizes[dim] for dim in PLACES],
        "scalar_names": [],
        "constant_scalar_names": [*constants, *scalars],
        "field_names": {
            order: [
                channels[own] for each in fields if each.order == order for own in each.channels
            ]
            for order in range(3)
        },
        "constant_field_names": {order: [] for order in range(3)},
        "boundary_condition_types": sorted(
            {end for ends in boundaries(source).values() for end in ends}
        ),
        "n_files": len(counts),
        "n_trajectories_per_file": counts,
        "n_steps_per_trajectory": [source.sizes["time"]] * len(counts),
        "grid_type": "cartesian",
    }


def _yaml(content: Mapping[str, Any]) -> str:
    import yaml

    return yaml.safe_dump(dict(content), sort_keys=False)
