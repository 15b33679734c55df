"""Recipes: where gradients go and where none may, what is hidden, and that they can learn."""

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from physprobe.config import kinds
from physprobe.train import (
    _future,
    _loop,
    _losses,
    _masks,
    _stream,
    _tokens,
    temporal_jepa,
    videomae,
    vjepa,
)
from physprobe.train._recipe import Recipe
from physprobe.train._training import Training

OF_WINDOWS = [
    kind for kind in kinds.names("train") if issubclass(kinds.load("train", kind).Spec, Training)
]
OF_WINDOWS.remove("predictor")  # trained beside an encoder that is there: see test_kept.py
RECIPES = {kind: (kind, {}) for kind in OF_WINDOWS}
RECIPES["vjepa_future"] = ("vjepa", {"future_weight": 0.5})
FOLLOWED = ("vjepa", "vjepa_future")


@pytest.fixture
def spec(tiny):
    """Spec of a recipe by name: two blocks on 8 x 4 x 4 tokens."""
    shared = {name: value for name, value in tiny.dump().items() if name in Training.model_fields}
    sizes = {"num_hidden_layers": 2, "crop": 32, "frames": 16}

    def make(name, **fields):
        kind, more = RECIPES[name]
        return kinds.load("train", kind).Spec(**{**shared, **sizes, **more, **fields})

    return make


@pytest.fixture
def recipe(spec):
    """Recipe by name."""

    def make(name, **fields):
        return Recipe(spec(name, **fields))

    return make


@pytest.fixture
def batch(spec):
    return _stream.batch(spec("future_frames"), 0)


def rng(seed=0):
    return np.random.default_rng(seed)


def moved(recipe, by=0.1):
    """Recipe whose encoder has left its target encoder, as after some steps."""
    with torch.no_grad():
        for value in recipe.encoder.parameters():
            value.add_(by * torch.randn(value.shape, generator=torch.Generator().manual_seed(7)))
    return recipe


def pixels(spec, tokens):
    """Mask (clip, frame, 1, y, x) of the pixels that tokens (clip, token) cover."""
    grid = spec.grid
    chosen = torch.zeros(len(tokens), np.prod(grid), dtype=torch.bool)
    chosen.scatter_(1, tokens, True)
    for axis, size in ((1, spec.tubelet_size), (2, spec.patch_size), (3, spec.patch_size)):
        chosen = (chosen if chosen.ndim > 2 else chosen.unflatten(1, grid)).repeat_interleave(
            size, dim=axis
        )
    return chosen[:, :, None]


@pytest.mark.parametrize("name", RECIPES)
def test_the_loss_is_a_finite_number(name, recipe, batch):
    loss, parts = recipe(name).loss(batch, rng())
    assert loss.shape == () and loss.dtype == torch.float32 and loss.requires_grad
    assert torch.isfinite(loss) and loss > 0
    assert all(value.shape == () and not value.requires_grad for value in parts.values())


@pytest.mark.parametrize("name", RECIPES)
def test_products_may_be_bfloat16(name, recipe, batch):
    """As on a GPU: the loss stays float32, and near what it is without rounding."""
    exact, _ = recipe(name).loss(batch, rng())
    rounded = recipe(name)
    with torch.autocast("cpu", torch.bfloat16):
        loss, _ = rounded.loss(batch, rng())
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(exact.item(), rel=0.02)
    loss.backward()
    assert all(torch.isfinite(v.grad).all() for v in rounded.parameters() if v.requires_grad)


@pytest.mark.parametrize("name", RECIPES)
def test_gradients_reach_everything_that_is_trained_and_nothing_else(name, recipe, batch):
    recipe = recipe(name)
    recipe.loss(batch, rng())[0].backward()
    for parameter, value in recipe.named_parameters():
        if value.requires_grad:
            assert value.grad is not None and value.grad.norm() > 0, parameter
        else:
            assert name in FOLLOWED and parameter.startswith("target."), parameter
            assert value.grad is None, parameter
    assert any(value.requires_grad for value in recipe.encoder.parameters())


