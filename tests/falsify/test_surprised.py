"""Claims on surprise: what it has to beat, and in which directions."""

import numpy as np
import pytest
from figure_oracle import sound

from physprobe.falsify import surprised
from physprobe.figures import surprised as drawn
from physprobe.store.evidence import Evidence
from physprobe.store.fits import Fits

SCENES = 40
GROUP = np.repeat(np.arange(SCENES), 2)
SIDE = np.tile(["first", "second"], SCENES)
PART = np.repeat(["O1", "O2"], SCENES)
EVEN = np.tile([1.0, 0.0, 0.0, 1.0], SCENES // 2)


def result(predictor: np.ndarray, copy: np.ndarray = EVEN, p: float = 0.005) -> dict:
    """Result of a method ``surprise`` with given pairs that are right."""
    right = {"predictor": predictor, "copy": copy, "shuffled": EVEN, "stranger": EVEN}
    rows = [
        {
            "target": "possible", "model": model, "part": part, "context": "selected",
            "direction": direction, "metric": "relative_accuracy", "p": p, "null_q95": 0.6,
            "value": float(values[mine].mean()), "ci_low": 0.0, "ci_high": 1.0, "member": None,
        }
        for model, values in right.items()
        for part in (None, "O1", "O2")
        for direction in (None, "first", "second")
        for mine in [
            np.isin(PART, part or ["O1", "O2"]) & np.isin(SIDE, direction or ["first", "second"])
        ]
    ]  # fmt: skip
    return {
        "schema": "physprobe/surprise/2", "spec": {"bootstraps": 400, "permutations": 200},
        "rows": rows,
        "surprise": {"group": GROUP, "direction": SIDE, "part": PART, "right": right},
    }  # fmt: skip


def judged(own: dict, control: dict | None = None, **asked: object):
    fits = {"small": own} | ({"untrained": control} if control else {})
    evidence = Evidence(
        ("small",), ("untrained",) if control else (), {}, bootstraps=400, place="occlusion",
        fits={"occlusion": {"surprise": Fits(fits)}},
    ).at()  # fmt: skip
    spec = surprised.Spec(statement="Impossible films surprise.", **asked)
    return surprised.judge(spec, evidence, ("small",))


def mostly(share: float) -> np.ndarray:
    """Pairs that are right at random, in both directions."""
    return (np.random.default_rng(1).random(2 * SCENES) < share).astype(float)


def test_a_predictor_above_all_that_foresees_nothing_is_supported():
    found = judged(result(mostly(0.9)), result(EVEN))
    line = found.lines["small"]
    assert line["verdict"] == "supported" and line["best_control"] == "chance"
    assert line["value"] == pytest.approx(mostly(0.9).mean() - 0.5)
    assert {(r["encoder"], r["model"]) for r in found.rows} >= {
        ("small", "copy"),
        ("untrained", "predictor"),
    }
    only = judged(result(mostly(0.9)), part="O2").lines["small"]
    assert only["value"] == pytest.approx(mostly(0.9)[PART == "O2"].mean() - 0.5)


@pytest.mark.parametrize("which", ["copy", "untrained"])
def test_the_best_of_what_foresees_nothing_has_to_be_beaten(which):
    good = mostly(0.9)
    own = result(good, copy=good) if which == "copy" else result(good)
    line = judged(own, result(good) if which == "untrained" else result(EVEN)).lines["small"]
    assert (line["verdict"], line["best_control"]) == ("refuted", which)


def test_a_liking_for_an_ending_supports_nothing():
    whole = judged(result(np.where(SIDE == "first", 1.0, 0.0))).lines["small"]
    assert whole["verdict"] != "supported"
    few = np.isin(GROUP, np.arange(18)) & (SIDE == "second")  # 18 of 40 scenes
    line = judged(result(np.where(SIDE == "first", 1.0, few))).lines["small"]
    assert line["ci_low"] > 0 and line["verdict"] == "cannot tell"
    assert "right in one direction alone" in line["note"]


def test_without_p_or_predictor_it_can_not_be_told():
    assert judged(result(mostly(0.9), p=0.3)).lines["small"]["verdict"] == "cannot tell"
    nothing = {**result(EVEN), "surprise": None, "rows": []}
    line = judged(nothing).lines["small"]
    assert line["verdict"] == "cannot tell" and "no predictor" in line["note"]


def test_the_figure_has_every_score_beside_its_controls():
    found = judged(result(mostly(0.9)), result(EVEN))
    content = {
        "rows": [{**r, "claim": "surprised", "ci_low": 0.4, "ci_high": 1.0} for r in found.rows],
        "claims": [{"claim": "surprised", "encoder": "small", **found.lines["small"]}],
        "spec": {"controls": ["untrained"]},
    }  # fmt: skip
    frame = drawn.frame(content)
    assert set(frame[frame["control"]]["model"]) == {"predictor", "copy", "shuffled", "stranger"}
    sound(drawn.figure(frame))
