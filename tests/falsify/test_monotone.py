"""Monotone: a score that rises with depth is told from one that falls and one that stays."""

import numpy as np
import pytest

from physprobe.falsify import monotone
from physprobe.fit.methods.ridge import Spec as Ridge
from physprobe.fit.probe import probe
from physprobe.statistics import scores, splits
from physprobe.statistics.paired import Scored
from physprobe.store.evidence import Evidence
from physprobe.store.fits import Fits

CLIPS, LAYERS = 120, 5
NAMES = [*map(str, range(LAYERS)), "final"]


def evidence(noises: list[float]) -> Evidence:
    """Probes of layers that hold a label under so much noise each; ``final`` holds it exactly."""
    rng = np.random.default_rng(0)
    label = rng.normal(size=CLIPS)
    features = [
        np.stack([label + rng.normal(0, noise, CLIPS), rng.normal(size=CLIPS)], -1)[:, None]
        for noise in (*noises, 0.01)
    ]
    spec = Ridge(targets=("x",), samples=("clip",), permutations=20, bootstraps=500)
    folds = splits.nested(np.arange(CLIPS), outer=4, inner=3)
    rows, predictions = probe(spec, features, NAMES, {"x": label}, folds)
    found = {"spec": spec.dump(), "rows": rows, "predictions": predictions}
    return Evidence(("mine",), (), {}, probes=Fits({"mine": found}))


@pytest.mark.parametrize(
    ("noises", "word"),
    [
        ([3.0, 2.0, 1.0, 0.5, 0.2], "supported"),
        ([0.2, 0.5, 1.0, 2.0, 3.0], "refuted"),
        ([1.0, 1.0, 1.0, 1.0, 1.0], "cannot tell"),
    ],
)
def test_rising_is_supported_falling_refuted_and_level_neither(noises: list[float], word: str):
    spec = monotone.Spec(statement="s", target="x")
    found = monotone.line(spec, evidence(noises), "mine")
    assert found["verdict"] == word
    assert found["ci_low"] < found["value"] < found["ci_high"]


def test_the_slope_is_that_of_a_line_through_the_scores():
    rng = np.random.default_rng(1)
    truth, depths = rng.normal(size=CLIPS), np.array([0.0, 0.25, 0.5, 1.0])
    errors = rng.normal(size=(4, CLIPS)) ** 2 * np.array([[0.9], [0.7], [0.4], [0.1]])
    curve = Scored(scores.r2_sums(truth, errors), scores.r2_of, np.arange(CLIPS))
    expected = np.polyfit(depths, curve.value, 1)[0]
    assert float(monotone.slope(curve, depths).value) == pytest.approx(expected)


def test_an_encoder_with_one_block_can_not_be_judged():
    whole = evidence([1.0] * LAYERS)
    rows = [row for row in whole.probes["mine"]["rows"] if row["layer"] in ("0", "selected")]
    whole.probes["mine"]["rows"] = rows
    found = monotone.line(monotone.Spec(statement="s", target="x"), whole, "mine")
    assert found["verdict"] == "cannot tell" and "fewer than two blocks" in found["note"]
