"""A tiny V-JEPA 2 with random weights, in a folder, as a checkpoint of the hub would lie there."""

import json
from pathlib import Path

import numpy as np
import pytest

FRAMES, SIDE, CLIPS = 8, 48, 3


@pytest.fixture(scope="session")
def video() -> np.ndarray:
    """(clip, frame, y, x, rgb) uint8: smooth, moving, different in each clip."""
    time, y, x = np.meshgrid(*(np.arange(n) for n in (FRAMES, SIDE, SIDE)), indexing="ij")
    clips = [
        np.stack([np.sin((x + (k + 1) * time) / (4 + c)) + np.cos(y / 5 + k) for c in range(3)], -1)
        for k in range(CLIPS)
    ]
    return np.round((np.stack(clips) + 2) * 63).astype("uint8")


@pytest.fixture(scope="session")
def _saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import torch
    from transformers import VJEPA2Config, VJEPA2Model

    config = VJEPA2Config(
        hidden_size=24,
        num_hidden_layers=3,
        num_attention_heads=2,
        patch_size=8,
        crop_size=32,
        frames_per_clip=FRAMES,
        pred_hidden_size=24,
        pred_num_attention_heads=2,
        pred_num_hidden_layers=1,
        initializer_range=0.3,
    )
    folder = tmp_path_factory.mktemp("checkpoint")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        VJEPA2Model(config).save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(
        json.dumps(
            {
                "crop_size": {"height": 32, "width": 32},
                "size": {"shortest_edge": 36},
                "image_mean": [0.5, 0.4, 0.3],
                "image_std": [0.2, 0.3, 0.4],
            }
        )
    )
    return folder


@pytest.fixture
def checkpoint(_saved: Path, tmp_path: Path) -> Path:
    """Folder of its own, to be damaged at will."""
    folder = tmp_path / "checkpoint"
    folder.mkdir()
    for file in _saved.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    return folder
