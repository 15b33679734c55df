"""Fluids at the published size, stage by stage in miniature: all of their studies runs."""

from pathlib import Path

import numpy as np
import pytest

from physprobe.config import config_files
from physprobe.config.pipeline import Pipeline
from physprobe.embed import stage as embed
from physprobe.falsify import stage as falsify
from physprobe.fit import stage as fit
from physprobe.render import stage as render
from physprobe.simulate import stage as simulate
from physprobe.store import results
from physprobe.train import stage as train

ROOT = Path(__file__).parents[1]
SMALL = {
    "shear_flow": {"size": 16, "length": 9, "start": 0, "reynolds": [20.0, 60.0]},
    "active_matter": {
        "interval": 0.05, "size": 16, "box": 2.5, "zeta": [1.0, 3.0], "length": 9, "start": 0,
    },
    "rayleigh_benard": {
        "interval": 0.05, "size": 32, "columns": 128, "rayleigh": [1e5, 1.5e5],
        "prandtl": [0.8, 1.5],
        "length": 9, "start": 0,
    },
}  # fmt: skip
FEWER = {"trajectories": 12, "initial_conditions": 1, "windows": 2, "frames": 8}
QUICK = {
    "preset": "small", "frames": 4, "validation_clips": 20, "batch": 4, "steps": 2, "epochs": 1,
    "seeds": [1, 2], "noise": 0.1,
}  # fmt: skip


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    """The config, with all that is dear made small."""
    path = ROOT / "workflow/studies/well.yaml"
    whole = config_files.gather([ROOT / "tests/configs/wide.yaml", path], {}).values
    fluids = {
        name: {"simulate": {**SMALL[entry["simulate"]["kind"]], **FEWER}}
        for name, entry in whole["systems"].items()
        if "_large" in name
    }
    recipes = {name: QUICK for name, entry in whole["recipes"].items() if "data" in entry}
    seeds = {
        part: {n: {"seeds": [1, 2]} for n, e in whole[part].items() if e.get("kind") == "fields"}
        for part in ("encoders", "controls")
    }
    methods = {n: {"permutations": 20, "bootstraps": 100} for n in ("of_flow", "of_active")}
    methods["of_convection"] = methods["of_flow"]
    quick = {"systems": fluids, "recipes": recipes, "methods": methods, **seeds}
    return Pipeline(config_files.gather([ROOT / "tests/configs/wide.yaml", path], quick))


@pytest.mark.parametrize(
    ("name", "whole"),
    [("well_shear_flow", True), ("well_active_matter", False), ("well_rayleigh_benard", False)],
)
def test_every_cell_goes_from_trajectories_to_a_verdict(
    name: str, whole: bool, pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    config = pipeline.config
    study = config.studies[name]
    stores = {}
    for system in (study.system, f"{study.system}_seen"):
        found = tmp_path / "results" / system
        stores[system] = [found / f"{part}.zarr/zarr.json" for part in ("simulation", "clips")]
        simulation, clips = stores[system]
        spec = config.systems[system]
        simulate.run(out=simulation, spec=spec.simulate.canonical())
        render.run(simulation=simulation, out=clips, spec=spec.render.canonical())
    simulation, clips = stores[study.system]
    known = {**config.encoders, **config.controls}
    asked = [*(n for n in study.encoders if "_next_" not in n), *study.controls]
    if not whole:  # of the other fluids one cell, and what it stands beside: the rest is alike
        asked = [n for n in asked if "latent_vit" in n or known[n].kind != "fields"]
    models = {Path(known[n].model).name for n in asked if known[n].kind == "fields"}
    for recipe in sorted(models):
        seen = stores[config.recipes[recipe].data]
        out = tmp_path / f"results/encoders/{recipe}/model.safetensors"
        spec = config.recipes[recipe].canonical()
        train.run(out=out, spec=spec, clips=[seen[1]], simulation=[seen[0]])
    embedded, fitted = [], []
    (method,) = study.methods
    for encoder in asked:
        own = tmp_path / f"results/{study.system}/embeddings/{encoder}.zarr/zarr.json"
        told = {"simulation": [simulation]} if known[encoder].SEES_SIMULATION else {}
        embed.run(clips=clips, out=own, spec=known[encoder].canonical(), **told)
        out = tmp_path / f"results/{study.system}/fits/{encoder}.{method}.json"
        spec = config.methods[method].canonical()
        fit.run(embeddings=[own], simulation=[simulation], out=out, spec=spec)
        embedded.append(own)
        fitted.append(out)
    if not whole:
        return
    shown = study.model_copy(update={"encoders": tuple(n for n in study.encoders if n in asked)})
    out = tmp_path / f"results/{name}/verdicts.json"
    falsify.run(
        fits=fitted, embeddings=embedded, simulation=[simulation], out=out, spec=shown.canonical()
    )
    found = results.read(out, "verdicts")
    assert {line["claim"] for line in found["claims"]} == set(study.claims)
    assert all(
        line["test"] == "contrast" and np.isfinite(line["value"]) for line in found["claims"]
    )
    cells = [row for row in found["rows"] if row["metric"] == "r2" and row["member"] is not None]
    assert {row["encoder"] for row in cells} == {
        n for claim in study.claims.values() for pair in claim.pairs for n in pair
    }
    assert {row["member"] for row in cells} == {1, 2}
    labels = {name: label.partition(",")[0] for name, label in found["labels"].items()}
    assert labels["shear_mpp_tuned"] == "fine-tuned" and labels["shear_mpp"] == "shear_mpp"