@pytest.mark.parametrize("name", RECIPES)
def test_the_same_seed_gives_the_same_loss(name, recipe, batch):
    torch.manual_seed(1)
    first = recipe(name).loss(batch, rng())[0]
    torch.manual_seed(2)
    second = recipe(name)
    assert torch.equal(second.loss(batch, rng())[0], first)
    assert not torch.equal(recipe(name, seed=1).loss(batch, rng())[0], first)
    draws = rng()
    second.loss(batch, draws)
    used = draws.bit_generator.state != rng().bit_generator.state
    assert used == (name != "temporal_jepa"), "all that is random comes from the generator"


@pytest.mark.parametrize("name", RECIPES)
def test_some_steps_lower_the_loss(name, recipe, batch):
    recipe = recipe(name)
    trained = [value for value in recipe.parameters() if value.requires_grad]
    optimiser = torch.optim.AdamW(trained, lr=2e-3)
    losses = []
    for step in range(10):
        loss, _ = recipe.loss(batch, rng())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        recipe.after_step((step + 1) / 10)
        losses.append(loss.item())
    assert losses[-1] < 0.9 * losses[0]


@pytest.mark.parametrize("name", sorted(RECIPES.keys() - {"temporal_jepa"}))
def test_what_is_hidden_does_not_reach_the_encoder(name, recipe, batch):
    recipe = recipe(name)
    spec, seen = recipe.spec, []
    recipe.encoder.layer[0].register_forward_pre_hook(lambda _, inputs: seen.append([*inputs[1:]]))
    recipe.encoder.layernorm.register_forward_hook(lambda *call: seen[-1].append(call[-1]))

    def contexts(video):
        seen.clear()
        recipe.loss(_stream.Batch(video, batch.field), rng())
        return list(seen)

    passes = contexts(batch.video)
    assert len(passes) == (2 if name == "vjepa" else 1)
    noise = torch.randn(batch.video.shape, generator=torch.Generator().manual_seed(0))
    for number, (kept, hidden) in enumerate(passes):
        if kept is None:  # the first tubelets
            kept = torch.arange(hidden.shape[1]).expand(len(hidden), -1)
        assert kept.shape == hidden.shape[:2] and kept.shape[1] < np.prod(spec.grid)
        visible = pixels(spec, kept)
        assert visible.float().mean() == pytest.approx(kept.shape[1] / np.prod(spec.grid))
        blind = contexts(torch.where(visible, batch.video, batch.video + noise))
        assert torch.equal(blind[number][1], hidden)
        changed = contexts(torch.where(visible, batch.video + noise, batch.video))
        assert not torch.allclose(changed[number][1], hidden)


@pytest.mark.parametrize("name", FOLLOWED)
def test_the_target_is_followed_and_kept(name, recipe, batch):
    recipe = recipe(name, momentum=(0.9, 1.0))
    assert recipe.judged is recipe.target is not recipe.encoder
    before = {key: value.clone() for key, value in recipe.target.state_dict().items()}
    online = recipe.encoder.state_dict()
    assert before.keys() == online.keys()
    assert all(torch.equal(before[key], online[key]) for key in before), "it starts as a copy"
    moved(recipe)
    recipe.after_step(0.5)
    for key, value in recipe.target.state_dict().items():
        expected = before[key] + (1 - 0.95) * (online[key] - before[key])
        torch.testing.assert_close(value, expected, rtol=1e-6, atol=1e-7)
        assert not torch.equal(value, before[key])
    assert all(key in recipe.state_dict() for key in (f"target.{key}" for key in before))


@pytest.mark.parametrize("name", FOLLOWED)
def test_the_target_side_contributes_no_gradient(name, recipe, batch):
    recipe = moved(recipe(name))
    for value in recipe.target.parameters():
        value.requires_grad_(True)  # even if someone forgot to freeze it
    video = batch.video.clone().requires_grad_(True)
    recipe.loss(_stream.Batch(video, batch.field), rng())[0].backward()
    assert all(value.grad is None for value in recipe.target.parameters())
    assert all(value.grad.norm() > 0 for value in recipe.encoder.parameters())
    if name == "vjepa_future":
        # the target encoder sees the future, and no gradient comes back from it
        per_frame = video.grad.abs().amax((0, 2, 3, 4))
        assert (per_frame[:4] > 0).all() and (per_frame[-6:] == 0).all()


