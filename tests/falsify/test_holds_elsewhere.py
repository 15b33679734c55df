"""Transferred probes beside ordinary ones, on made-up results whose errors are known."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from figure_oracle import beside, sound
from scipy import stats

from physprobe.falsify import _transfer, holds_elsewhere
from physprobe.falsify import stage as falsify
from physprobe.falsify.entries import Study
from physprobe.figures import stage as figures
from physprobe.figures import transfer as drawn
from physprobe.fit.section import SCHEMAS
from physprobe.store import results
from physprobe.store.evidence import Evidence
from physprobe.store.fits import Fits

CLIPS = 60
TRUTH = np.random.default_rng(0).uniform(1, 5, CLIPS)
TOP = np.flatnonzero(np.quantile(TRUTH, 0.7) <= TRUTH)


def result(
    error: np.ndarray, clip: np.ndarray, targets: tuple[str, ...] = ("alpha",), p: float = 0.1
) -> dict:
    """Probe result whose predictions miss the truth by an error (clip,) of all clips."""
    blocks = [
        {
            "target": "alpha",
            "sample": "clip",
            "layer": "selected",
            "prediction": (TRUTH + error)[clip],
            "squared_error": error[clip] ** 2,
            "absolute_error": np.abs(error[clip]),
        }
    ]
    null = {"null_mean": -2.0, "null_q95": -0.5, "p": p}
    spread = ((TRUTH[clip] - TRUTH[clip].mean()) ** 2).sum()
    ends = dict.fromkeys(("value", "ci_low", "ci_high"), 1 - (error[clip] ** 2).sum() / spread)
    score = {"alpha": ends, "flat": {}}
    row = {"sample": "clip", "layer": "selected", "metric": "r2", "time": None, **null}
    row |= {"lambda": 1.0, "edge_hit": False, "n_clips": len(clip)}
    notes = {"alpha": "layer 1 in 1 of the folds", "flat": "target is constant"}
    return {
        "schema": "physprobe/probe/2",
        "spec": {"targets": targets, "samples": ["clip"], "permutations": 20, "bootstraps": 300},
        "rows": [
            {**row, **score[target], "target": target, "note": notes[target]} for target in targets
        ],
        "predictions": {
            "clip": clip,
            "group": clip,
            "fold": clip % 5,
            "truth": {"alpha": TRUTH[clip], "flat": np.ones(len(clip))},
            "held_out": blocks,
        },
        "setting": {
            "region": {"alpha": {"low": 3.8, "high": 5.0, "units": "px^2/s"}},
            "training_clips": [CLIPS - len(clip)],
            "training_mean": {"alpha": np.full(len(clip), 2.0)},
        },
    }


def errors(size: float, seed: int, shift: float = 0.0) -> np.ndarray:
    return shift + size * np.random.default_rng(seed).normal(size=CLIPS)


def made(clip: np.ndarray = TOP, **more) -> tuple[dict, dict]:
    """Transferred and ordinary results: the encoder is biased beyond its range, pixels are not."""
    everything = np.random.default_rng(9).permutation(CLIPS)
    moved = {
        "small": result(errors(0.1, 1, -0.5), clip, **more),
        "pixels": result(errors(0.2, 2), clip, **more),
        "brightness": result(errors(0.8, 3), clip, **more),
    }
    home = {
        "small": result(errors(0.1, 1), everything, **more),
        "pixels": result(errors(0.2, 2), everything, **more),
        "brightness": result(errors(0.8, 3), everything, **more),
    }
    return moved, home


CONTROLS = ("pixels", "brightness")


def scored(moved: dict, home: dict, target: str = "alpha") -> list[dict]:
    return list(_transfer.rows(moved, {"heat": home}, ("small",), CONTROLS, target, "clip"))


def evidence(moved: dict, home: dict, method: str = "ridge") -> Evidence:
    """Evidence of a study whose design has a place of its own, beside its system's."""
    moved = {name: {**found, "systems": ["heat"]} for name, found in moved.items()}
    fits = {"top": {method: Fits(moved)}, "heat": {method: Fits(home)}}
    return Evidence(("small",), CONTROLS, {}, place="top", fits=fits).at()


def find(rows: list[dict], encoder: str, metric: str, **where) -> dict:
    where = {"encoder": encoder, "metric": metric, **where}
    (row,) = [r for r in rows if all(r.get(k) == v for k, v in where.items())]
    return row


