"""kNN probe: as scikit-learn reads held-out clips, chosen inside training ones; curves by count."""

import json

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

from physprobe.fit.designs import counts
from physprobe.fit.methods import _knn
from physprobe.fit.methods._numbers import Numbers
from physprobe.fit.methods.knn import Spec
from physprobe.fit.probe import probe
from physprobe.fit.section import SCHEMAS
from physprobe.fit.stage import run as fit
from physprobe.statistics import nulls, splits
from physprobe.store import results, writing, zarrs

CLIPS, FEATURES, CLASSES = 120, 5, 3
LABEL = np.arange(CLIPS) % CLASSES
SPLIT = np.where(np.arange(CLIPS) < 80, "train", "test")
FOLDS = splits.nested(np.arange(CLIPS), inner=3, declared=SPLIT)


def planted(size=1.4, seed=0):
    rng = np.random.default_rng(seed)
    middle = rng.normal(size=(CLASSES, FEATURES))
    found = size * middle[LABEL] + rng.normal(size=(CLIPS, FEATURES))
    return found[:, None]


def run(features, folds=FOLDS, **more):
    fields = {"targets": ("digit",), "samples": ("clip",), "permutations": 20, "bootstraps": 200}
    return probe(Spec(**{**fields, **more}), [features], ["0"], {"digit": LABEL}, folds)


def score(rows, metric="accuracy"):
    (row,) = [r for r in rows if (r["metric"], r["layer"]) == (metric, "selected")]
    return row


@pytest.mark.parametrize("distance", ["euclid", "cosine"])
def test_held_out_clips_are_named_as_by_scikit_learn(distance):
    features = planted()
    rows, block = run(features, neighbours=(5,), distances=(distance,))
    metric = {"euclid": "euclidean", "cosine": "cosine"}[distance]
    (fold,) = FOLDS
    other = KNeighborsClassifier(5, metric=metric).fit(features[fold.train, 0], LABEL[fold.train])
    votes = 5 * other.predict_proba(features[fold.test, 0])
    best = votes == votes.max(1, keepdims=True)
    expected = (best / best.sum(1, keepdims=True))[np.arange(40), LABEL[fold.test]]
    (held,) = [each for each in block["held_out"] if each["layer"] == "selected"]
    np.testing.assert_allclose(held["correct"], expected)
    assert score(rows)["value"] == pytest.approx(expected.mean())
    np.testing.assert_allclose(
        held["log_probability"], np.log((votes + 0.01) / (5 + 0.01 * CLASSES)), atol=1e-6
    )
    assert score(rows)["ci_low"] < expected.mean() < score(rows)["ci_high"]
    assert not score(rows)["edge_hit"], "there was no choice"
    json.dumps([SCHEMAS["probe"].row(**row) for row in rows], allow_nan=False)
    json.dumps(results.plain(block), allow_nan=False)


def test_the_number_is_chosen_inside_training_clips():
    features = planted(size=0.7)
    rows, block = run(features, neighbours=(1, 5, 25), distances=("euclid",))
    (fold,) = FOLDS
    wrong = []
    for number in (1, 5, 25):
        share = 0.0
        for train, held in fold.inner:
            other = KNeighborsClassifier(number).fit(features[train, 0], LABEL[train])
            votes = other.predict_proba(features[held, 0])
            best = votes >= votes.max(1, keepdims=True) - 1e-9
            share += (
                1 - (best / best.sum(1, keepdims=True))[np.arange(len(held)), LABEL[held]]
            ).sum()
        wrong.append(share / len(fold.train))
    (choice,) = [each for each in block["choices"] if each["layer"] == "selected"]
    assert choice["inner_error"] == pytest.approx(min(wrong))
    assert choice["neighbours"] == (1, 5, 25)[int(np.argmin(wrong))]
    assert score(rows, "train_accuracy")["value"] == pytest.approx(1 - min(wrong))


def test_more_neighbours_than_there_are_is_an_error():
    with pytest.raises(ValueError, match="neighbours: 54, but an inner fold has 53"):
        run(planted(), neighbours=(1, 54))


def test_noise_is_no_better_than_permuted_labels():
    assert score(run(planted(size=0.0))[0])["p"] > 0.05
    assert score(run(planted(size=2.0))[0])["p"] == pytest.approx(1 / 21)


def test_votes_of_halves_are_those_of_fits_to_halves(monkeypatch):
    asked = {}
    found = _knn.Neighbours._halved

    def kept(self, points, held, labels, *more):
        asked["found"], asked["labels"] = found(self, points, held, labels, *more), labels
        return asked["found"]

    monkeypatch.setattr(_knn.Neighbours, "_halved", kept)
    monkeypatch.setattr(_knn, "SPARE", 1)  # so that some rows have to be looked for again
    features = planted()
    folds = splits.nested(np.arange(CLIPS), outer=2, inner=2)
    run(features, folds, neighbours=(15,), distances=("euclid",))
    fold = folds[1]  # the last that was asked for
    halves = asked["labels"].halves[:, fold.train]
    for split, half in ((0, 0), (3, 1)):
        mine = fold.train[halves[split] if half == 0 else ~halves[split]]
        other = KNeighborsClassifier(15).fit(features[mine, 0], LABEL[mine])
        votes = 15 * other.predict_proba(features[fold.test, 0])
        expected = np.log((votes + 0.01) / (15 + 0.01 * CLASSES))
        np.testing.assert_allclose(asked["found"][split, half, :, 0, :, 0], expected, atol=1e-6)