def test_masked_pixels_get_no_gradient_though_the_target_sees_them(recipe, batch):
    recipe = moved(recipe("vjepa", masks=((2, 0.7),)))
    spec = recipe.spec
    kept, masked = _masks.blocks(
        spec.grid, len(batch.video), rng(), count=2, scale=0.7, aspect=spec.aspect,
        least=spec.context,
    )  # fmt: skip
    video = batch.video.clone().requires_grad_(True)
    loss, _ = recipe.loss(_stream.Batch(video, batch.field), rng())
    loss.backward()
    visible, hidden = pixels(spec, kept), pixels(spec, masked)
    assert not (visible & hidden).any()
    assert (torch.where(visible, 0, video.grad) == 0).all()
    assert torch.where(visible, video.grad, 0).norm() > 0
    other = torch.where(hidden, batch.video + 1, batch.video)
    again, _ = recipe.loss(_stream.Batch(other, batch.field), rng())
    assert not torch.equal(again, loss), "the target sees them"


def test_vjepa_is_the_mean_over_masks_of_the_distance_to_the_target(recipe, batch):
    recipe = moved(recipe("vjepa"))
    spec, draws, losses = recipe.spec, rng(), []
    whole = recipe.target(batch.video).last_hidden_state
    goal = (whole - whole.mean(-1, keepdim=True)) / whole.std(-1, unbiased=False, keepdim=True)
    for count, scale in ((8, 0.15), (2, 0.7)):
        kept, masked = _masks.blocks(
            spec.grid, len(batch.video), draws, count=count, scale=scale, aspect=(0.75, 1.5),
            least=0.125,
        )  # fmt: skip
        hidden = _tokens.encode(recipe.encoder, batch.video, kept)
        predicted = recipe.predictor(hidden, kept, masked)
        losses.append((predicted - _tokens.take(goal, masked)).abs().mean())
    found, _ = recipe.loss(batch, rng())
    assert found.item() == pytest.approx(torch.stack(losses).mean().item(), rel=1e-4)


def test_the_dense_future_loss_is_that_of_future_frames(recipe, batch):
    future, both = recipe("future_frames"), recipe("vjepa_future")
    assert future.predictor.state_dict().keys() == both.future.state_dict().keys()
    expected, _ = future.loss(batch, rng())
    found, parts = both.loss(batch, rng())
    assert parts["future"].item() == pytest.approx(expected.item(), rel=1e-5)
    whole = (parts["latent"] + 0.5 * parts["future"]).item()
    assert found.item() == pytest.approx(whole, rel=1e-6)
    assert recipe("vjepa").future is None


def test_the_future_begins_where_the_seen_part_ends(spec):
    spec, found = spec("future_frames", seen=(1, 9), ahead=2), set()
    for seed in range(60):
        seen, shown, asked = _future.split(spec, 3, rng(seed))
        assert shown.tolist() == [[*range(seen * 16)]] * 3
        assert asked.tolist() == [[*range(seen * 16, (seen + 2) * 16)]] * 3
        found.add(seen)
    assert found == {1, 2, 3, 4, 5, 6}, "of 8 tubelets, 2 are left to predict"


def test_future_frames_aims_at_the_scaled_change_after_what_is_seen(recipe, batch):
    recipe = recipe("future_frames", seen=(3, 3), ahead=2)
    with torch.no_grad():
        recipe.predictor.leave.weight.zero_()
    goal = _losses.change(batch.field, 6, 4, 0.02)
    assert recipe.loss(batch, rng())[0].item() == pytest.approx(goal.square().mean().item())


def test_videomae_aims_at_normed_pixels(recipe, batch):
    recipe = recipe("videomae")
    with torch.no_grad():
        recipe.decoder.leave.weight.zero_()
    video = torch.rand(batch.video.shape, generator=torch.Generator().manual_seed(0))
    # of 2 x 8 x 8 values with variance 1 (over n - 1), the mean square is 127 / 128
    loss, _ = recipe.loss(_stream.Batch(video, batch.field), rng())
    assert loss.item() == pytest.approx(127 / 128, rel=1e-4)
    flat = torch.full_like(video, 0.3)
    assert recipe.loss(_stream.Batch(flat, batch.field), rng())[0].item() < 1e-6


