"""Train, whole: what it writes is a checkpoint like any other."""

import csv
import json

import numpy as np
import torch
from transformers import VJEPA2Model

from physprobe.embed import huggingface
from physprobe.train import stage


def test_the_folder_is_a_checkpoint_that_both_transformers_and_the_pipeline_read(tiny, tmp_path):
    out = tmp_path / "tiny" / "model.safetensors"
    stage.run(out=out, spec=tiny.canonical(), code="c0de")
    assert sorted(path.name for path in out.parent.iterdir()) == [
        "card.md",
        "config.json",
        "model.safetensors",
        "preprocessor_config.json",
        "training.csv",
    ]
    model, info = VJEPA2Model.from_pretrained(
        out.parent, output_loading_info=True, dtype=torch.float32
    )
    assert not info["missing_keys"] and not info["unexpected_keys"]
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
    card = (out.parent / "card.md").read_text()
    assert f"step {kept['step']}" in card and f"{float(kept['score']):.3f}" in card
    assert json.loads((out.parent / "preprocessor_config.json").read_text())["image_mean"]
