"""Surprise, end to end: from simulated scenes to a verdict by an encoder's own predictor."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import VJEPA2Config, VJEPA2Model

from physprobe.embed import huggingface, untrained
from physprobe.embed import stage as embed
from physprobe.falsify import stage as falsify
from physprobe.fit import stage as fit
from physprobe.fit.methods import surprise
from physprobe.render import stage as render
from physprobe.simulate import stage as simulate

SCENES = 4
SPEC = surprise.Spec(
    by="principle", contexts=(4, 8), windows=(12, 16), bootstraps=100, permutations=20, outer=2
)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Scenes of one principle, an encoder with its predictor, one without, and random weights."""
    root = tmp_path_factory.mktemp("study")
    config = VJEPA2Config(
        hidden_size=24, num_hidden_layers=1, num_attention_heads=2, patch_size=16, crop_size=48,
        frames_per_clip=16, pred_hidden_size=12, pred_num_attention_heads=2,
        pred_num_hidden_layers=1, pred_num_mask_tokens=1, initializer_range=0.3,
    )  # fmt: skip
    with torch.random.fork_rng():
        torch.manual_seed(0)
        VJEPA2Model(config).save_pretrained(root / "model")
    (root / "model/preprocessor_config.json").write_text('{"crop_size": 48, "size": 48}')
    folder = root / "results/occlusion"
    scenes = {"kind": "occlusion", "principles": ["O1"], "scenes": SCENES, "size": 48}
    simulate.run(out=folder / "simulation.zarr/zarr.json", spec=json.dumps(scenes))
    render.run(
        simulation=folder / "simulation.zarr/zarr.json", out=folder / "clips.zarr/zarr.json",
        spec='{"kind": "occlusion", "rays": 2}',
    )  # fmt: skip
    specs = {
        "own": huggingface.Spec(model=str(root / "model")),
        "random": untrained.Spec(like=str(root / "model"), seeds=(1, 2)),
        "none": untrained.Spec(
            hidden_size=24, num_hidden_layers=1, patch_size=16, crop_size=48, seeds=(1,)
        ),
    }
    for name, spec in specs.items():
        embed.run(
            clips=folder / "clips.zarr/zarr.json", spec=spec.canonical(),
            out=folder / f"embeddings/{name}.zarr/zarr.json",
        )  # fmt: skip
        fit.run(
            embeddings=[folder / f"embeddings/{name}.zarr/zarr.json"],
            simulation=[folder / "simulation.zarr/zarr.json"],
            clips=[folder / "clips.zarr/zarr.json"],
            out=folder / f"fits/{name}.surprise.json", spec=SPEC.canonical(),
        )  # fmt: skip
    return root / "results"


def test_scenes_come_to_rows_with_controls_and_members(results):
    own, random = (
        json.loads((results / f"occlusion/fits/{name}.surprise.json").read_text())
        for name in ("own", "random")
    )
    whole = [r for r in own["rows"] if r["metric"] == "relative_accuracy" and r["part"] is None]
    assert {r["model"] for r in whole} == {"predictor", "copy", "shuffled", "stranger"}
    assert {r["context"] for r in whole} >= {"selected", "8/16", "any"}
    block = own["surprise"]
    assert len(block["group"]) == 2 * SCENES and set(block["part"]) == {"O1"}
    # what differs between films of a pair is behind the screen first: they part after the exchange
    assert min(block["differ"]) > 8
    assert [m["member"] for m in random["members"]] == [1, 2]
    assert {r["member"] for r in random["rows"]} == {None, 1, 2}
    # of one architecture, but other weights
    assert block["error"] != random["surprise"]["error"]


def test_what_has_no_predictor_has_no_rows(results):
    none = json.loads((results / "occlusion/fits/none.surprise.json").read_text())
    assert none["rows"] == [] and none["surprise"] is None


def test_the_verdict_of_an_encoder_that_was_never_trained_is_not_support(results):
    folder, out = results / "occlusion", results / "intphys/verdicts.json"
    claim = {"kind": "surprised", "statement": "Impossible films surprise."}
    study = {
        "encoders": ["own"], "controls": ["random"], "system": "occlusion", "systems": [],
        "claims": {"surprised": {**claim, "system": ""}},
    }  # fmt: skip
    falsify.run(
        fits=[folder / f"fits/{name}.surprise.json" for name in ("own", "random")],
        embeddings=[folder / f"embeddings/{name}.zarr/zarr.json" for name in ("own", "random")],
        simulation=[folder / "simulation.zarr/zarr.json"], out=out, spec=json.dumps(study),
    )  # fmt: skip
    found = json.loads(out.read_text())
    (line,) = found["claims"]
    assert line["verdict"] != "supported" and np.isfinite(line["value"])
    assert {row["encoder"] for row in found["rows"]} == {"own", "random"}
