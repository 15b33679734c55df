"""Scores of groups and of standardised labels: as by hand, with a null that is what a run gives."""

import json

import numpy as np
import pytest

from physprobe.fit.methods import _samples, attentive, knn, logistic, ridge, trained_sweep
from physprobe.fit.methods._numbers import Numbers
from physprobe.fit.probe import probe, tallies
from physprobe.fit.section import SCHEMAS
from physprobe.statistics import nulls, splits

GROUPS, WINDOWS, TIMES, FEATURES = 15, 4, 3, 5
CLIPS = GROUPS * WINDOWS
GROUP = np.repeat(np.arange(GROUPS), WINDOWS)
RNG = np.random.default_rng(0)
RATE, MIXING = RNG.normal(3, 2, GROUPS)[GROUP], RNG.normal(size=GROUPS)[GROUP]
WHEN = np.tile(np.arange(WINDOWS), GROUPS) + RNG.normal(size=CLIPS)
TARGETS = {"rate": RATE, "pair": np.stack([MIXING, 0.2 * RATE], -1), "when": WHEN}
FEATURE = RNG.normal(size=(CLIPS, TIMES, FEATURES))
FEATURE[..., 0] += 0.6 * RATE[:, None]
FEATURE[..., 1] += MIXING[:, None]
FEATURE[..., 2] += 0.2 * WHEN[:, None]
FOLDS = splits.nested(GROUP, outer=3, inner=2)
SOLVED = {
    "ridge": (ridge, {}),
    "knn": (knn, {"readout": "number", "neighbours": (3,)}),
    "attentive": (attentive, {"samples": ("time",), "epochs": (5,), "decays": (0.1,)}),
    "trained_sweep": (trained_sweep, {"epochs": 3, "rates": (0.01,), "decays": (0.1,)}),
}


def run(targets=TARGETS, module=ridge, groups=GROUP, **more):
    fields = {"samples": ("token",), "permutations": 5, "bootstraps": 200, "z_mse": True, **more}
    spec = module.Spec(targets=tuple(targets), **fields)
    return probe(spec, [FEATURE], ["0"], targets, FOLDS, groups=groups)


@pytest.fixture(scope="module")
def found():
    return run()


def value(rows, metric, target, column="value"):
    (row,) = [
        r for r in rows
        if (r["metric"], r["target"], r["layer"]) == (metric, target, "selected")
        and r.get("time") is None
    ]  # fmt: skip
    return row[column]


def test_a_group_is_scored_by_its_mean_prediction(found):
    rows, block = found
    held = {b["target"]: b for b in block["held_out"] if b["layer"] == "selected"}
    for name in ("rate", "pair"):
        truth = TARGETS[name].reshape(GROUPS, WINDOWS, -1)[:, 0]
        guess = np.reshape(held[name]["prediction"], (GROUPS, WINDOWS, -1)).mean(1)
        spread = ((truth - truth.mean(0)) ** 2).sum()
        expected = 1 - ((guess - truth) ** 2).sum() / spread
        assert value(rows, "group_r2", name) == pytest.approx(expected)
        assert value(rows, "group_mae", name) == pytest.approx(np.abs(guess - truth).mean())
        assert value(rows, "group_r2", name) > value(rows, "r2", name)
        low, high = (value(rows, "group_r2", name, end) for end in ("ci_low", "ci_high"))
        assert low < expected < high and value(rows, "group_r2", name, "estimand") == "data sets"
        assert value(rows, "group_r2", name, "p") == pytest.approx(1 / 6)
        assert value(rows, "group_r2", name, "note") == "mean predictions of 15 groups of clips"
    json.dumps([SCHEMAS["probe"].row(**row) for row in rows], allow_nan=False)


def test_standardised_errors_are_in_units_of_the_training_clips_labels(found):
    rows, block = found
    held = {b["target"]: b for b in block["held_out"] if b["layer"] == "selected"}
    (alone, _), mean, by_group = run({"rate": RATE}), [], []
    for name in ("rate", "when"):
        total = sum(
            np.array(held[name]["squared_error"])[f.test].sum() / TARGETS[name][f.train].var()
            for f in FOLDS
        )
        mean.append(total / CLIPS)
        assert value(rows, "z_mse", name) == pytest.approx(mean[-1])
    assert value(rows, "z_mse", "rate", "null_q95") > mean[0], "on the better side"
    assert value(alone, "z_mse", "rate") == pytest.approx(mean[0])
    assert not [r for r in alone if r["target"] == "mean"]
    both = [value(rows, "z_mse", name) for name in TARGETS]
    assert value(rows, "z_mse", "mean") == pytest.approx(np.mean(both))
    assert value(rows, "z_mse", "mean", "p") == pytest.approx(1 / 6)
    assert "mean over rate, pair, when" in value(rows, "z_mse", "mean", "note")
    guess = np.reshape(held["rate"]["prediction"], (GROUPS, WINDOWS)).mean(1)
    for fold in FOLDS:
        own = np.unique(GROUP[fold.test])
        by_group += ((guess - RATE[::WINDOWS])[own] ** 2 / RATE[fold.train].var()).tolist()
    assert value(rows, "group_z_mse", "rate") == pytest.approx(np.mean(by_group))
    assert "mean over rate, pair" in value(rows, "group_z_mse", "mean", "note")


def test_nulls_are_what_runs_on_permuted_labels_give():
    rows, _ = run({"rate": RATE}, permutations=3)
    given = {"group_r2": [], "z_mse": [], "group_z_mse": []}
    for order in nulls.permutations(GROUP, 3, 0):
        again, _ = run({"rate": RATE[order]}, permutations=1)
        for metric, values in given.items():
            values.append(value(again, metric, "rate"))
    for metric, values in given.items():
        assert value(rows, metric, "rate", "null_mean") == pytest.approx(np.mean(values), rel=1e-4)


@pytest.mark.parametrize("name", SOLVED)
def test_every_solver_sums_what_it_predicts_of_groups(name):
    module, more = SOLVED[name]
    spec = module.Spec(targets=("rate",), permutations=1, bootstraps=100, **more)
    labels = Numbers(RATE[:, None, None], {"rate": 1}, groups=GROUP)
    sample = "time" if name == "attentive" else "token"
    source = _samples.pooled([sample], [FEATURE], ["0"])
    (tally,) = tallies(spec.solver(None), labels, source, FOLDS)
    for fit, fold in zip(tally.selected, FOLDS, strict=True):
        missed = (fit.predicted[..., 0].mean(1) - RATE[fold.test]).reshape(-1, WINDOWS)
        assert fit.grouped == pytest.approx([(missed.mean(1) ** 2).sum()], rel=1e-5)


def test_nothing_is_said_of_groups_where_there_are_none(found):
    rows, _ = found
    assert not [r for r in rows if r["metric"].startswith("group") and r["target"] == "when"]
    plain, _ = run(groups=None, z_mse=False)
    metrics = {row["metric"] for row in plain}
    assert metrics == {"r2", "mae", "train_r2", "train_mae"}
    with pytest.raises(ValueError, match="z_mse: only numbers have it"):
        logistic.Spec(targets=("rate",), z_mse=True)
