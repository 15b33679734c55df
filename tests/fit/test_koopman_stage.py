"""Koopman stage: two stores in, one result, or one safetensors file, out."""

from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open

from physprobe.fit import stage
from physprobe.fit.designs import together
from physprobe.fit.methods import dmd, spatial_heat_head
from physprobe.store import results, writing, zarrs

TOGETHER = together.Spec().canonical()
CLIPS, TIMES = 24, 8


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> dict[str, Path]:
    """A simulation, and an embedding whose layer ``final`` turns slowly."""
    folder = tmp_path_factory.mktemp("world")
    rng = np.random.default_rng(0)
    alpha = rng.uniform(0.5, 5, CLIPS)
    angle = rng.uniform(0, 6, (CLIPS, 1)) + 0.3 * np.arange(TIMES)
    waves = np.stack([np.cos(angle), np.sin(angle), 0.1 * angle], axis=-1)
    tokens = rng.normal(size=(CLIPS, TIMES, 4, 4, 3)) + waves[:, :, None, None]
    pooled = np.stack([rng.normal(size=waves.shape), waves], axis=1)
    coords = {
        "layer": (("layer",), np.array(["0", "final"]), {}),
        "time": (("time",), 0.5 + 2.0 * np.arange(TIMES), {"units": "s"}),
    }
    labels = {
        "alpha": (("clip",), alpha, {"units": "px^2/s"}),
        "split": (("clip",), np.where(np.arange(CLIPS) < 18, "train", "test"), {}),
    }
    variables = {
        "pooled": (("clip", "layer", "time", "feature"), pooled.astype(np.float32)),
        "tokens_final": (("clip", "time", "y", "x", "feature"), tokens.astype(np.float16)),
    }
    only = {"pooled": variables["pooled"]}
    field = {"field": (("clip", "x"), np.ones((CLIPS, 1), np.float32))}
    return {
        "embeddings": store(folder / "embeddings" / "tiny.zarr", variables, coords),
        "pooled": store(folder / "embeddings" / "pooled.zarr", only, coords),
        "simulation": store(folder / "plain.zarr", field, {"alpha": labels["alpha"]}),
        "declared": store(folder / "declared.zarr", field, labels),
    }


def pair(folder: Path, *, tokens: bool = False) -> dict[str, list[Path]]:
    """Two systems that start alike: one turns, the other fades."""
    rng = np.random.default_rng(1)
    start, time = rng.uniform(1, 2, (CLIPS, 1)), np.arange(TIMES)
    zero = np.zeros((CLIPS, TIMES))
    worlds = {
        "wave": (start * np.cos(0.5 * time), start * np.sin(0.5 * time), zero),
        "diffusion": (start * 0.8**time, zero, start * 0.6**time),
    }
    coords = {
        "layer": (("layer",), np.array(["final"]), {}),
        "time": (("time",), 0.5 + 2.0 * time, {"units": "s"}),
    }
    found = {"embeddings": [], "simulation": []}
    for name, latents in worlds.items():
        pooled = np.stack(latents, axis=-1)[:, None]
        pooled = (pooled + 1e-3 * rng.normal(size=pooled.shape)).astype(np.float32)
        variables = {"pooled": (("clip", "layer", "time", "feature"), pooled)}
        if tokens:
            shown = pooled[:, 0, :, None, None] * np.ones((1, 1, 4, 4, 1))
            dims = ("clip", "time", "y", "x", "feature")
            variables["tokens_final"] = (dims, shown.astype(np.float16))
        found["embeddings"].append(store(folder / name / "tiny.zarr", variables, coords))
        field = {"field": (("clip", "x"), np.ones((CLIPS, 1), np.float32))}
        labels = {label: (("clip",), np.arange(CLIPS), {}) for label in ("ic_id", "group")}
        labels["alpha"] = (("clip",), rng.uniform(1, 2, CLIPS), {})
        found["simulation"].append(
            store(folder / name / "simulation.zarr", field, labels, {"kind": name})
        )
    return found


def store(root: Path, variables: dict, coords: dict, spec: dict | None = None) -> Path:
    out = root / "zarr.json"
    described = {
        name: writing.Variable(dims, values.shape, str(values.dtype))
        for name, (dims, values) in variables.items()
    }
    with writing.create(
        out,
        variables=described,
        coords=coords,
        attrs={"spec": spec or {}, "label": "a tiny encoder", "weights_hash": "abc"},
        fingerprint={},
        block=16,
    ) as writer:
        writer.fill(lambda block: {name: v[block] for name, (_, v) in variables.items()})
    return out


def small(kind: str) -> str:
    few = {"bootstraps": 100, "outer": 3, "inner": 2, "horizons": (1, 2)}
    if kind == "dmd":
        return dmd.Spec(shuffles=10, spectra=100, **few).canonical()
    return spatial_heat_head.Spec(permutations=10, refits=100, **few).canonical()


