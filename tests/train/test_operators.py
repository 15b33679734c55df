"""Recipes of operators and of axial attention: losses by hand, where tuning starts, its name."""

import json
from pathlib import Path
from types import SimpleNamespace

import flowing
import numpy as np
import pytest
import torch

from physprobe.config import kinds
from physprobe.embed import fields as family
from physprobe.embed.networks import fields, latent
from physprobe.store import zarrs
from physprobe.train import _stored, commands, entries, stage
from physprobe.train._recipe import Recipe

RNG = np.random.default_rng
AVIT = {
    "network": "avit", "frames": 4, "widths": [8], "blocks": [1], "patch": 4, "heads": 2,
    "head_width": 8, "scale": 0.5,
}  # fmt: skip
CONV = {
    "network": "convnext", "frames": 4, "widths": [4, 6], "blocks": [1, 1], "patch": 2,
    "head_width": 6,
}  # fmt: skip
OPERATOR = {"latent": 6, "operator_width": 4, "ahead": 2}


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Twelve trajectories of two windows, of which the last two trajectories are tested on."""
    split = ("train",) * 10 + ("test",) * 2
    return flowing.stores(tmp_path_factory.mktemp("flow"), split=split)


def entry(kind: str, sizes: dict = AVIT, **more: object) -> dict:
    return {
        "kind": kind, **sizes, **(OPERATOR if kind == "fields_operator" else {}), "data": "flow",
        "validation": ["log_D"], "validation_clips": 20, "batch": 4, "steps": 2, "epochs": 1,
        "seeds": [1, 2], **more,
    }  # fmt: skip


def made(kind: str, sizes: dict = AVIT, **more: object):
    return kinds.load("train", kind).Spec.strict(entry(kind, sizes, **more))


def spec(paths, kind: str, sizes: dict = AVIT, seed: int = 1, **more: object):
    return made(kind, sizes, **more).reading(paths[:1], paths[1:]).members[seed]


@pytest.fixture(scope="module")
def trained(paths, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders of a transformer, of the same tuned, and of a hypernetwork, of two members each."""
    folder, found = tmp_path_factory.mktemp("trained"), {}
    for name, kind in (
        ("mpp", "fields_next"),
        ("tuned", "fields_tuned"),
        ("op", "fields_operator"),
    ):
        more = {"start": str(folder / "mpp")} if kind == "fields_tuned" else {}
        out = folder / name / "model.safetensors"
        stage.run(
            out=out, spec=made(kind, **more).canonical(), clips=paths[:1], simulation=paths[1:]
        )
        found[name] = out.parent
    return found


@pytest.mark.parametrize(
    ("kind", "sizes"),
    [("fields_operator", AVIT), ("fields_operator", CONV), ("fields_next", AVIT),
     ("fields_supervised", AVIT), ("fields_masked", AVIT), ("fields_jepa", AVIT),
     ("fields_tuned", AVIT)],
    ids=lambda value: value if isinstance(value, str) else value["network"],
)  # fmt: skip
def test_some_steps_lower_the_loss_and_reach_every_weight(paths, trained, kind, sizes):
    more = {"start": str(trained["mpp"])} if kind == "fields_tuned" else {}
    recipe = Recipe(spec(paths, kind, sizes, **more))
    batch = _stored.batch(recipe.spec, 0)
    optimiser = torch.optim.Adam(recipe.parameters(), lr=1e-2)
    losses = []
    for _ in range(7):
        optimiser.zero_grad()
        loss, parts = recipe.loss(batch, RNG(0))
        loss.backward()
        for name, value in recipe.named_parameters():
            assert value.grad is not None and value.grad.abs().sum() > 0, name
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.98 * losses[0]
    assert all(value.shape == () and not value.requires_grad for value in parts.values())


