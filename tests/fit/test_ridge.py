"""Ridge probe: what is planted is found, noise is not, nothing is chosen on test clips."""

import json
from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import Ridge as Peer

from physprobe.fit.designs import elsewhere
from physprobe.fit.methods.ridge import Spec
from physprobe.fit.probe import probe
from physprobe.fit.section import SCHEMAS
from physprobe.statistics import paired, ridge, splits, targets
from physprobe.store import results
from physprobe.store.fits import decoded

CLIPS, TIMES, FEATURES = 60, 3, 10


def spec(**more):
    return Spec(**{"targets": ("a",), "permutations": 20, "bootstraps": 200, **more})


def noise(layers=2, clips=CLIPS, times=TIMES, features=FEATURES, seed=0):
    return np.random.default_rng(seed).normal(size=(layers, clips, times, features))


def planted(seed=0):
    """Features whose second layer holds the label linearly, and the label."""
    rng = np.random.default_rng(seed)
    label = rng.uniform(0.5, 5, CLIPS)
    features = noise(seed=seed + 1)
    features[1] += (label[:, None] * rng.normal(size=FEATURES))[:, None]
    return features, label


def find(rows, **keys):
    (row,) = [r for r in rows if all(r.get(k) == v for k, v in keys.items())]
    return row


def score(rows, layer="selected", metric="r2", sample="clip", target="a"):
    return find(rows, target=target, sample=sample, layer=layer, metric=metric, time=None)


def test_a_planted_label_is_found_in_its_layer():
    features, label = planted()
    rows, _ = probe(spec(), features, ["0", "1"], {"a": label}, splits.nested(np.arange(CLIPS)))
    for sample in ("clip", "token"):
        found = score(rows, sample=sample)
        assert found["value"] > 0.85 and found["p"] == pytest.approx(1 / 21)
        assert found["ci_low"] < found["value"] < found["ci_high"]
        assert found["null_q95"] < 0.3
        assert found["note"] == "layer 1 in 5 of the folds"
        assert score(rows, "0", sample=sample)["value"] < 0.2
    assert score(rows, metric="train_r2")["value"] > score(rows)["value"]
    assert 0 < score(rows, metric="train_mae")["value"] < score(rows, metric="mae")["value"]


def oracle(features, label, folds, sample, penalties, layers):
    """Nested selection by explicit refits with scikit-learn: R2 and choices."""
    predicted, choices = np.full(features.shape[1:3], np.nan), []
    for fold in folds:
        best = None
        for number in layers:
            rows = features[number].mean(1, keepdims=True) if sample == "clip" else features[number]
            mean = rows[fold.train].mean((0, 1))
            for scaling in ridge.SCALINGS:
                deviation = rows[fold.train].std((0, 1)) if scaling == "feature" else 1.0
                z = (rows - mean) / deviation
                unit = (z[fold.train] ** 2).sum() / min(z[fold.train][..., 0].size, z.shape[-1])
                for penalty in reversed(penalties):
                    errors = 0.0
                    for rest, held in fold.inner:
                        guess = _refit(z, label, rest, held, penalty * unit)
                        errors += ((guess - label[held, None]) ** 2).sum()
                    if best is None or errors < best[0] * (1 - 1e-9):
                        best = errors, number, scaling, penalty, z, unit
        _, number, scaling, penalty, z, unit = best
        times = z.shape[1]
        predicted[fold.test, :times] = _refit(z, label, fold.train, fold.test, penalty * unit)
        choices.append((str(number), scaling, penalty))
    predicted = predicted[:, :times]
    spread = ((label - label.mean()) ** 2).sum() * times
    return 1 - ((predicted - label[:, None]) ** 2).sum() / spread, choices


def _refit(z, label, train, test, penalty):
    model = Peer(alpha=penalty).fit(np.concatenate(z[train]), np.repeat(label[train], z.shape[1]))
    return model.predict(np.concatenate(z[test])).reshape(len(test), -1)


