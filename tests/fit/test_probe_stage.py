"""Probe stage: two stores in, one result out."""

from pathlib import Path

import numpy as np
import pytest

from physprobe.fit import stage
from physprobe.fit.designs import plain, together
from physprobe.fit.methods import logistic, trained_sweep
from physprobe.fit.methods.ridge import Spec
from physprobe.store import results, writing, zarrs

TOGETHER = together.Spec().canonical()
CLIPS = 40


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> dict[str, Path]:
    """A simulation and an embedding that holds log alpha linearly in layer ``final``."""
    folder = tmp_path_factory.mktemp("world")
    rng = np.random.default_rng(0)
    alpha = np.exp(rng.uniform(-1, 2, CLIPS))
    pooled = rng.normal(size=(CLIPS, 2, 3, 8)).astype(np.float32)
    pooled[:, 1] += (np.log(alpha)[:, None] * rng.normal(size=8))[:, None]
    labels = {
        "alpha": alpha,
        "shift": alpha - alpha.mean(),
        "flat": np.ones(CLIPS),
    }
    coords = {name: (("clip",), values, {}) for name, values in labels.items()}
    return {
        "embeddings": _store(
            folder / "embeddings" / "tiny.zarr",
            "pooled",
            ("clip", "layer", "time", "feature"),
            pooled,
            {
                "layer": (("layer",), np.array(["0", "final"]), {}),
                "time": (("time",), np.array([0.5, 2.5, 4.5]), {"units": "s"}),
            },
        ),
        "simulation": _simulation(folder / "plain", coords),
        "declared": _simulation(
            folder / "published",
            {**coords, "split": (("clip",), np.where(np.arange(CLIPS) < 30, "train", "test"), {})},
        ),
        "parts": _simulation(
            folder / "parts", {**coords, "direction_id": (("clip",), np.arange(CLIPS) % 8, {})}
        ),
        "twins": _simulation(
            folder / "twins", {**coords, "group": (("clip",), np.arange(CLIPS) // 2, {})}
        ),
    }


def _simulation(folder: Path, coords: dict) -> Path:
    field = np.ones((CLIPS, 1), np.float32)
    return _store(folder / "simulation.zarr", "field", ("clip", "x"), field, coords)


def _store(
    root: Path, name: str, dims: tuple, values: np.ndarray, coords: dict, spec: dict | None = None
) -> Path:
    out = root / "zarr.json"
    with writing.create(
        out,
        variables={name: writing.Variable(dims, values.shape, str(values.dtype))},
        coords=coords,
        attrs={"spec": spec or {}, "label": "a tiny encoder"},
        fingerprint={},
        block=16,
    ) as store:
        store.fill(lambda block: {name: values[block]})
    return out


def _pair(folder: Path, kind: str, **more) -> dict[str, list[Path]]:
    """One system of a pair: embeddings whose layer ``final`` tells which, and its simulation."""
    rng = np.random.default_rng(len(kind))
    alike = np.random.default_rng(5).normal(size=(CLIPS, 1, 1, 8))
    pooled = (alike + rng.normal(size=(CLIPS, 2, 3, 8))).astype(np.float32)
    pooled[:, 1] += 3 * (kind == "wave")
    coords = {
        "layer": (("layer",), np.array(["0", "final"]), {}),
        "time": (("time",), np.array([0.5, 2.5, 4.5]) + more.get("late", 0), {"units": "s"}),
    }
    dims = ("clip", "layer", "time", "feature")
    numbers = (("clip",), np.arange(CLIPS), {})
    labels = {"c": (("clip",), rng.random(CLIPS), {}), kind: numbers} | (
        {"ic_id": numbers, "group": numbers} if more.get("group", True) else {}
    )
    if "equation" in more:
        labels["equation"] = (("clip",), np.array(more["equation"]), {})
    field = np.ones((CLIPS, 1), np.float32)
    root = folder / kind / "simulation.zarr"
    return {
        "embeddings": [_store(folder / kind / "tiny.zarr", "pooled", dims, pooled, coords)],
        "simulation": [_store(root, "field", ("clip", "x"), field, labels, {"kind": kind})],
    }


def tell(out: Path, *systems: dict[str, list[Path]], **spec) -> dict:
    spec = logistic.Spec(**{"permutations": 19, "bootstraps": 100, "samples": ("clip",), **spec})
    stores = {key: [path for system in systems for path in system[key]] for key in systems[0]}
    design = TOGETHER if len(systems) > 1 else plain.Spec().canonical()
    stage.run(**stores, out=out, spec=spec.canonical(), design=design)
    return results.read(out)


def test_systems_are_stacked_and_their_equations_told_apart(tmp_path):
    wave, diffusion = (_pair(tmp_path, kind) for kind in ("wave", "diffusion"))
    found = tell(tmp_path / "a.json", wave, diffusion, targets=("equation", "c"))
    accuracy = {r["target"]: r for r in found["rows"] if r["metric"] == "accuracy"}
    assert accuracy["equation"]["value"] > 0.9 and accuracy["equation"]["n_clips"] == 2 * CLIPS
    assert accuracy["equation"]["p"] == pytest.approx(0.05)
    assert accuracy["c"]["value"] is None
    block = found["predictions"]
    assert block["classes"] == {"equation": ["diffusion", "wave"]}
    assert block["truth"]["equation"] == ["wave"] * CLIPS + ["diffusion"] * CLIPS
    assert block["fold"][:CLIPS] == block["fold"][CLIPS:], "clips of one initial condition parted"
    inputs = found["provenance"]["inputs"]
    assert inputs["simulation 1"] == zarrs.digest(diffusion["simulation"][0])


def test_clips_that_say_their_equation_are_believed(tmp_path):
    mixed = ["wave", "diffusion"] * (CLIPS // 2)
    published = _pair(tmp_path, "wave", equation=mixed)
    found = tell(tmp_path / "a.json", published)
    assert found["predictions"]["truth"]["equation"] == mixed
    both = tell(tmp_path / "b.json", published, _pair(tmp_path, "diffusion"))
    assert both["predictions"]["truth"]["equation"] == mixed + ["diffusion"] * CLIPS


def test_ridge_takes_several_systems_too(tmp_path):
    wave, diffusion = (_pair(tmp_path, kind) for kind in ("wave", "diffusion"))
    spec = Spec(permutations=1, bootstraps=100, targets=("c",))
    both = {key: wave[key] + diffusion[key] for key in wave}
    stage.run(**both, out=tmp_path / "a.json", spec=spec.canonical(), design=TOGETHER)
    assert results.read(tmp_path / "a.json")["rows"][0]["n_clips"] == 2 * CLIPS


def test_systems_that_do_not_go_together_are_refused(tmp_path):
    wave = _pair(tmp_path, "wave")
    late = _pair(tmp_path / "late", "diffusion", late=1)
    with pytest.raises(ValueError, match=r"token times \[1.5.* has \[0.5.*Hint: embed all"):
        tell(tmp_path / "a.json", wave, late)
    single = _pair(tmp_path / "single", "diffusion", group=False)
    with pytest.raises(ValueError, match=r"has no group.*Hint"):
        tell(tmp_path / "a.json", wave, single)
    with pytest.raises(ValueError, match=r"'equation': no such label. Hint: give embeddings and"):
        tell(tmp_path / "a.json", wave)
    with pytest.raises(ValueError, match="2 embeddings and 1 simulations"):
        tell(tmp_path / "a.json", wave, {"embeddings": late["embeddings"], "simulation": []})


def run(world: dict[str, Path], out: Path, simulation: str = "simulation", **spec) -> dict:
    spec = Spec(**{"permutations": 20, "bootstraps": 200, "targets": ("log_alpha",), **spec})
    stage.run(
        embeddings=[world["embeddings"]],
        simulation=[world[simulation]],
        out=out,
        spec=spec.canonical(),
    )
    return results.read(out)


def test_a_result_holds_scores_predictions_and_where_they_come_from(world, tmp_path):
    out = tmp_path / "fits" / "tiny.ridge.json"
    found = run(world, out, targets=("alpha", "log_alpha", "flat"))
    keys = ("target", "sample", "layer", "metric", "time")
    rows = {tuple(row[key] for key in keys): row for row in found["rows"]}
    linear = rows["log_alpha", "clip", "selected", "r2", None]
    assert linear["value"] > 0.9 and linear["n_clips"] == CLIPS and linear["p"] < 0.05
    assert linear["value"] > rows["alpha", "clip", "selected", "r2", None]["value"]
    assert rows["flat", "clip", "final", "r2", None]["value"] is None
    assert ("log_alpha", "token", "selected", "r2", 2.5) in rows
    assert found["schema"] == "physprobe/probe/2" and found["spec"]["kind"] == "ridge"
    assert found["provenance"]["code"] == "by hand"
    assert found["provenance"]["inputs"]["embeddings"] == zarrs.digest(world["embeddings"])
    assert found["predictions"]["clip"] == list(range(CLIPS))


def test_a_result_says_in_which_precision_it_was_fitted(world, tmp_path):
    swept = trained_sweep.Spec(
        targets=("alpha",),
        samples=("clip",),
        rates=(1e-3,),
        decays=(0.1,),
        epochs=3,
        bootstraps=100,
    )
    out = tmp_path / "swept.json"
    stage.run(
        embeddings=[world["embeddings"]], simulation=[world["simulation"]], out=out,
        spec=swept.canonical(),
    )  # fmt: skip
    assert results.read(out)["provenance"]["dtype"] == "float32"
    assert run(world, tmp_path / "ridge.json")["provenance"]["dtype"] == "float64"


def test_a_declared_split_and_declared_groups_are_kept(world, tmp_path):
    published = run(world, tmp_path / "a.json", "declared")
    assert published["predictions"]["clip"] == list(range(30, 40))
    twins = run(world, tmp_path / "b.json", "twins")["predictions"]["fold"]
    assert twins[::2] == twins[1::2]


def test_a_grouping_keeps_clips_together_that_are_alike_in_it(world, tmp_path):
    paths = {name: [world[name]] for name in ("embeddings", "parts")}
    spec = Spec(targets=("alpha",), permutations=1, bootstraps=100, grouping="direction")
    out = tmp_path / "a.json"
    stage.run(
        embeddings=paths["embeddings"], simulation=paths["parts"], out=out, spec=spec.canonical()
    )
    found = results.read(out)
    assert found["spec"]["grouping"] == "direction"
    fold, part = np.array(found["predictions"]["fold"]), np.arange(CLIPS) % 8
    assert all(len(set(fold[part == number])) == 1 for number in range(8))


def test_two_runs_give_the_same_rows(world, tmp_path):
    first, again = (run(world, tmp_path / f"{name}.json") for name in "ab")
    assert first["rows"] == again["rows"] and first["predictions"] == again["predictions"]


def test_targets_that_are_no_labels_are_explained(world, tmp_path):
    with pytest.raises(ValueError, match=r"'beta': no such label. Hint: labels are .*alpha"):
        run(world, tmp_path / "a.json", targets=("beta",))
    with pytest.raises(ValueError, match=r"shift is -.* no logarithm. Hint: ask for 'shift'"):
        run(world, tmp_path / "a.json", targets=("log_shift",))
    assert not (tmp_path / "a.json").exists()