def test_an_operator_that_does_nothing_persists_and_one_that_decays_is_scored_by_hand(paths):
    recipe = Recipe(spec(paths, "fields_operator", CONV))
    batch = _stored.batch(recipe.spec, 0)
    windows, leave = batch.windows.double().numpy(), recipe.generator.leave
    torch.nn.init.zeros_(leave.weight)
    torch.nn.init.zeros_(leave.bias)
    last, goal = windows[:, 3:4], windows[:, 4:6]
    loss, parts = recipe.loss(batch, RNG(0))
    expected = ((goal - last) ** 2).mean()
    assert loss.item() == pytest.approx(expected, rel=1e-5) == parts["persistence"].item()
    # du/dt = -0.2 u: gelu(x) is x far from 0, so that two of the four features carry the fields
    numbers = {name: np.zeros(shape) for name, shape in recipe.generator.shapes.items()}
    for field in range(2):
        numbers["first"][field, field, 1, 1] = -0.2
        numbers["second"][field, field, 1, 1] = numbers["last"][field, field, 0, 0] = 1.0
    numbers["first_bias"][:], numbers["last_bias"][:] = 30.0, -30.0
    flat = torch.from_numpy(np.concatenate([part.ravel() for part in numbers.values()])).float()
    with torch.no_grad():
        leave.bias.copy_(flat / recipe.generator.gains)
    loss, _ = recipe.loss(batch, RNG(0))
    factor = 1 - 0.2 + 0.2**2 / 2 - 0.2**3 / 6
    decayed = np.concatenate([factor * last, factor**2 * last], 1)
    assert loss.item() == pytest.approx(((goal - decayed) ** 2).mean(), rel=1e-4)


def test_windows_of_other_dynamics_get_other_operators_and_a_seed_gives_the_same_ones(paths):
    asked = spec(paths, "fields_operator")
    one, two = Recipe(asked), Recipe(asked)
    windows = _stored.batch(asked, 0).groups[:, 0]
    weights = [net.generator(net.encoder(windows).flatten(1)) for net in (one, two)]
    for name, value in weights[0].items():
        assert torch.equal(value, weights[1][name]), name
        assert (value[0] != value[1]).any(), name
    other = Recipe(spec(paths, "fields_operator", seed=2))
    assert not torch.equal(other.generator.leave.weight, one.generator.leave.weight)
    # what reads the window begins as in every other recipe
    sibling = Recipe(spec(paths, "fields_supervised")).encoder.state_dict()
    assert all(torch.equal(one.encoder.body.state_dict()[n], v) for n, v in sibling.items())
    with pytest.raises(ValueError, match="ahead: 5 frames, but a group has 4"):
        made("fields_operator", ahead=5)


def test_a_transformer_says_changes_in_deviations_of_the_sample(paths):
    recipe = Recipe(spec(paths, "fields_next"))
    batch = _stored.batch(recipe.spec, 0)
    windows = batch.windows.numpy()
    with torch.no_grad():
        for name in recipe.decoder.field.of:
            recipe.decoder.field.of[name].zero_()
            recipe.decoder.bias.of[name].fill_(0.5)
    loss, parts = recipe.loss(batch, RNG(0))
    change = windows[:, 4] - windows[:, 3]
    deviation = windows[:, :4].std((1, 2, 3))[:, None, None]
    assert parts["persistence"].item() == pytest.approx((change**2).mean(), rel=1e-5)
    assert loss.item() == pytest.approx(((change - 0.5 * deviation) ** 2).mean(), rel=1e-5)


def test_tuning_goes_on_from_each_members_own_weights_and_freezes_none(paths, trained):
    _, _, tensors = fields.read(trained["mpp"])
    for seed in (1, 2):
        asked = spec(paths, "fields_tuned", seed=seed, start=str(trained["mpp"]))
        recipe = Recipe(asked)
        for name, value in recipe.encoder.named_parameters():
            assert torch.equal(value, tensors[latent.named(seed, "encoder") + name]), name
            assert value.requires_grad
    fresh = Recipe(spec(paths, "fields_supervised", seed=2)).encoder.bias
    assert not torch.equal(fresh, recipe.encoder.bias), "the start has been trained"
    assert asked.ancestors == (str(trained["mpp"]),)
    assert asked.content() != spec(paths, "fields_supervised").content()
    with pytest.raises(ValueError, match=r"has no member 9. Hint: members are 1, 2"):
        Recipe(spec(paths, "fields_tuned", seed=9, seeds=[9], start=str(trained["mpp"])))
    with pytest.raises(ValueError, match="don't fit"):
        Recipe(spec(paths, "fields_tuned", start=str(trained["mpp"]), patch=8))


def test_fields_that_were_not_there_before_get_vectors_of_their_own(paths, trained, tmp_path):
    """A start that knows one of two fields, and one that isn't here."""
    _, _, tensors = fields.read(trained["mpp"])
    renamed = {name.replace("field.of.dye", "field.of.salt"): v for name, v in tensors.items()}
    for file in ("config.json", "preprocessor_config.json"):
        (tmp_path / file).write_text((trained["mpp"] / file).read_text())
    by_member = {
        seed: {
            n.removeprefix(f"{seed}/").replace("/", ".", 1): v
            for n, v in renamed.items() if n.startswith(f"{seed}/")
        }
        for seed in (1, 2)
    }  # fmt: skip
    latent.save(by_member, tmp_path / "model.safetensors")
    recipe = Recipe(spec(paths, "fields_tuned", start=str(tmp_path)))
    own = recipe.encoder.field.of
    assert set(own) == set(flowing.NAMES)
    assert torch.equal(own["tracer"], tensors["1/encoder/field.of.tracer"])
    assert not torch.equal(own["dye"], tensors["1/encoder/field.of.dye"])


