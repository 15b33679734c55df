"""Claims: a planted advantage is supported, a planted disadvantage refuted, noise neither."""

import numpy as np
import pytest

from physprobe.config import kinds
from physprobe.falsify import _pixels, beyond_pixels, conditioned, decodable, forecast
from physprobe.falsify._claim import Claim, verdict
from physprobe.falsify._curve import Curve
from physprobe.statistics import bootstrap, linear_map, paired, scores, splits
from physprobe.statistics.paired import Scored
from physprobe.store.evidence import Evidence
from physprobe.store.fits import Fits

CLIPS = 80


def probe(truth: np.ndarray, noise: float, seed: int, p: float = 0.005) -> dict:
    """Result of a probe whose held-out predictions are off by so much noise."""
    error = np.random.default_rng(seed).normal(scale=noise, size=CLIPS) ** 2
    value, low, high = bootstrap.interval(scores.r2_sums(truth, error), scores.r2_of)
    row = {
        "target": "alpha", "sample": "clip", "layer": "selected", "metric": "r2", "time": None,
        "value": float(value), "ci_low": float(low), "ci_high": float(high),
        "null_q95": 0.02, "p": p,
    }  # fmt: skip
    block = {"target": "alpha", "sample": "clip", "layer": "selected", "squared_error": error}
    held = {"truth": {"alpha": truth}, "group": np.arange(CLIPS), "held_out": [block]}
    return {"rows": [row], "predictions": held}


def koopman(skill: float, seed: int, p: float = 0.005) -> dict:
    """Result of a model with such a skill against persistence; the mean is a worse baseline."""
    rng = np.random.default_rng(seed)
    persistence = rng.gamma(20, 1 / 20, size=(CLIPS, 4))
    model = persistence * (1 - skill) * rng.gamma(50, 1 / 50, size=(CLIPS, 4))
    errors = {"model": model, "persistence": persistence, "mean": 3 * persistence}
    row = {
        "layer": "final", "metric": "skill", "order": 1, "baseline": "persistence",
        "horizon": 4, "null_q95": 0.1, "p": p,
    }  # fmt: skip
    block = {"horizon": [1, 2, 3, 4], "group": np.arange(CLIPS), "errors": errors}
    return {"rows": [row], "forecast": {"final": block}}


def evidence(own: float, controls: dict[str, float], **more: object) -> Evidence:
    truth = np.linspace(0.5, 5, CLIPS)
    noise = {"small": own, **controls}
    return Evidence(
        encoders=("small",),
        controls=tuple(controls),
        labels={},
        probes=Fits({n: probe(truth, scale, k) for k, (n, scale) in enumerate(noise.items())}),
        koopman=Fits({name: koopman(0.5, n) for n, name in enumerate(noise)}),
        bootstraps=500,
        **more,
    )


@pytest.mark.parametrize(
    ("own", "expected"), [(0.1, "supported"), (1.2, "refuted"), (0.5, "cannot tell")]
)
def test_an_encoder_has_to_beat_its_best_control(own: float, expected: str):
    found = decodable.line(
        decodable.Spec(statement="s", target="alpha"),
        evidence(own, {"brightness": 0.5, "pixels": 0.9}),
        "small",
    )
    assert found["verdict"] == expected
    assert found["best_control"] == "brightness"
    assert found["ci_low"] < found["value"] < found["ci_high"]


@pytest.mark.parametrize(("own", "worse"), [(1.4, 3.0), (2.0, 8.0)])
def test_to_be_less_bad_than_a_control_is_no_knowledge(own: float, worse: float):
    """R2 of -0.2 and of -1.5, beside controls far below them."""
    spec = decodable.Spec(statement="s", target="alpha")
    found = decodable.line(spec, evidence(own, {"brightness": worse}), "small")
    assert found["ci_low"] > 0 and found["p"] < 0.05
    assert found["verdict"] == "cannot tell"
    assert found["note"].endswith("R2 itself is not above 0")


def test_to_forecast_less_badly_than_a_control_is_no_forecast():
    found = evidence(0.1, {"pixels": 0.5})
    found.koopman.update(small=koopman(-0.2, 7), pixels=koopman(-2.0, 8))
    judged = forecast.line(forecast.Spec(statement="s", beyond="controls"), found, "small")
    assert judged["ci_low"] > 0 and judged["verdict"] == "cannot tell"
    assert judged["note"].endswith("skill itself is not above 0")


