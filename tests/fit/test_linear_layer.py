"""Linear layer: AdamW on the way, least squares at the end, and what ridge says in between."""

import json

import numpy as np
import pytest
import torch
from sklearn.linear_model import LinearRegression, LogisticRegression

from physprobe.fit.methods import ridge
from physprobe.fit.methods.linear_layer import Spec
from physprobe.fit.probe import probe
from physprobe.fit.section import SCHEMAS
from physprobe.statistics import splits

CLIPS, TIMES, FEATURES = 90, 3, 6
FOLDS = splits.nested(np.arange(CLIPS), outer=3, inner=2)


@pytest.fixture(scope="module")
def planted():
    """Features without correlation, and a label that is linear in them, with noise."""
    rng = np.random.default_rng(0)
    features = rng.normal(size=(CLIPS, TIMES, FEATURES)) * np.geomspace(0.1, 10, FEATURES)
    mean = features.mean(1)
    weight = rng.normal(size=FEATURES) / mean.std(0)
    return features, 5 + mean @ weight + 0.5 * rng.normal(size=CLIPS)


def run(features, label, module=None, **more):
    fields = {"targets": ("a",), "samples": ("clip",), "bootstraps": 200, **more}
    spec = (module.Spec if module else Spec)(**fields)
    return probe(spec, [features], ["0"], {"a": label}, FOLDS)


def value(rows, metric="r2"):
    (row,) = [r for r in rows if (r["metric"], r["layer"]) == (metric, "selected")]
    return row["value"]


def predicted(block, key="prediction"):
    return np.array(next(b for b in block["held_out"] if b["layer"] == "selected")[key])


def test_it_agrees_with_ridge_where_the_problem_is_well_conditioned(planted):
    features, label = planted
    rows, block = run(features, label, permutations=3)
    closed, _ = run(features, label, ridge, permutations=1)
    assert value(closed) > 0.7
    assert value(rows) == pytest.approx(value(closed), abs=0.01)
    (row,) = [r for r in rows if (r["metric"], r["layer"]) == ("r2", "selected")]
    assert row["p"] == pytest.approx(1 / 4) and row["null_mean"] < 0.2
    assert {choice["parameters"] for choice in block["choices"]} == {FEATURES + 1}
    json.dumps([SCHEMAS["probe"].row(**row) for row in rows], allow_nan=False)


def test_trained_to_the_end_without_decay_it_is_least_squares(planted):
    features, label = planted
    more = {"rates": (0.01,), "decays": (0.0,), "epochs": (1200,), "permutations": 0}
    _, block = run(features, label, **more)
    mean = features.mean(1)
    for fold in FOLDS:
        peer = LinearRegression().fit(mean[fold.train], label[fold.train])
        apart = predicted(block)[fold.test] - peer.predict(mean[fold.test])
        # steps of one length don't come to rest: within a hundredth of the labels' deviation
        assert np.abs(apart).max() < 0.01 * label.std()


def test_on_the_way_there_it_is_torchs_adamw(planted):
    features, label = planted
    more = {"rates": (0.01,), "decays": (0.1,), "epochs": (20,), "permutations": 0}
    _, block = run(features, label, **more)
    fold = FOLDS[1]
    rows = features.mean(1)
    shown = torch.tensor((rows - rows[fold.train].mean(0)) / rows[fold.train].std(0)).float()
    middle, spread = label[fold.train].mean(), label[fold.train].std()
    asked = torch.tensor((label - middle) / spread).float()
    layer = torch.nn.Linear(FEATURES, 1)
    torch.nn.init.zeros_(layer.weight)
    torch.nn.init.zeros_(layer.bias)
    groups = [{"params": layer.weight}, {"params": layer.bias, "weight_decay": 0.0}]
    optimiser = torch.optim.AdamW(groups, lr=0.01, weight_decay=0.1)
    for _ in range(20):
        optimiser.zero_grad()
        torch.nn.functional.mse_loss(layer(shown[fold.train])[:, 0], asked[fold.train]).backward()
        optimiser.step()
    expected = layer(shown[fold.test])[:, 0].detach().numpy() * spread + middle
    np.testing.assert_allclose(predicted(block)[fold.test], expected, atol=1e-4)


def test_classes_are_told_as_by_logistic_regression(planted):
    features, label = planted
    side = (label > np.median(label)).astype(int)
    more = {"rates": (0.03,), "decays": (0.0,), "epochs": (150,), "permutations": 0}
    rows, block = run(features, side, readout="class", batch=30, **more)
    assert value(rows, "accuracy") > 0.75
    fold = FOLDS[0]
    mean = features.mean(1)
    z = (mean - mean[fold.train].mean(0)) / mean[fold.train].std(0)
    peer = LogisticRegression(C=np.inf).fit(z[fold.train], side[fold.train])
    found = predicted(block, "log_probability")[fold.test].argmax(1)
    assert (found == peer.predict(z[fold.test])).mean() > 0.9