NUMBER = planted()[:, 0, 0] + 0.3 * LABEL
METRIC = {"euclid": "euclidean", "cosine": "cosine"}


def run_numbers(features, folds=FOLDS, targets=None, **more):
    targets = targets or {"size": NUMBER}
    fields = {"readout": "number", "samples": ("clip",), "permutations": 20, "bootstraps": 200}
    spec = Spec(**{**fields, "targets": tuple(targets), **more})
    return probe(spec, [features], ["0"], targets, folds)


@pytest.mark.parametrize("weights", ["uniform", "distance"])
@pytest.mark.parametrize("distance", ["euclid", "cosine"])
def test_numbers_of_held_out_clips_are_those_of_scikit_learn(distance, weights):
    features = planted()
    features[100] = features[3]  # a held-out clip that coincides with a training clip
    asked = {"neighbours": (5,), "distances": (distance,), "weights": weights}
    rows, block = run_numbers(features, **asked)
    (fold,) = FOLDS
    peer = KNeighborsRegressor(5, metric=METRIC[distance], weights=weights)
    shown = features[:, 0].astype(np.float32).astype(float)
    expected = peer.fit(shown[fold.train], NUMBER[fold.train]).predict(shown[fold.test])
    (held,) = [each for each in block["held_out"] if each["layer"] == "selected"]
    np.testing.assert_allclose(held["prediction"], expected, rtol=1e-6)
    spread = ((NUMBER[fold.test] - NUMBER[fold.test].mean()) ** 2).sum()
    missed = ((expected - NUMBER[fold.test]) ** 2).sum()
    assert score(rows, "r2")["value"] == pytest.approx(1 - missed / spread)
    assert score(rows, "r2")["p"] == pytest.approx(1 / 21)
    json.dumps([SCHEMAS["probe"].row(**row) for row in rows], allow_nan=False)


def test_each_target_has_its_own_neighbours_and_its_columns_share_them():
    features = planted()
    features[:, :, 1:] *= 3
    whole = features[:, 0].mean(1)
    pair = np.stack([NUMBER, whole], -1)
    asked = {"neighbours": (1, 4, 30), "distances": ("euclid", "cosine")}
    targets = {"size": NUMBER, "pair": pair, "whole": whole}
    rows, block = run_numbers(features, targets=targets, **asked)
    (fold,) = FOLDS
    shown = features[:, 0].astype(np.float32).astype(float)
    for name, values in targets.items():
        errors = {}
        for distance in asked["distances"]:
            for number in asked["neighbours"]:
                peer = KNeighborsRegressor(number, metric=METRIC[distance])
                errors[distance, number] = sum(
                    ((peer.fit(shown[a], values[a]).predict(shown[b]) - values[b]) ** 2).sum()
                    for a, b in fold.inner
                )
        (choice,) = (c for c in block["choices"] if (c["layer"], c["target"]) == ("selected", name))
        best = min(errors, key=errors.get)
        assert (choice["distance"], choice["neighbours"]) == best
        known = values[fold.train]
        spread = ((known - known.mean(0)) ** 2).sum()
        assert choice["inner_r2"] == pytest.approx(1 - errors[best] / spread)
        (train,) = [
            r for r in rows
            if (r["target"], r["metric"], r["layer"]) == (name, "train_r2", "selected")
        ]  # fmt: skip
        assert train["value"] == pytest.approx(choice["inner_r2"])


def test_permuted_numbers_score_what_a_run_on_them_does():
    features = planted(size=0.5)
    rows, _ = run_numbers(features, permutations=3)
    order = nulls.permutations(np.arange(CLIPS), 3, 0)
    given = [
        score(run_numbers(features, targets={"size": NUMBER[o]}, permutations=1)[0], "r2")["value"]
        for o in order
    ]
    assert score(rows, "r2")["null_mean"] == pytest.approx(np.mean(given))


@pytest.mark.parametrize("weights", ["uniform", "distance"])
def test_means_of_halves_are_those_of_fits_to_halves(monkeypatch, weights):
    monkeypatch.setattr(_knn, "SPARE", 1)
    labels = Numbers(
        NUMBER[:, None, None], {"size": 1}, halved=splits.halves(np.arange(CLIPS), count=3)
    )
    features = planted()
    fold = splits.nested(np.arange(CLIPS), outer=2, inner=2)[0]
    found = _knn.Neighbours((2, 15), ("euclid", "cosine"), weights).fit(features, labels, fold)
    number = (2, 15)[found.neighbours[0]]
    metric = METRIC[("euclid", "cosine")[found.distance[0]]]
    shown = features[:, 0].astype(np.float32).astype(float)
    for split, first in enumerate(labels.halves):
        for half, inside in enumerate((first, ~first)):
            mine = fold.train[inside[fold.train]]
            peer = KNeighborsRegressor(number, metric=metric, weights=weights)
            expected = peer.fit(shown[mine], NUMBER[mine]).predict(shown[fold.test])
            np.testing.assert_allclose(found.halved[split, half, :, 0, 0], expected, rtol=1e-6)


