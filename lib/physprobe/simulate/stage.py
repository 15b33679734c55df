"""Simulate: solve a system's equation for every clip, and let no clip pass that breaks its laws."""

from pathlib import Path

import numpy as np

from physprobe.config import kinds
from physprobe.simulate.section import Kind
from physprobe.store import job, log, zarrs


def run(*, out: Path, spec: str, force: bool = False) -> None:
    """Simulate a system into ``simulation.zarr``.

    Parameters
    ----------
    out : Path
        Root ``zarr.json`` of the store: the field (clip, ...) along the system's own dimensions -
        (time, y, x), or (time, quantity) where bodies move - and the labels (clip).
    spec : str
        JSON of the system's spec.
    force : bool
        Write the store anew if it is finished.

    Raises
    ------
    ValueError
        If the labels or a clip break a gate of their system; the message names gate and clip.
    FileExistsError
        If the store is finished and follows from something else, unless forced.
    """
    root = zarrs.place(out)
    system: Kind
    system, spec_ = kinds.parse("simulate", spec)
    entry = spec_.dump()
    labels = system.draw(spec_)
    system.check_labels(spec_, labels)
    coords = system.coords(spec_)
    count = len(next(iter(labels.values())))
    shape = (count, *map(len, coords.values()))
    about = {"units": system.FIELD_UNIT, "resolution": system.RESOLUTION}
    field = zarrs.Variable(("clip", *coords), shape, "float32", about, compress=True)

    def solve(clip: int) -> np.ndarray:
        values = {name: label[clip] for name, label in labels.items()}
        solution = system.field(spec_, values)
        try:
            system.check(spec_, values, solution)
        except ValueError as error:
            raise ValueError(f"clip {clip} of {entry['kind']}: {error}") from None
        return solution if system.RESOLUTION is None else _rounded(solution, system.RESOLUTION)

    with zarrs.create(
        out,
        variables={system.FIELD: field},
        coords=_coordinates(system, labels, coords, count),
        attrs={
            "schema": "physprobe/simulation/1",
            "field": system.FIELD,
            "spec": entry,
            "code": job.current().code,
        },
        fingerprint={"code": job.current().code, "spec": entry, "content": spec_.content()},
        force=force,
    ) as store:
        store.fill(lambda block: {system.FIELD: solve(block.start)[None]}, job.current().threads)
    log.done(
        f"{root}: {count} clips x {shape[1]} frames x"
        f" {' x '.join(map(str, shape[2:]))}, gates passed, {log.megabytes(root):.0f} MB"
    )


def _rounded(field: np.ndarray, resolution: float) -> np.ndarray:
    """Field to the nearest multiple of a power of two: exact in float32, and compressible."""
    return np.rint(field / np.float32(resolution)) * np.float32(resolution)


def _coordinates(system: Kind, labels: dict, coords: dict, count: int) -> dict:
    units = {"time": "s", "y": "px", "x": "px"}
    found = {
        dim: ((dim,), values, {"units": units[dim]} if dim in units else {})
        for dim, values in coords.items()
    }
    found["clip"] = (("clip",), np.arange(count), {})
    for name, values in labels.items():
        unit = system.UNITS.get(name)
        found[name] = (("clip",), values, {"units": unit} if unit else {})
    return found