@pytest.mark.parametrize("sample", ["clip", "token"])
@pytest.mark.parametrize("features_", [6, 70])
def test_nested_selection_equals_explicit_refits(sample, features_):
    rng = np.random.default_rng(4)
    label = rng.normal(size=40)
    features = noise(2, 40, 3, features_, seed=3) * np.geomspace(0.1, 10, features_)
    features[..., 0] += 0.15 * label[:, None]
    folds = splits.nested(np.arange(40), outer=3, inner=3)
    wanted = spec(samples=(sample,), permutations=1)
    rows, block = probe(wanted, features, ["0", "1"], {"a": label}, folds)
    for layer, within in {"0": [0], "selected": [0, 1]}.items():
        expected, choices = oracle(features, label, folds, sample, wanted.penalties, within)
        assert score(rows, layer, sample=sample)["value"] == pytest.approx(expected, abs=1e-6)
        found = [c for c in block["choices"] if c["layer"] == layer]
        assert [(c["chosen_layer"], c["scaling"], c["lambda"]) for c in found] == choices


def test_shuffled_labels_score_nothing_and_p_is_uniform():
    """Forty labels that have nothing to do with the features, layer selection included."""
    rng = np.random.default_rng(8)
    targets = {f"t{i}": rng.normal(size=CLIPS) for i in range(40)}
    wanted = spec(targets=tuple(targets), permutations=99, samples=("clip",))
    folds = splits.nested(np.arange(CLIPS), outer=4, inner=3)
    rows, _ = probe(wanted, noise(3), ["0", "1", "2"], targets, folds)
    found = [r for r in rows if r["layer"] == "selected" and r["metric"] == "r2"]
    assert np.mean([r["value"] for r in found]) == pytest.approx(-0.06, abs=0.08)
    p = np.array([r["p"] for r in found])
    assert 0.38 < p.mean() < 0.62
    assert np.mean(p <= 0.1) <= 0.25 and np.mean(p <= 0.5) == pytest.approx(0.5, abs=0.22)