def test_all_scores_are_read_on_the_transferred_clips_alone():
    rows = scored(*made())
    truth, biased, fair = TRUTH[TOP], errors(0.1, 1, -0.5)[TOP], errors(0.1, 1)[TOP]
    spread = ((truth - truth.mean()) ** 2).sum()
    for folds, error in {"transferred": biased, "heat": fair}.items():
        expected = {
            "r2": 1 - (error**2).sum() / spread,
            "mae": np.abs(error).mean(),
            "bias": error.mean(),
            "correlation": np.corrcoef(truth, truth + error)[0, 1],
        }
        for metric, value in expected.items():
            row = find(rows, "small", metric, folds=folds)
            assert row["value"] == pytest.approx(value) and row["n_clips"] == len(TOP)
            assert row["ci_low"] <= row["value"] <= row["ci_high"]
    ratio = (biased**2).sum() / (fair**2).sum()
    assert find(rows, "small", "error_ratio", against="heat")["value"] == pytest.approx(ratio)
    difference = ((fair**2).sum() - (biased**2).sum()) / spread
    row = find(rows, "small", "r2_difference", against="heat")
    assert row["value"] == pytest.approx(difference) and row["ci_high"] < 0
    skill = 1 - (biased**2).sum() / ((truth - 2) ** 2).sum()
    row = find(rows, "small", "skill", baseline="training mean")
    assert row["value"] == pytest.approx(skill)
    kept = find(rows, "small", "r2", folds="transferred")
    assert (kept["null_q95"], kept["p"], kept["note"]) == (-0.5, 0.1, "layer 1 in 1 of the folds")


def several(shifts: tuple[float, ...], clip: np.ndarray) -> dict:
    """Result of several members, whose predictions are biased by shifts."""
    each = [result(errors(0.1, 1, shift), clip) for shift in shifts]
    whole = result(errors(0.1, 1, float(np.mean(shifts))), clip)
    members = [{"member": m, **part} for m, part in enumerate(each)]
    return {**whole, "encoder": "small", "members": members}


def test_errors_and_biases_of_members_are_drawn_with_them():
    shifts = (-0.9, -0.7, -0.5, -0.3, -0.1)
    (moved, home), one = made(), scored(*made())
    moved["small"] = several(shifts, TOP)
    home["small"] = several((0.0,) * 5, np.random.default_rng(9).permutation(CLIPS))
    rows = scored(moved, home)
    each = [errors(0.1, 1, shift)[TOP] for shift in shifts]
    fair = (errors(0.1, 1)[TOP] ** 2).sum()
    expected = {
        "mae": np.mean([np.abs(error).mean() for error in each]),
        "bias": np.mean([error.mean() for error in each]),
        "correlation": find(one, "small", "correlation", folds="transferred")["value"],
    }
    for metric, value in expected.items():
        row = find(rows, "small", metric, folds="transferred")
        assert row["value"] == pytest.approx(value)
        single = find(one, "small", metric, folds="transferred")
        width, alone = (r["ci_high"] - r["ci_low"] for r in (row, single))
        assert width > 5 * alone if metric != "correlation" else width < 1.5 * alone
    ratio = np.mean([(error**2).sum() / fair for error in each])
    row = find(rows, "small", "error_ratio", against="heat")
    assert row["value"] == pytest.approx(ratio)
    # the members' biases have a deviation of .32: Student's t of four degrees of freedom
    low, high = stats.t.interval(0.95, 4, np.mean(shifts), stats.sem(shifts))
    bias = find(rows, "small", "bias", folds="transferred")
    assert bias["ci_high"] - bias["ci_low"] == pytest.approx(high - low, rel=0.2)


def test_targets_of_several_columns_are_scored_together():
    truth = np.stack([np.cos(TRUTH), np.sin(TRUTH)], axis=1)

    def direction(seed: int, clip: np.ndarray) -> tuple[dict, np.ndarray]:
        found, error = (
            result(errors(0.1, 1), clip),
            0.3 * np.random.default_rng(seed).normal(size=truth.shape),
        )
        (block,), predictions = found["predictions"]["held_out"], found["predictions"]
        predictions["truth"]["alpha"] = truth[clip]
        found["setting"]["training_mean"]["alpha"] = np.full((len(clip), 2), 0.1)
        block["prediction"] = (truth + error)[clip]
        block["squared_error"] = (error[clip] ** 2).sum(1)
        block["absolute_error"] = np.abs(error[clip]).mean(1)
        return found, error[TOP]

    (moved, far), (home, near) = direction(1, TOP), direction(2, np.arange(CLIPS))
    rows = list(
        _transfer.rows({"small": moved}, {"heat": {"small": home}}, ("small",), (), "alpha", "clip")
    )
    spread = ((truth[TOP] - truth[TOP].mean(0)) ** 2).sum()
    for folds, error in {"transferred": far, "heat": near}.items():
        row = find(rows, "small", "r2", folds=folds)
        assert row["value"] == pytest.approx(1 - (error**2).sum() / spread)
    skill = 1 - (far**2).sum() / ((truth[TOP] - 0.1) ** 2).sum()
    assert find(rows, "small", "skill", baseline="training mean")["value"] == pytest.approx(skill)
    ratio = (far**2).sum() / (near**2).sum()
    assert find(rows, "small", "error_ratio", against="heat")["value"] == pytest.approx(ratio)
    assert not {"bias", "correlation"} & {row["metric"] for row in rows}
    found = _transfer.spread(moved, home, "alpha")
    assert found["scored"] == pytest.approx(np.sqrt(spread / len(TOP)))


