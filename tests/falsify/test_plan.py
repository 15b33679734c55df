"""Plan: what a verdict can follow from is hashed, and what changes afterwards is on record."""

import json
from pathlib import Path

import pytest
import yaml

from physprobe.config import model
from physprobe.falsify import _amendments, _declared, _frozen, _plan
from physprobe.falsify._declared import Plan
from physprobe.store import results

CONFIG = yaml.safe_load("""
systems:
  heat:
    simulate: {kind: heat, clips: 24, frames: 8, size: 32, sigma: [2.0, 3.0]}
    render: {kind: fields, colormap: inferno, low: 0.0, high: 1.0}
encoders:
  stats: {kind: statistics}
  motion: {kind: statistics, features: [motion_energy]}
controls:
  brightness: {kind: statistics, features: [brightness]}
  pixels: {kind: pixels, size: 8}
methods:
  ridge: {kind: ridge, targets: [alpha, sigma], samples: [clip]}
studies:
  heat:
    system: heat
    encoders: [stats, motion]
    controls: [brightness, pixels]
    methods: [ridge]
    claims:
      alpha: {kind: decodable, statement: Alpha is there., target: alpha, margin: 0.1}
      sigma: {kind: decodable, statement: Sigma too., target: sigma, encoders: [stats]}
  right:
    system: heat
    design: {kind: elsewhere, region: {alpha: [0.8, 1.0]}}
    encoders: [stats]
    controls: [brightness]
    methods: [ridge]
    claims:
      holds: {kind: holds_elsewhere, statement: It holds., target: alpha}
""")
STATS, MOTION = (f"results/heat/fits/{name}.ridge.json" for name in ("stats", "motion"))
CLAIM = ("studies", "heat", "claims")


def plan(*changes: tuple, study: str = "heat") -> Plan:
    """Plan of a study of the config with some changes: where, and what is there then."""
    content = json.loads(json.dumps(CONFIG))
    for where, value in changes:
        *path, last = where
        here = content
        for step in path:
            here = here[step]
        if value is None:
            del here[last]
        else:
            here[last] = value
    return _declared.plan(model.load(content), study)


def written(before: dict | None, now: Plan, *there: str, judged: bool = False) -> dict | None:
    found = _frozen.history(
        before, now, dict.fromkeys(there, "d"), judged=judged, today="2026-01-02"
    )
    return found and {**found, "spec": now.tested()}


@pytest.fixture(scope="module")
def first() -> Plan:
    return plan()


def test_a_plan_has_what_verdicts_follow_from(first: Plan):
    assert first.claims["sigma"] == {
        "kind": "decodable", "target": "sigma", "encoders": ["stats"], "margin": 0.0,
    }  # fmt: skip
    simulate = first.systems["heat"]["simulate"]
    assert (simulate["kind"], simulate["clips"], simulate["seed"]) == ("heat", 24, 0)
    assert first.evidence == {"alpha": (STATS, MOTION), "sigma": (STATS,)}
    assert set(first.hashes()) == {"claims", *_declared.BESIDE}
    other = plan(study="right")
    fits = other.evidence["holds"]
    assert "results/right/fits/stats.ridge.json" in fits and other.design["kind"] == "elsewhere"
    assert Plan.parse(first.canonical()) == first, "as the rule passes it on"


def test_the_hash_is_of_the_test_and_not_of_its_words(first: Plan):
    same = [
        ((*CLAIM, "alpha", "statement"), "Otherwise."),
        (("methods", "ridge", "seed"), 0),  # its default
        (("encoders", "unused"), {"kind": "statistics"}),
    ]
    assert plan(*same).hash == first.hash
    for where, value in [
        ((*CLAIM, "alpha", "margin"), 0.2),
        (("methods", "ridge", "seed"), 1),
        (("systems", "heat", "simulate", "clips"), 25),
        (("studies", "heat", "controls"), ["brightness"]),
    ]:
        assert plan((where, value)).hash != first.hash


@pytest.mark.parametrize(
    ("now", "word"),
    [
        ({"margin": 0.1}, ""),
        ({"margin": 0.2}, "tightened"),
        ({"margin": 0.05}, "loosened"),
        ({"margin": 0.1, "target": "sigma"}, "changed"),
        ({"margin": 0.1, "at_most": 1.0}, "changed"),
    ],
)
def test_what_becomes_of_a_margin(now: dict, word: str):
    assert _declared.change({"margin": 0.1}, now) == word


def test_bounds_from_above_are_looser_where_they_are_higher():
    both = {"margin": 0.0, "at_most": 1.0}
    assert _declared.change(both, {**both, "at_most": 2.0}) == "loosened"
    assert _declared.change(both, {"margin": 0.1, "at_most": 0.5}) == "tightened"
    assert _declared.change(both, {"margin": 0.1, "at_most": 2.0}) == "changed"


