"""Form: whether a file is as The Well has it; all that is wrong is told at once, by name.

    /                     attrs dataset_name, grid_type, n_spatial_dims, n_trajectories, simulation_parameters
    /dimensions           attr spatial_dims; time (time), and (place) of each spatial dimension
    /boundary_conditions  groups with attrs bc_type, associated_dims, ... and a mask (place)
    /scalars              attr field_names; each () or (trajectory) or (time)
    /t0_fields            attr field_names; each (trajectory, time, x, y); /t1_fields with (component)
    /t2_fields            and with (component, component) behind that

What doesn't vary along trajectories or time has no such axis (``sample_varying``, ``time_varying``),
and a field none along a place that it doesn't vary along (``dim_varying``).

References
----------
Ohana et al. 2024, The Well, appendix; ``scripts/check_thewell_formatting.py`` of the_well 1.2.0 says
what is asked for; written anew.
"""  # noqa: E501

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import h5py

FIELDS = ("t0_fields", "t1_fields", "t2_fields")
GROUPS = ("dimensions", "boundary_conditions", "scalars", *FIELDS)
ROOT = ("dataset_name", "grid_type", "n_spatial_dims", "n_trajectories", "simulation_parameters")
TYPES = ("PERIODIC", "WALL", "OPEN")


def faults(file: "h5py.File") -> list[str]:
    """All that keeps a file from being read, in words.

    Parameters
    ----------
    file : h5py.File
        Open; of fields only shapes are looked at.
    """
    lacking = [f"has no attribute {name}" for name in ROOT if name not in file.attrs]
    lacking += [f"has no group {name}" for name in GROUPS if not _is_group(file.get(name))]
    if lacking:
        return lacking
    found = [*_root(file)]
    if found:
        return found
    return [*_dimensions(file), *_fields(file), *_scalars(file), *_boundaries(file)]


def doubts(file: "h5py.File") -> list[str]:
    """What is wrong, and doesn't keep a file without faults from being read."""
    found = []
    for name, value in ((n, file.attrs.get(n)) for n in texts(file, "simulation_parameters")):
        if value is None:
            found.append(f"simulation parameter {name} is no attribute")
    for name in texts(file["scalars"], "field_names"):
        if file["scalars"][name].shape == (1,) and not _varies(file["scalars"][name]):
            found.append(f"scalars/{name} is an array of one number, expected a number")
    for group in FIELDS:
        unnamed = sorted({*file[group]} - {*texts(file[group], "field_names")})
        if unnamed:
            found.append(f"{group} has {', '.join(unnamed)}, which its field_names don't name")
    for name, group in file["boundary_conditions"].items():
        ends = [mask_ends(group, dim) for dim in texts(group, "associated_dims")]
        if not any(end for pair in ends for end in pair):
            found.append(
                f"boundary_conditions/{name}/mask is false at both ends, where the_well's loader"
                f" looks: it would take {group.attrs['bc_type']} for OPEN"
            )
    return found


def texts(group: "h5py.Group", name: str) -> tuple[str, ...]:
    """Names that an attribute lists."""
    return tuple(str(each) for each in np.atleast_1d(group.attrs[name]).tolist())


def mask_ends(group: "h5py.Group", dim: str) -> tuple[bool, bool]:
    """Whether the mask of a boundary condition is true at both ends of a dimension, anywhere."""
    mask = np.asarray(group["mask"])
    dims = texts(group, "associated_dims")
    axis = mask.ndim - len(dims) + dims.index(dim)
    return bool(mask.take(0, axis).any()), bool(mask.take(-1, axis).any())


def _is_group(item: Any) -> bool:
    import h5py

    return isinstance(item, h5py.Group)


def _is_array(item: Any) -> bool:
    import h5py

    return isinstance(item, h5py.Dataset)


def _varies(item: Any) -> bool:
    return bool(item.attrs["sample_varying"] or item.attrs["time_varying"])


