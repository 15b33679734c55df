"""Recipes of named fields: losses by hand, what is hidden, the data's order, what is written."""

import csv
import json
from pathlib import Path
from types import SimpleNamespace

import flowing
import numpy as np
import pytest
import torch

from physprobe.config import kinds
from physprobe.config.fields import FieldNetwork
from physprobe.embed.networks import fields, latent, written
from physprobe.store import zarrs
from physprobe.train import _groups, _loop, _losses, _stored, commands, entries, fields_jepa, stage
from physprobe.train._recipe import Recipe

RECIPES = ("fields_jepa", "fields_masked", "fields_next", "fields_supervised")
TINY = {
    "convnext": {"frames": 4, "widths": [4, 6], "blocks": [1, 1], "patch": 2, "head_width": 6},
    "vit": {"frames": 4, "widths": [8], "blocks": [1], "patch": 4, "tubelet": 2, "heads": 2,
            "head_width": 8},
}  # fmt: skip
CELLS = [(kind, network) for kind in RECIPES for network in TINY]
RNG = np.random.default_rng


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Twelve trajectories of two windows, of which the last two trajectories are tested on."""
    split = ("train",) * 10 + ("test",) * 2
    return flowing.stores(tmp_path_factory.mktemp("flow"), split=split)


def entry(kind: str, network: str = "convnext", **more: object) -> dict:
    return {
        "kind": kind, "network": network, **TINY[network], "data": "flow", "validation": ["log_D"],
        "validation_clips": 20, "batch": 4, "steps": 4, "epochs": 2, "seeds": [1, 2], **more,
    }  # fmt: skip


def spec(paths, kind: str = "fields_next", network: str = "convnext", **more: object):
    made = kinds.load("train", kind).Spec.strict(entry(kind, network, **more))
    return made.reading(paths[:1], paths[1:]).members[1]


def clips(paths) -> np.ndarray:
    return zarrs.values(zarrs.read(paths[0]), "channels")


@pytest.mark.parametrize(("kind", "network"), CELLS)
def test_some_steps_lower_the_loss_and_reach_every_weight(paths, kind, network):
    recipe = Recipe(spec(paths, kind, network))
    batch = _stored.batch(recipe.spec, 0)
    optimiser = torch.optim.Adam(recipe.parameters(), lr=1e-2)
    first = recipe.loss(batch, RNG(0))[0].item()
    for _ in range(6):
        optimiser.zero_grad()
        recipe.loss(batch, RNG(0))[0].backward()
        for name, value in recipe.named_parameters():
            assert value.grad is not None and value.grad.abs().sum() > 0, name
        optimiser.step()
    last, parts = recipe.loss(batch, RNG(0))
    assert last.item() < 0.97 * first
    assert all(value.shape == () and not value.requires_grad for value in parts.values())


def test_members_of_one_seed_begin_alike_in_every_recipe_and_others_do_not(paths):
    for network in TINY:
        encoders = [Recipe(spec(paths, kind, network)).encoder.state_dict() for kind in RECIPES]
        for other in encoders[1:]:
            assert all(torch.equal(other[name], value) for name, value in encoders[0].items())
    made = kinds.load("train", "fields_next").Spec.strict(entry("fields_next"))
    one, two = (Recipe(m).kept for m in made.reading(paths[:1], paths[1:]).members.values())
    assert not torch.equal(
        one["encoder.stem.0.convolution.weight"], two["encoder.stem.0.convolution.weight"]
    )


def test_jepa_is_weighed_by_hand_chunk_by_chunk():
    rows = torch.tensor([[1.0, 0], [-1, 0], [0, 2], [0, -2]])
    later = torch.tensor([[0.0, 0], [0, 0], [1, 1], [-1, -1]])
    made = SimpleNamespace(invariance=2.0, variance=40.0, covariance=2.0, chunks=2, momentum=None)
    total, parts = fields_jepa.terms(made, rows, later)
    assert parts["invariance"].item() == pytest.approx(((1 + 1) / 4 + (2 * (1 + 1)) / 4) / 2)
    # deviations: sqrt 2 and 0; 0 and 0 | 0 and sqrt 8; sqrt 2 and sqrt 2, with 1e-2 for 0
    short = [((0.99 / 2) + 0.99) / 2, ((0.99 / 2) + 0) / 2]
    assert parts["variance"].item() == pytest.approx(np.mean(short), rel=1e-4)
    assert parts["covariance"].item() == pytest.approx(np.mean([0, 2 * 2.0**2 / 2]))
    expected = 2 * parts["invariance"] + 40 * parts["variance"] + 2 * parts["covariance"]
    assert total.item() == pytest.approx(expected.item())
    alone = SimpleNamespace(**{**vars(made), "momentum": (0.9, 1.0)})
    _, parts = fields_jepa.terms(alone, rows, later)
    assert parts["variance"].item() == pytest.approx(0.99 / 2, rel=1e-4)
    assert parts["covariance"].item() == 0


def test_jepa_has_gradient_on_both_sides_unless_a_target_follows(paths):
    for momentum, both in ((None, True), ([0.5, 0.5], False)):
        recipe = Recipe(spec(paths, "fields_jepa", momentum=momentum))
        batch = _stored.batch(recipe.spec, 0)
        windows = batch.windows.clone().requires_grad_()
        recipe.loss(_stored.Batch(windows, batch.labels), RNG(0))[0].backward()
        assert windows.grad[:, :4].abs().sum() > 0
        assert bool(windows.grad[:, 4:].abs().sum() > 0) == both
    before = recipe.target.state_dict()["stem.0.convolution.weight"].clone()
    with torch.no_grad():
        recipe.encoder.stem[0].convolution.weight += 1.0
    recipe.after_step(0.3)
    after = recipe.target.stem[0].convolution.weight
    torch.testing.assert_close(after, before + 0.5)


def silent(recipe: Recipe, name: str) -> Recipe:
    """The recipe, with a network that gives nothing but zeros."""
    leave = recipe.get_submodule(name)
    for value in (leave.leave if name == "decoder" else leave).parameters():
        torch.nn.init.zeros_(value)
    return recipe


@pytest.mark.parametrize("network", TINY)
def test_a_network_that_says_nothing_is_scored_by_hand(paths, network):
    batch = _stored.batch(spec(paths), 0)
    windows = batch.windows.numpy()
    loss, parts = silent(Recipe(spec(paths, "fields_next", network)), "decoder").loss(batch, RNG(0))
    expected = ((windows[:, 4] - windows[:, 3]) ** 2).mean()
    assert loss.item() == pytest.approx(expected, rel=1e-5) == parts["persistence"].item()

    loss, _ = silent(Recipe(spec(paths, "fields_supervised", network)), "readout").loss(
        batch, RNG(0)
    )
    assert loss.item() == pytest.approx((batch.labels**2).mean().item(), rel=1e-5)

    asked = spec(paths, "fields_masked", network, goal="values", masked=0.5)
    seen = []
    recipe = silent(Recipe(asked), "decoder")
    recipe.encoder.register_forward_pre_hook(
        lambda _, inputs: seen.append(inputs[0].detach().numpy())
    )
    loss, _ = recipe.loss(batch, RNG(0))
    whole = windows.reshape(-1, 4, 16, 16, 2)
    hidden = (seen[0] != whole).any((1, 4))  # 0 is shown in place of what is there
    assert (hidden.reshape(-1, 4, 4, 4, 4).mean((2, 4)) % 1 == 0).all(), "whole places are hidden"
    assert (hidden.mean((1, 2)) == 0.5).all()
    assert loss.item() == pytest.approx(
        (whole.transpose(0, 2, 3, 1, 4)[hidden] ** 2).mean(), rel=1e-5
    )
    goal = spec(paths, "fields_masked", network, masked=0.5)
    loss, _ = silent(Recipe(goal), "decoder").loss(batch, RNG(0))
    # normed patches of 32 values have variance 1, with 31 in place of 32 under the sum
    assert loss.item() == pytest.approx(31 / 32, rel=1e-3)


@pytest.mark.parametrize(
    ("network", "hide"), [("convnext", "replaced"), ("vit", "replaced"), ("vit", "dropped")]
)
def test_what_is_hidden_changes_nothing_that_is_painted(paths, network, hide):
    recipe = Recipe(spec(paths, "fields_masked", network, hide=hide, masked=0.5))
    frames = _stored.samples(_stored.batch(recipe.spec, 0))[:3]
    painted = []
    recipe.decoder.register_forward_hook(lambda *call: painted.append(call[-1]))
    recipe.encoder.register_forward_pre_hook(lambda _, inputs: None)

    def run(values: torch.Tensor) -> torch.Tensor:
        recipe.loss(
            _stored.Batch(values.reshape(1, -1, 16, 16, 2)[:, :8], torch.zeros(1, 1)), RNG(3)
        )
        return painted[-1]

    from physprobe.train import _masks

    _, masked = _masks.tubes(recipe.encoder.grid, 2, RNG(3), part=0.5)
    flat = torch.zeros(2, 32, dtype=torch.bool).scatter_(1, masked, True).unflatten(1, (2, 4, 4))
    cells = flat.repeat_interleave(2, 1).repeat_interleave(4, 2).repeat_interleave(4, 3)[..., None]
    two = frames[:2]
    torch.testing.assert_close(run(two + 5.0 * cells), run(two))
    assert not torch.allclose(run(two + 5.0 * ~cells), run(two))


def test_dropping_is_for_transformers(paths):
    with pytest.raises(ValueError, match="a transformer alone can leave places out"):
        spec(paths, "fields_masked", hide="dropped")


@pytest.mark.parametrize(
    ("kind", "network"), [c for c in CELLS if c[0] in ("fields_next", "fields_supervised")]
)
def test_gradients_of_halves_add_up_to_that_of_the_whole(paths, kind, network):
    recipe = Recipe(spec(paths, kind, network))
    batch = _stored.batch(recipe.spec, 0)

    def gradient(part: slice) -> list[torch.Tensor]:
        recipe.zero_grad()
        recipe.loss(_stored.Batch(batch.windows[part], batch.labels[part]), RNG(0))[0].backward()
        return [value.grad.clone() for value in recipe.parameters()]

    whole, *halves = (gradient(part) for part in (slice(4), slice(2), slice(2, 4)))
    for value, *parts in zip(whole, *halves, strict=True):
        torch.testing.assert_close(sum(parts) / 2, value, rtol=1e-4, atol=1e-6)


def test_every_clip_is_seen_once_before_any_is_seen_again():
    for count, size in ((10, 4), (6, 8), (7, 7)):
        seen = np.concatenate([_stored.turn(count, step, size, 1) for step in range(3 * count)])
        epochs = seen.reshape(-1, count)
        assert (np.sort(epochs, 1) == np.arange(count)).all()
        assert (epochs[0] != epochs[1]).any(), "each epoch has an order of its own"
    assert (_stored.turn(10, 2, 4, 1) == _stored.turn(10, 2, 4, 1)).all()
    assert (_stored.turn(50, 0, 50, 1) != _stored.turn(50, 0, 50, 2)).any()


def test_the_learning_rate_that_steps_are_made_with_rises_and_falls(paths, tmp_path, monkeypatch):
    made = spec(paths, steps=20, warm_up=0.25, learning_rate=0.01)
    trace, step = [], torch.optim.AdamW.step

    def traced(self, *args, **more):
        trace.append([group["lr"] for group in self.param_groups])
        return step(self, *args, **more)

    monkeypatch.setattr(torch.optim.AdamW, "step", traced)
    [(_, rows)] = _loop.run(
        Recipe(made), tmp_path, lambda net: {"labels/x": 0.0}, identity="a",
        device=torch.device("cpu"),
    )  # fmt: skip
    rising = 0.01 * np.arange(1, 6) / 5
    falling = 0.01 * (0.01 + 0.99 * 0.5 * (1 + np.cos(np.pi * np.arange(15) / 15)))
    np.testing.assert_allclose(np.array(trace), np.r_[rising, falling][:, None].repeat(2, 1))
    assert len(rows) == 3


def test_windows_hold_normed_frames_of_training_clips_alone(paths):
    made = spec(paths)
    found, whole = _stored.stored(made), clips(paths)
    assert set(found.train) | set(found.held) == set(range(20)), (
        "the last two trajectories are test"
    )
    assert not set(found.groups[found.train]) & set(found.groups[found.held])
    assert len(found.held) == 4
    train = whole[found.train].astype(float)
    np.testing.assert_allclose(found.shown.mean, train.mean((0, 1, 2, 3)), rtol=1e-6)
    np.testing.assert_allclose(found.shown.deviation, train.std((0, 1, 2, 3)), rtol=1e-6)
    assert found.shown.channels == flowing.NAMES
    assert found.shown.periodic == (True, True)
    normed = (whole - np.array(found.shown.mean)) / np.array(found.shown.deviation)
    for step in range(3):
        batch = _stored.batch(made, step)
        chosen = found.train[_stored.turn(len(found.train), step, 4, 1)]
        for window, clip in zip(batch.windows.numpy(), chosen, strict=True):
            near = [np.abs(normed[clip, t : t + 8] - window).max() for t in range(3)]
            assert min(near) < 1e-5
        np.testing.assert_allclose(batch.labels.numpy(), found.labels[chosen], rtol=1e-6)
    truth = np.log(zarrs.read(paths[1])["D"].values)
    own = truth[found.train]
    np.testing.assert_allclose(found.labels[:, 0], (truth - own.mean()) / own.std())


def test_noise_is_in_deviations_and_what_is_judged_is_clean(paths):
    clean, noisy = spec(paths), spec(paths, noise=0.5)
    apart = _stored.batch(noisy, 1).windows - _stored.batch(clean, 1).windows
    assert apart.std((0, 1, 2, 3)).numpy() == pytest.approx(0.5, rel=0.05)
    last = _loop.STEPS - 1
    assert torch.equal(_stored.batch(noisy, last).windows, _stored.batch(clean, last).windows)


def test_shifts_roll_periodic_axes_alone():
    windows = RNG(0).normal(size=(5, 2, 4, 6, 1))
    found = _stored._shifted(windows, (False, True), RNG(1))
    assert (np.sort(found, 3) == np.sort(windows, 3)).all()
    assert (found != windows).any()
    rolled = [
        any((np.roll(before, step, 2) == after).all() for step in range(6))
        for before, after in zip(windows, found, strict=True)
    ]
    assert all(rolled)


def test_few_groups_are_refused():
    with pytest.raises(ValueError, match="7 groups of clips to train on are too few"):
        _groups.parted(np.arange(7), None, 0.2)


def test_shares_of_training_groups_are_nested_whole_and_judged_alike(paths):
    full = _stored.stored(spec(paths))
    names, kept = np.unique(full.groups[full.train]), []
    for share in (0.75, 0.88, 1.0):
        found = _stored.stored(spec(paths, share=share))
        own = np.unique(found.groups[found.train])
        assert len(own) == round(share * len(names)) and len(found.train) == 2 * len(own)
        np.testing.assert_array_equal(found.held, full.held)
        kept.append(set(own))
    assert kept[0] < kept[1] < kept[2] == set(names)
    orders = [
        set(np.unique(full.groups[_groups.first(full.groups, full.train, 0.75, seed)]))
        for seed in range(4)
    ]
    assert orders[0] == kept[0] and any(other != kept[0] for other in orders[1:])

    some = _stored.stored(spec(paths, share=0.75))
    assert some.shown.mean != full.shown.mean, "fields are normed by what is trained on alone"
    told = found.clips["clip"].values
    seen = {int(place) for step in range(9) for place in turned(some, step)}
    assert seen == set(some.train.tolist()) and len(told) > len(seen)


def turned(found: _stored.Stored, step: int) -> np.ndarray:
    return found.train[_stored.turn(len(found.train), step, 4, 1)]


def test_a_share_that_leaves_too_few_groups_is_refused_when_the_config_is_read(paths):
    with pytest.raises(ValueError, match=r"share: 0.3 of 8 training groups are 2; 6 are needed"):
        _stored.stored(spec(paths, share=0.3))
    made = kinds.load("train", "fields_next").Spec.strict(
        entry("fields_next", share=0.1, validation=["alpha"])
    )
    simulate = kinds.load("simulate", "heat").Spec(size=64, frames=12, clips=40)
    system = SimpleNamespace(simulate=simulate, render=SimpleNamespace(kind="channels"))
    config = SimpleNamespace(recipes={"mine": made}, systems={"flow": system}, studies={})
    (line,) = entries.problems(config)
    assert line.startswith("recipes.mine.data: flow: share: 0.1 of 34 training groups are 3; 6")


def test_an_interrupted_run_ends_as_a_whole_one(paths, tmp_path, monkeypatch):
    made = kinds.load("train", "fields_masked").Spec.strict(
        entry("fields_masked", "vit", noise=0.1)
    )
    stores = {"clips": paths[:1], "simulation": paths[1:]}
    whole = tmp_path / "whole/model.safetensors"
    stage.run(out=whole, spec=made.canonical(), **stores)
    monkeypatch.setattr(_loop, "EVERY", 0.0)
    step, left = _loop._step, [3]

    def killed(*given):
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        return step(*given)

    parted = tmp_path / "parted/model.safetensors"
    monkeypatch.setattr(_loop, "_step", killed)
    with pytest.raises(KeyboardInterrupt):
        stage.run(out=parted, spec=made.canonical(), **stores)
    monkeypatch.setattr(_loop, "_step", step)
    stage.run(out=parted, spec=made.canonical(), **stores)
    assert parted.read_bytes() == whole.read_bytes()
    assert (parted.parent / "config.json").read_bytes() == (
        whole.parent / "config.json"
    ).read_bytes()

    sizes, shown, tensors = fields.read(whole.parent)
    assert written.members(tensors) == (1, 2)
    assert {name.split("/")[1] for name in tensors} == {"encoder", "decoder", "hidden"}
    latent.restored(fields.encoder(sizes, shown), tensors, "2/encoder/", whole.parent)
    found = _stored.stored(spec(paths))
    assert shown.mean == found.shown.mean and shown.deviation == found.shown.deviation
    data = json.loads((whole.parent / "config.json").read_text())["data"]
    assert data["clips"] == zarrs.digest(paths[0]) and data["trained_on"] == len(found.train)
    assert (data["share"], data["groups"]) == (1.0, 8)
    learnt = {"recipe": "fields_masked", "trained_on": 16, "share": 1.0, "groups": 8}
    assert fields.learnt(whole.parent) == learnt
    with (whole.parent / "training.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["member"] for row in rows] == ["1"] * 3 + ["2"] * 3
    assert all(-9 < float(row["labels/log_D"]) <= 1 for row in rows)
    card = (whole.parent / "README.md").read_text()
    assert "2 members" in card and "| labels/log_D |" in card and "noise of 0.1 deviations" in card


def test_the_probe_reads_what_the_features_hold(paths):
    """Features that are the label are worth 1, and of other clips than the probe was fitted to."""
    made = spec(paths)
    found = _stored.stored(made)
    told = dict(zip(found.clips["clip"].values, found.labels[:, 0], strict=True))
    judge, asked = _stored.judge(made, 1), []

    class Knows(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.zeros(()))

        def forward(self, groups):
            clip = min(
                told, key=lambda c: np.abs(found.frames(c, slice(0, 4)) - groups[0].numpy()).max()
            )
            asked.append(clip)
            noise = RNG(int(clip)).normal(size=2)
            features = torch.tensor([told[clip], *noise], dtype=torch.float32)
            return features.expand(len(groups), 1, 1, 1, 3)

    scores = judge(Knows())
    assert scores["labels/log_D"] > 0.99
    assert set(found.groups[asked]) == set(range(10)), "those of the test split aren't looked at"
    assert judge(silent(Recipe(spec(paths)), "encoder").encoder)["labels/log_D"] < 0.01


SYSTEM = {"simulate": {"kind": "heat", "size": 64, "frames": 12}, "render": {"kind": "fields"}}


@pytest.mark.parametrize(
    ("more", "render", "message"),
    [
        ({}, "fields", "data: flow is rendered as fields; fields by name are needed"),
        (
            {"frames": 8},
            "channels",
            "frames: clips of flow have 12 frames, too few for windows of 2",
        ),
        ({"validation": ["D"]}, "channels", "validation: flow has no 'D'; it has alpha"),
        (
            {"patch": 3, "validation": ["alpha"]},
            "channels",
            "patch: flow: a grid of 64 x 64 cells isn't",
        ),
    ],
)
def test_clips_that_do_not_do_are_refused_when_the_config_is_read(more, render, message):
    made = kinds.load("train", "fields_next").Spec.strict(entry("fields_next", **more))
    simulate = kinds.load("simulate", "heat").Spec(**SYSTEM["simulate"])
    system = SimpleNamespace(simulate=simulate, render=SimpleNamespace(kind=render))
    config = SimpleNamespace(recipes={"mine": made}, systems={"flow": system}, studies={})
    found = list(entries.problems(config))
    assert found[0].startswith(f"recipes.mine.{message}"), found
    config.systems = {"flows": system}
    assert list(entries.problems(config)) == [
        "recipes.mine.data: no system 'flow'; there are flows. Did you mean 'flows'?"
    ]


def test_encoders_are_not_asked_for_what_they_cannot_embed_or_were_told():
    frames = {"flow": 8, "other": 8, "long": 10}
    systems = {
        name: SimpleNamespace(
            simulate=kinds.load("simulate", "heat").Spec(size=64, frames=count),
            render=SimpleNamespace(kind="channels"),
        )
        for name, count in frames.items()
    }
    mine = kinds.load("embed", "fields").Spec(model="results/encoders/mine")

    def complaints(kind: str, system: str) -> list[str]:
        made = kinds.load("train", kind).Spec.strict(entry(kind, validation=["alpha"]))
        config = SimpleNamespace(
            recipes={"mine": made}, systems=systems, embeddings={"mine": mine},
            studies={"asks": SimpleNamespace(names=("mine", "none"))}, shown=lambda name: (system,),
        )  # fmt: skip
        return list(entries.problems(config))

    assert complaints("fields_jepa", "flow") == []
    assert complaints("fields_supervised", "other") == []
    [line] = complaints("fields_jepa", "long")
    assert line.endswith("long has 10 frames, which can't be cut into groups of 4")
    [line] = complaints("fields_supervised", "flow")
    assert line.startswith("studies.asks: mine is read from results/encoders/mine; it was told")


def test_the_rule_of_a_recipe_reads_the_stores_of_its_system():
    made = kinds.load("train", "fields_next").Spec.strict(entry("fields_next"))
    simulate = SimpleNamespace(kind="heat")
    config = SimpleNamespace(
        recipes={"mine": made}, systems={"flow": SimpleNamespace(simulate=simulate)}
    )
    command = commands.STAGE.commands["train"]
    asked = SimpleNamespace(recipe="mine")
    inputs = command.inputs(config, asked)
    assert inputs["clips"] == ["results/flow/clips.zarr/zarr.json"]
    assert inputs["simulation"] == ["results/flow/simulation.zarr/zarr.json"]
    assert list(command.kinds(config, asked)) == ["train.fields_next", "simulate.heat"]
    with pytest.raises(ValueError, match="needs the clips of flow and their simulation"):
        made.reading((), ())


def test_variance_of_features_is_that_of_samples():
    """As in the other recipes; published with n in place of n - 1, of hundreds of rows."""
    rows = torch.tensor([[0.1], [-0.1]])
    assert _losses.variance(rows).item() == pytest.approx(1 - np.sqrt(0.02 + 1e-4))


def test_presets_give_what_is_not_given():
    assert FieldNetwork().widths == (16, 32, 64)
    large = FieldNetwork.strict({"network": "vit", "preset": "published", "blocks": [2]})
    assert (large.widths, large.blocks, large.frames) == ((192,), (2,), 16)
    for wrong, message in (
        ({"widths": [4]}, "blocks: 3 stages, but widths are of 1"),
        ({"kernel": 4}, "kernel: 4 is even"),
        ({"frames": 6}, "frames: 6 are no multiple of 4"),
        ({"network": "vit", "widths": [9]}, "a multiple of twice the heads"),
    ):
        with pytest.raises(ValueError, match=message):
            FieldNetwork.strict(wrong)