def test_a_plan_without_results_may_be_changed_freely(first: Plan):
    begun = written(None, first)
    assert set(begun["status"].values()) == {"confirmatory"}
    assert (begun["amendments"], begun["existed"], begun["hash"]) == ([], {}, first.hash)
    assert written(begun, first, STATS, judged=True) is None, "nothing to write"
    now = written(
        begun, plan(((*CLAIM, "alpha", "margin"), 0.0), (("methods", "ridge", "seed"), 1))
    )
    assert set(now["status"].values()) == {"confirmatory"}
    (amendment,) = now["amendments"]
    assert amendment == {
        "date": "2026-01-02", "after_results": False, "loosened": ["claims.alpha"],
        "changed": ["methods.ridge"],
    }  # fmt: skip


def test_what_is_loosened_or_added_after_a_result_is_exploratory(first: Plan):
    begun = written(None, first)
    more = {"kind": "decodable", "statement": "s", "target": "alpha", "beyond": "chance"}
    change = plan(
        ((*CLAIM, "alpha", "margin"), 0.05),
        ((*CLAIM, "sigma", "margin"), 0.3),
        ((*CLAIM, "more"), more),
    )
    now = written(begun, change, STATS, judged=True)
    assert now["status"] == {
        "alpha": "exploratory", "sigma": "confirmatory", "more": "exploratory",
    }  # fmt: skip
    (amendment,) = now["amendments"]
    assert _amendments.told(amendment) == (
        "2026-01-02, after there were results: loosened claims.alpha; tightened claims.sigma;"
        " added claims.more"
    )
    # what is put back is as it was declared, and stays on record
    back = written(now, first, STATS, judged=True)
    assert set(back["status"].values()) == {"confirmatory"} and len(back["amendments"]) == 2
    # results that are taken away don't make it confirmatory
    assert written(now, plan(((*CLAIM, "more"), more)))["status"]["more"] == "exploratory"


def test_a_claim_whose_fits_are_not_there_yet_is_declared_before_them(first: Plan):
    """Of one encoder alone there is a fit: a claim on the other is as good as new."""
    begun = written(None, plan(((*CLAIM, "sigma", "encoders"), ["motion"])), STATS)
    assert begun["status"] == {"alpha": "exploratory", "sigma": "confirmatory"}
    assert begun["existed"] == {STATS: "d"}


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ((("methods", "ridge", "seed"), 1), "exploratory"),
        ((("studies", "heat", "controls"), ["brightness"]), "exploratory"),
        ((("studies", "heat", "encoders"), ["stats"]), "confirmatory"),
        (((*CLAIM, "alpha", "statement"), "Otherwise."), "confirmatory"),
    ],
)
def test_what_all_claims_are_judged_from_may_grow_after_a_result(first: Plan, change, status):
    now = written(written(None, first), plan(change), STATS, MOTION)
    assert set(now["status"].values()) == {status}
    fewer = plan((("studies", "heat", "controls"), ["brightness"]))
    grown = written(written(None, fewer), first, STATS, MOTION)
    assert set(grown["status"].values()) == {"confirmatory"}, "a control more"


def test_the_command_writes_once_and_then_amends(
    first: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    monkeypatch.chdir(tmp_path)
    out = Path("results/heat/plan.json")
    out.parent.mkdir(parents=True)
    _frozen.run(out=out, spec=first.canonical(), fits=[Path(STATS)])
    begun, text = results.read(out, "plan"), out.read_bytes()
    assert begun["status"] == {"alpha": "confirmatory", "sigma": "confirmatory"}
    _frozen.run(out=out, spec=first.canonical(), fits=[Path(STATS)])
    assert out.read_bytes() == text, "nothing has changed"
    Path(STATS).parent.mkdir()
    Path(STATS).write_text('{"schema": "any", "digest": "abc", "rows": []}')
    loose = plan(((*CLAIM, "alpha", "margin"), 0.0))
    _frozen.run(out=out, spec=loose.canonical(), fits=[Path(STATS)])
    found = results.read(out, "plan")
    assert found["status"]["alpha"] == "exploratory" and found["amendments"][0]["after_results"]
    Path("config.yaml").write_text(yaml.safe_dump(CONFIG))
    _plan.run("heat")
    told = capsys.readouterr().out
    assert first.hash in told and f"written as {loose.hash}" in told and "loosened" in told
    _plan.run("heat", compare=out)
    assert "margin: 0.0" in (told := capsys.readouterr().out) and "claims.alpha" in told
    out.unlink()
    _frozen.run(out=out, spec=first.canonical(), fits=[Path(STATS)])
    assert results.read(out, "plan")["existed"] == {STATS: "abc"}
    _plan.run("heat", compare=out)
    assert "the same claims" in capsys.readouterr().out


def test_the_command_refuses_a_study_that_is_not_there(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("config.yaml").write_text(yaml.safe_dump(CONFIG))
    with pytest.raises(ValueError, match=r"heet.*Did you mean 'heat'"):
        _plan.run("heet")
    with pytest.raises(ValueError, match="of which study"):
        _plan.run()
