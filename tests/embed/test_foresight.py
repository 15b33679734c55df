"""Foresight: the predictor as it was trained, on contexts that have seen nothing of the future."""

import numpy as np
import pytest
import torch
from torch.nn import functional
from transformers import VJEPA2Config, VJEPA2Model

from physprobe.embed import huggingface, untrained
from physprobe.embed.networks import checkpoint as files
from physprobe.embed.networks import foresight
from physprobe.embed.networks.resize import Preprocessing

FRAMES, SIDE, PATCH = 8, 16, 8
PER_TIME = (SIDE // PATCH) ** 2
ORDERS = {2: np.array([1, 0]), 4: np.array([2, 0, 3, 1])}


@pytest.fixture(scope="module")
def model() -> VJEPA2Model:
    config = VJEPA2Config(
        hidden_size=24, num_hidden_layers=2, num_attention_heads=2, patch_size=PATCH,
        crop_size=SIDE, frames_per_clip=FRAMES, pred_hidden_size=12, pred_num_attention_heads=2,
        pred_num_hidden_layers=2, pred_num_mask_tokens=3, initializer_range=0.3,
    )  # fmt: skip
    with torch.random.fork_rng():
        torch.manual_seed(0)
        found = VJEPA2Model(config).eval()
        found.predictor.embeddings.mask_tokens.data.normal_()
    return found


@pytest.fixture(scope="module")
def film() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (FRAMES, SIDE, SIDE, 3), np.uint8)


@pytest.fixture(scope="module")
def sees(model) -> foresight.Foresight:
    return foresight.Foresight(model, None, Preprocessing(crop=SIDE))


def said(sees, film, **more) -> dict:
    other = film[::-1].copy()
    return sees.surprise(film, other, np.array([0, 2]), 6, (2, 4), ORDERS, **more)


@torch.no_grad()
def test_a_short_clip_is_what_an_encoder_sees_of_a_masked_one(model, film):
    video = torch.randn(2, FRAMES, 3, SIDE, SIDE)
    kept = torch.arange(2 * PER_TIME).expand(2, -1)
    hidden = model.encoder.embeddings(video)[:, : 2 * PER_TIME]
    for block in model.encoder.layer:
        hidden = block(hidden, kept)[0]
    masked = model.encoder.layernorm(hidden)
    torch.testing.assert_close(foresight.encode(model.encoder, video[:, :4]), masked)


@torch.no_grad()
def test_the_predictor_is_transformers_own_with_the_mask_token_that_was_trained(model):
    video = torch.randn(2, FRAMES, 3, SIDE, SIDE)
    context = model.encoder(video[:, :4]).last_hidden_state
    torch.testing.assert_close(foresight.encode(model.encoder, video[:, :4]), context)
    whole, count = 4 * PER_TIME, 2 * PER_TIME
    masks = [torch.arange(*ends).expand(2, -1) for ends in ((0, count), (count, whole))]
    asked = model.predictor.embeddings
    tokens = asked.mask_tokens.data.clone()
    found = foresight.ahead(model.predictor, context, whole)
    theirs = model.predictor(context, [masks[0]], [masks[1]]).last_hidden_state
    assert (found - theirs).abs().max() > 1e-3  # they take token 1
    try:
        asked.mask_tokens.data[1] = tokens[0]
        theirs = model.predictor(context, [masks[0]], [masks[1]]).last_hidden_state
    finally:
        asked.mask_tokens.data = tokens
    torch.testing.assert_close(found, theirs, rtol=1e-5, atol=1e-6)