def test_noise_that_labels_every_pair_is_only_readable_through_a_leak():
    """Twins share a fingerprint that says nothing in general: read by a leak, refused by name."""
    rng = np.random.default_rng(1)
    pair = np.arange(CLIPS) % (CLIPS // 2)
    label = rng.normal(size=CLIPS // 2)[pair]
    features = np.repeat(rng.normal(size=(CLIPS // 2, 400))[pair][None, :, None], 2, axis=2)
    leaky = splits.nested(np.arange(CLIPS), seed=2)
    fair = splits.nested(pair, seed=2)
    wanted = spec(samples=("clip",))
    cheated = score(probe(wanted, features, ["0"], {"a": label}, leaky)[0])
    honest = score(probe(wanted, features, ["0"], {"a": label}, fair, groups=pair)[0])
    assert cheated["value"] > 0.5 and honest["value"] < 0.15 and honest["p"] > 0.05
    with pytest.raises(ValueError, match="both sides"):
        probe(wanted, features, ["0"], {"a": label}, leaky, groups=pair)


def test_test_clips_change_nothing_that_is_chosen():
    features, label = planted()
    folds = splits.nested(np.arange(CLIPS))
    changed = features.copy()
    changed[:, folds[0].test] *= 50
    changed_label = label.copy()
    changed_label[folds[0].test] += 9
    for components in (None, 4):
        runs = [
            probe(spec(), x, ["0", "1"], {"a": y}, folds[:1], components=components)[1]["choices"]
            for x, y in ((features, label), (changed, changed_label))
        ]
        assert runs[0] == runs[1]


def test_a_constant_target_is_null_with_a_note_and_spares_the_others():
    features, label = planted()
    targets = {"a": label, "flat": np.full(CLIPS, 0.1), "gap": np.where(label > 1, label, np.nan)}
    folds = splits.nested(np.arange(CLIPS))
    rows, block = probe(spec(targets=tuple(targets)), features, ["0", "1"], targets, folds)
    for name, note in {"flat": "constant", "gap": "not finite"}.items():
        mine = [r for r in rows if r["target"] == name]
        assert len(mine) == 6
        assert all(SCHEMAS["probe"].row(**r)["value"] is None and note in r["note"] for r in mine)
    assert score(rows)["value"] > 0.85
    alone, _ = probe(spec(), features, ["0", "1"], {"a": label}, folds)
    assert score(alone)["value"] == pytest.approx(score(rows)["value"])
    json.dumps(results.plain(block), allow_nan=False)


def test_an_optimum_on_the_edge_of_the_grid_is_flagged():
    rng = np.random.default_rng(3)
    features = noise(1, clips=40, features=5)
    exact = features[0].mean(1) @ rng.normal(size=5)
    folds = splits.nested(np.arange(40))
    rows, _ = probe(spec(samples=("clip",)), features, ["0"], {"a": exact}, folds)
    assert score(rows)["edge_hit"] and score(rows)["lambda"] == pytest.approx(1e-6)
    features, label = planted()
    folds = splits.nested(np.arange(CLIPS))
    rows, _ = probe(spec(), features, ["0", "1"], {"a": label}, folds)
    assert not score(rows)["edge_hit"]


def test_equal_input_gives_equal_rows():
    features, label = planted()
    folds = splits.nested(np.arange(CLIPS))
    first, again = (probe(spec(), features, ["0", "1"], {"a": label}, folds) for _ in range(2))
    (rows, block), (same, other) = (
        ([SCHEMAS["probe"].row(**row) for row in rows], block) for rows, block in (first, again)
    )
    assert json.dumps(rows) == json.dumps(same)
    assert json.dumps(results.plain(block)) == json.dumps(results.plain(other))


def test_a_published_split_is_scored_on_its_test_clips():
    features, label = planted()
    declared = np.where(np.arange(CLIPS) < 45, "train", "test")
    folds = splits.nested(np.arange(CLIPS), declared=declared)
    rows, block = probe(spec(), features, ["0", "1"], {"a": label}, folds)
    assert score(rows)["n_clips"] == 15 and score(rows)["value"] > 0.8
    assert block["clip"].tolist() == list(range(45, 60)) and set(block["fold"]) == {0}


def test_scores_follow_from_the_predictions_that_are_kept():
    features, label = planted()
    folds = splits.nested(np.arange(CLIPS), outer=4)
    rows, block = probe(spec(), features, ["0", "1"], {"a": label}, folds)
    truth = block["truth"]["a"]
    spread = ((truth - truth.mean()) ** 2).sum()
    assert len(block["held_out"]) == 6
    for kept in block["held_out"]:
        mine = score(rows, kept["layer"], sample=kept["sample"])
        assert mine["value"] == pytest.approx(1 - np.sum(kept["squared_error"]) / spread)
        if kept["sample"] == "clip":
            np.testing.assert_allclose(kept["squared_error"], (kept["prediction"] - truth) ** 2)
    by_time = [r for r in rows if r.get("time") is not None]
    assert [r["time"] for r in by_time] == [0, 1, 2]
    whole = score(rows, sample="token")["value"]
    assert np.mean([r["value"] for r in by_time]) == pytest.approx(whole)
    assert all(r["p"] == pytest.approx(1 / 21) and r["ci_low"] < r["value"] for r in by_time)


def test_components_reduce_to_the_features_that_hold_the_label():
    rng = np.random.default_rng(6)
    label = rng.normal(size=CLIPS)
    features = 0.01 * rng.normal(size=(1, CLIPS, TIMES, 80))
    features[0] += (label[:, None] * rng.normal(size=80))[:, None]
    folds = splits.nested(np.arange(CLIPS))
    rows, _ = probe(spec(), features, ["0"], {"a": label}, folds, components=1)
    assert score(rows)["value"] > 0.99


def test_small_components_of_blobs_are_not_magnified_into_a_label_that_is_not_there():
    """A blob's rate of growth is no linear function of its pixels; other scalings score -0.9."""
    rng = np.random.default_rng(0)
    rate, x, y, width = rng.uniform(size=(4, 100, 1, 1, 1))
    place, age = np.linspace(0, 1, 16), np.arange(4.0)[:, None, None]
    spread = (0.05 + 0.1 * width) ** 2 + 0.005 * rate * age
    distance = (place - 0.2 - 0.6 * x) ** 2 + (place[:, None] - 0.2 - 0.6 * y) ** 2
    blobs = np.exp(-distance / (2 * spread)) * (0.05 + 0.1 * width) ** 2 / spread
    pixels = blobs.reshape(1, 100, 4, -1)
    folds = splits.nested(np.arange(100))
    rows, _ = probe(spec(), pixels, ["0"], {"a": rate.ravel()}, folds, components=64)
    assert -0.1 < score(rows)["value"] < 0.1


DIRECTIONS = 2 * np.pi * (np.arange(392) // 49) / 8
HARMONICS = ("sincos", "sincos2", "sincos3")


@pytest.mark.parametrize(("known", "ceiling"), [(1, 0.650), (2, 0.841), (3, 0.952)])
def test_the_raw_angle_has_a_ceiling_that_the_harmonics_set(known, ceiling):
    """Eight directions, as published: what is linear in harmonics can't be the angle itself."""
    labels = {"direction": np.arctan2(np.sin(DIRECTIONS), np.cos(DIRECTIONS))}
    names = ("direction", *(f"{name}_direction" for name in HARMONICS))
    wanted = {name: targets.values(labels, name) for name in names}
    features = np.hstack([wanted[name] for name in names[1 : known + 1]])
    features = features + 1e-3 * np.random.default_rng(0).normal(size=features.shape)
    folds = splits.nested(np.arange(392))
    asked = spec(targets=names, samples=("clip",))
    rows, _ = probe(asked, [features[:, None]], ["0"], wanted, folds)
    assert score(rows, "0", target="direction")["value"] == pytest.approx(ceiling, abs=0.012)
    for order, name in enumerate(names[1:], 1):
        found = score(rows, "0", target=name)["value"]
        assert found > 0.999 if order <= known else found < 0.02
        error = score(rows, "0", "circular_mae", target=name)
        assert (
            error["value"] < 0.5 if order <= known else error["value"] == pytest.approx(90, abs=8)
        )
        assert error["ci_low"] < error["value"] < error["ci_high"]


def test_columns_of_a_target_share_their_choices_and_are_scored_together():
    """The same as one target whose rows are the columns' in turn, by refits with scikit-learn."""
    rng = np.random.default_rng(4)
    features = noise(2, 40, 1, 30, seed=3) * np.geomspace(0.1, 10, 30)
    pair = rng.normal(size=(40, 2)) * [1, 3]
    features[..., 0] += 0.3 * pair[:, :1]
    features[..., 1] += 0.1 * pair[:, 1:]
    folds = splits.nested(np.arange(40), outer=3, inner=3)
    wanted = spec(targets=("alone", "pair"), samples=("clip",), permutations=5)
    given = {"alone": pair[:, 0], "pair": pair}
    rows, block = probe(wanted, features, ["0", "1"], given, folds)
    error, chosen = 0.0, []
    for fold in folds:
        best = None
        for number in (0, 1):
            z = features[number] - features[number][fold.train].mean(0)
            for scaling in ridge.SCALINGS:
                scaled = z / (z[fold.train].std((0, 1)) if scaling == "feature" else 1.0)
                unit = (scaled[fold.train] ** 2).sum() / min(len(fold.train), 30)
                for penalty in reversed(wanted.penalties):
                    inner = sum(
                        (
                            (
                                _refit(scaled, column, rest, held, penalty * unit)[:, 0]
                                - column[held]
                            )
                            ** 2
                        ).sum()
                        for rest, held in fold.inner
                        for column in pair.T
                    )
                    if best is None or inner < best[0] * (1 - 1e-9):
                        best = inner, number, scaling, penalty, scaled, unit
        _, number, scaling, penalty, scaled, unit = best
        chosen.append((str(number), scaling, penalty))
        for column in pair.T:
            guess = _refit(scaled, column, fold.train, fold.test, penalty * unit)[:, 0]
            error += ((guess - column[fold.test]) ** 2).sum()
    expected = 1 - error / ((pair - pair.mean(0)) ** 2).sum()
    assert score(rows, target="pair")["value"] == pytest.approx(expected, abs=1e-6)
    about = {"target": "pair", "sample": "clip", "layer": "selected"}
    found = [c for c in block["choices"] if about.items() <= c.items()]
    assert [(c["chosen_layer"], c["scaling"], c["lambda"]) for c in found] == chosen
    held = find(block["held_out"], **about)
    assert held["prediction"].shape == (40, 2)
    squared = ((held["prediction"] - block["truth"]["pair"]) ** 2).sum(1)
    np.testing.assert_allclose(held["squared_error"], squared)
    alone, _ = probe(wanted, features, ["0", "1"], {"alone": pair[:, 0]}, folds)
    assert score(alone, target="alone")["value"] == pytest.approx(
        score(rows, target="alone")["value"], abs=1e-9
    )


@pytest.mark.parametrize(
    ("sample", "times"),
    [
        ("clip", [0, 1, 2]),
        ("temporal_last", [2]),
        ("temporal_first", [0]),
        ("temporal_diff", [2, 0]),
    ],
)
def test_a_label_is_found_in_the_token_times_that_hold_it(sample, times):
    """Each time holds a label of its own; the rows of a sample are what it says of them."""
    features = noise(1, features=20)[0]
    weights = [1, -1] if sample == "temporal_diff" else np.full(len(times), 1 / len(times))
    rows = sum(weight * features[:, time] for weight, time in zip(weights, times, strict=True))
    label = rows @ np.random.default_rng(9).normal(size=20)
    folds = splits.nested(np.arange(CLIPS))
    samples = ("clip", "temporal_last", "temporal_first", "temporal_diff")
    found, _ = probe(spec(samples=samples), [features], ["0"], {"a": label}, folds)
    best = {name: score(found, sample=name)["value"] for name in samples}
    assert best[sample] > 0.999 and max(v for k, v in best.items() if k != sample) < 0.95


def test_a_difference_needs_two_times():
    features = noise(times=1)
    folds = splits.nested(np.arange(CLIPS))
    label = {"a": np.arange(CLIPS)}
    with pytest.raises(ValueError, match="two times"):
        probe(spec(samples=("temporal_diff",)), features, ["0", "1"], label, folds)


NARROW, DESCENDING = [10.0**k for k in range(-3, 10)], [10.0**-k for k in range(-6, 7)]


@pytest.mark.parametrize("grid", [NARROW, DESCENDING])
def test_a_narrow_or_descending_grid_is_refused(grid):
    with pytest.raises(ValueError, match="1e-6 to 1e6"):
        Spec(penalties=tuple(grid))


@pytest.mark.parametrize("scaling", ["feature", "none"])
@pytest.mark.parametrize(("sample", "features"), [("clip", 80), ("clip", 6), ("token", 6)])
def test_halves_are_those_of_refits(sample, features, scaling):
    """By scikit-learn, with the penalty of the whole fit; groups are never parted."""
    rng = np.random.default_rng(3)
    label, groups = rng.normal(size=CLIPS), np.arange(CLIPS) // 2
    tokens = rng.normal(size=(CLIPS, TIMES, features)) + 0.5 * label[:, None, None]
    folds = splits.nested(groups)
    common = spec(samples=(sample,), scalings=(scaling,), seed=4)
    _, block = probe(common, [tokens], ["0"], {"a": label}, folds, groups=groups)
    penalties = [choice["lambda"] for choice in block["choices"] if choice["layer"] == "0"]
    inputs = tokens.mean(1, keepdims=True) if sample == "clip" else tokens
    times = inputs.shape[1]

    def missed(inside):
        """Errors (clip, time) of fits to some clips, on all of them."""
        found = np.empty((CLIPS, times))
        for fold, penalty in zip(folds, penalties, strict=True):
            train = inputs[fold.train].reshape(-1, features)
            scale = train.std(0) if scaling == "feature" else np.sqrt(train.var(0).mean())
            unit = (((train - train.mean(0)) / scale) ** 2).sum() / min(train.shape)
            mine = np.intersect1d(fold.train, np.flatnonzero(inside))
            model = Peer(alpha=penalty * unit).fit(
                (inputs[mine] / scale).reshape(-1, features), np.repeat(label[mine], times)
            )
            guess = model.predict((inputs[fold.test] / scale).reshape(-1, features))
            found[fold.test] = guess.reshape(-1, times) - label[fold.test, None]
        return found

    signs = splits.halves(groups, seed=4)
    np.testing.assert_array_equal(block["halves"], signs)
    assert (signs[:, ::2] == signs[:, 1::2]).all() and np.abs(signs.sum(1)).max() == 0
    both = np.array([[missed(half > 0), missed(half < 0)] for half in signs])
    halves = find(block["held_out"], layer="0")["halves"]
    for metric, errors in {"r2": both**2, "mae": np.abs(both)}.items():
        first, second = errors.mean((2, 3)).T
        np.testing.assert_allclose(halves[metric], 0.5 * np.log(first / second), atol=1e-9)
        assert np.abs(halves[metric]).max() > 0.01


@pytest.mark.parametrize(("region", "features"), [(False, 20), (False, 80), (True, 20)])
def test_halves_of_what_is_scored_elsewhere_are_those_of_refits(region, features):
    """By scikit-learn: in another rendering with what suits the other half best."""
    rng = np.random.default_rng(3)
    label, groups = rng.normal(size=CLIPS), np.arange(CLIPS)
    tokens = rng.normal(size=(CLIPS, 1, features)) + 0.5 * label[:, None, None]
    folds, strata = splits.nested(groups), None
    if region:
        strata = label > 0.8
        folds = (elsewhere.apart(folds, groups, strata, spec()),)
    else:
        tokens = np.concatenate([tokens + rng.normal(size=tokens.shape), tokens])
        label, groups = np.tile(label, 2), np.tile(groups, 2)
        folds = list(elsewhere.crossed(folds, CLIPS))
    about = {"groups": groups, "strata": strata}
    common = spec(samples=("clip",), scalings=("none",), seed=4)
    rows, block = probe(common, [tokens], ["0"], {"a": label}, folds, **about)
    chosen = [choice["lambda"] for choice in block["choices"] if choice["layer"] == "0"]
    inputs = tokens[:, 0]

    def missed(inside):
        """Squared errors of the clips that are held out, by fits to some clips."""
        found = np.zeros(len(label))
        for fold, kept in zip(folds, chosen, strict=True):
            train = inputs[fold.train]
            scale = np.sqrt(train.var(0).mean())
            unit = (((train - train.mean(0)) / scale) ** 2).sum() / min(train.shape)
            mine, others = fold.train[inside[fold.train]], fold.train[~inside[fold.train]]
            models = [
                Peer(alpha=penalty * unit).fit(inputs[mine] / scale, label[mine])
                for penalty in ((kept,) if region else common.penalties)
            ]
            errors = [
                ((m.predict(inputs[others] / scale) - label[others]) ** 2).sum() for m in models
            ]
            best = models[int(np.argmin(errors))]
            found[fold.test] = (best.predict(inputs[fold.test] / scale) - label[fold.test]) ** 2
        return found.sum()

    signs = splits.halves(groups, seed=4)
    held = np.sort(np.concatenate([fold.test for fold in folds]))
    np.testing.assert_array_equal(block["halves"], 0 * signs[:, held] if region else signs[:, held])
    both = np.array([[missed(half > 0), missed(half < 0)] for half in signs])
    told = find(block["held_out"], layer="0")["halves"]["r2"]
    np.testing.assert_allclose(told, 0.5 * np.log(both[:, 0] / both[:, 1]), atol=1e-9)
    assert len(set(np.round(told, 3))) > 6
    assert find(rows, layer="0", metric="r2")["estimand"] == "data sets"


def test_intervals_scatter_as_scores_of_fresh_data_sets_do():
    """Of a score, and of two encoders that are alike; errors alone are far too narrow.

    More features than clips: residuals vanish there, and with them what they say of the fits.
    """
    folds, signs = splits.nested(np.arange(CLIPS)), splits.halves(np.arange(CLIPS))
    values, ends, apart, difference, errors = [], [], [], [], []
    for number in range(60):
        rng = np.random.default_rng(number)
        label = rng.normal(size=CLIPS)
        both = []
        for _ in range(2):
            tokens = 0.3 * label[:, None] + rng.normal(size=(CLIPS, 100))
            rows, block = probe(
                spec(samples=("clip",), scalings=("none",), permutations=1),
                [tokens[:, None]], ["0"], {"a": label}, folds,
            )  # fmt: skip
            found = score(rows, "0")
            both.append(decoded({"predictions": block}, "a", "clip", "0"))
            values.append(found["value"])
            ends.append((found["ci_low"], found["ci_high"]))
            _, low, high = replace(both[-1], halves=None).interval(200)
            errors.append((high - low) / 3.92)
        between = paired.above(*both)
        apart.append(between.value)
        difference.append(between.interval(200)[1:])
    assert np.array_equal(both[0].halves.signs, signs)
    low, high = np.transpose(ends)
    truth, scatter = np.mean(values), np.std(values)
    assert np.mean(errors) < 0.8 * scatter
    assert 0.9 * scatter < np.mean(high - low) / 3.92 < 1.35 * scatter
    assert 0.92 <= np.mean((low <= truth) & (truth <= high)) <= 0.99
    low, high = np.transpose(difference)
    assert 0.9 * np.std(apart) < np.mean(high - low) / 3.92 < 1.4 * np.std(apart)
    assert np.mean((low <= 0) & (high >= 0)) >= 0.93