def test_equal_errors_are_no_loss():
    rows = scored(*made())
    row = find(rows, "pixels", "error_ratio", against="heat")
    assert (row["value"], row["ci_low"], row["ci_high"]) == pytest.approx((1, 1, 1))
    row = find(rows, "pixels", "r2_difference", against="heat")
    assert (row["value"], row["ci_low"], row["ci_high"]) == pytest.approx((0, 0, 0), abs=1e-12)


def test_an_encoder_stands_beside_every_control_and_the_best():
    rows = scored(*made())
    r2 = {name: find(rows, name, "r2", folds="transferred")["value"] for name in made()[0]}
    for name in ("pixels", "brightness"):
        row = find(rows, "small", "r2_difference", control=name)
        assert row["value"] == pytest.approx(r2["small"] - r2[name])
    best = find(rows, "small", "r2_difference", control="best control")
    assert best["note"] == "pixels" and best["ci_high"] < 0
    assert not [r for r in rows if r["encoder"] != "small" and r.get("control") == "best control"]


def test_undefined_targets_and_clips_that_ordinary_folds_lack_are_named():
    rows = scored(*made(targets=("flat", "alpha")), "flat")
    flat = [falsify.SCHEMA.row(**r) for r in rows]
    assert len(flat) == 3 and all(r["value"] is None for r in flat)
    assert {r["note"] for r in flat} == {"target is constant"}
    spec = holds_elsewhere.Spec(statement="s", target="flat")
    found = holds_elsewhere.judge(spec, evidence(*made(targets=("flat", "alpha"))), ("small",))
    assert found.lines["small"]["verdict"] == "cannot tell"
    moved, home = made()
    home["small"] = result(errors(0.1, 1), np.setdiff1d(np.arange(CLIPS), TOP[:1]))
    with pytest.raises(ValueError, match=f"don't hold out clip {TOP[0]}"):
        scored(moved, home)


def test_scores_without_meaning_are_null_with_a_note():
    moved, home = made()
    home["small"] = result(np.zeros(CLIPS), np.arange(CLIPS))
    moved["small"] = result(3.0 - TRUTH, TOP)
    rows = [falsify.SCHEMA.row(**r) for r in scored(moved, home)]
    assert find(rows, "small", "error_ratio")["note"] == "ordinary folds make no error"
    assert find(rows, "small", "correlation", folds="transferred")["value"] is None


@pytest.mark.parametrize(
    ("size", "shift", "p", "word"),
    [
        (0.05, 0.0, 0.01, "supported"),
        (0.05, 0.0, 0.2, "cannot tell"),
        (0.2, 0.0, 0.01, "cannot tell"),
        (0.1, -0.5, 0.01, "refuted"),
    ],
)
def test_the_best_control_that_is_transferred_alike_has_to_be_beaten(size, shift, p, word):
    """On the very clips that are scored, whatever ordinary folds make of them."""
    moved, home = made()
    moved["small"] = result(errors(size, 1, shift), TOP, p=p)
    spec = holds_elsewhere.Spec(statement="s", target="alpha")
    found = holds_elsewhere.judge(spec, evidence(moved, home), ("small",))
    line = found.lines["small"]
    assert line["verdict"] == word and line["best_control"] == "pixels"
    best = find(found.rows, "small", "r2_difference", control="best control")
    assert best["note"] == "pixels"
    for key in ("value", "ci_low", "ci_high"):
        assert line[key] == pytest.approx(best[key])
    assert (found.blocks["fitted_on"], found.blocks["scored_on"]) == ("heat", "heat")
    chance = spec.model_copy(update={"beyond": "chance"})
    (line,) = holds_elsewhere.judge(chance, evidence(moved, home), ("small",)).lines.values()
    assert line["best_control"] is None and line["value"] == pytest.approx(
        find(found.rows, "small", "r2", folds="transferred")["value"]
    )


