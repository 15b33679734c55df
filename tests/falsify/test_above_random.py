"""Above random, on made-up probe results whose differences are known."""

from pathlib import Path

import numpy as np
import planted
import pytest
from figure_oracle import beside, sound

from physprobe.falsify import _random, above_random
from physprobe.falsify import stage as falsify
from physprobe.falsify.entries import Study
from physprobe.figures import above_random as drawn
from physprobe.figures import stage as figures
from physprobe.fit.section import SCHEMAS
from physprobe.statistics import scores
from physprobe.store import results
from physprobe.store.evidence import Evidence
from physprobe.store.fits import Fits

CLIPS = 80
RANDOM = tuple(f"random_{seed}" for seed in range(5))
SPECS = {name: {"kind": "untrained"} for name in RANDOM}
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
        "schema": "physprobe/probe/2",
        "spec": {"targets": targets, "samples": ["clip"], "permutations": 20, "bootstraps": 300},
        "predictions": {
            "clip": clip,
            "group": clip,
            "fold": clip % 5,
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
    rows = list(_random.rows(probes(0.3, 0.6), "small", RANDOM, 300))
    r2 = {(r["encoder"], r["system"], r["target"]): r["value"] for r in rows if r["metric"] == "r2"}
    *targets, mean = [r for r in rows if r["metric"] == "r2_above_random"]
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
    found = list(_random.rows(probes(0.5, 0.5), "small", RANDOM, 50))
    mixed = probes(0.5, 0.5)
    for named in mixed.values():
        own = named["small"]["predictions"]
        order = np.argsort(own["clip"])
        own["clip"], own["group"] = own["clip"][order], own["group"][order]
        own["truth"] = {t: values[order] for t, values in own["truth"].items()}
        for block in own["held_out"]:
            block["squared_error"] = block["squared_error"][order]
    assert list(_random.rows(mixed, "small", RANDOM, 50)) == found


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
        name: list(_random.rows(found, "small", RANDOM, 500))
        for name, found in {"grouped": grouped, "alone": _ungrouped(grouped)}.items()
    }
    for own, other in zip(known["grouped"], known["alone"], strict=True):
        assert own["value"] == pytest.approx(other["value"])
    widths = {
        name: [row["ci_high"] - row["ci_low"] for row in rows if row["metric"] == "r2_above_random"]
        for name, rows in known.items()
    }
    assert np.mean(widths["grouped"]) > 1.4 * np.mean(widths["alone"])


def test_systems_of_unequal_clips_are_averaged_as_independent_ones():
    found = probes(0.3, 0.6)
    few = {"wave": {name: result(["c", "gamma"], 0.3 if name == "small" else 0.6, 40 + place)
                    for place, name in enumerate(found["wave"])}}  # fmt: skip
    for own in few["wave"].values():
        held = own["predictions"]
        for key in ("clip", "group", "fold"):
            held[key] = held[key][:50]
        held["truth"] = {name: values[:50] for name, values in held["truth"].items()}
        for block in held["held_out"]:
            block["squared_error"] = block["squared_error"][:50]
    rows = list(_random.rows({"heat": found["heat"], **few}, "small", RANDOM, 2000))
    *targets, mean = [row for row in rows if row["metric"] == "r2_above_random"]
    assert [row["n_clips"] for row in targets] == [CLIPS, 50, 50]
    assert mean["n_clips"] == CLIPS + 50
    assert mean["value"] == pytest.approx(np.mean([row["value"] for row in targets]))
    alone = list(_random.rows(few, "small", RANDOM, 2000))[-1]
    widths = [row["ci_high"] - row["ci_low"] for row in (targets[0], alone, mean)]
    assert widths[2] == pytest.approx(np.hypot(widths[0] / 3, widths[1] * 2 / 3), rel=0.1)


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


def judge(found: dict, loss: float = 0.05) -> dict:
    evidence = Evidence(
        ("small",), RANDOM, {}, place="heat", specs=SPECS,
        fits={system: {"ridge": Fits(named)} for system, named in found.items()},
        simulations=dict.fromkeys(found),
    )  # fmt: skip
    spec = above_random.Spec(statement="s", loss=loss)
    return above_random.judge(spec, evidence.at(), ("small",)).lines["small"]


