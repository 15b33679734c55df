"""Train, whole: what it writes is a checkpoint like any other."""

import csv
import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import torch
from huggingface_hub import ModelCard
from safetensors.torch import load_file
from transformers import VJEPA2Model

from physprobe.embed import huggingface
from physprobe.train import stage


def test_the_folder_is_a_checkpoint_that_both_transformers_and_the_pipeline_read(tiny, tmp_path):
    out = tmp_path / "tiny" / "model.safetensors"
    stage.run(out=out, spec=tiny.canonical())
    assert sorted(path.name for path in out.parent.iterdir()) == [
        "README.md",
        "config.json",
        "model.safetensors",
        "preprocessor_config.json",
        "training.csv",
    ]
    model, info = VJEPA2Model.from_pretrained(
        out.parent, output_loading_info=True, dtype=torch.float32
    )
    # what was trained beside the encoder is left aside
    assert not info["missing_keys"] and not [
        name for name in info["unexpected_keys"] if not name.startswith("beside.predictor.")
    ]
    assert model.config.crop_size == tiny.crop_size
    encoder = huggingface.load(
        huggingface.Spec(model=str(out.parent)), frames=8, height=32, width=32, threads=1
    )
    found = encoder.encode(np.zeros((1, 8, 32, 32, 3), np.uint8), np.arange(1))
    assert found.pooled.shape == (1, 3, 4, tiny.hidden_size) and "untrained" not in str(
        encoder.provenance["label"]
    )
    rows = list(csv.DictReader((out.parent / "training.csv").open()))
    assert [row["step"] for row in rows] == ["0", "3", "6"]
    wanted = {"loss", "feature_std", "effective_rank", "mean_cosine", "clips_per_second", "kept"}
    assert wanted <= set(rows[0])
    kept = [row for row in rows if row["kept"] == "True"][-1]
    card = (out.parent / "README.md").read_text()
    assert f"step {kept['step']}" in card and f"{float(kept['score']):.3f}" in card
    about = ModelCard.load(out.parent / "README.md").data
    assert (about.license, about.library_name) == ("mit", "transformers")
    assert tiny.kind in about.tags
    assert json.loads((out.parent / "preprocessor_config.json").read_text())["image_mean"]


def test_a_run_killed_in_the_middle_goes_on_to_the_same_weights(tiny, tmp_path):
    spec = tiny.model_copy(update={"steps": 40, "epochs": 2}).canonical()
    # a checkpoint after every step, as a long run has one after every minute
    program = "import sys; from physprobe.train import _loop; _loop.EVERY = 0.0;"
    program += " from physprobe.__main__ import main; sys.exit(main(sys.argv[1:]))"

    def start(out: Path) -> subprocess.Popen:
        command = [sys.executable, "-c", program, "train", "--out", str(out), "--spec", spec]
        return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)

    undisturbed, killed = (tmp_path / name / "model.safetensors" for name in ("one", "two"))
    whole = start(undisturbed)
    broken = start(killed)
    for line in broken.stderr:
        if "step 5 of 40" in line:
            broken.kill()  # SIGKILL: nothing can be tidied up
            break
    assert broken.wait() == -signal.SIGKILL
    assert not killed.exists()
    again = start(killed)
    _, said = again.communicate()
    assert again.returncode == 0, said
    assert "going on at step" in said
    assert whole.wait() == 0
    one, two = (load_file(path) for path in (undisturbed, killed))
    assert one.keys() == two.keys()
    assert all(torch.equal(one[name], two[name]) for name in one)
    scores = [
        [(row["step"], row["loss"], row["score"]) for row in csv.DictReader(table.open())]
        for table in (out.with_name("training.csv") for out in (undisturbed, killed))
    ]
    assert scores[0] == scores[1]


def test_a_mean_over_members_is_of_those_that_have_the_number():
    first = {"step": 0, "loss": None, "score": 0.25, "kept": True}
    last = {"step": 4, "loss": 2.0, "score": 0.75, "kept": True}
    expected = {"step": 0, "loss": 2.0, "score": 0.5, "kept": True}
    assert stage._mean([first, last]) == expected
    assert stage._mean([last, first]) == {**expected, "step": 4}
    assert stage._mean([first, first])["loss"] is None