def _listing(group: Any, name: str, where: str) -> Iterator[str]:
    """Why an attribute is no list of names."""
    if name not in group.attrs:
        yield f"{where} has no attribute {name}"
        return
    value = group.attrs[name]
    if not isinstance(value, np.ndarray) or value.ndim != 1:
        yield f"attribute {name} of {where} is {value!r}, expected a list of names"
    elif not all(isinstance(each, str) for each in value):
        yield f"attribute {name} of {where} has {value[0]!r}, expected text"
    elif twice := sorted({each for each in value if list(value).count(each) > 1}):
        yield f"attribute {name} of {where} has {twice[0]} twice"


def _flags(item: Any, where: str, names: Sequence[str]) -> Iterator[str]:
    """Which attributes aren't true or false."""
    for name in names:
        if name not in item.attrs:
            yield f"{where} has no attribute {name}"
        elif not isinstance(item.attrs[name], bool | np.bool_):
            yield f"attribute {name} of {where} is {item.attrs[name]!r}, expected true or false"


def _root(file: "h5py.File") -> Iterator[str]:
    for name in ("dataset_name", "grid_type"):
        if not isinstance(file.attrs[name], str):
            yield f"attribute {name} is {file.attrs[name]!r}, expected text"
    for name in ("n_spatial_dims", "n_trajectories"):
        value = file.attrs[name]
        if not isinstance(value, int | np.integer) or value < 1:
            yield f"attribute {name} is {value!r}, expected a whole number from 1 on"
    yield from _listing(file["dimensions"], "spatial_dims", "dimensions")
    # an empty list of parameters has no type
    if len(np.atleast_1d(file.attrs["simulation_parameters"])):
        yield from _listing(file, "simulation_parameters", "the file")
    for name in ("scalars", *FIELDS):
        if "field_names" in file[name].attrs and not np.size(file[name].attrs["field_names"]):
            continue
        yield from _listing(file[name], "field_names", name)


def _dimensions(file: "h5py.File") -> Iterator[str]:
    group = file["dimensions"]
    dims = texts(group, "spatial_dims")
    if len(dims) != file.attrs["n_spatial_dims"]:
        yield f"n_spatial_dims is {file.attrs['n_spatial_dims']}, spatial_dims {', '.join(dims)}"
    for name in ("time", *dims):
        item, where = group.get(name), f"dimensions/{name}"
        if not _is_array(item):
            yield f"has no array {where}"
            continue
        wrong = [*_flags(item, where, ("sample_varying", *["time_varying"] * (name != "time")))]
        yield from wrong
        if wrong:
            continue
        lead = _lead(file, item)
        if item.shape[:-1] != tuple(lead.values()) or not item.shape[-1:] > (1,):
            shown = _shape((*lead.values(), "several"))
            yield f"{where} is {_shape(item.shape)}, expected {shown}"
        elif item.dtype.kind not in "fiu":
            yield f"{where} holds {item.dtype}, expected numbers"
        elif not np.isfinite(item[()]).all():
            yield f"{where} is not finite"
        elif (np.diff(item[()], axis=-1) <= 0).any():
            yield f"{where} doesn't ascend"


def _sizes(file: "h5py.File") -> dict[str, int]:
    """Sizes along time and places, of those that are there."""
    group = file["dimensions"]
    names = ("time", *texts(group, "spatial_dims"))
    return {n: group[n].shape[-1] for n in names if _is_array(group.get(n)) and group[n].shape}


def _lead(file: "h5py.File", item: Any) -> dict[str, int]:
    """Axes in front: of trajectories and of time, where something varies along them."""
    lead = {}
    if item.attrs["sample_varying"]:
        lead["trajectory"] = int(file.attrs["n_trajectories"])
    if item.attrs.get("time_varying"):
        lead["time"] = _sizes(file).get("time", 0)
    return lead


def _shape(sizes: Sequence[object]) -> str:
    return " x ".join(map(str, sizes)) or "one number"


