"""Loop: a killed run ends as an undisturbed one, and one that goes wrong says so."""

import json
import math

import pytest
import torch
from torch import nn

from physprobe.train import _loop, _stream
from physprobe.train._recipe import Recipe

CPU = torch.device("cpu")


class Killed(Exception):
    """Stands for kill -9: whatever was not on the disk by then is gone."""


def ranks(scores):
    """Judge that gives these scores in turn."""
    left = iter(scores)
    return lambda encoder: {"heat/log_alpha": next(left)}


def test_a_killed_run_goes_on_to_the_same_weights_and_rows(tiny, tmp_path, monkeypatch):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    whole.mkdir(), killed.mkdir()
    [(tensors, rows)] = _loop.run(
        Recipe(tiny), whole, ranks([0.1, 0.2, 0.3]), identity="a", device=CPU
    )
    monkeypatch.setattr(_loop, "EVERY", 0.0)
    calls = []

    def die(recipe, batch, rng):
        calls.append(1)
        if len(calls) == 5:
            raise Killed
        return type(recipe).loss(recipe, batch, rng)

    recipe = Recipe(tiny)
    recipe.loss = die.__get__(recipe)
    with pytest.raises(Killed):
        _loop.run(recipe, killed, ranks([0.1, 0.2]), identity="a", device=CPU)
    [(again, more)] = _loop.run(Recipe(tiny), killed, ranks([0.3]), identity="a", device=CPU)
    assert [row["step"] for row in more] == [row["step"] for row in rows] == [0, 3, 6]
    assert [row["loss"] for row in more] == [row["loss"] for row in rows]
    assert all(torch.equal(again[name], tensors[name]) for name in tensors)


def test_a_checkpoint_of_another_run_is_not_gone_on_with(tiny, tmp_path):
    _loop.run(Recipe(tiny), tmp_path, ranks([0, 0, 0]), identity="a", device=CPU)
    [(_, rows)] = _loop.run(Recipe(tiny), tmp_path, ranks([0.5, 0, 0]), identity="b", device=CPU)
    assert rows[0]["score"] == 0.5 and len(rows) == 3


def test_the_best_checkpoint_is_kept_whatever_the_loss_but_never_the_random_weights(tiny, tmp_path):
    [(tensors, rows)] = _loop.run(
        Recipe(tiny), tmp_path, ranks([0.9, 0.5, 0.4]), identity="a", device=CPU
    )
    assert [row["kept"] for row in rows] == [False, True, False]
    last = Recipe(tiny).kept
    assert not all(torch.equal(last[name], tensors[name]) for name in tensors)


def test_a_loss_that_is_not_finite_stops_the_run(tiny, tmp_path):
    recipe = Recipe(tiny)
    with torch.no_grad():
        recipe.predictor.leave.bias.fill_(math.inf)
    with pytest.raises(ValueError, match=r"step 0: the loss is (inf|nan).*learning_rate"):
        _loop.run(recipe, tmp_path, ranks([0, 0]), identity="a", device=CPU)


class Collapsing(Recipe):
    """Pulls every feature to zero."""

    def __init__(self, spec):
        super().__init__(spec)
        with torch.no_grad():
            self.encoder.layernorm.weight.zero_()

    def loss(self, batch, rng):
        return self.encoder.layernorm.bias.square().sum(), {}


def test_collapsed_features_stop_the_run(tiny, tmp_path):
    with pytest.raises(ValueError, match="the features have collapsed"):
        _loop.run(Collapsing(tiny), tmp_path, ranks([0, 0, 0]), identity="a", device=CPU)


def test_effective_rank_of_known_spectra(tiny, monkeypatch):
    recipe = Recipe(tiny)
    width, count = tiny.hidden_size, 6
    equal = torch.eye(width).repeat(20, 1)
    equal = torch.cat([equal, -equal]).reshape(count, -1, width)
    monkeypatch.setattr(recipe.family, "hidden", lambda network, batch: equal)
    assert _loop.diagnostics(recipe)["effective_rank"] == pytest.approx(width)
    line = torch.linspace(-1, 1, 120)[:, None] * torch.ones(width)
    monkeypatch.setattr(
        recipe.family, "hidden", lambda network, batch: line.reshape(count, 20, width)
    )
    assert _loop.diagnostics(recipe)["effective_rank"] == pytest.approx(1, abs=1e-3)


def test_the_learning_rate_rises_and_falls(tiny):
    spec = tiny.model_copy(update={"steps": 1000, "warm_up": 0.1})
    rates = [_loop.learning_rate(spec, step) for step in range(1000)]
    assert rates[0] == pytest.approx(spec.learning_rate / 100)
    assert max(rates) == rates[99] == pytest.approx(spec.learning_rate)
    assert rates[550] == pytest.approx(spec.learning_rate * (0.01 + 0.99 * 0.5))
    assert rates[-1] < 0.011 * spec.learning_rate


def test_biases_and_norms_have_no_weight_decay(tiny):
    decayed, free = _loop._groups(nn.Sequential(nn.Linear(3, 3), nn.LayerNorm(3)), 0.1)
    assert [value.ndim for value in decayed["params"]] == [2] and len(free["params"]) == 3


def test_progress_is_plain(tiny):
    assert _loop.Progress(**json.loads(json.dumps(_loop.Progress(step=3).__dict__))).step == 3
    assert _stream.STEPS > 10**9
