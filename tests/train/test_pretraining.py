"""Encoders of shares of the trajectories in miniature: from their recipes to the figure."""

import json
from pathlib import Path

import flowing
import pytest

from physprobe.config import config_files
from physprobe.config.pipeline import Pipeline
from physprobe.embed import stage as embed
from physprobe.figures import pretraining
from physprobe.fit import stage as fit
from physprobe.store import evidence
from physprobe.train import stage as train

ROOT = Path(__file__).parents[2]
TINY = {
    "kind": "fields_jepa", "network": "vit", "frames": 5, "widths": [8], "blocks": [1], "patch": 4,
    "tubelet": 5, "heads": 2, "head_width": 8, "data": "flow", "validation": ["log_D"],
    "validation_clips": 20, "batch": 4, "steps": 2, "epochs": 1, "seeds": [1, 2],
}  # fmt: skip
METHOD = {
    "kind": "ridge", "targets": ["log_D"], "samples": ["clip"], "permutations": 20,
    "bootstraps": 100, "outer": 3, "inner": 2, "z_mse": True,
}  # fmt: skip


def test_each_encoder_stands_at_the_trajectories_that_it_was_trained_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    base = tmp_path / "results/flow"
    roots = [path / "zarr.json" for path in flowing.stores(base, trajectories=14)]
    stores, fits = [], []
    for name, share in (("some", 0.6), ("all", 1.0)):
        out = tmp_path / f"results/encoders/{name}/model.safetensors"
        recipe = json.dumps({**TINY, "share": share})
        train.run(out=out, spec=recipe, clips=roots[:1], simulation=roots[1:])
        twins = ((f"{name}_random", {"weights": "random"}),) if share < 1 else ()
        for encoder, more in ((name, {}), *twins):
            stores.append(base / f"embeddings/{encoder}.zarr/zarr.json")
            spec = {"kind": "fields", "model": str(out.parent), "seeds": [1, 2], **more}
            embed.run(clips=roots[0], out=stores[-1], spec=json.dumps(spec))
            fits.append(base / f"fits/{encoder}.of_flow.json")
            given = {"embeddings": [stores[-1]], "simulation": roots[1:]}
            fit.run(**given, out=fits[-1], spec=json.dumps(METHOD))
    study = {
        "encoders": ["some", "all"], "controls": ["some_random"], "system": "flow", "systems": [],
    }  # fmt: skip
    found = pretraining.frame(evidence.read(study, "shares", fits, stores, roots[1:]))
    told = {row.encoder: row for row in found.itertuples()}
    counts = {name: (row.share, row.groups, row.count) for name, row in told.items()}
    assert counts["some"] == (0.6, 7, 14) and counts["all"] == (1.0, 12, 24)
    assert told["some"].curve == told["all"].curve == "jepa vit"
    controls = found[found["role"] == "control"]
    assert controls["groups"].isna().all() and set(found["metric"]) == {"z_mse"}
    assert (found["ci_low"] < found["ci_high"]).all()


def test_studies_of_encoders_that_saw_a_share_have_it_and_no_others():
    paths = [ROOT / "tests/configs/wide.yaml", ROOT / "workflow/studies/fluids.yaml"]
    drawn = Pipeline(config_files.gather(paths, {})).config.figures
    assert [path for path, each in drawn.items() if each.kind == "pretraining"] == [
        "well_pretraining/pretraining"
    ]
    assert {"well/published", "well_shares/published"} <= drawn.keys()
