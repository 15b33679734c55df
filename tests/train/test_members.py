"""Members trained together: each is what it would be alone."""

import numpy as np
import pytest
import torch

from physprobe.config import kinds
from physprobe.statistics import seeds
from physprobe.train import _clips, _loop
from physprobe.train._members import Members
from physprobe.train._recipe import Recipe

TIPS = {
    "simulate": {"kind": "double_pendulum", "frames": 12},
    "render": {"kind": "signal"},
}
TINY = {
    "system": TIPS, "clips": 12, "validation": ("sincos_theta1",), "validation_clips": 20,
    "network": "mlp", "embedding": 6, "hidden": (8,), "horizon": 3,
    "batch": 8, "steps": 6, "epochs": 2, "seeds": (1, 2, 5),
}  # fmt: skip
CPU = torch.device("cpu")
RECIPES = (
    ("dynamics_jepa", {"against_collapse": "vicreg"}),
    ("dynamics_jepa", {"against_collapse": "sigreg"}),
    ("dynamics_jepa", {"against_collapse": "none", "weight_decay": 0.05}),
    ("dynamics_autoencoder", {}),
    ("dynamics_coordinates", {"network": "none", "embedding": 8}),
    ("dynamics_frames", {}),
    ("dynamics_states", {"clip": 0.01}),
)


def recipes(kind: str, **more: object) -> list[Recipe]:
    spec = kinds.load("train", kind).Spec(**{**TINY, **more})
    assert spec.together
    return [Recipe(member) for member in spec.members.values()]


def trained(recipe, dtype: torch.dtype, steps: int) -> _loop.Progress:
    """Take some steps."""
    recipe.to(dtype)
    groups = _loop._groups(recipe, recipe.spec.weight_decay, recipe.leading)
    optimiser, progress = torch.optim.AdamW(groups, lr=1e-3), _loop.Progress()
    for step in range(steps):
        found = recipe.batch(step)
        batch = _clips.Batch(found.video.to(dtype), found.states.to(dtype))
        _loop._step(recipe, optimiser, batch, progress)
    return progress


@pytest.mark.parametrize(("kind", "more"), RECIPES)
def test_a_member_trained_together_is_the_one_trained_alone(kind, more):
    alone, together = recipes(kind, **more), Members(recipes(kind, **more))
    first = [{n: v.clone() for n, v in r.state_dict().items()} for r in alone]
    # in double precision, so that nothing but the order of sums is left between them; directions
    # and norms of embeddings are float32 in the losses, whatever the networks are
    found = trained(together, torch.float64, 20)
    for number, (recipe, start, member) in enumerate(
        zip(alone, first, together.each(), strict=True)
    ):
        own = trained(recipe, torch.float64, 20)
        state = member.state_dict()
        for name, value in recipe.state_dict().items():
            torch.testing.assert_close(state[name], value, rtol=1e-5, atol=1e-7)
            if name.startswith(("encoder", "target", "predictor")):
                assert not torch.allclose(value.float(), start[name].float(), atol=1e-7), name
        np.testing.assert_allclose(np.array(found.losses)[:, number], np.ravel(own.losses), 1e-5)
        np.testing.assert_allclose(np.array(found.norms)[:, number], np.ravel(own.norms), 1e-4)
        assert found.parts.keys() == own.parts.keys()


def test_the_first_gradients_are_equal_to_float32():
    alone, together = recipes("dynamics_jepa"), Members(recipes("dynamics_jepa"))
    draws = [seeds.rng("test", number) for number in range(3)]
    losses, _ = together.losses(together.batch(0), draws)
    losses.sum().backward()
    for number, recipe in enumerate(alone):
        recipe.loss(recipe.batch(0), seeds.rng("test", number))[0].backward()
        stacked = dict(together.stack.named_parameters())
        for name, value in recipe.named_parameters():
            if value.grad is not None:
                scale = float(value.grad.abs().max())
                torch.testing.assert_close(
                    stacked[name].grad[number], value.grad, rtol=1e-4, atol=1e-5 * scale
                )


def judge(network) -> dict[str, float]:
    """Sum of the weights: another for every member and epoch."""
    return {"states/x": float(sum(value.detach().sum() for value in network.parameters()))}