def run(world: dict, out: Path, kind: str, simulation: str = "simulation", **more) -> dict:
    stage.run(
        embeddings=[world[more.get("embeddings", "embeddings")]],
        simulation=[world[simulation]],
        out=out,
        spec=small(kind),
    )
    return results.read(out)


def test_dmd_result(world, tmp_path):
    found = run(world, tmp_path / "tiny.dmd.json", "dmd")
    assert found["schema"].startswith("physprobe/dynamics/")
    assert {row["layer"] for row in found["rows"]} == {"0", "final"}
    assert found["settings"]["time_step"] == 2.0
    assert list(found["forecast"]) == ["final"]
    (skill,) = (
        row
        for row in found["rows"]
        if (row["layer"], row["order"], row["baseline"]) == ("final", 1, "persistence")
        and (row["metric"], row["horizon"]) == ("skill", 2)
    )
    assert skill["ci_low"] > 0.9
    assert found["published"]["latent_dim"] == 3
    assert found["provenance"]["encoder"] == "a tiny encoder"
    again = run(world, tmp_path / "again.dmd.json", "dmd")
    assert again["rows"] == found["rows"]


def test_several_systems_share_a_model(tmp_path):
    both = pair(tmp_path)
    out = tmp_path / "pair" / "fits" / "tiny.dmd.json"
    stage.run(**both, out=out, spec=small("dmd"), design=TOGETHER)
    found = results.read(out)
    block = found["forecast"]["final"]
    assert block["equation"] == ["wave"] * CLIPS + ["diffusion"] * CLIPS
    assert block["group"] == [*range(CLIPS), *range(CLIPS)]
    assert set(block["higher_orders"]) == {"2", "3"}
    told = {r["equation"] for r in found["rows"] if r["metric"] == "skill_by_equation"}
    assert told == {"wave", "diffusion"}
    inputs = found["provenance"]["inputs"]
    assert inputs["embeddings 1"] == zarrs.digest(both["embeddings"][1])
    # turning and fading have no plane in common: the shared model has the eigenvalues of both
    (spectrum,) = (s for s in found["spectra"] if s["order"] == 1)
    eigenvalues = [complex(*pair) for pair in spectrum["eigenvalues"]]
    assert sum(abs(value.imag) > 0.1 for value in eigenvalues) == 2


def test_a_model_of_tokens_takes_one_system(tmp_path):
    both = pair(tmp_path, tokens=True)
    with pytest.raises(ValueError, match="spatial_heat_head takes one system, but 2 are given"):
        spec = small("spatial_heat_head")
        stage.run(**both, out=tmp_path / "x.json", spec=spec, design=TOGETHER)


def test_declared_split_is_the_one_fold(world, tmp_path):
    found = run(world, tmp_path / "tiny.dmd.json", "dmd", "declared")
    assert {choice["fold"] for choice in found["choices"]} == {0}
    assert found["forecast"]["final"]["clip"] == list(range(18, CLIPS))
    assert {row["n_clips"] for row in found["rows"]} == {6}


def test_head_result_and_file(world, tmp_path):
    found = run(world, tmp_path / "tiny.spatial_heat_head.json", "spatial_heat_head")
    assert found["published"]["channels"] == 3
    assert {"real", "shuffled", "none", "real_zero_sum"} <= set(found["kernels"])
    out = tmp_path / "study" / "spatial_heat_head.safetensors"
    stage.weights(
        embeddings=[world["embeddings"]],
        simulation=[world["simulation"]],
        out=out,
        spec=small("spatial_heat_head"),
    )
    with safe_open(out, "numpy") as file:
        kernels = file.get_tensor("real.depthwise.weight")
        assert kernels.shape == (3, 1, 3, 3)
        assert file.metadata()["label_unit"] == "px^2/s"
        assert file.metadata()["layer"] == "final"
        assert file.get_tensor("whitening.matrix").shape == (3, 3)
    # the mean over channels is what the result reports of all clips
    mean = np.array(found["kernels"]["real"]["mean"])
    np.testing.assert_allclose(kernels.mean(0)[0], mean, rtol=1e-3, atol=1e-6)
    assert not list(out.parent.glob(".*"))


def test_missing_tokens_and_weights_are_named(world, tmp_path):
    out = tmp_path / "x.json"
    with pytest.raises(ValueError, match=r"no spatial tokens of layer 'final'.*tokens: \[final\]"):
        run(world, out, "spatial_heat_head", embeddings="pooled")
    with pytest.raises(ValueError, match="'dmd' has no weights"):
        stage.weights(
            embeddings=[world["embeddings"]],
            simulation=[world["simulation"]],
            out=out,
            spec=small("dmd"),
        )
    assert not out.exists()
