"""The gate on made-up probe results whose differences are known."""

import json
from pathlib import Path

import numpy as np
import pytest
from figure_oracle import sound

from physprobe.falsify import _gate
from physprobe.falsify import stage as falsify
from physprobe.figures import above_random, stage
from physprobe.fit.section import SCHEMAS
from physprobe.statistics import scores
from physprobe.store import results

CLIPS = 80
RANDOM = tuple(f"random_{seed}" for seed in range(5))
TARGETS = {"heat": ["alpha"], "wave": ["c", "gamma"]}


def result(targets: list[str], error: float, seed: int, shuffled: bool = False) -> dict:
    """Probe result whose predictions miss standard normal truths by an error."""
    rng = np.random.default_rng(seed)
    clip = rng.permutation(CLIPS) if shuffled else np.arange(CLIPS)
    truth = {t: np.random.default_rng(len(t)).normal(size=CLIPS) for t in targets}
    blocks = [
        {
            "target": t,
            "sample": "clip",
            "layer": "selected",
            "squared_error": (error * rng.normal(size=CLIPS)[clip]) ** 2,
        }
        for t in targets
    ]
    return {
        "spec": {"targets": targets, "bootstraps": 300},
        "predictions": {
            "clip": clip,
            "group": clip,
            "truth": {t: values[clip] for t, values in truth.items()},
            "held_out": blocks,
        },
    }


def probes(trained: float, random: float) -> dict:
    return {
        system: {
            "small": result(targets, trained, 100, shuffled=True),
            **{name: result(targets, random, k) for k, name in enumerate(RANDOM)},
        }
        for system, targets in TARGETS.items()
    }


def test_differences_are_those_of_the_scores_and_the_mean_is_their_mean():
    rows = list(_gate.rows(probes(0.3, 0.6), "small", RANDOM, 300))
    r2 = {(r["encoder"], r["system"], r["target"]): r["value"] for r in rows if r["metric"] == "r2"}
    *targets, mean = [r for r in rows if r["metric"] == "r2_difference"]
    assert [(r["system"], r["target"]) for r in targets] == [
        ("heat", "alpha"), ("wave", "c"), ("wave", "gamma"),
    ]  # fmt: skip
    for row in targets:
        at = row["system"], row["target"]
        others = np.mean([r2[name, *at] for name in RANDOM])
        assert row["value"] == pytest.approx(r2["small", *at] - others)
    assert mean["value"] == pytest.approx(np.mean([row["value"] for row in targets]))
    assert mean["ci_low"] < mean["value"] < mean["ci_high"]
    own = np.asarray(probes(0.3, 0.6)["heat"]["small"]["predictions"]["truth"]["alpha"])
    assert r2["small", "heat", "alpha"] == pytest.approx(
        float(scores.r2(own, own + np.sqrt(squared("heat", 0.3)))), abs=1e-9
    )


def squared(system: str, trained: float) -> np.ndarray:
    block = probes(trained, 0.6)[system]["small"]["predictions"]["held_out"][0]
    return np.asarray(block["squared_error"])


def test_the_same_clips_are_compared_whatever_their_order():
    found = list(_gate.rows(probes(0.5, 0.5), "small", RANDOM, 50))
    mixed = probes(0.5, 0.5)
    for named in mixed.values():
        own = named["small"]["predictions"]
        order = np.argsort(own["clip"])
        own["clip"], own["group"] = own["clip"][order], own["group"][order]
        own["truth"] = {t: values[order] for t, values in own["truth"].items()}
        for block in own["held_out"]:
            block["squared_error"] = block["squared_error"][order]
    assert list(_gate.rows(mixed, "small", RANDOM, 50)) == found


def test_clips_of_one_group_are_drawn_together_in_every_interval():
    """Groups of four clips: less is known of every score, difference and of their mean."""
    grouped = probes(0.5, 0.6)
    for named in grouped.values():
        for found in named.values():
            held = found["predictions"]
            held["group"] = held["clip"] // 4
            # what a group's clips get wrong they get wrong together
            for block in held["held_out"]:
                by_clip = block["squared_error"][np.argsort(held["clip"])]
                block["squared_error"] = by_clip[held["group"] * 4]
    known = {
        name: list(_gate.rows(found, "small", RANDOM, 500))
        for name, found in {"grouped": grouped, "alone": _ungrouped(grouped)}.items()
    }
    for own, other in zip(known["grouped"], known["alone"], strict=True):
        assert own["value"] == pytest.approx(other["value"])
    widths = {
        name: [row["ci_high"] - row["ci_low"] for row in rows if row["metric"] == "r2_difference"]
        for name, rows in known.items()
    }
    assert np.mean(widths["grouped"]) > 1.4 * np.mean(widths["alone"])


def _ungrouped(found: dict) -> dict:
    return {
        system: {
            name: {
                **own,
                "predictions": {**own["predictions"], "group": own["predictions"]["clip"]},
            }
            for name, own in named.items()
        }
        for system, named in found.items()
    }


@pytest.mark.parametrize(
    ("trained", "random", "passes"), [(0.3, 0.6, True), (0.6, 0.3, False), (0.5, 0.5, False)]
)
def test_better_passes_worse_and_equal_do_not(trained, random, passes):
    rows = list(_gate.rows(probes(trained, random), "small", RANDOM, 300))
    assert _gate.passed(rows, 0.05)[0] is passes


def test_one_target_that_loses_more_than_the_margin_is_enough_to_fail():
    found = probes(0.2, 0.7)
    worse = result(["c", "gamma"], 0.9, 100)["predictions"]["held_out"][1]
    found["wave"]["small"] = result(["c", "gamma"], 0.2, 100)
    found["wave"]["small"]["predictions"]["held_out"][1] = worse
    rows = list(_gate.rows(found, "small", RANDOM, 300))
    ok, why = _gate.passed(rows, 0.05)
    assert not ok
    assert "worst wave gamma -0." in why
    assert "below -0.05" in why
    assert _gate.passed(rows, 1.0)[0]


def test_the_stages_write_the_result_and_its_picture(tmp_path: Path):
    paths = []
    for system, named in probes(0.3, 0.6).items():
        for name, content in named.items():
            path = tmp_path / system / "fits" / f"{name}.ridge.json"
            results.write(path, schema=SCHEMAS["probe"], provenance={}, **{"rows": [], **content})
            paths.append(path)
    out, picture = tmp_path / "gates" / "small.json", tmp_path / "gates" / "small.png"
    spec = {"encoder": "small", "random": RANDOM, "margin": 0.05}
    falsify.gate(probes=paths, out=out, spec=json.dumps(spec))
    found = json.loads(out.read_text())
    assert found["passed"] is True
    assert found["schema"] == "physprobe/gate/2"
    table = picture.with_suffix(".csv")
    drawing.figure(kind="gate", sources=[out], out=picture, table=table)
    sound(gate.figure(gate.frame(found)))
    assert len(table.read_text().splitlines()) == 1 + len(found["rows"])
    assert picture.read_bytes().startswith(b"\x89PNG")