def _expected(item: Any, axes: dict[str, int], where: str) -> Iterator[str]:
    if item.shape != tuple(axes.values()):
        named = f" ({', '.join(axes)})" if axes else ""
        yield (f"{where} is {_shape(item.shape)}, expected {_shape(tuple(axes.values()))}" + named)
    if item.dtype.kind not in "fiu":
        yield f"{where} holds {item.dtype}, expected numbers"


def _fields(file: "h5py.File") -> Iterator[str]:
    sizes = _sizes(file)
    dims = [dim for dim in texts(file["dimensions"], "spatial_dims") if dim in sizes]
    named: dict[str, str] = {}
    for order, group in enumerate(FIELDS):
        for name in texts(file[group], "field_names"):
            item, where = file[group].get(name), f"{group}/{name}"
            if not _is_array(item):
                yield f"{group} names {name}, which isn't there"
                continue
            if (other := named.setdefault(name, group)) != group:
                yield f"{where} is there twice, in {other} too"
            wrong = [*_flags(item, where, ("sample_varying", "time_varying"))]
            along = np.atleast_1d(item.attrs.get("dim_varying", ()))
            if along.dtype != bool or len(along) != len(dims):
                wrong.append(
                    f"attribute dim_varying of {where} is {along.tolist()}, expected true or false"
                    f" for each of {', '.join(dims)}"
                )
            yield from wrong
            if not wrong:
                lead = _lead(file, item)
                lead |= {dim: sizes[dim] for dim, own in zip(dims, along, strict=True) if own}
                lead |= {f"component {n + 1}": len(dims) for n in range(order)}
                yield from _expected(item, lead, where)


def _scalars(file: "h5py.File") -> Iterator[str]:
    group = file["scalars"]
    for name in texts(group, "field_names"):
        item, where = group.get(name), f"scalars/{name}"
        if not _is_array(item):
            yield f"scalars names {name}, which isn't there"
            continue
        wrong = [*_flags(item, where, ("sample_varying", "time_varying"))]
        yield from wrong
        if wrong:
            continue
        if item.shape != (1,) or _varies(item):
            wrong = [*_expected(item, _lead(file, item), where)]
            yield from wrong
        if not wrong and not np.isfinite(item[()]).all():
            yield f"{where} is not finite"


def _boundaries(file: "h5py.File") -> Iterator[str]:
    sizes = _sizes(file)
    for name, group in file["boundary_conditions"].items():
        where = f"boundary_conditions/{name}"
        if not _is_group(group):
            yield f"{where} is no group"
            continue
        lacking = [
            f"{where} has no attribute {each}"
            for each in ("bc_type", "associated_dims", "associated_fields")
            if each not in group.attrs
        ]
        wrong = [*lacking, *_flags(group, where, ("sample_varying", "time_varying"))]
        if not lacking:
            wrong += _listing(group, "associated_dims", where)
        if not _is_array(group.get("mask")):
            wrong.append(f"{where} has no mask")
        if "bc_type" in group.attrs and str(group.attrs["bc_type"]).upper() not in TYPES:
            wrong.append(
                f"{where} is of type {group.attrs['bc_type']}, expected {' or '.join(TYPES)}"
            )
        if not wrong:
            dims = texts(group, "associated_dims")
            odd = [dim for dim in dims if dim not in sizes or dim == "time"]
            wrong += [f"{where} is said of {dim}, which is no spatial dimension" for dim in odd]
            axes = _lead(file, group) | {dim: sizes.get(dim, 0) for dim in dims}
            if not wrong and group["mask"].shape != tuple(axes.values()):
                wrong.append(
                    f"{where}/mask is {_shape(group['mask'].shape)}, expected"
                    f" {_shape(tuple(axes.values()))} ({', '.join(axes)})"
                )
            elif not wrong and not dims:
                wrong.append(f"{where} is said of no dimension")
            elif not wrong and group["mask"].dtype != bool:
                wrong.append(f"{where}/mask holds {group['mask'].dtype}, expected true or false")
        yield from wrong