@pytest.mark.parametrize(
    ("trained", "random", "word"),
    [
        (0.3, 0.6, "supported"),
        (0.6, 0.3, "refuted"),
        (0.5, 0.5, "cannot tell"),
        (2.0, 4.0, "cannot tell"),  # R2 of -3 and -15: neither knows anything
    ],
)
def test_better_is_supported_worse_is_refuted_and_equal_is_neither(trained, random, word):
    line = judge(probes(trained, random), loss=0.5)
    assert line["verdict"] == word and line["ci_low"] < line["value"] < line["ci_high"]
    assert line["statistic"] == (
        "R2 less the mean of 5 draws of random weights, mean over 3 targets"
    )


def test_one_target_that_loses_more_than_the_margin_is_enough_to_refute():
    found = probes(0.2, 0.7)
    worse = result(["c", "gamma"], 0.9, 100)["predictions"]["held_out"][1]
    found["wave"]["small"] = result(["c", "gamma"], 0.2, 100)
    found["wave"]["small"]["predictions"]["held_out"][1] = worse
    line = judge(found)
    assert line["verdict"] == "refuted" and line["ci_low"] > 0, "though the mean is above"
    assert "worst wave gamma -0." in line["note"]
    assert "below -0.05" in line["note"]
    allowed = judge(found, loss=1.0)
    assert allowed["verdict"] == "supported" and "below" not in allowed["note"]


def test_the_method_that_is_named_is_the_one_that_is_judged():
    good, bad = probes(0.3, 0.6), probes(0.6, 0.3)
    fits = {s: {"bad": Fits(bad[s]), "good": Fits(good[s])} for s in TARGETS}
    simulations = dict.fromkeys(TARGETS)
    about = {"place": "heat", "specs": SPECS, "fits": fits, "simulations": simulations}
    evidence = Evidence(("small",), RANDOM, {}, **about)
    for method, word in {"good": "supported", "bad": "refuted"}.items():
        spec = above_random.Spec(statement="s", method=method)
        (line,) = above_random.judge(spec, evidence.at("", method), ("small",)).lines.values()
        assert line["verdict"] == word


def test_the_stages_write_the_result_and_its_picture(tmp_path: Path, system):
    paths, simulations, embeddings = [], [], []
    for name, named in probes(0.3, 0.6).items():
        for encoder in RANDOM:
            root = tmp_path / name / "embeddings" / f"{encoder}.zarr" / "zarr.json"
            pooled = ("clip", "layer", "time", "feature"), np.zeros((CLIPS, 1, 1, 1))
            about = {"label": encoder, "spec": SPECS[encoder]}
            embeddings.append(planted.store(root, {"pooled": pooled}, {}, about))
        stores = system(tmp_path / name, {"clip_label": np.arange(CLIPS)})
        simulations += stores["simulation"]
        named["small"] = result(TARGETS[name], 0.3, 100)
        named["other"] = result(TARGETS[name], 0.9, 50)
        for encoder, content in named.items():
            paths.append(tmp_path / name / "fits" / f"{encoder}.ridge.json")
            content = {"rows": [], **content, "systems": [name]}
            content.pop("schema")
            results.write(paths[-1], schema=SCHEMAS["probe"], provenance={"inputs": {}}, **content)
    study = Study(
        systems=list(TARGETS), encoders=["small", "other"], controls=RANDOM, methods=["ridge"],
        claims={"worth": {"kind": "above_random", "statement": "It is."}},
    )  # fmt: skip
    out, picture = tmp_path / "study" / "verdicts.json", tmp_path / "study" / "above_random.png"
    stores = {"embeddings": embeddings, "simulation": simulations}
    falsify.run(fits=paths, **stores, out=out, spec=study.canonical())
    found = results.read(out, "verdicts")
    words = {line["encoder"]: line["verdict"] for line in found["claims"]}
    assert words == {"small": "supported", "other": "refuted"}
    paths = beside(picture)
    figures.run(kind="above_random", sources=[out], **paths, claims=["worth"])
    frame = drawn.frame(found)
    sound(drawn.figure(frame))
    # of the first encoder: each score once, three differences, and their mean
    assert set(frame["encoder"]) == {"small", *RANDOM}
    assert len(frame) == 3 * (1 + len(RANDOM)) + 3 + 1
    assert len(paths["table"].read_text().splitlines()) == 1 + len(frame)
    assert picture.read_bytes().startswith(b"\x89PNG")