def test_surprise_is_the_mean_distance_to_normed_targets(model, sees, film):
    found = said(sees, film)
    assert {name: value.shape for name, value in found.items()} == dict.fromkeys(
        ("predictor", "copy", "shuffled", "stranger"), (2, 2)
    )
    shown = Preprocessing(crop=SIDE)(torch.from_numpy(film))[None, 2:8]
    with torch.no_grad():
        goal = model.encoder(shown).last_hidden_state
        goal = functional.layer_norm(goal, goal.shape[-1:])
        context = model.encoder(shown[:, :4]).last_hidden_state
        expected = foresight.ahead(model.predictor, context, 3 * PER_TIME)
        last = functional.layer_norm(context, context.shape[-1:])[:, -PER_TIME:]
    own = (expected - goal[:, 2 * PER_TIME :]).abs().mean().item()
    copy = (last - goal[:, 2 * PER_TIME :]).abs().mean().item()
    assert found["predictor"][1, 1] == pytest.approx(own, rel=1e-5)
    assert found["copy"][1, 1] == pytest.approx(copy, rel=1e-5)


def test_what_comes_after_the_context_changes_targets_and_nothing_that_is_expected(sees, film):
    shown = sees._shown(film)[None]
    later = shown.clone()
    later[:, 4:] = 0
    one, other = (
        sees.expected(foresight.encode(sees.context, s[:, :4]), 16) for s in (shown, later)
    )
    assert torch.equal(one, other)
    assert not torch.allclose(sees._goal(shown, False), sees._goal(later, False))


def test_causal_targets_see_no_frame_after_their_own(sees, film):
    shown = sees._shown(film)[None]
    later = shown.clone()
    later[:, 6:] = 0
    for causal in (True, False):
        one, other = (sees._goal(s, causal)[:, : 3 * PER_TIME] for s in (shown, later))
        assert torch.equal(one, other) == causal
    assert said(sees, film, causal=True)["predictor"] != pytest.approx(
        said(sees, film)["predictor"]
    )


def test_an_encoder_of_its_own_reads_the_context_where_the_checkpoint_has_one(
    checkpoint_with_context,
):
    folder, context = checkpoint_with_context
    spec = huggingface.Spec(model=str(folder))
    assert spec.foresees
    size = {"height": 32, "width": 32, "threads": 1}
    found = huggingface.foresight(spec, None, **size)
    assert found.context_from == "the online encoder"
    torch.testing.assert_close(found.context.layernorm.bias, context["layernorm.bias"])
    assert not torch.equal(found.target.layernorm.bias, found.context.layernorm.bias)
    # what lies beside the model is no part of an embedding's weights
    assert not any(name.startswith("context_encoder.") for name in files.tensors(folder))
    assert huggingface.load(spec, frames=8, **size).features == 24


def test_random_weights_have_a_predictor_of_the_same_architecture(checkpoint_with_context):
    folder, _ = checkpoint_with_context
    spec = untrained.Spec(like=str(folder), seeds=(1, 2))
    size = {"height": 32, "width": 32, "threads": 1}
    one, two = (untrained.foresight(spec, seed, **size) for seed in (1, 2))
    assert spec.foresees and one.predictor.proj.weight.shape == (24, 24)
    assert not torch.equal(one.predictor.proj.weight, two.predictor.proj.weight)
    # and the encoder that embeds
    encoder = untrained.load(spec.members[1], frames=8, **size)
    mine = one.target.embeddings.patch_embeddings.proj.weight
    torch.testing.assert_close(mine, encoder.network.embeddings.patch_embeddings.proj.weight)
    assert (
        not untrained.Spec().foresees and untrained.foresight(untrained.Spec(), 1, **size) is None
    )


def test_twins_that_see_other_frames_foresee_nothing(checkpoint_with_context):
    folder, _ = checkpoint_with_context
    for more in ({"frames": "shuffled"}, {"causal": True}):
        assert not huggingface.Spec(model=str(folder), **more).foresees


@pytest.fixture
def checkpoint_with_context(checkpoint):
    from safetensors.torch import load_file, save_file

    file = checkpoint / "model.safetensors"
    tensors = load_file(file)
    start = "encoder."
    own = {n.removeprefix(start): v + 0.1 for n, v in tensors.items() if n.startswith(start)}
    named = {f"context_encoder.{name}": value for name, value in own.items()}
    save_file({**tensors, **named, "beside.future.x": torch.ones(2)}, file, {"format": "pt"})
    return checkpoint, own
