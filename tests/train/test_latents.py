"""Recipes of small networks that see a few frames of one system's clips at a time."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open

from physprobe.config import kinds
from physprobe.embed.networks import latent, written
from physprobe.train import _clips, _latents, _loop, _losses, dynamics_jepa, stage
from physprobe.train._recipe import Recipe

RECIPES = ("dynamics_jepa", "dynamics_autoencoder", "dynamics_frames", "dynamics_states")
GUARDS = ("none", "variance", "deviation", "batch_norm", "masking", "vicreg", "sigreg")
HEAT = {
    "simulate": {"kind": "heat", "size": 64, "frames": 12, "sigma": (2.0, 6.0), "alpha": (0.1, 1)},
    "render": {"kind": "fields"},
}
TINY = {
    "system": HEAT, "clips": 12, "validation": ("log_alpha",), "validation_clips": 20,
    "history": 2, "embedding": 6, "channels": (3, 4, 5), "hidden": (8,), "horizon": 3,
    "batch": 8, "steps": 4, "epochs": 2, "seeds": (1, 2),
}  # fmt: skip


def spec(kind: str = "dynamics_jepa", **more: object) -> _latents.Latents:
    return kinds.load("train", kind).Spec(**{**TINY, **more})


@pytest.fixture(scope="module", params=RECIPES)
def trained(request, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp(request.param)
    out = folder / "mine" / "model.safetensors"
    stage.run(out=out, spec=json.dumps(spec(request.param).dump()))
    return out.parent


def test_a_folder_holds_every_members_networks(trained):
    assert not (trained / "unfinished").exists()
    sizes, shown, tensors = latent.read(trained)
    assert (sizes.embedding, shown.side, shown.values) == (6, 64, 1)
    assert written.members(tensors) == (1, 2)
    config = json.loads((trained / "config.json").read_text())
    kept = kinds.load("train", config["recipe"]).KEPT
    assert {name.split("/")[1] for name in tensors} == set(kept)
    first, second = (
        latent.restored(latent.Encoder(sizes, shown), tensors, latent.named(m, "encoder"), trained)
        for m in (1, 2)
    )
    frames = torch.rand(3, 5, 1, 64, 64)
    assert first.each(frames).shape == (3, 4, 6)
    assert not torch.allclose(first.each(frames), second.each(frames))
    with safe_open(trained / "model.safetensors", "pt") as file:
        assert all(torch.isfinite(file.get_tensor(name)).all() for name in file.keys())  # noqa: SIM118


def test_the_table_has_every_members_epochs_and_the_card_names_them(trained):
    lines = (trained / "training.csv").read_text().splitlines()
    assert lines[0].startswith("member,step") and "states/log_alpha" in lines[0]
    assert [line.split(",")[0] for line in lines[1:]] == ["1"] * 3 + ["2"] * 3
    card = (trained / "README.md").read_text()
    assert "2 members" in card and "| states/log_alpha |" in card


def test_tensors_that_do_not_fit_are_named(trained):
    sizes, shown, tensors = latent.read(trained)
    tensors.pop("1/encoder/1.weight")
    with pytest.raises(ValueError, match=r"tensors 1/encoder/\* don't fit"):
        latent.restored(latent.Encoder(sizes, shown), tensors, "1/encoder/", trained)


@pytest.mark.parametrize("kind", RECIPES)
def test_some_steps_lower_the_loss(kind):
    recipe = Recipe(spec(kind))
    batch, rng = _clips.batch(recipe.spec, 0), np.random.default_rng
    trained = [value for value in recipe.parameters() if value.requires_grad]
    optimiser = torch.optim.Adam(trained, lr=3e-3)
    first = recipe.loss(batch, rng(0))[0].item()
    for _ in range(40):
        optimiser.zero_grad()
        recipe.loss(batch, rng(0))[0].backward()
        assert all(value.grad is not None for value in trained)
        optimiser.step()
    assert recipe.loss(batch, rng(0))[0].item() < 0.9 * first
    assert recipe.loss(batch, rng(1))[0].item() == recipe.loss(batch, rng(1))[0].item()


@pytest.mark.parametrize("guard", GUARDS)
def test_every_guard_gives_a_gradient_to_encoder_and_predictor(guard):
    norm = "batch" if guard == "batch_norm" else "none"
    recipe = Recipe(spec(against_collapse=guard, normalisation=norm))
    loss, terms = recipe.loss(_clips.batch(recipe.spec, 0), np.random.default_rng(0))
    loss.backward()
    for name, value in recipe.named_parameters():
        if name.startswith("target."):
            assert value.grad is None
        elif not (name.endswith("bias") and norm == "batch"):  # the norm takes a bias away
            assert value.grad is not None and value.grad.abs().sum() > 0, name
    assert "invariance" in terms and all(np.isfinite(list(terms.values())))


def test_the_loss_of_several_steps_is_that_of_a_loop():
    made = spec(against_collapse="none")
    recipe, batch = Recipe(made), _clips.batch(made, 0)
    loss, _ = recipe.loss(batch, np.random.default_rng(0))
    state, total = recipe.encoder(batch.video[:, :2]), 0.0
    for k in range(1, 4):
        state = state + recipe.predictor.change(state)
        goal = recipe.target(batch.video[:, k : k + 2]).detach()
        total += (state - goal).square().mean()
    assert loss.item() == pytest.approx(25 * total.item() / 3, rel=1e-5)


def test_windows_of_a_step_follow_from_its_number_and_the_member():
    one, two = (spec().members[m] for m in (1, 2))
    assert torch.equal(_clips.batch(one, 3).video, _clips.batch(one, 3).video)
    assert not torch.equal(_clips.batch(one, 3).video, _clips.batch(two, 3).video)
    assert not torch.equal(_clips.batch(one, 3).video, _clips.batch(one, 4).video)


def test_a_window_holds_the_frames_of_its_clip():
    made = spec()
    world = _clips.world(made)
    every = np.broadcast_to(np.arange(12), (12, 12))
    whole = world.frames(np.arange(12), every)
    for window in _clips.batch(made, 0).video:
        parts = whole.unfold(1, made.window, 1).movedim(-1, 2)
        assert (parts == window).flatten(2).all(2).any()
    assert whole.min() >= 0 and whole.max() <= 1


def test_a_guarded_latent_keeps_its_rank_and_an_unguarded_one_collapses(tmp_path):
    more = {"steps": 150, "epochs": 1, "learning_rate": 3e-3, "momentum": (0.9, 0.9), "seeds": (1,)}
    rows = {}
    for guard in ("none", "vicreg"):
        made = spec(against_collapse=guard, **more).members[1]
        (tmp_path / guard).mkdir()
        [(_, rows[guard])] = _loop.run(
            Recipe(made), tmp_path / guard, lambda net: {"states/x": 0.0},
            identity=guard, device=torch.device("cpu"),
        )  # fmt: skip
    spread = {guard: table[-1]["feature_std"] for guard, table in rows.items()}
    assert spread["none"] < 0.05 * spread["vicreg"]


def test_normality_tells_a_standard_normal_from_others():
    maker = torch.Generator().manual_seed(0)
    normal = torch.randn(4000, 8, generator=maker)
    directions = _losses.directions(8, 32, np.random.default_rng(1))
    found = {
        name: _losses.normality(values, directions).item()
        for name, values in {"own": normal, "half": normal / 2, "point": 0 * normal}.items()
    }
    assert found["own"] < 0.002 < 0.05 < found["half"] < found["point"]
    # a point: int (1 - exp(-s^2/2))^2 exp(-s^2/2) ds = sqrt(2 pi) (1 - 2/sqrt 2 + 1/sqrt 3)
    exact = np.sqrt(2 * np.pi) * (1 - np.sqrt(2) + 1 / np.sqrt(3))
    assert found["point"] == pytest.approx(exact, rel=1e-3)


def test_normality_is_the_epps_pulley_statistic():
    values = torch.randn(50, 1, generator=torch.Generator().manual_seed(3))
    found = _losses.normality(values, torch.ones(1, 1)).item()
    x = values[:, 0].double().numpy()
    apart = x[:, None] - x
    # closed form of the integral over all s, with weight exp(-s^2/2)
    exact = np.sqrt(2 * np.pi) * (
        np.exp(-(apart**2) / 2).mean() - np.sqrt(2) * np.exp(-(x**2) / 4).mean() + 1 / np.sqrt(3)
    )
    assert found == pytest.approx(exact, rel=2e-3)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"horizon": 11}, "clips of 12 frames are too short for windows of 13 frames|of"),
        ({"validation": ("alhpa",)}, "heat has no 'alhpa'.*alpha"),
        ({"against_collapse": "batch_norm"}, "batch_norm and batch go together"),
        ({"seeds": (1, 1)}, "each member once"),
        ({"momentum": (0.9, 1.5)}, "momentum has to lie between 0 and 1"),
    ],
)
def test_specs_refuse_what_does_not_fit(more, message):
    with pytest.raises(ValueError, match=message):
        spec(**more)


def test_networks_refuse_what_they_do_not_read():
    with pytest.raises(ValueError, match="mlp doesn't read frames of 64 px"):
        Recipe(spec(network="mlp"))
    with pytest.raises(ValueError, match="7 convolutions don't halve 64 px"):
        Recipe(spec(channels=(2,) * 7))


def test_predicted_targets_get_no_gradient():
    made = spec(against_collapse="none")
    recipe = Recipe(made)
    batch = _clips.batch(made, 0)
    shifted = batch.video.clone().requires_grad_()
    loss, _ = dynamics_jepa.loss(made, recipe, _clips.Batch(shifted, batch.states), {})
    loss.backward()
    assert shifted.grad[:, :2].abs().sum() > 0
    assert shifted.grad[:, 2:].abs().sum() == 0, (
        "frames ahead reach the loss through the target alone"
    )


def test_published_numbers_stand_beside_ours_with_a_verdict(tmp_path):
    published = {"loss": 0.0, "step": 4, "decoder_error": 0.003}
    made = spec(published=published, seeds=(1,))
    stage.run(out=tmp_path / "mine" / "model.safetensors", spec=json.dumps(made.dump()))
    lines = (tmp_path / "mine" / "README.md").read_text().splitlines()
    told = {line.split("|")[1].strip(): line.split("|")[4].strip() for line in lines
            if line.startswith(("| loss", "| step", "| decoder"))}  # fmt: skip
    assert told["loss"] == "not reproduced" and told["step"] == "reproduced"
    assert told["decoder_error"].startswith("not comparable")


def test_the_published_loss_counts_the_targets_terms():
    recipe = Recipe(spec())
    batch = _clips.batch(recipe.spec, 0)
    loss, terms = recipe.loss(batch, np.random.default_rng(0))
    goal = recipe.target.each(batch.video[:, 1:]).detach().unbind(1)
    more = sum(25 * _losses.variance(y) + _losses.covariance(y) for y in goal) / len(goal)
    assert terms["loss_with_targets"].item() == pytest.approx(loss.item() + more.item(), rel=1e-5)


def test_latents_may_be_kept_apart_in_place_of_predictions():
    made = spec(kept_apart="latents")
    recipe, batch = Recipe(made), _clips.batch(made, 0)
    _, terms = recipe.loss(batch, np.random.default_rng(0))
    start = recipe.encoder(batch.video[:, :2])
    assert terms["variance"].item() == pytest.approx(_losses.variance(start).item(), rel=1e-5)
    assert terms["covariance"].item() == pytest.approx(_losses.covariance(start).item(), rel=1e-5)
    with pytest.raises(ValueError, match="masking keeps nothing apart"):
        spec(against_collapse="masking", kept_apart="latents")


def test_of_fixed_draws_no_clip_of_a_study_is_trained_on(monkeypatch):
    monkeypatch.setattr(_clips, "LEFT", 40)
    world = {
        "simulate": {"kind": "double_pendulum_published", "clips": 20},
        "render": {"kind": "signal"},
    }
    made = spec(system=world, validation=("sincos_theta2",), network="mlp")
    whole = kinds.load("simulate", "double_pendulum_published")
    drawn = whole.Spec(clips=52)
    field, _ = whole.solved(drawn, whole.draw(drawn))
    trained = _clips._world(made.system, 12, _clips.STREAM, made.validation, True)
    judged = _clips._world(made.system, 20, _clips.VALIDATION, made.validation, True)
    np.testing.assert_array_equal(trained.film, field[40:, :, :4])
    np.testing.assert_array_equal(judged.film, field[20:40, :, :4])
    with pytest.raises(ValueError, match="are too many for a study of their own"):
        spec(
            **made.dump() | {"system": {**world, "simulate": {**world["simulate"], "clips": 30000}}}
        )