def test_beating_chance_alone_needs_the_null_to_be_refuted():
    spec = decodable.Spec(statement="s", target="alpha", beyond="chance")
    assert decodable.line(spec, evidence(0.5, {}), "small")["verdict"] == "supported"
    truth = np.linspace(0.5, 5, CLIPS)
    weak = evidence(0.5, {})
    weak.probes["small"].update(probe(truth, 0.5, 0, p=0.2))
    assert decodable.line(spec, weak, "small")["verdict"] == "cannot tell"


def test_an_undefined_target_can_not_be_judged():
    found = decodable.line(
        decodable.Spec(statement="s", target="sigma"), evidence(0.1, {}), "small"
    )
    assert found["verdict"] == "cannot tell" and "undefined" in found["note"]


def test_the_best_of_many_equal_controls_is_not_beaten_by_an_equal_encoder():
    truth = np.linspace(0.5, 5, CLIPS)
    supported = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        sums = [scores.r2_sums(truth, rng.normal(size=CLIPS) ** 2) for _ in range(9)]
        own, *rest = (Scored(part, scores.r2_of, np.arange(CLIPS)) for part in sums)
        others = {str(number): part for number, part in enumerate(rest)}
        interval, best = paired.above(own, *others.values()).interval(300), paired.best(others)
        supported += verdict(float(interval.low), float(interval.high), 0.0) == "supported"
        assert others[best].value == max(scores.r2_of(s.sum(0)) for s in sums[1:])
    assert supported <= 1


@pytest.mark.parametrize(
    ("skill", "expected"), [(0.4, "supported"), (-0.4, "refuted"), (0.0, "cannot tell")]
)
def test_a_forecast_has_to_beat_the_best_baseline(skill: float, expected: str):
    found = evidence(0.1, {"pixels": 0.5})
    found.koopman["small"] = koopman(skill, 7)
    judged = forecast.line(forecast.Spec(statement="s"), found, "small")
    assert judged["verdict"] == expected and judged["best_control"] == "persistence"


def test_a_forecast_beyond_controls_has_to_beat_their_skill():
    found = evidence(0.1, {"pixels": 0.5})
    spec = forecast.Spec(statement="s", beyond="controls")
    found.koopman.update(small=koopman(0.7, 1), pixels=koopman(0.3, 2))
    assert forecast.line(spec, found, "small")["verdict"] == "supported"
    found.koopman.update(small=koopman(0.3, 1), pixels=koopman(0.7, 2))
    assert forecast.line(spec, found, "small")["verdict"] == "refuted"


@pytest.mark.parametrize(("linear", "expected"), [(True, "refuted"), (False, "supported")])
def test_pixels_in_disguise_are_found_out(linear: bool, expected: str):
    rng = np.random.default_rng(0)
    pixels = rng.normal(size=(CLIPS, 6, 5))
    weights = rng.normal(size=(5, 4))
    embedding = pixels @ weights if linear else rng.normal(size=(CLIPS, 6, 4))
    folds = splits.nested(np.arange(CLIPS))
    clips = np.arange(CLIPS)
    rows, maps = _pixels.cross({"pixels_gray": pixels}, {"small": embedding}, folds, clips, 300)
    own = {name: found for (_, name, way), found in maps.items() if way == "pixel_to_embed"}
    judged = beyond_pixels.line(beyond_pixels.Spec(statement="s"), own, 500)
    assert judged["verdict"] == expected
    r2 = next(row["value"] for row in rows if row["metric"] == "pixel_to_embed_r2")
    assert r2 == pytest.approx(linear_map.fit(pixels, embedding, folds).r2)
    assert bool(r2 > 0.99) is linear


