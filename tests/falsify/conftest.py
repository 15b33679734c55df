"""Stores that verdicts are read beside."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from physprobe.store import writing


def make_system(
    folder: Path, labels: Mapping[str, np.ndarray], encoders: Mapping[str, str] | None = None
) -> dict[str, list[Path]]:
    """A system's simulation, and the embeddings of encoders by name and label, which hold noise."""
    clips = len(next(iter(labels.values())))
    coords = {name: (("clip",), np.asarray(values), {}) for name, values in labels.items()}
    layer = {"layer": (("layer",), np.array(["final"]), {})}
    dims = ("clip", "layer", "time", "feature")
    pooled = np.random.default_rng(0).normal(size=(clips, 1, 2, 3)).astype("f4")
    return {
        "simulation": [
            _made(folder / "simulation.zarr", "field", ("clip",), np.ones(clips, "f4"), coords)
        ],
        "embeddings": [
            _made(folder / "embeddings" / f"{name}.zarr", "pooled", dims, pooled, layer, label)
            for name, label in (encoders or {}).items()
        ],
    }


def _made(
    root: Path, name: str, dims: tuple, values: np.ndarray, coords: Mapping, label: str = ""
) -> Path:
    out = root / "zarr.json"
    with writing.create(
        out,
        variables={name: writing.Variable(dims, values.shape, str(values.dtype))},
        coords=coords,
        attrs={"spec": {"kind": "any"}, "label": label},
        fingerprint={},
        block=len(values),
    ) as store:
        store.fill(lambda block: {name: values[block]})
    return out


@pytest.fixture(scope="session")
def system() -> Callable:
    """Stores of a system, from its folder, its labels, and encoders with their labels."""
    return make_system
