"""Claims on rollouts and decoders: what lasts longer, whether energy stays, what is drawn."""

from collections.abc import Mapping

import numpy as np
import pytest

from physprobe.falsify import conserves, drawn, lasts
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


def drawing(errors: Mapping[tuple[str, int | None], float]) -> dict:
    """Result of a decoder with given squared errors by model and horizon."""
    spread = RNG.uniform(0.8, 1.2, CLIPS)
    scores = [
        {"model": model, "horizon": ahead, "squares": level * spread * RNG.uniform(0.9, 1.1, CLIPS)}
        for (model, ahead), level in errors.items()
    ]
    return {
        "schema": "physprobe/decoder/2",
        "spec": {"bootstraps": 400},
        "rows": [],
        "decoder": {"clip": np.arange(CLIPS), "group": np.arange(CLIPS), "scores": scores},
    }


SEEN = {("reconstruction", None): 1.0, ("mean_image", None): 4.0}
AHEAD = {("predictor", 4): 2.0, ("mean_image", 4): 4.0, ("copy_last", 4): 3.0, ("dmd", 4): 1.0}


@pytest.mark.parametrize(
    ("more", "verdict", "best", "value"),
    [
        ({}, "supported", "mean_image", 0.75),
        ({"margin": 0.8}, "refuted", "mean_image", 0.75),
        ({"horizon": 4}, "supported", "copy_last", 1 / 3),
        ({"horizon": 4, "beyond": ("dmd", "copy_last")}, "refuted", "dmd", -1.0),
        ({"horizon": 4, "beyond": ("equation",)}, "cannot tell", None, None),
        ({"horizon": 8}, "cannot tell", None, None),
    ],
)
def test_what_is_drawn_has_to_be_nearer_than_the_best_of_others(more, verdict, best, value):
    fits = {"pendulum": {"decoder": Fits({"small": drawing(SEEN | AHEAD)})}}
    whole = Evidence(("small",), (), {}, bootstraps=400, place="pendulum", fits=fits).at()
    found = drawn.line(drawn.Spec(statement="s", **more), whole, "small")
    assert (found["verdict"], found["best_control"]) == (verdict, best)
    if value is not None:
        assert found["value"] == pytest.approx(value, abs=0.05)
        assert found["ci_low"] < found["value"] < found["ci_high"]


def test_members_are_drawn_with_what_they_draw():
    each = [drawing({**SEEN, ("reconstruction", None): level}) for level in (0.2, 1.0, 1.8)]
    whole = {**each[1], "members": [{"member": m, **part} for m, part in enumerate(each)]}
    fits = {"pendulum": {"decoder": Fits({"small": whole})}}
    told = Evidence(("small",), (), {}, bootstraps=400, place="pendulum", fits=fits).at()
    found = drawn.line(drawn.Spec(statement="s"), told, "small")
    assert found["value"] == pytest.approx(0.75, abs=0.03)
    alone = drawn.line(drawn.Spec(statement="s"), Evidence(
        ("small",), (), {}, bootstraps=400, place="pendulum",
        fits={"pendulum": {"decoder": Fits({"small": each[1]})}},
    ).at(), "small")  # fmt: skip
    assert found["ci_high"] - found["ci_low"] > 3 * (alone["ci_high"] - alone["ci_low"])