def test_every_claim_kind_judges_and_says_so_in_the_same_columns():
    """Of nothing that it could judge, each says so, and supports or refutes nothing."""
    nothing = evidence(0.1, {"pixels": 0.5})
    for name in ("small", "pixels"):
        nothing.probes[name]["predictions"]["held_out"] = []
        nothing.koopman[name]["forecast"] = {}
    columns = {
        "statement", "test", "margin", "statistic", "value", "ci_low", "ci_high", "null_q95", "p",
        "best_control", "verdict", "note", "p_margin", "groups", "narrowed", "room",
    }  # fmt: skip
    asked = {"target": "alpha", "targets": ("alpha",), "at": (1.0,)}
    asked["pairs"] = (("small", "pixels"),)
    judging = set(kinds.names("falsify")) - {"above_random", "right_law"}
    assert {"beyond_pixels", "conditioned", "decodable", "forecast", "order"} <= judging
    for name in judging:
        module = kinds.load("falsify", name)
        fields = {key: asked[key] for key in asked if key in module.Spec.model_fields}
        if name == "reaches":  # of a metric that has to be named
            fields["metric"] = "effective_rank"
        spec = module.Spec(statement="s", **fields)
        found = _of_nothing(module, spec, nothing)
        assert set(found) == columns and found["test"] == name
        assert (found["verdict"], found["value"]) == ("cannot tell", None)
        assert found["note"]


def _of_nothing(module: object, spec: Claim, nothing: Evidence) -> dict:
    """What a kind says where nothing is defined that it is of.

    Two kinds never find it so: ``above_random`` refuses an undefined target, and ``right_law`` has
    a verdict on every clip.
    """
    match spec.kind:
        case "beyond_pixels":
            return module.line(spec, {}, 500)
        case "onset":
            curve = Curve("small", {"rows": []}, spec.target, spec.sample)
            return module._line(spec, "small", curve, [])
        case "robust":
            return module._line(spec, [{"verdict": "undefined"}])
        case "located":
            return module._line(spec, "small", nothing.probes["small"])
        case "holds_elsewhere":
            return decodable.line(spec, nothing, "small")
    (judged,) = module.judge(spec, nothing, ("small",)).lines.values()
    return judged


def classes(truth: list[int], right: np.ndarray, p: float | None = 0.005, note: str = "") -> dict:
    """Result of a probe of classes that is right about some clips."""
    sums = np.stack([right, np.ones_like(right)], axis=-1)
    value, low, high = (float(part) for part in bootstrap.interval(sums, scores.mean_of))
    row = {
        "target": "kind", "sample": "clip", "layer": "selected", "metric": "accuracy",
        "time": None, "value": value, "ci_low": low, "ci_high": high, "null_q95": 0.6, "p": p,
        "note": note,
    }  # fmt: skip
    block = {"target": "kind", "sample": "clip", "layer": "selected", "correct": right}
    held = {"truth": {"kind": truth}, "group": np.arange(len(truth)), "held_out": [block]}
    return {"rows": [row], "predictions": held}


@pytest.mark.parametrize(
    ("often", "share", "expected"),
    [
        (0.5, 0.633, "cannot tell"),
        (0.5, 0.9, "supported"),
        (0.5, 0.2, "refuted"),
        (0.8, 0.9, "cannot tell"),
        (0.8, 0.5, "refuted"),
    ],
)
def test_accuracy_beyond_chance_is_above_the_share_of_the_most_frequent_class(
    often: float, share: float, expected: str
):
    """30 clips: .633 [.478, .792] of two classes alike is not above 0.5, as it is above 0."""
    truth = (np.arange(30) < 30 * often).astype(int)
    right = (np.arange(30) < round(30 * share)).astype(float)
    found = evidence(0.5, {})
    found.probes["small"].update(classes(truth.tolist(), right))
    spec = decodable.Spec(statement="s", target="kind", beyond="chance")
    judged = decodable.line(spec, found, "small")
    assert judged["verdict"] == expected
    assert judged["value"] == pytest.approx(right.mean() - often)
    assert judged["ci_low"] < judged["value"] < judged["ci_high"]
    assert judged["null_q95"] == pytest.approx(0.6 - often)
    assert judged["statistic"] == f"accuracy of kind less chance, {often:.3f}"


def test_fault_8_nothing_is_better_than_any_control_if_there_is_none():
    """A study without a control can't say that an encoder beats the best of them."""
    spec = decodable.Spec(statement="s", target="alpha")
    alone = decodable.line(spec, evidence(0.1, {}), "small")
    assert (alone["verdict"], alone["value"]) == ("cannot tell", None)
    assert alone["note"] == "the study has no control to beat"
    undefined = evidence(0.1, {"pixels": 0.5})
    undefined.probes["pixels"]["predictions"]["held_out"] = []
    judged = decodable.line(spec, undefined, "small")
    assert judged["verdict"] == "cannot tell"
    assert judged["note"] == "alpha is undefined for all controls"
    forecasting = forecast.Spec(statement="s", beyond="controls")
    assert forecast.line(forecasting, evidence(0.1, {}), "small")["verdict"] == "cannot tell"


