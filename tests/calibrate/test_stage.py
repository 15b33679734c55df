"""Calibration: rates are what was counted, and what should be rejected is.

A whole run of it, and its picture, are looked at in tests/test_workflow.py.
"""

import numpy as np
import pytest
from figure_oracle import sound

from physprobe.calibrate import _battery, _coverage, _noise, _shortcuts, stage
from physprobe.figures import calibration


def test_rates_and_their_intervals_are_those_of_the_counts():
    (row,) = stage._rows("coverage", {"it": np.array([True] * 95 + [False] * 5)})
    assert row["value"] == 0.95
    # Clopper and Pearson: the tables have 0.887 to 0.984
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((0.887, 0.984), abs=1e-3)


def test_a_draw_follows_from_its_number():
    first, again, other = (stage._planted_draw(number, worlds="one") for number in (0, 0, 1))
    assert first == again != other
    assert first.keys() == other.keys()


def test_features_that_know_the_label_are_no_noise(monkeypatch):
    drawn = []

    def knows(rng):
        drawn.append(rng)
        target = np.random.default_rng(5).normal(size=_noise.CLIPS)
        return [np.broadcast_to(target[:, None, None], (_noise.CLIPS, 2, 1)) + 0.0] * _noise.LAYERS

    rng = np.random.default_rng(5)
    monkeypatch.setattr(_noise, "_noise", knows)
    found = dict(_noise._ridge(rng))
    assert drawn
    assert found["ridge, clip, selected layer"]
    assert found["claim decodable beyond chance"]
    assert not found["claim decodable beyond controls"], "the control knows as much"


def test_the_truth_is_the_mean_over_all_data_sets_unless_it_is_known():
    mean = np.nan
    intervals = {
        "it": np.array([[1.0, 0.5, 1.5, mean], [2.0, 1.4, 2.5, mean], [3.0, 2.5, 3.5, mean]]),
        "known": np.array([[1.0, 0.5, 1.5, 0.0], [2.0, 1.4, 2.5, 2.4], [3.0, np.nan, np.nan, 3.0]]),
    }
    found = {name: held.tolist() for name, held in stage.held(intervals).items()}
    assert found == {"it": [False, True, False], "known": [False, True, False]}


def test_every_size_spectrum_and_kind_is_in_the_battery_and_in_its_part():
    whole = list(_battery.cells())
    assert len(whole) == len(set(whole)) == 4 * 3 * 4 * 3 and set(_battery.FEW) <= set(whole)
    for name in ("clips", "features", "spectrum", "kind"):
        assert {getattr(c, name) for c in _battery.FEW} >= {
            getattr(c, name) for c in whole if c.clips < 400
        }


@pytest.mark.parametrize("cell", _battery.FEW, ids=lambda cell: cell.name)
def test_two_encoders_of_a_world_are_alike(cell):
    drawn = cell.drawn(np.random.default_rng(1))
    one, other = drawn.features
    assert one.shape == other.shape == (cell.clips, 1, cell.features)
    assert len(drawn.label) == len(drawn.groups) == cell.clips
    assert (one != other).any()
    # both see the same latents, one as well as the other
    spread = np.array([np.sqrt((part[:, 0].std(0) ** 2).sum()) for part in drawn.features])
    assert spread[0] == pytest.approx(spread[1], rel=0.2)
    if cell.kind == "unequal groups":
        assert 1 < len(np.unique(drawn.groups)) < cell.clips / 2


def test_planted_scores_have_intervals_and_the_truth_of_single_fits_is_near():
    cell = _battery.Cell(100, 16, "flat")
    found = dict(_coverage._scored(cell, np.random.default_rng(0)))
    names = {
        "R2",
        "absolute error",
        "difference of R2",
        "accuracy",
        "AUC",
        "difference of accuracy",
    }
    assert {f"{name}, {cell.name}" for name in names} <= set(found)
    for name, (value, low, high, truth) in found.items():
        assert low < value < high
        assert truth == 0.0 if name.startswith("difference") else np.isnan(truth)
    for value, low, high, truth in dict(_coverage._apart(np.random.default_rng(0))).values():
        assert low < value < high and low - 0.2 < truth < high + 0.2