def test_what_was_tuned_says_so_wherever_it_is_shown(paths, trained):
    video = zarrs.values(zarrs.read(paths[0]), "channels")[:3, :8]
    labels, size = (
        {},
        dict(zip(("frames", "height", "width", "channels"), video.shape[1:], strict=True)),
    )
    for name, folder in trained.items():
        asked = family.Spec(model=str(folder), seeds=(2,))
        encoder = family.load(asked, **size, threads=1, names=flowing.NAMES)
        labels[name] = encoder.provenance["label"]
        found = encoder.encode(video, np.arange(3)).pooled
        assert (
            found.shape == (3, len(encoder.layers), 2, encoder.features)
            and np.isfinite(found).all()
        )
        swapped = family.load(asked, **size, threads=1, names=flowing.NAMES[::-1])
        np.testing.assert_allclose(
            swapped.encode(video[..., ::-1], np.arange(3)).pooled, found, rtol=1e-5, atol=1e-5
        )
    assert labels == {
        "mpp": "mpp, seed 2", "tuned": "fine-tuned, tuned, seed 2", "op": "op, seed 2"
    }  # fmt: skip
    with pytest.raises(
        ValueError, match="trained on fields tracer, dye, but these are tracer, ink"
    ):
        family.load(asked, **size, threads=1, names=("tracer", "ink"))
    assert encoder.layers == ("latent",) and encoder.features == 6, "one vector per window"
    roles = {n: json.loads((f / "config.json").read_text())["role"] for n, f in trained.items()}
    assert roles == {"mpp": "self-supervised", "tuned": "fine-tuned", "op": "self-supervised"}
    card = (trained["tuned"] / "README.md").read_text()
    assert "fine-tuned, fields_tuned]" in card and "none is frozen" in card
    assert "was told its labels" in card
    assert "a latent of 6 numbers" in (trained["op"] / "README.md").read_text()


def test_a_start_that_does_not_do_is_refused_when_the_config_is_read():
    system = SimpleNamespace(
        simulate=kinds.load("simulate", "heat").Spec(size=64, frames=8),
        render=SimpleNamespace(kind="channels"),
    )
    start = "results/encoders/mpp"

    def complaints(other: dict, studies: dict | None = None, **more: object) -> list[str]:
        own = made("fields_tuned", **{"start": start, "validation": ["alpha"], **more})
        recipes = {"mpp": made(**{"validation": ["alpha"], **other}), "mine": own}
        mine = family.Spec(model="results/encoders/mine")
        config = SimpleNamespace(
            recipes=recipes, systems={"flow": system}, studies=studies or {},
            embeddings={"mine": mine}, shown=lambda name: ("flow",),
        )  # fmt: skip
        return list(entries.problems(config))

    good = {"kind": "fields_next"}
    assert complaints(good) == []
    for other, more, message in (
        (good, {"start": "results/encoders/mp"}, "no recipe writes it. Did you mean"),
        (good, {"seeds": [1, 3]}, "seeds: mpp has no member 3"),
        (good, {"blocks": [2]}, "blocks: (2,), but mpp has (1,)"),
        ({"kind": "fields_operator"}, {}, "start: mpp is trained by fields_operator, which"),
        ({"kind": "fields_tuned", "start": start}, {}, "start: mpp is trained by fields_tuned"),
    ):
        assert any(message in line and "mine" in line for line in complaints(other, **more)), (
            message
        )
    asks = {"asks": SimpleNamespace(names=("mine",))}
    [line] = complaints(good, asks)
    assert "it was told the labels of the clips of flow, which has no split" in line
    simulate = SimpleNamespace(kind="heat")
    config = SimpleNamespace(
        recipes={"mpp": made("fields_next"), "mine": made("fields_tuned", start=start)},
        systems={"flow": SimpleNamespace(simulate=simulate)},
    )
    inputs = commands.STAGE.commands["train"].inputs(config, SimpleNamespace(recipe="mine"))
    assert f"{start}/model.safetensors" in inputs["ancestors"]