@pytest.mark.parametrize("own", [0.1, 0.45, 0.5, 0.9, 1.2])
def test_a_difference_carries_its_own_p(own: float):
    """It tells what the interval tells; that of the score itself is in the note."""
    spec = decodable.Spec(statement="s", target="alpha", margin=0.02)
    judged = decodable.line(spec, evidence(own, {"brightness": 0.5}), "small")
    inside = judged["ci_low"] <= spec.margin <= judged["ci_high"]
    assert (judged["p"] >= 0.05) == inside
    assert judged["null_q95"] is None and "R2 itself has p = " in judged["note"]
    for beyond in ("baselines", "controls"):
        spec = forecast.Spec(statement="s", beyond=beyond)
        judged = forecast.line(spec, evidence(own, {"brightness": 0.5}), "small")
        assert (judged["null_q95"] is None) == (beyond == "controls") and judged["p"] is not None


NOTE = "no permutation is possible: of 12 groups no two are of the same size"


@pytest.mark.parametrize("note", [f"{NOTE}; layer 3 in 5 of the folds", "layer 3 in 5"])
@pytest.mark.parametrize("beyond", ["chance", "controls"])
def test_fault_13_without_a_p_nothing_is_supported_and_it_is_said_why(note: str, beyond: str):
    found = evidence(0.1, {"pixels": 0.5})
    for name in ("small", "pixels"):
        found.probes[name]["rows"][0].update(p=None, null_q95=None, note=note)
    spec = decodable.Spec(statement="s", target="alpha", beyond=beyond)
    judged = decodable.line(spec, found, "small")
    assert judged["verdict"] == "cannot tell"
    # a difference has its own p
    assert judged["p"] < 0.05 if beyond == "controls" else judged["p"] is None
    assert judged["ci_low"] > 0
    why = NOTE if NOTE in note else "there are no permutations"
    assert judged["note"].endswith(f"p is undefined: {why}")


def test_fault_13_a_forecast_without_a_p_is_not_supported():
    found = evidence(0.1, {"pixels": 0.5})
    found.koopman["small"] = koopman(0.4, 7)
    found.koopman["small"]["rows"][0].update(p=None, note=f"null: time-shuffled fits; {NOTE}")
    judged = forecast.line(forecast.Spec(statement="s"), found, "small")
    assert judged["verdict"] == "cannot tell" and judged["ci_low"] > 0
    assert judged["note"] == f"p is undefined: {NOTE}"


def test_fault_13_a_label_that_nothing_permutes_is_not_said_to_help():
    row = {
        "metric": "skill_difference", "model": "real", "baseline": "shuffled", "value": None,
        "ci_low": None, "ci_high": None, "null_q95": None, "p": None, "note": NOTE,
    }  # fmt: skip
    found = evidence(0.1, {})
    found.heads["small"] = {"rows": [row]}
    judged = conditioned.line(conditioned.Spec(statement="s"), found, "small")
    assert (judged["verdict"], judged["note"]) == ("cannot tell", NOTE)


@pytest.mark.parametrize(
    ("shuffled", "none", "expected"),
    [(0.2, 0.1, "supported"), (0.2, -0.1, "refuted"), (0.2, 0.0, "cannot tell")],
)
def test_a_label_has_to_help_against_every_way_of_leaving_it_out(
    shuffled: float, none: float, expected: str
):
    rows = [
        {
            "metric": "skill_difference", "model": "real", "baseline": baseline, "value": value,
            "ci_low": value - 0.05, "ci_high": value + 0.05, "null_q95": 0.01, "p": 0.005,
        }
        for baseline, value in {"shuffled": shuffled, "none": none}.items()
    ]  # fmt: skip
    found = evidence(0.1, {})
    found.heads["small"] = {"rows": rows}
    judged = conditioned.line(conditioned.Spec(statement="s"), found, "small")
    assert judged["verdict"] == expected
    assert conditioned.line(conditioned.Spec(statement="s"), found, "other")["verdict"] == (
        "cannot tell"
    )
