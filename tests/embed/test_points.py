"""Networks on points, as they are embedded and run anywhere; the density beside them."""

import json

import numpy as np
import pytest
import xarray as xr

from physprobe.config import kinds
from physprobe.embed import stage as embedding
from physprobe.fit import stage as fitting
from physprobe.render import stage as rendering
from physprobe.simulate import stage as simulating
from physprobe.store import results
from physprobe.train import stage as training

SYSTEM = {"simulate": {"kind": "mixture", "clips": 60}, "render": {"kind": "points"}}
TRAINED = {"system": SYSTEM, "seeds": [1, 2], "steps": 2, "points": 40, "batch": 8}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A system, and the embeddings of an energy, an embedding and the density, all tiny."""
    folder = tmp_path_factory.mktemp("points")
    world = folder / "mixture"
    simulation, clips = (world / f"{n}.zarr/zarr.json" for n in ("simulation", "clips"))
    simulating.run(out=simulation, spec=json.dumps(SYSTEM["simulate"]))
    rendering.run(simulation=simulation, out=clips, spec=json.dumps(SYSTEM["render"]))
    recipes = {"dsm": {"noises": [2.0, 0.5]}, "vicreg": {"embedding": 5}}
    entries = {"density": {"kind": "density", "noises": [0, 1.0]}}
    for name, more in recipes.items():
        entry = json.dumps({"kind": name, **TRAINED, **more})
        training.run(out=folder / name / "model.safetensors", spec=entry)
        entries[name] = {"kind": "points", "model": str(folder / name), "seeds": [1, 2]}
    entries["random"] = {**entries["vicreg"], "weights": "random"}
    for name, entry in entries.items():
        out = world / f"embeddings/{name}.zarr/zarr.json"
        more = {"simulation": [simulation]} if name == "density" else {}
        embedding.run(clips=clips, out=out, spec=json.dumps(entry), **more)
    return world, entries


def opened(place, name):
    world, entries = place
    return xr.open_zarr(world / f"embeddings/{name}.zarr").load(), entries[name]


def test_stores_hold_what_networks_give_anywhere(place):
    system = xr.open_zarr(place[0] / "simulation.zarr").load()
    points = np.stack([system.x.values, system.y.values], -1)
    for name, layers in (("dsm", ["energy_2", "energy_0.5"]), ("vicreg", ["embedding"])):
        store, entry = opened(place, name)
        assert store.layer.values.tolist() == layers
        kind, spec = kinds.parse("embed", json.dumps(entry))
        for member in (1, 2):
            found = kind.anywhere(spec, member, system)(points)
            own = store.pooled.sel(member=member).values[:, :, 0]
            np.testing.assert_allclose(found.swapaxes(0, 1), own, atol=1e-5)
    random, entry = opened(place, "random")
    trained, _ = opened(place, "vicreg")
    assert random.sizes == trained.sizes
    assert not np.allclose(random.pooled, trained.pooled)
    assert "untrained" in random.attrs["label"]


def test_density_is_the_mixtures_own(place):
    system = xr.open_zarr(place[0] / "simulation.zarr").load()
    store, _ = opened(place, "density")
    energy, smoothed = (store.pooled.values[:, number, 0] for number in (0, 1))
    np.testing.assert_allclose(energy[:, 0], -np.log(400) - system.log_density.values, rtol=1e-5)
    scores = np.stack([system.score_x.values, system.score_y.values], -1)
    np.testing.assert_allclose(smoothed[:, 1:], scores, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "method", "schema"), [("dsm", "energies", "energy"), ("vicreg", "spread", "spread")]
)
def test_methods_run_networks_on_other_points(place, name, method, schema, tmp_path):
    world = place[0]
    more = {"samples": 20, "steps": 4, "cells": 4, "frames": 2} if method == "energies" else {}
    out = tmp_path / f"mixture/fits/{name}.{method}.json"
    fitting.run(
        embeddings=[world / f"embeddings/{name}.zarr/zarr.json"],
        simulation=[world / "simulation.zarr/zarr.json"],
        out=out, spec=json.dumps({"kind": method, **more}),
    )  # fmt: skip
    found = results.read(out, schema)
    assert [part["member"] for part in found["members"]] == [1, 2]
    values = [[row["value"] for row in part["rows"]] for part in found["members"]]
    assert values[0] != values[1]


def test_faults_are_named(place, tmp_path):
    world, entries = place
    lacking = {**entries["vicreg"], "seeds": [1, 9]}
    with pytest.raises(ValueError, match=r"no member 9.*1, 2"):
        embedding.run(
            clips=world / "clips.zarr/zarr.json", out=tmp_path / "a.zarr/zarr.json",
            spec=json.dumps(lacking),
        )  # fmt: skip
