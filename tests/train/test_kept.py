"""What is kept beside an encoder: its predictor, as the model's own, and what else was trained."""

import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from transformers import VJEPA2Model

from physprobe.config.system import System
from physprobe.embed.networks import checkpoint, foresight, weights
from physprobe.train import _stream, _tokens, _windows, future_frames, predictor, vjepa
from physprobe.train._recipe import Recipe
from physprobe.train._training import Training


def written(spec: Training, folder) -> Recipe:
    """A recipe with random weights, and its folder."""
    recipe = Recipe(spec)
    folder.mkdir()
    with torch.no_grad():
        for value in recipe.parameters():
            value.copy_(value.half())  # as it will be written
            value += torch.rand(()).half() / 8  # no two networks alike
            value.copy_(value.half())
    _windows.write(spec, {0: dict(recipe.kept)}, folder)
    return recipe


@pytest.fixture
def fields(tiny) -> dict:
    shared = {name: value for name, value in tiny.dump().items() if name in Training.model_fields}
    return {**shared, "num_hidden_layers": 2}


@pytest.fixture
def kept(fields, tmp_path):
    """A V-JEPA of two blocks, and its folder."""
    folder = tmp_path / "vjepa"
    return written(vjepa.Spec(**fields), folder), folder


@torch.no_grad()
def test_the_predictor_and_the_encoder_that_it_reads_are_the_models_own(kept):
    recipe, folder = kept
    config = json.loads((folder / "config.json").read_text())
    assert (config["pred_num_hidden_layers"], config["pred_num_mask_tokens"]) == (2, 1)
    tensors = checkpoint.tensors(folder, ())
    model, context = weights.with_context(folder, config, tensors)
    video = _stream.batch(recipe.spec, 0).video[:2]
    torch.testing.assert_close(
        foresight.encode(model.encoder, video), _tokens.encode(recipe.target, video)
    )
    seen = _tokens.encode(recipe.encoder, video[:, :4])
    torch.testing.assert_close(foresight.encode(context, video[:, :4]), seen)
    grid = recipe.spec.grid
    shown, asked = (_tokens.places(grid, range(*ends), 2) for ends in ((0, 2), (2, grid[0])))
    torch.testing.assert_close(
        foresight.ahead(model.predictor, seen, grid[0] * grid[1] * grid[2]),
        recipe.predictor(seen, shown, asked),
    )


def test_transformers_reads_the_folder_and_finds_its_whole_model(kept):
    _, folder = kept
    _, info = VJEPA2Model.from_pretrained(folder, output_loading_info=True)
    assert not info["missing_keys"] and not info["mismatched_keys"]
    assert all(name.startswith("context_encoder.") for name in info["unexpected_keys"])


def test_what_predicts_no_hidden_states_lies_beside_the_model(fields, tmp_path):
    recipe = written(future_frames.Spec(**fields), tmp_path / "future")
    tensors = load_file(tmp_path / "future/model.safetensors")
    leave = tensors["beside.predictor.leave.weight"].float()
    assert torch.equal(leave, recipe.predictor.leave.weight)
    config = json.loads((tmp_path / "future/config.json").read_text())
    assert config["pred_num_hidden_layers"] == 0


def test_a_predictor_is_trained_beside_an_encoder_that_stays_as_it_is(kept, fields):
    parent, folder = kept
    recipe = Recipe(predictor.Spec(**fields | {"grown_from": str(folder)}))
    for name, value in parent.target.state_dict().items():
        assert torch.equal(recipe.encoder.state_dict()[name], value)
    batch = _stream.batch(recipe.spec, 0)
    optimiser = torch.optim.AdamW([v for v in recipe.parameters() if v.requires_grad], lr=3e-3)
    losses = []
    for _ in range(12):
        loss, _ = recipe.loss(batch, np.random.default_rng(0))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert all(value.grad is None for value in recipe.encoder.parameters())
    assert losses[-1] < 0.9 * losses[0]


def test_a_predictor_alone_needs_an_encoder(fields):
    with pytest.raises(ValueError, match="grown_from: name the encoder"):
        predictor.Spec(**fields)


def test_recipes_are_shown_possible_movies_alone(fields):
    system = System.model_validate(
        {
            "simulate": {"kind": "occlusion", "scenes": 1, "size": 48},
            "render": {"kind": "occlusion", "rays": 2},
        }
    )
    shown, labels = _stream.labelled(system, 7, 2**40)
    assert len(shown) == 7 == labels["possible"].sum()
    assert set(labels["principle"]) == {"O1", "O2", "O3"}
    sizes = {"crop": 48, "crop_size": 48, "frames": 16, "strides": (1,)}
    asked = {"systems": {"films": system}, "validation": {"films": ("size",)}}
    spec = future_frames.Spec(**fields | sizes | asked)
    assert _stream.batch(spec, 3).video.shape == (6, 16, 3, 48, 48)
    fixed = {"simulate": {"kind": "heat_published"}, "render": {"kind": "fields"}}
    with pytest.raises(ValueError, match="heat_published has no endless clips"):
        future_frames.Spec(**fields | asked | {"systems": {"films": fixed}})
