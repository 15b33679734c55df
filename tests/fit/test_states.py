"""States in time: what is there is decoded, what isn't is not, and the null has every choice."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from physprobe.fit.methods import _perceptron, _shared, states, states_mlp
from physprobe.fit.section import Given
from physprobe.statistics import splits
from physprobe.statistics import states as regression
from physprobe.store.fits import decoded, row

CLIPS, TIMES = 60, 8


def given(noise: float = 0.1, seed: int = 0, **more: object) -> Given:
    """Two layers: noise alone, and one that holds angle and velocity."""
    rng = np.random.default_rng(seed)
    angle = np.cumsum(rng.normal(size=(CLIPS, TIMES)), axis=1) + rng.uniform(0, 6, (CLIPS, 1))
    speed, mass = rng.normal(size=(CLIPS, TIMES)), rng.uniform(1, 2, CLIPS)
    shown = np.stack([np.sin(angle), np.cos(angle), speed], -1) @ rng.normal(size=(3, 6))
    features = [rng.normal(size=shown.shape), shown + noise * rng.normal(size=shown.shape)]
    return Given(
        features, ["0", "1"], {"mass": mass}, splits.nested(np.arange(CLIPS)),
        states={"angle": angle, "speed": speed}, **more,
    )  # fmt: skip


def spec(**more: object) -> states.Spec:
    asked = {"targets": ("sincos_angle", "speed", "mass"), "permutations": 39, "bootstraps": 300}
    return states.Spec(**{**asked, **more})


def test_states_are_decoded_from_the_layer_that_holds_them_and_labels_are_not():
    rows, blocks = states.fit(spec(), given())
    found = {(r["target"], r["layer"]): r for r in rows}
    for target in ("sincos_angle", "speed"):
        assert found[target, "1"]["value"] > 0.9 and found[target, "1"]["p"] == 1 / 40
        assert found[target, "0"]["value"] < 0.1
        assert found[target, "selected"]["value"] == found[target, "1"]["value"]
        assert found[target, "selected"]["note"].startswith("layer 1 in 5")
        low, value, high = (found[target, "1"][k] for k in ("ci_low", "value", "ci_high"))
        assert low < value < high
    assert found["mass", "selected"]["value"] < 0.1 and found["mass", "selected"]["p"] > 0.05
    assert {r["sample"] for r in rows} == {"state"} and blocks["predictions"]["fold"].max() == 4


def test_the_score_is_that_of_scikit_learn_about_the_mean_at_each_time():
    asked, told = spec(targets=("speed",), penalties=(1e-3,), permutations=1), given(noise=2.0)
    rows, _ = states.fit(asked, told)
    truth, features = told.states["speed"], told.features[1]
    predicted = np.empty_like(truth)
    for fold in told.folds:
        part = features[fold.train].reshape(-1, 6)
        scale = np.maximum(part.std(0), 0.01 * np.sqrt(np.mean(part.std(0) ** 2)))
        own = (features - part.mean(0)) / scale
        unit = (own[fold.train] ** 2).sum() / 6
        model = Ridge(alpha=1e-3 * unit).fit(
            own[fold.train].reshape(-1, 6), truth[fold.train].ravel()
        )
        predicted[fold.test] = model.predict(own[fold.test].reshape(-1, 6)).reshape(-1, TIMES)
    spread = ((truth - truth.mean(0)) ** 2).sum()
    expected = 1 - ((predicted - truth) ** 2).sum() / spread
    assert row({"rows": rows}, layer="1")["value"] == pytest.approx(expected, abs=1e-9)


def test_comparisons_read_the_same_score():
    rows, blocks = states.fit(spec(), given())
    result = {"rows": rows, "encoder": "small", **blocks}
    for target in ("sincos_angle", "mass"):
        score = decoded(result, target, "state")
        assert score.value == pytest.approx(
            row(result, target=target, layer="selected")["value"], abs=1e-9
        )


def test_what_is_the_same_in_all_clips_at_a_time_scores_nothing():
    told = given()
    clock = np.broadcast_to(np.arange(TIMES, dtype=float), (CLIPS, TIMES))
    features = [told.features[1], clock[..., None] + np.zeros(3)]
    jitter = 0.5 * np.random.default_rng(1).normal(size=(CLIPS, TIMES))
    late = Given(features, ["0", "1"], {}, told.folds, states={"clock": clock + jitter})
    rows, _ = states.fit(spec(targets=("clock",)), late)
    assert row({"rows": rows}, layer="1")["value"] < 0.05


def test_first_tokens_are_left_out():
    told = given()
    told.features[1][:, :3] = 0.0
    kept, whole = (
        row({"rows": states.fit(spec(targets=("speed",), skip=skip), told)[0]}, layer="1")["value"]
        for skip in (3, 0)
    )
    assert kept > 0.9 > 0.7 > whole
    with pytest.raises(ValueError, match="skip: 8 leaves none of 8 token times"):
        states.fit(spec(skip=8), told)


def test_an_unknown_state_is_named():
    with pytest.raises(
        ValueError, match=r"target .sped.: no such label\. Hint: labels are mass, angle"
    ):
        states.fit(spec(targets=("sped",)), given())


def test_noise_is_rejected_at_its_level():
    below = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        values = rng.normal(size=(20, 5, 4))
        told = Given([values], ["0"], {}, splits.nested(np.arange(20), outer=3), states={
            "noise": rng.normal(size=(20, 5))
        })  # fmt: skip
        (found, _), _ = states.fit(spec(targets=("noise",), permutations=19, bootstraps=100), told)
        below += found["p"] <= 0.05
    assert below <= 6


def twisted(clips: int = CLIPS) -> Given:
    """Features whose product holds a speed, and one more that holds nothing."""
    rng = np.random.default_rng(5)
    sign, size = rng.choice([-1.0, 1.0], (clips, TIMES)), rng.normal(size=(clips, TIMES))
    features = np.stack([sign, sign * size, rng.normal(size=(clips, TIMES))], -1)
    states = {"speed": size, "noise": rng.normal(size=(clips, TIMES))}
    return Given([features], ["0"], {}, splits.nested(np.arange(clips)), states=states)


def mlp(**more: object) -> states_mlp.Spec:
    asked = {"targets": ("speed", "noise"), "permutations": 24, "bootstraps": 300, "batch": 32}
    return states_mlp.Spec(**{**asked, "widths": (4, 32), **more})


def test_an_mlp_reads_what_no_linear_map_of_the_features_holds():
    linear, _ = states.fit(spec(targets=("speed",)), twisted())
    rows, blocks = states_mlp.fit(mlp(), twisted())
    found = {r["target"]: r for r in rows if r["layer"] == "selected"}
    assert row({"rows": linear}, layer="selected")["value"] < 0.1
    assert found["speed"]["value"] > 0.7 and found["speed"]["p"] == 1 / 25
    assert found["speed"]["null_q95"] < 0.1
    assert found["noise"]["value"] < 0.05 and found["noise"]["p"] > 0.05
    score = decoded({"rows": rows, "encoder": "small", **blocks}, "speed", "state")
    assert score.value == pytest.approx(found["speed"]["value"], abs=1e-9)


def test_networks_trained_side_by_side_are_those_trained_alone():
    told = twisted()
    speed, fold = told.states["speed"], told.folds[0]
    orders = np.stack([np.arange(CLIPS), np.random.default_rng(0).permutation(CLIPS)])
    both = speed[orders].transpose(1, 2, 0)[..., None]
    settings = mlp(epochs=12)

    def read(values: np.ndarray) -> _perceptron.Read:
        found = _perceptron.read(settings, told.features[0], {"s": values}, fold, fold.test)
        return found["s"]

    whole = read(both)
    for draw in (0, 1):
        alone = read(both[:, :, draw : draw + 1])
        np.testing.assert_allclose(whole.predicted[:, :, draw], alone.predicted[:, :, 0], atol=1e-4)
        assert whole.inner[draw] == pytest.approx(alone.inner[0], rel=1e-4)


def test_a_networks_function_is_what_it_was_trained_to():
    told, settings = twisted(200), _perceptron.Small(batch=64)
    fold = told.folds[0]
    known = _perceptron.function(settings, told.features[0], told.states["speed"][..., None], fold)
    features, speed = told.features[0][fold.test], told.states["speed"][fold.test]
    found = known(features.reshape(-1, 3)).reshape(speed.shape)
    assert np.mean((found - speed) ** 2) < 0.05 * speed.var()


def test_an_mlp_of_what_is_not_finite_is_refused():
    told = twisted()
    told.features[0][3, 2, 1] = np.nan
    with pytest.raises(ValueError, match="features: not finite in 1 places"):
        states_mlp.fit(mlp(epochs=1), told)


def test_what_follows_from_a_system_alone_is_made_once():
    fold, values, calls = twisted().folds[0], np.arange(6.0), []

    def made(*of: object) -> int:
        return _shared.once(lambda: calls.append(1) or len(calls), "thing", fold, *of)

    assert made(values, 3) == made(values.copy(), 3) == 1
    assert made(values + 1e-9, 3) == 2 and made(values, 4) == 3, "anything else makes another"
    assert _shared.once(lambda: 9, "thing", twisted().folds[1], values, 3) == 9


@pytest.mark.parametrize("width", [12, 120])
def test_components_are_those_of_the_singular_values(width):
    rng = np.random.default_rng(3)
    values = rng.normal(size=(20, 6, 1))
    mixed = rng.normal(size=(20, 6, 12)) @ rng.normal(size=(12, width))
    fold = splits.nested(np.arange(20))[0]
    rows = mixed[fold.train].reshape(-1, width)
    assert (len(rows) < width) == (width > 12), "by second moments, or by the rows themselves"
    axes = np.linalg.svd(rows - rows.mean(0), full_matrices=False)[2][:4].T
    own = (mixed - rows.mean(0)) @ axes
    found, same = (regression.fit(each, values, [fold], components=4) for each in (mixed, own))
    np.testing.assert_allclose(found.predicted[fold.test], same.predicted[fold.test], atol=1e-9)
