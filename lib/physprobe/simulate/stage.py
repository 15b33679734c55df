"""Simulate: solve a system's equation for every clip, and let no clip pass that breaks its laws."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from physprobe.config import kinds
from physprobe.simulate.section import Kind
from physprobe.store import job, log, writing, zarrs


def run(*, out: Path, spec: str, force: bool = False) -> None:
    """Simulate a system into ``simulation.zarr``.

    Parameters
    ----------
    out : Path
        Root ``zarr.json`` of the store: the field (clip, ...) along the system's own dimensions -
        (time, y, x), or (time, quantity) where bodies move - the states (clip, time) of a system
        that has some, and the labels (clip).
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
    variables = {
        system.FIELD: writing.Variable(("clip", *coords), shape, "float32", about, compress=True)
    }
    for name, unit in system.state_units(spec_).items():
        variables[name] = writing.Variable(
            ("clip", "time"), shape[:2], "float64", {"units": unit}, compress=True
        )

    def solve(block: slice) -> dict[str, np.ndarray]:
        solution, states = system.solved(spec_, {n: label[block] for n, label in labels.items()})
        for place, clip in enumerate(range(block.start, block.stop)):
            values = {name: label[clip] for name, label in labels.items()}
            try:
                system.check(spec_, values, solution[place])
                system.check_states(spec_, values, {n: v[place] for n, v in states.items()})
            except ValueError as error:
                raise ValueError(f"clip {clip} of {entry['kind']}: {error}") from None
        if system.RESOLUTION is not None:
            solution = _rounded(solution, system.RESOLUTION)
        return {system.FIELD: solution, **states}

    with writing.create(
        out,
        variables=variables,
        coords=_coordinates({**system.label_units(spec_), **system.DIMENSIONS}, labels, coords),
        attrs={
            "schema": "physprobe/simulation/1",
            "field": system.FIELD,
            "periodic": list(system.periodic(spec_)),
            "spec": entry,
            "code": job.current().code,
            **system.about(spec_),
        },
        fingerprint={"code": job.current().code, "spec": entry, "content": spec_.content()},
        block=system.together(spec_),
        force=force,
    ) as store:
        store.fill(solve, job.current().threads)
    log.done(
        f"{root}: {count} clips x {shape[1]} frames x"
        f" {' x '.join(map(str, shape[2:]))}, gates passed, {log.megabytes(root):.0f} MB"
    )


def _rounded(field: np.ndarray, resolution: float) -> np.ndarray:
    """Field to the nearest multiple of a power of two: exact in float32, and compressible."""
    return np.rint(field / np.float32(resolution)) * np.float32(resolution)


def _coordinates(units: Mapping, labels: dict, coords: dict) -> dict:
    def about(name: str) -> dict:
        return {"units": units[name]} if units.get(name) else {}

    found = {dim: ((dim,), values, about(dim)) for dim, values in coords.items()}
    clips = np.arange(len(next(iter(labels.values()))))
    return found | {
        name: (("clip",), values, about(name)) for name, values in {"clip": clips, **labels}.items()
    }