def test_the_loop_gives_every_members_rows_and_tensors(tmp_path):
    (tmp_path / "all").mkdir()
    made = recipes("dynamics_autoencoder")
    found = _loop.run(Members(made), tmp_path / "all", judge, identity="a", device=CPU)
    for number, (tensors, rows) in enumerate(found):
        (tmp_path / str(number)).mkdir()
        [(own, alone)] = _loop.run(
            recipes("dynamics_autoencoder")[number],
            tmp_path / str(number), judge, identity="a", device=CPU,
        )  # fmt: skip
        assert [row["step"] for row in rows] == [0, 3, 6]
        for name in ("loss", "score", "effective_rank", "reconstruction"):
            assert [row[name] for row in rows[1:]] == pytest.approx(
                [row[name] for row in alone[1:]], rel=1e-3
            )
        assert tensors.keys() == own.keys()
        for name, value in own.items():
            torch.testing.assert_close(tensors[name], value, rtol=1e-3, atol=1e-4)


class Killed(Exception):
    """Stands for kill -9."""


def test_members_go_on_where_they_were_killed(tmp_path, monkeypatch):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    whole.mkdir(), killed.mkdir()
    expected = _loop.run(Members(recipes("dynamics_jepa")), whole, judge, identity="a", device=CPU)
    monkeypatch.setattr(_loop, "EVERY", 0.0)
    members = Members(recipes("dynamics_jepa"))
    calls = []

    def die(batch, rngs):
        calls.append(1)
        if len(calls) == 5:
            raise Killed
        return Members.losses(members, batch, rngs)

    members.losses = die
    with pytest.raises(Killed):
        _loop.run(members, killed, judge, identity="a", device=CPU)
    found = _loop.run(Members(recipes("dynamics_jepa")), killed, judge, identity="a", device=CPU)
    for (tensors, rows), (again, more) in zip(expected, found, strict=True):
        assert [row["loss"] for row in rows] == [row["loss"] for row in more]
        assert all(torch.equal(again[name], tensors[name]) for name in tensors)


def test_a_member_that_diverges_is_named(tmp_path):
    made = recipes("dynamics_states")
    with torch.no_grad():
        made[1].readout.bias.fill_(torch.inf)
    with pytest.raises(ValueError, match=r"the loss is (inf|nan) \(seed 2\)"):
        _loop.run(Members(made), tmp_path, judge, identity="a", device=CPU)


def test_networks_of_other_shapes_are_refused():
    wider = recipes("dynamics_jepa", hidden=(9,))[:1]
    with pytest.raises(ValueError, match="networks of equal shapes"):
        Members(recipes("dynamics_jepa")[:1] + wider)


def test_frames_and_drawn_gaps_are_left_to_one_after_the_other():
    spec = kinds.load("train", "dynamics_jepa").Spec
    assert not spec(**{**TINY, "network": "cnn"}).together
    assert not spec(**{**TINY, "against_collapse": "masking"}).together


def test_a_predictor_of_coordinates_learns_to_go_on_as_they_went():
    more = {"hidden": (64,), "steps": 600, "batch": 64, "learning_rate": 0.01, "horizon": 1}
    recipe = recipes("dynamics_coordinates", network="none", embedding=8, **more)[0]
    optimiser, progress = torch.optim.AdamW(_loop._groups(recipe, 0.0)), _loop.Progress()
    for step in range(600):
        _loop._step(recipe, optimiser, recipe.batch(step), progress)
    batch = recipe.batch(1000)
    start, goal = recipe.encoder(batch.video[:, :2]), batch.video[:, 2]
    torch.testing.assert_close(start, batch.video[:, :2].flatten(1))
    after = recipe.predictor(start)
    assert torch.equal(after[:, :4], start[:, 4:]), "the history moves on by a frame"
    error, still = ((told - goal).square().mean() for told in (after[:, 4:], start[:, 4:]))
    assert error < 0.2 * still


def test_of_equal_scores_the_last_networks_are_kept(tmp_path):
    recipe = recipes("dynamics_coordinates", network="none", embedding=8)[0]
    [(tensors, rows)] = _loop.run(
        recipe, tmp_path, lambda net: {"states/x": 0.5}, identity="a", device=CPU
    )
    assert [row["kept"] for row in rows] == [False, True, True]
    assert all(torch.equal(tensors[name], value) for name, value in recipe.kept.items())


def test_a_history_has_as_many_numbers_as_its_frames():
    with pytest.raises(ValueError, match=r"2 frames of 4 numbers are 8"):
        recipes("dynamics_coordinates", network="none", embedding=6)
