"""Tiny files of The Well's form, and ways to spoil them: what tests need and no one simulates."""

from collections.abc import Mapping
from pathlib import Path

import h5py
import numpy as np

TEXT = h5py.string_dtype()
SIZE = (8, 6)
"""Points along x and y."""


def numbered(
    trajectories: int = 2, frames: int = 12, size: tuple[int, int] = SIZE, order: int = 0
) -> np.ndarray:
    """A field (trajectory, time, x, y[, component]) whose values tell where they are."""
    shape = (trajectories, frames, *size, *(2,) * order)
    weights = (10_000.0, 100.0, 10.0, 1.0, 0.25, 0.125)
    places = np.indices(shape, np.float32)
    return sum(w * p for w, p in zip(weights, places, strict=False)).astype(np.float32)


def names(group, key: str, values: list[str]) -> None:
    group.attrs.create(key, values, dtype=TEXT)


def flags(item, sample: bool = False, time: bool = False) -> None:
    item.attrs["sample_varying"], item.attrs["time_varying"] = sample, time


def write(
    path: Path,
    *,
    dataset: str = "shear_flow",
    fields: Mapping[str, np.ndarray] | None = None,
    scalars: Mapping[str, float | np.ndarray] | None = None,
    frames: int = 12,
    trajectories: int = 2,
    x: np.ndarray | None = None,
    y: np.ndarray | None = None,
    interval: float = 0.1,
    walls: bool = False,
) -> Path:
    """Write a file; of a field the number of axes says its order, of a scalar whether it varies.

    By default fields and scalars are named in another order than that of the alphabet.
    """
    x = np.arange(SIZE[0]) / SIZE[0] if x is None else x
    y = np.linspace(-1, 1, SIZE[1], endpoint=False) if y is None else y
    size = (len(x), len(y))
    if fields is None:
        base = numbered(trajectories, frames, size)
        fields = {
            "tracer": base,
            "pressure": -base,
            "velocity": numbered(trajectories, frames, size, order=1),
        }
    scalars = {"Reynolds": 1e4, "Schmidt": 0.5} if scalars is None else scalars
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        file.attrs["dataset_name"], file.attrs["grid_type"] = dataset, "cartesian"
        file.attrs["n_spatial_dims"], file.attrs["n_trajectories"] = 2, trajectories
        constant = [name for name, value in scalars.items() if np.ndim(value) == 0]
        names(file, "simulation_parameters", constant)
        for name in constant:
            file.attrs[name] = float(scalars[name])
        group = file.create_group("dimensions")
        names(group, "spatial_dims", ["x", "y"])
        for name, values in {"time": interval * np.arange(frames), "x": x, "y": y}.items():
            group[name] = np.asarray(values, np.float32)
            flags(group[name])
        group = file.create_group("scalars")
        names(group, "field_names", list(scalars))
        for name, value in scalars.items():
            group[name] = np.float32(value)
            flags(group[name], sample=np.ndim(value) == 1)
        for order in range(3):
            group = file.create_group(f"t{order}_fields")
            own = {name: v for name, v in fields.items() if v.ndim == 4 + order}
            names(group, "field_names", list(own))
            for name, values in own.items():
                group[name] = values
                flags(group[name], sample=True, time=True)
                group[name].attrs["dim_varying"] = np.ones(2, bool)
        group = file.create_group("boundary_conditions")
        for dim, count in (("x", len(x)), ("y", len(y))):
            wall = walls and dim == "y"
            own = group.create_group(f"{dim}_{'wall_dirichlet' if wall else 'periodic'}")
            own.attrs["bc_type"] = "WALL" if wall else "PERIODIC"
            names(own, "associated_dims", [dim])
            names(own, "associated_fields", [])
            flags(own)
            own["mask"] = np.isin(np.arange(count), (0, count - 1))
    return path
