"""Claims on rollouts: which predictor lasts longer, and whether energy stays."""

from collections.abc import Mapping

import numpy as np
import pytest

from physprobe.falsify import conserves, lasts
from physprobe.store.evidence import Evidence
from physprobe.store.fits import Fits

CLIPS = 80
RNG = np.random.default_rng(0)
PACE = RNG.uniform(0.5, 2, CLIPS)
BASE = RNG.uniform(0.5, 1.5, CLIPS)


def rolled(times: Mapping[str, np.ndarray], drift: Mapping[str, float]) -> dict:
    """Result of a rollout with given valid times [s], and drifts at horizons 4 and 16."""
    noise = np.abs(RNG.normal(size=(CLIPS, 2)))
    return {
        "schema": "physprobe/rollout/2",
        "spec": {"bootstraps": 400},
        "rows": [],
        "rollouts": {
            "clip": np.arange(CLIPS),
            "group": np.arange(CLIPS),
            "horizon": [4, 16],
            "valid": {
                model: {"valid_time": t, "valid_lyapunov_times": t * PACE}
                for model, t in times.items()
            },
            "drift": {model: size * noise for model, size in drift.items()},
        },
    }


def evidence(**results: dict) -> Evidence:
    fits = {"pendulum": {"rollout": Fits(results)}}
    return Evidence(tuple(results), (), {}, bootstraps=400, place="pendulum", fits=fits).at()


LONG = rolled(
    {"predictor": 2 * BASE, "order_1": BASE, "persistence": 0.3 * BASE},
    {"predictor": 0.2, "encoded": 0.2},
)
SHORT = rolled(
    {"predictor": 0.5 * BASE, "order_1": BASE, "persistence": 0.3 * BASE},
    {"predictor": 1.5, "encoded": 0.2},
)
ALONE = rolled({"order_1": BASE}, {"encoded": 0.2})


def judge(kind, name: str = "small", **spec) -> dict:
    found = evidence(small=LONG, other=SHORT, alone=ALONE)
    return kind.line(kind.Spec(statement="s", **spec), found, name)


@pytest.mark.parametrize(
    ("name", "more", "verdict", "best"),
    [
        ("small", {}, "supported", "order_1"),
        ("other", {}, "refuted", "order_1"),
        ("other", {"beyond": ("persistence",)}, "supported", "persistence"),
        ("small", {"than": "other"}, "supported", "other"),
        ("small", {"margin": 3.0}, "refuted", "order_1"),
        ("alone", {}, "cannot tell", None),
        ("small", {"than": "alone"}, "cannot tell", None),
    ],
)
def test_the_longest_of_the_others_has_to_be_outlasted(name, more, verdict, best):
    found = judge(lasts, name, **more)
    assert (found["verdict"], found["best_control"]) == (verdict, best)


@pytest.mark.parametrize("unit", ["lyapunov", "seconds"])
def test_times_are_compared_clip_by_clip_in_their_unit(unit):
    found = judge(lasts, unit=unit)
    scale = PACE if unit == "lyapunov" else 1.0
    assert found["value"] == pytest.approx((BASE * scale).mean())
    assert ("Lyapunov" in found["statistic"]) == (unit == "lyapunov")


@pytest.mark.parametrize(
    ("name", "more", "verdict"),
    [
        ("small", {}, "supported"),
        ("other", {}, "refuted"),
        ("other", {"margin": -3.0}, "supported"),
        ("small", {"horizon": 5}, "cannot tell"),
        ("alone", {}, "cannot tell"),
    ],
)
def test_energy_is_conserved_as_far_as_reading_tells(name, more, verdict):
    assert judge(conserves, name, **more)["verdict"] == verdict


def test_members_are_drawn_with_their_times():
    each = [
        rolled({"predictor": k * BASE, "order_1": BASE}, {"predictor": 0.2, "encoded": 0.2})
        for k in (0.2, 0.8, 1.4, 2.0, 2.6)
    ]
    whole = {**each[2], "members": [{"member": m, **part} for m, part in enumerate(each)]}
    spec = lasts.Spec(statement="s", unit="seconds")
    found = lasts.line(spec, evidence(small=whole), "small")
    assert found["value"] == pytest.approx(0.4 * BASE.mean())
    assert found["verdict"] == "cannot tell", "the members disagree"
