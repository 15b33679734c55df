"""States in time: what is there is decoded, what isn't is not, and the null has every choice."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from physprobe.fit.methods import states
from physprobe.fit.section import Given
from physprobe.statistics import splits
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
