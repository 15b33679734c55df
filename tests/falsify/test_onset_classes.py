"""Curves of classes: the same scores as the probe's own rows, with bands, onsets and controls."""

import json

import numpy as np
import pytest

from physprobe.falsify import _curve, _table
from physprobe.fit.methods.logistic import Spec
from physprobe.fit.probe import probe
from physprobe.fit.section import SCHEMAS
from physprobe.statistics import splits
from physprobe.store import results

SCENES, LAYERS = 30, ["0", "1", "2", "final"]
SCENE = np.repeat(np.arange(SCENES), 4)
POSSIBLE = np.tile([1, 1, 0, 0], SCENES)
PRINCIPLE = np.array(["O1", "O2"])[SCENE % 2]
METRICS = ("auc", "accuracy", "relative_accuracy")
SPEC = Spec(
    targets=("possible",), samples=("clip",), by="principle", permutations=20, bootstraps=400
)


def result(shares, seed):
    """Result of a probe on features that hold so much of the class in each layer, of O2 alone."""
    rng = np.random.default_rng(seed)
    features = (
        rng.normal(size=(len(shares), SCENES, 1, 1, 5)).repeat(4, 2).reshape(-1, 4 * SCENES, 1, 5)
    )
    features = features + 0.5 * rng.normal(size=features.shape)
    for layer, share in zip(features, shares, strict=True):
        layer[:, 0, 0] += share * POSSIBLE * (PRINCIPLE == "O2")
    layers = LAYERS if len(shares) > 1 else ["pixels"]
    folds = splits.nested(SCENE, outer=5, inner=3)
    rows, block = probe(
        SPEC, features, layers, {"possible": POSSIBLE}, folds, groups=SCENE, parts=PRINCIPLE
    )
    stored = {
        "spec": SPEC.dump(),
        "rows": [SCHEMAS["probe"].row(**r) for r in rows],
        "predictions": block,
    }
    return json.loads(json.dumps(results.plain(stored)))


@pytest.fixture(scope="module")
def found():
    return {"mine": result([0.0, 0.1, 8.0, 8.0], 0), "pixels": result([0.0], 1)}


def curves(found, metric, part):
    return {
        name: _curve.Curve(name, stored, "possible", "clip", metric, part)
        for name, stored in found.items()
    }


@pytest.mark.parametrize("part", [None, "O1", "O2"])
@pytest.mark.parametrize("metric", METRICS)
def test_scores_are_those_of_the_probe(found, metric, part):
    curve = curves(found, metric, part)["mine"]
    rows = {row["layer"]: row for row in curve.rows()}
    assert curve.layers == LAYERS and set(rows) == {*LAYERS, "selected"}
    assert {row["n_clips"] for row in rows.values()} == {2 * SCENES if part else 4 * SCENES}
    for layer, value, low, high in zip(LAYERS, *curve.band, strict=True):
        assert value == pytest.approx(rows[layer]["value"], abs=1e-8)
        assert 0 <= low <= value <= high <= 1
        assert high - low >= 0.6 * (rows[layer]["ci_high"] - rows[layer]["ci_low"])


@pytest.mark.parametrize("metric", METRICS)
def test_onsets_are_where_they_were_planted(found, metric):
    scored = {
        part: {
            (row["encoder"], row["metric"]): row
            for row in _curve.scored(curves(found, metric, part), ("pixels",), 0.9)
        }
        for part in ("O1", "O2")
    }
    onset = scored["O2"]["mine", "onset"]
    # of 15 scenes, each right or wrong, relative accuracy can't tell 0.5 from 0.9 in all layers
    first = 0 if metric == "relative_accuracy" else 2
    assert onset["value"] == 2 and onset["note"].startswith(f"layer 2 [{first}, ")
    words = {"auc": "AUC", "accuracy": "accuracy", "relative_accuracy": "relative accuracy"}
    assert onset["threshold"] == f"{words[metric]} >= 0.9"
    assert scored["O1"]["mine", "onset"]["note"].startswith("not reached")
    assert scored["O2"]["mine", "onset_above_controls"]["value"] <= 2
    assert ("pixels", "onset") not in scored["O2"], "one layer has no onset"


@pytest.mark.parametrize("metric", METRICS)
def test_distances_are_from_the_best_control(found, metric):
    mine = curves(found, metric, "O2")
    other = result([0.3], 2)
    others = {**curves({"pixels": found["pixels"], "twin": other}, metric, "O2")}
    best = max(curve.rows()[-1]["value"] for curve in others.values())
    above = mine["mine"].above(others)
    values = [row["value"] for row in mine["mine"].rows() if row["layer"] != "selected"]
    np.testing.assert_allclose(above.value, np.array(values) - best, atol=1e-8)
    assert (above.low <= above.value).all() and above.low[2] > 0


def test_what_is_the_same_in_every_draw_is_certain(found):
    """All scenes in the right order: no draw of scenes has another score."""
    curve = curves(found, "relative_accuracy", "O2")["mine"]
    assert [part[2] for part in curve.band] == [1.0, 1.0, 1.0]


def test_the_table_has_the_published_columns_of_each_metric(found):
    for metric in METRICS:
        both = curves(found, metric, None)
        rows = list(_curve.scored(both, ("pixels",), 0.9))
        about = {"role": "encoder", "label": "", "preprocessing": "resize", "feature_root": ""}
        lines = list(_table.lines("s", both, dict.fromkeys(both, about), rows))
        assert len(lines) == 5 and {line["metric"] for line in lines} == {metric}
        line = lines[2]
        assert line["layer"] == "2" and line["score"] > 0.6
        held = both["mine"]
        folds = held.fold_scores("2")
        assert line[f"{metric}_mean"] == pytest.approx(folds.mean())
        assert line[f"{metric}_std"] == pytest.approx(folds.std())
        assert len(folds) == 5 and line["solver"] == "logistic"
    predictions = held.probe["predictions"]
    (block,) = (b for b in predictions["held_out"] if b["layer"] == "2")
    right = np.array(block["correct"])
    fold = np.array(predictions["fold"])
    expected = [right[fold == number].mean() for number in range(5)]
    np.testing.assert_allclose(curves(found, "accuracy", None)["mine"].fold_scores("2"), expected)


def test_chance_is_the_share_of_the_most_frequent_class_of_what_is_scored(found):
    often = json.loads(json.dumps(found["mine"]))
    truth = np.where(PRINCIPLE == "O1", 0, POSSIBLE)
    often["predictions"]["truth"]["possible"] = truth.tolist()
    for part, share in {None: 0.75, "O1": 1.0, "O2": 0.5}.items():
        curve = _curve.Curve("mine", often, "possible", "clip", "accuracy", part)
        assert curve.chance == share
    for metric in ("auc", "relative_accuracy"):
        assert _curve.Curve("mine", often, "possible", "clip", metric).chance == 0.5
    assert _curve.Curve("mine", often, "possible", "clip", "r2").chance == 0.0