def test_chance_levels_are_means_over_repetitions_with_their_interval():
    scores = np.array([[-0.2, 0.1], [-0.4, 0.3], [-0.3, -0.1]])
    (row,) = stage._levels({"it": scores})
    means = scores.mean(1)
    half = 4.302653 * means.std(ddof=1) / np.sqrt(3)  # Student's t for two degrees of freedom
    assert row["value"] == pytest.approx(means.mean())
    assert (row["ci_low"], row["ci_high"]) == pytest.approx(
        (means.mean() - half, means.mean() + half), abs=1e-6
    )
    assert row["null_q95"] == pytest.approx(np.quantile(scores, 0.95))
    assert row["note"] == "3 repetitions of 2 labels, 33 % above 0"


@pytest.fixture(scope="module")
def films():
    """Nuisances of one study's films, and a leak."""
    rng = np.random.default_rng(2)
    parts = {
        part: rng.normal(size=(_shortcuts.CLIPS, 2)[: 1 + (part in ("place", "speed"))])
        for part in _shortcuts.Films.__annotations__
    }
    still = {part: np.zeros(_shortcuts.CLIPS) for part in ("grain", "step")}
    return _shortcuts.Films(**parts | still), rng.permutation(
        np.resize(_shortcuts.LEVELS, _shortcuts.CLIPS)
    )


@pytest.mark.parametrize(
    ("shortcut", "control"),
    {
        "place": "pixels",
        "file order, in turn": "recording",
        "rendering, noise": "rendering",
    }.items(),
)
def test_a_planted_shortcut_is_known_to_a_control(films, shortcut, control):
    parts, leak = films
    shown, order = _shortcuts.SHORTCUTS[shortcut](parts, leak)
    order = np.arange(len(leak)) if order is None else order
    assert np.array_equal(np.sort(order), np.arange(len(leak)))
    rng = np.random.default_rng(0)
    found = _shortcuts.controlled(shown.video(rng), shown.listed(order))
    assert all(np.isfinite(features).all() for features in found.values())
    scores = {name: _explained(features.mean(1), leak) for name, features in found.items()}
    assert scores[control] > 0.95, scores
    assert max(scores.values()) == scores[control] and min(scores.values()) < 0.1, scores


def _explained(features: np.ndarray, leak: np.ndarray) -> float:
    """R2 of a linear map from half of the clips, on the other half."""
    known = np.c_[features, np.ones(len(features))]
    weights = np.linalg.lstsq(known[::2], leak[::2], rcond=1e-8)[0]
    return 1 - ((leak - known @ weights)[1::2] ** 2).mean() / leak[1::2].var()


def test_a_claim_that_rests_on_a_shortcut_is_not_supported(monkeypatch):
    rng = np.random.default_rng(1)
    found = _shortcuts.verdicts(rng, asked=("brightness",))
    assert found == {
        "brightness, sharp encoder": "cannot tell",
        "brightness, blurred encoder": "refuted",
    }
    # without the control that knows it the same claim is supported
    whole = _shortcuts.controlled
    monkeypatch.setattr(
        _shortcuts, "controlled", lambda *about: {"recording": whole(*about)["recording"]}
    )
    assert set(_shortcuts.verdicts(rng, asked=("brightness",)).values()) == {"supported"}


def test_verdicts_on_shortcuts_are_counted_and_drawn():
    verdicts = {"brightness, sharp encoder": np.array(["refuted"] * 3 + ["cannot tell"])}
    refuted, supported = stage._fooled(verdicts)
    assert (refuted["metric"], refuted["value"]) == ("shortcut_refuted", 0.75)
    assert (supported["metric"], supported["value"]) == ("shortcut_supported", 0.0)
    rows = [
        {"test": "it", "metric": metric, "value": 0.0, "ci_low": 0.0, "ci_high": 0.1, "note": "4"}
        for metric in ("rejection_rate", "coverage", "chance_level")
    ]
    rows = [{**row, "null_q95": None} for row in (*rows, refuted, supported)]
    drawn = calibration.figure(calibration.frame({"rows": rows, "nominal": stage.NOMINAL}))
    assert len(drawn.axes) == 5
    sound(drawn)
