"""Logistic probe: planted classes are found, noise is not, nothing is chosen on test clips."""

import json

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score

from physprobe.fit.methods import _class_rows, _class_scores, _logistic
from physprobe.fit.methods.logistic import Spec
from physprobe.fit.probe import probe
from physprobe.fit.section import SCHEMAS
from physprobe.statistics import bootstrap, ridge, scores, splits
from physprobe.store import results

CLIPS, TIMES, FEATURES = 60, 3, 8
PAIR = np.arange(CLIPS) // 2
LAW = np.array(["diffusion", "wave"])[np.arange(CLIPS) % 2]


def spec(**more):
    return Spec(**{"permutations": 20, "bootstraps": 200, **more})


def noise(layers=2, seed=0):
    """Clips of a pair look alike, whatever their class."""
    rng = np.random.default_rng(seed)
    alike = rng.normal(size=(layers, CLIPS // 2, 1, FEATURES))[:, PAIR]
    return alike + rng.normal(size=(layers, CLIPS, TIMES, FEATURES))


def planted(seed=0, size=1.9):
    """Features whose second layer holds the class linearly."""
    features = noise(seed=seed)
    way = np.random.default_rng(seed + 1).normal(size=FEATURES)
    features[1] += size * (LAW == "wave")[:, None, None] * way
    return features


def run(features, labels=LAW, groups=PAIR, **more):
    folds = splits.nested(groups, outer=3, inner=3)
    layers = [str(number) for number in range(len(features))]
    return probe(spec(**more), features, layers, {"equation": labels}, folds, groups=groups)


def score(rows, metric="accuracy", layer="selected", sample="clip"):
    (row,) = [
        r
        for r in rows
        if (r["metric"], r["layer"], r["sample"], r.get("time")) == (metric, layer, sample, None)
    ]
    return row


def test_planted_classes_are_found_in_their_layer():
    rows, block = run(planted())
    for sample in ("clip", "token"):
        for metric, at_least in {"accuracy": 0.85, "auc": 0.9}.items():
            found = score(rows, metric, sample=sample)
            assert found["value"] > at_least and found["p"] == pytest.approx(1 / 21)
            assert found["ci_low"] <= found["value"] <= found["ci_high"] <= 1
            assert found["null_q95"] < 0.8 and found["note"] == "layer 1 in 3 of the folds"
            assert score(rows, metric, "0", sample)["value"] < 0.7
        loss = score(rows, "log_loss", sample=sample)
        assert loss["value"] < loss["null_q95"] <= loss["null_mean"]
        assert loss["p"] == pytest.approx(1 / 21)
    assert score(rows, "train_accuracy")["value"] > 0.85
    assert block["classes"] == {"equation": pytest.approx(["diffusion", "wave"])}
    json.dumps([SCHEMAS["probe"].row(**row) for row in rows], allow_nan=False)
    json.dumps(results.plain(block), allow_nan=False)


def oracle(features, label, folds, sample, wanted):
    """Nested selection by explicit refits with scikit-learn, over the whole grid."""
    probabilities, choices = np.full((len(label), features.shape[2]), np.nan), []
    for fold in folds:
        best = None
        for number, layer in enumerate(features):
            rows = layer.mean(1, keepdims=True) if sample == "clip" else layer
            mean = rows[fold.train].mean((0, 1))
            for scaling in ridge.SCALINGS:
                z = rows - mean
                if scaling == "feature":
                    z = z / rows[fold.train].std((0, 1))
                train = z[fold.train]
                unit = (train**2).sum() / min(train[..., 0].size, z.shape[-1])
                for penalty in reversed(wanted.penalties):
                    loss = 0.0
                    for rest, held in fold.inner:
                        guess = refit(z, label, rest, held, penalty * unit)
                        truth = np.repeat(label[held], z.shape[1])
                        loss += log_loss(truth, guess.ravel(), normalize=False, labels=[0, 1])
                    loss /= len(fold.train) * z.shape[1]
                    if best is None or loss < best[0] - _logistic.TIE:
                        best = loss, number, scaling, penalty, z, unit
        _, number, scaling, penalty, z, unit = best
        guess = refit(z, label, fold.train, fold.test, penalty * unit)
        probabilities[fold.test, : z.shape[1]] = guess
        choices.append((str(number), scaling, penalty))
    return probabilities[:, : z.shape[1]], choices


def refit(z, label, train, test, penalty):
    model = LogisticRegression(C=1 / penalty, tol=1e-10, solver="newton-cholesky")
    model.fit(np.concatenate(z[train]), np.repeat(label[train], z.shape[1]))
    return model.predict_proba(np.concatenate(z[test]))[:, 1].reshape(len(test), -1)


@pytest.mark.parametrize(("sample", "features"), [("clip", 5), ("clip", 60), ("token", 5)])
def test_nested_selection_equals_explicit_refits(sample, features):
    rng = np.random.default_rng(4)
    label = (np.arange(40) % 2)[rng.permutation(40)]
    values = rng.normal(size=(2, 40, 2, features)) * np.geomspace(0.3, 3, features)
    values[0, ..., :3] += 0.5 * label[:, None, None]
    folds = splits.nested(np.arange(40), outer=2, inner=3)
    wanted = spec(samples=(sample,), permutations=1, penalties=tuple(10.0 ** np.arange(-4, 4)))
    rows, block = probe(wanted, values, ["0", "1"], {"equation": label}, folds)
    expected, choices = oracle(values, label, folds, sample, wanted)
    found = [c for c in block["choices"] if c["layer"] == "selected"]
    assert [(c["chosen_layer"], c["scaling"], c["lambda"]) for c in found] == choices
    kept = next(k for k in block["held_out"] if k["layer"] == "selected")
    np.testing.assert_allclose(np.exp(kept["log_probability"][:, 1]), expected.mean(1), atol=1e-6)
    truth = np.repeat(label, expected.shape[1])
    loss = score(rows, "log_loss", sample=sample)["value"]
    assert loss == pytest.approx(log_loss(truth, expected.ravel()), abs=1e-6)
    right = ((expected.ravel() > 0.5) == truth).mean()
    assert score(rows, sample=sample)["value"] == pytest.approx(right)
    wins = pairs = 0.0
    for fold in folds:
        mine, guess = label[fold.test], expected[fold.test].T
        both = mine.sum() * (1 - mine).sum()
        wins += both * np.mean([roc_auc_score(mine, at) for at in guess])
        pairs += both
    assert score(rows, "auc", sample=sample)["value"] == pytest.approx(wins / pairs, abs=1e-6)


def test_several_classes_are_told_apart_and_each_is_put_against_the_rest():
    rng = np.random.default_rng(3)
    label = np.arange(90) % 3
    features = rng.normal(size=(1, 90, 1, 4)) + 1.2 * np.eye(4)[label][None, :, None]
    declared = np.where(np.arange(90) < 60, "train", "test")
    folds = splits.nested(np.arange(90), declared=declared, inner=3)
    rows, block = probe(spec(samples=("clip",)), features, ["0"], {"equation": label}, folds)
    (kept,) = [k for k in block["held_out"] if k["layer"] == "selected"]
    probability = np.exp(kept["log_probability"])
    np.testing.assert_allclose(probability.sum(1), 1)
    assert score(rows)["value"] == pytest.approx((probability.argmax(1) == label[60:]).mean())
    assert score(rows, "log_loss")["value"] == pytest.approx(log_loss(label[60:], probability))
    expected = roc_auc_score(label[60:], probability, multi_class="ovr", average="macro")
    assert score(rows, "auc")["value"] == pytest.approx(expected)
    assert score(rows, "auc")["p"] == pytest.approx(1 / 21)
    assert not [r for r in rows if r["metric"] == "calibration_slope"]


def test_orderings_are_the_auc_of_every_column_ties_included():
    rng = np.random.default_rng(0)
    guess = np.round(rng.random((30, 2, 1, 4)), 1) * 0.98 + 0.01
    truth = rng.integers(2, size=(30, 4))
    wins, pairs = _class_scores.orderings(np.log(np.concatenate([1 - guess, guess], 2)), truth)
    for column in range(4):
        for time in range(2):
            expected = roc_auc_score(truth[:, column], guess[:, time, 0, column])
            assert wins[time, 0, column] / pairs[0, column] == pytest.approx(expected)


def test_calibration_is_read_from_what_was_predicted():
    rng = np.random.default_rng(2)
    odds = rng.normal(0, 2, size=20000)
    truth = (rng.random(20000) < 1 / (1 + np.exp(-odds))).astype(int)

    def said(odds):
        return -np.stack([np.logaddexp(0, odds), np.logaddexp(0, -odds)], -1)[:, None]

    for factor, shift in ((1.0, 0.0), (2.0, 0.0), (1.0, 0.7)):
        guess = said(factor * odds + shift)
        intercept, slope = _class_scores.recalibrated(guess, truth)
        assert slope == pytest.approx(1 / factor, abs=0.05)
        assert intercept == pytest.approx(-shift / factor, abs=0.06)
        correct = (guess.argmax(2) == truth[:, None]).astype(float)
        sums = _class_scores.reliability(np.exp(guess.max(2)), correct)
        assert (_class_scores.ece_of(sums.sum(0)) < 0.01) == (factor == 1.0 and shift == 0.0)
    assert _class_scores.recalibrated(said(truth - 0.5), truth) is None
    assert _class_scores.recalibrated(said(np.ones(20000)), truth) is None


def test_labels_change_places_within_groups_and_whole_groups_among_each_other():
    pairs = _class_rows.shuffled(np.arange(CLIPS) % 2, PAIR, 50, seed=0)
    assert (pairs[:, 0] == np.arange(CLIPS) % 2).all()
    assert (pairs.reshape(CLIPS // 2, 2, -1).sum(1) == 1).all()
    assert 0.4 < (pairs[:, 1:] == pairs[:, :1]).mean() < 0.6
    alike = _class_rows.shuffled(PAIR % 2, PAIR, 50, seed=0)
    assert (alike[::2] == alike[1::2]).all() and (alike.sum(0) == CLIPS // 2).all()
    assert 0.4 < (alike[:, 1:] == alike[:, :1]).mean() < 0.6


def test_noise_scores_chance_and_its_p_is_uniform():
    """Selection of layer included; labels change places within pairs."""
    p, accuracy = [], []
    for seed in range(12):
        rows, _ = run(noise(seed=seed + 50), permutations=19, bootstraps=100, samples=("clip",))
        p.append([score(rows, metric)["p"] for metric in ("accuracy", "auc", "log_loss")])
        accuracy.append(score(rows)["value"])
    assert np.mean(accuracy) == pytest.approx(0.5, abs=0.06)
    assert (np.mean(np.array(p) <= 0.1, axis=0) <= 0.34).all()
    assert 0.3 < np.mean(p) < 0.75


def test_test_clips_change_nothing_that_is_chosen():
    features = planted()
    folds = splits.nested(PAIR, outer=3, inner=3)
    changed, law = features.copy(), LAW.copy()
    changed[:, folds[0].test] *= 50
    law[folds[0].test] = law[folds[0].test][::-1]
    for components in (None, 4):
        choices = [
            probe(
                spec(permutations=1), x, ["0", "1"], {"equation": y}, folds[:1],
                groups=PAIR, components=components,
            )[1]["choices"]
            for x, y in ((features, LAW), (changed, law))
        ]  # fmt: skip
        # the permuted label beside the true one differs, and with it the last digits of the loss
        losses = [[choice.pop("inner_log_loss") for choice in run] for run in choices]
        assert losses[0] == pytest.approx(losses[1], abs=1e-7)
        assert choices[0] == choices[1]
        assert components is None or {c["scaling"] for c in choices[0]} == {"none"}


def test_a_group_on_both_sides_is_refused():
    leaky = splits.nested(np.arange(CLIPS), seed=2)
    with pytest.raises(ValueError, match="both sides"):
        probe(spec(), planted(), ["0", "1"], {"equation": LAW}, leaky, groups=PAIR)


@pytest.mark.parametrize(
    ("labels", "note"),
    [
        (np.full(CLIPS, "wave"), "one class, wave"),
        (np.where(np.arange(CLIPS) < 2, "rare", LAW), "no clip of class rare"),
        (np.where(np.arange(CLIPS) < 2, np.nan, 1.0), "not finite for 2"),
        (np.arange(CLIPS), "no clip of class"),
    ],
)
def test_classes_that_cannot_be_told_apart_are_null_with_a_note(labels, note):
    rows, block = run(planted(), labels)
    assert len(rows) == 6 and block["held_out"] == []
    assert all(SCHEMAS["probe"].row(**r)["value"] is None and note in r["note"] for r in rows)


def test_scores_at_each_token_time_add_up_to_the_whole():
    rows, block = run(planted(size=0.3))
    for metric in ("accuracy", "auc", "log_loss"):
        by_time = [r for r in rows if r["metric"] == metric and r.get("time") is not None]
        assert [r["time"] for r in by_time] == [0, 1, 2]
        whole = score(rows, metric, sample="token")
        for key in ("value", "null_mean"):
            assert np.mean([r[key] for r in by_time]) == pytest.approx(whole[key])
        assert all(r["ci_low"] < r["value"] < r["ci_high"] for r in by_time)
    for kept in block["held_out"]:
        row = score(rows, "log_loss", kept["layer"], kept["sample"])
        assert np.mean(kept["log_loss"]) == pytest.approx(row["value"])


def test_equal_input_gives_equal_rows():
    first, again = (run(planted(), samples=("token",)) for _ in range(2))
    (rows, block), (same, other) = (
        ([SCHEMAS["probe"].row(**row) for row in rows], block) for rows, block in (first, again)
    )
    assert json.dumps(rows) == json.dumps(same)
    assert json.dumps(results.plain(block)) == json.dumps(results.plain(other))


NARROW, DESCENDING = [10.0**k for k in range(-2, 4)], [10.0**-k for k in range(-5, 6)]


@pytest.mark.parametrize("grid", [NARROW, DESCENDING])
def test_a_narrow_or_descending_grid_is_refused(grid):
    with pytest.raises(ValueError, match="1e-4 to 1e2"):
        Spec(penalties=tuple(grid))


@pytest.mark.parametrize(("features", "classes"), [(40, 2), (6, 2), (6, 3)])
def test_halves_are_those_of_refits(features, classes):
    rng = np.random.default_rng(4)
    label, clips = rng.integers(0, classes, 90), np.arange(90)
    directions = rng.normal(size=(classes, features))
    tokens = 2.0 * (directions / np.linalg.norm(directions, axis=1)[:, None])[label] + rng.normal(
        size=(90, features)
    )
    asked = Spec(
        targets=("c",), samples=("clip",), permutations=1, bootstraps=500, scalings=("none",)
    )
    folds = splits.nested(clips)
    rows, block = probe(asked, [tokens[:, None]], ["0"], {"c": label}, folds)
    penalties = [choice["lambda"] for choice in block["choices"] if choice["layer"] == "0"]

    def guessed(inside):
        """Probabilities (clip, class) by fits to some clips."""
        found = np.empty((90, classes))
        for fold, penalty in zip(folds, penalties, strict=True):
            train = tokens[fold.train]
            scale = np.sqrt(train.var(0).mean())
            unit = (((train - train.mean(0)) / scale) ** 2).sum() / min(train.shape)
            mine = np.intersect1d(fold.train, np.flatnonzero(inside))
            model = LogisticRegression(C=1 / (penalty * unit), tol=1e-12, max_iter=10_000)
            model.fit(tokens[mine] / scale, label[mine])
            found[fold.test] = model.predict_proba(tokens[fold.test] / scale)
        return found

    (held,) = [b for b in block["held_out"] if b["layer"] == "0"]
    halves = held["halves"]
    both = np.array([[guessed(half > 0), guessed(half < 0)] for half in splits.halves(clips)])
    wrong = (both.argmax(3) != label).astype(float)
    loss = [[log_loss(label, guess) for guess in each] for each in both]
    first, second = np.transpose(loss)
    np.testing.assert_allclose(halves["log_loss"], 0.5 * np.log(first / second), atol=1e-4)
    first, second = 0.5 + wrong.sum(2).T
    # what flips clip by clip is taken off by half
    apart = wrong[:, 0] - wrong[:, 1]
    flips = 90 * apart.var(1).mean() / (apart.sum(1) ** 2).mean()
    share = np.sqrt(max(0.0, 1 - flips / 2))
    np.testing.assert_allclose(halves["accuracy"], share * 0.5 * np.log(first / second), atol=1e-9)
    assert 0.1 < share < 1
    # an interval counts what clips do to the fits
    for metric in ("accuracy", "auc"):
        (found,) = [r for r in rows if r["metric"] == metric and r["layer"] == "0"]
        assert found["ci_low"] < found["value"] < found["ci_high"]
    (found,) = [r for r in rows if r["metric"] == "accuracy" and r["layer"] == "0"]
    assert found["value"] == pytest.approx(np.mean(held["correct"]))
    fixed = bootstrap.interval(
        np.stack([held["correct"], np.ones(90)], -1), scores.mean_of, draws=500
    )
    assert found["ci_high"] - found["ci_low"] > 1.05 * (fixed.high - fixed.low)