def test_temporal_jepa_weighs_its_terms(recipe, batch):
    loss, parts = recipe("temporal_jepa").loss(batch, rng())
    expected = 25 * parts["invariance"] + 25 * parts["variance"] + parts["covariance"]
    assert loss.item() == pytest.approx(expected.item(), rel=1e-6)
    assert 0 < parts["variance"] < 1


def test_temporal_jepa_learns_on_both_sides(recipe, batch):
    recipe = recipe("temporal_jepa", variance=0.0, covariance=0.0)
    video = batch.video.clone().requires_grad_(True)
    recipe.loss(_stream.Batch(video, batch.field), rng())[0].backward()
    by_group = video.grad.unflatten(1, (4, 4)).flatten(2).norm(dim=(0, 2))
    assert (by_group > 0).all(), "the last group is predicted only, the first predicts only"


@pytest.mark.parametrize("term", ["variance", "covariance"])
def test_temporal_jepa_regularises_by_gradient(term, recipe, batch):
    norms = []
    for weight in (0.0, 1.0):
        others = {"invariance": 1e-9, "variance": 0.0, "covariance": 0.0}
        one = recipe("temporal_jepa", **{**others, term: weight})
        one.loss(batch, rng())[0].backward()
        norms.append(one.encoder.layer[0].mlp.fc1.weight.grad.norm().item())
    assert norms[1] > 1000 * norms[0]


def test_groups_do_not_see_each_other(recipe, batch):
    recipe = recipe("temporal_jepa")
    whole = temporal_jepa.embeddings(recipe.spec, recipe.encoder, batch.video)
    assert whole.shape == (6, 4, 24)
    alone = recipe.encoder(batch.video[:, 4:8]).last_hidden_state.mean(1)
    torch.testing.assert_close(whole[:, 1], alone)


@pytest.mark.parametrize(
    ("name", "fields", "message"),
    [
        ("future_frames", {"ahead": 7}, "too short to see 2 and to predict 7 more"),
        ("future_frames", {"seen": (3, 2)}, "seen has to ascend"),
        ("vjepa_future", {"seen": (0, 2)}, "seen has to ascend"),
        ("vjepa", {"aspect": (1.5, 0.75)}, "aspect has to ascend"),
        ("vjepa", {"momentum": (0.9, 1.1)}, "momentum has to lie between 0 and 1"),
        ("vjepa", {"masks": ((2, 1.0),)}, "less than 1"),
        ("videomae", {"masked": 1.0}, "less than 1"),
        ("temporal_jepa", {"group": 3}, "doesn't make two or more groups of 3"),
        ("temporal_jepa", {"group": 8}, "doesn't make two or more groups of 8"),
    ],
)
def test_specs_refuse_what_does_not_fit(name, fields, message, spec):
    with pytest.raises(ValidationError, match=message):
        spec(name, **fields)


def test_windows_too_short_for_the_future_do_for_masks(spec):
    assert spec("vjepa", frames=8).grid[0] == 4


def test_defaults_are_those_of_the_papers():
    fields = vjepa.Spec.model_fields
    assert fields["masks"].default == ((8, 0.15), (2, 0.7))
    assert fields["aspect"].default == (0.75, 1.5)
    assert fields["momentum"].default == (0.998, 1.0)
    assert videomae.Spec.model_fields["masked"].default == 0.9
    weights = [
        temporal_jepa.Spec.model_fields[term].default
        for term in ("invariance", "variance", "covariance")
    ]
    assert weights == [25, 25, 1]


@pytest.mark.parametrize("name", RECIPES)
def test_what_is_frozen_stays_as_it_was_drawn(name, spec):
    found = spec(name, frozen=2)
    own = Recipe(found)
    before = {key: value.clone() for key, value in own.encoder.state_dict().items()}
    optimiser = torch.optim.AdamW(_loop._groups(own, 0.05), lr=1e-2)
    _loop._step(own, optimiser, _stream.batch(found, 0), _loop.Progress())
    for key, value in own.encoder.state_dict().items():
        if "layernorm" not in key:  # after the last block; not every objective comes by it
            kept = key.startswith(("embeddings.", "layer.0."))
            assert torch.equal(value, before[key]) == kept, key
    with pytest.raises(ValidationError, match="frozen"):
        spec(name, frozen=3)