def test_a_ceiling_is_transferred_alike_and_is_no_rival():
    moved, home = made()
    spec = holds_elsewhere.Spec(statement="s", target="alpha")
    without = holds_elsewhere.judge(spec, evidence(moved, home), ("small",))
    moved["equation"] = result(errors(0.001, 5), TOP)
    home["equation"] = result(errors(0.001, 5), np.arange(CLIPS))
    known = replace(evidence(moved, home), ceilings=("equation",))
    found = holds_elsewhere.judge(spec, known, ("small",))
    assert found.lines == without.lines and found.blocks["ceilings"] == ["equation"]
    assert find(found.rows, "equation", "r2", folds="transferred")["value"] > 0.99
    assert not [r for r in found.rows if r["encoder"] == "equation" and r.get("control")]
    assert [r for r in found.rows if r["encoder"] != "equation"] == without.rows


def test_ordinary_folds_are_those_of_the_method_that_is_named():
    good, other = evidence(*made(), "good"), evidence(*made(), "other")
    wrong = {name: result(errors(3.0, 4), np.arange(CLIPS)) for name in made()[1]}
    fits = {
        "top": {**other.fits["top"], **good.fits["top"]},
        "heat": {"other": Fits(wrong), **good.fits["heat"]},
    }
    both = Evidence(("small",), CONTROLS, {}, place="top", fits=fits)
    spec = holds_elsewhere.Spec(statement="s", target="alpha", method="good")
    expected = holds_elsewhere.judge(spec, good, ("small",))
    assert holds_elsewhere.judge(spec, both.at("", "good"), ("small",)) == expected


@pytest.mark.parametrize("onto", [None, "heat_viridis"])
def test_the_stages_write_the_result_and_its_picture(tmp_path: Path, system, onto: str | None):
    moved, home = made(TOP if onto is None else np.arange(CLIPS), targets=("alpha", "flat"))
    systems = ["heat"] if onto is None else [onto, "heat"]
    design = {"kind": "elsewhere", "onto": onto}
    design |= {"region": {"alpha": [0.7, 1.0]}} if onto is None else {}
    given = {"fits": [], "embeddings": [], "simulation": []}
    for name in systems:
        labels = dict.fromkeys(moved, "untrained, made up")
        for key, paths in system(tmp_path / name, {"alpha": TRUTH}, labels).items():
            given[key] += paths
    for place, of, found in (("top", systems, moved), *((name, [name], home) for name in systems)):
        for name, content in found.items():
            path = tmp_path / place / "fits" / f"{name}.ridge.json"
            content = {"rows": [], **content, "systems": of}
            content["setting"]["region"] = content["setting"]["region"] if onto is None else {}
            content.pop("schema")
            results.write(path, schema=SCHEMAS["probe"], provenance={"inputs": {}}, **content)
            given["fits"].append(path)
    claims = {
        name: {"kind": "holds_elsewhere", "statement": f"{name} holds.", "target": name}
        for name in ("alpha", "flat")
    }
    claims["well"] = claims["alpha"] | {"margin": 0.1}
    study = Study(
        system="heat", design=design, encoders=["small"], controls=CONTROLS, methods=["ridge"],
        claims=claims,
    )  # fmt: skip
    out = tmp_path / "top" / "verdicts.json"
    falsify.run(**given, out=out, spec=study.canonical())
    found = results.read(out, "verdicts")
    shown = found["shown"]["alpha"]
    assert [shown["scored_on"], shown["fitted_on"]] == [systems[0], systems[-1]]
    assert shown["spread"]["all"] == pytest.approx(TRUTH.std())
    inputs = found["provenance"]["inputs"]
    assert len(inputs) == len(given["fits"]) + len(systems)
    frame = drawn.frame(found)
    figure = drawn.figure(frame)
    assert set(frame["metric"]) == {"r2", "error_ratio"} and len(figure.axes) == 4
    assert not frame.duplicated(["encoder", "target", "metric", "folds", "against"]).any()
    words = figure.get_supxlabel().replace("\n", " ")
    if onto:
        assert words.startswith("Scored on 60 held-out clips of heat_viridis; fitted on 0 clips")
    else:
        assert "18 held-out clips of heat with alpha from 3.8 to 5 px^2/s; fitted on 42" in words
    assert "95 % intervals" in words and "small (untrained)" in {
        text.get_text() for text in figure.axes[0].get_yticklabels()
    }
    sound(figure)
    # a ceiling is a line across the panel, and no rung
    shown = {name: {**part, "ceilings": ["brightness"]} for name, part in found["shown"].items()}
    figure = drawn.figure(drawn.frame({**found, "shown": shown}))
    named = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    assert len(named) == 2 and not any("brightness" in name for name in named)
    assert any(line.get_label().startswith("ceiling: bright") for line in figure.axes[0].lines)
    sound(figure)
    table, picture = out.with_name("transfer.csv"), out.with_name("transfer.png")
    figures.run(kind="transfer", sources=[out], **beside(picture), claims=list(claims))
    assert len(table.read_text().splitlines()) == 1 + len(frame)
    assert picture.read_bytes().startswith(b"\x89PNG")