def test_classes_may_be_named_by_weighted_votes():
    features = planted()
    _, block = run(features, neighbours=(5,), distances=("euclid",), weights="distance")
    (fold,) = FOLDS
    shown = features[:, 0].astype(np.float32).astype(float)
    peer = KNeighborsClassifier(5, weights="distance").fit(shown[fold.train], LABEL[fold.train])
    share = peer.predict_proba(shown[fold.test])
    (held,) = [each for each in block["held_out"] if each["layer"] == "selected"]
    expected = np.log((5 * share + 0.01) / (5 + 0.01 * CLASSES))
    np.testing.assert_allclose(held["log_probability"], expected, atol=1e-5)
    with pytest.raises(ValueError, match="set readout: class"):
        Spec(readout="number", by="principle")


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    """An embedding and its simulation, by hand."""
    folder = tmp_path_factory.mktemp("results") / "dots"
    rank = np.random.default_rng(5).permutation(CLIPS)
    clips = {"clip": (("clip",), np.arange(CLIPS), {})}
    system, embedded = folder / "simulation.zarr", folder / "embeddings/dots.zarr"
    labels = {"digit": LABEL, "split": SPLIT, "rank": rank}
    with writing.create(
        system, variables={"image": writing.Variable(("clip", "time"), (CLIPS, 1), "float32")},
        coords={
            **clips, "time": (("time",), np.zeros(1), {}),
            **{name: (("clip",), values, {}) for name, values in labels.items()},
        },
        attrs={"field": "image", "spec": {"kind": "images"}}, fingerprint={}, block=CLIPS,
    ) as store:  # fmt: skip
        store.fill(lambda block: {"image": np.zeros((CLIPS, 1), np.float32)})
    times = {name: (("time",), np.zeros(1), {}) for name in ("time", "time_start")}
    with writing.create(
        embedded,
        variables={
            "pooled": writing.Variable(
                ("clip", "layer", "time", "feature"), (CLIPS, 1, 1, FEATURES), "float32"
            )
        },
        coords={
            **clips, **times, "layer": (("layer",), np.array(["0"]), {}),
            "time_end": (("time",), np.ones(1), {}),
        },
        attrs={"spec": {"kind": "pixels"}, "simulation": zarrs.digest(system)},
        fingerprint={}, block=CLIPS,
    ) as store:  # fmt: skip
        store.fill(lambda block: {"pooled": planted()[:, None].astype(np.float32)})
    return folder, rank


def test_a_curve_is_of_the_first_clips_by_rank_scored_on_the_same(stores):
    folder, rank = stores
    out = folder.parent / "curve/fits/dots.knn.json"
    spec = Spec(targets=("digit",), samples=("clip",), permutations=5, bootstraps=100)
    design = counts.Spec(counts=(30, 80))
    paths = {
        "embeddings": [folder / "embeddings/dots.zarr/zarr.json"],
        "simulation": [folder / "simulation.zarr/zarr.json"],
    }
    fit(**paths, out=out, spec=spec.canonical(), design=design.canonical())
    found = results.read(out, "counts")
    scores = {row["count"]: row for row in found["rows"] if row["metric"] == "accuracy"}
    assert list(scores) == [30, 80] and {row["n_clips"] for row in scores.values()} == {40}
    (choice,) = [each for each in found["choices"] if each["count"] == 30]
    train = np.flatnonzero(SPLIT == "train")
    first = train[np.argsort(rank[train])[:30]]
    features = planted()[:, 0].astype(np.float32)
    metric = {"euclid": "euclidean", "cosine": "cosine"}[choice["distance"]]
    other = KNeighborsClassifier(choice["neighbours"], metric=metric)
    votes = other.fit(features[first], LABEL[first]).predict_proba(features[80:])
    best = votes >= votes.max(1, keepdims=True) - 1e-9
    share = (best / best.sum(1, keepdims=True))[np.arange(40), LABEL[80:]].mean()
    assert scores[30]["value"] == pytest.approx(share)

    design = counts.Spec(counts=(30, 80), trained={"dots": 30})
    fit(**paths, out=out, spec=spec.canonical(), design=design.canonical())
    assert {row["count"] for row in results.read(out, "counts")["rows"]} == {30}
    with pytest.raises(ValueError, match=r"81, but .* has 80 training clips"):
        fit(
            **paths, out=out, spec=spec.canonical(), design=counts.Spec(counts=(81,)).canonical(),
        )  # fmt: skip
    with pytest.raises(ValueError, match="expected to ascend"):
        counts.Spec(counts=(80, 30))
