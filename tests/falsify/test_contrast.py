"""Contrast: a factor that matters, one that doesn't, and one that matters in one pair alone."""

import numpy as np
import pytest
from figure_oracle import sound
from pydantic import ValidationError

from physprobe.falsify import contrast
from physprobe.figures import contrast as drawn
from physprobe.store import fits
from physprobe.store.evidence import Evidence
from physprobe.store.fits import Fits

CLIPS, TARGETS = 90, ("x", "y")
PAIRS = (("latent_cnn", "pixel_cnn"), ("latent_vit", "pixel_vit"))
NAMES = tuple(name for pair in PAIRS for name in pair)


def of_one(error: float, seed: int) -> dict:
    """Predictions that miss standard normal truths by an error; three clips to a trajectory."""
    rng = np.random.default_rng(seed)
    truth = {t: np.random.default_rng(n).normal(size=CLIPS) for n, t in enumerate(TARGETS)}
    blocks = [
        {"target": t, "sample": "clip", "layer": "selected", "squared_error": found}
        for t in TARGETS
        if (found := (error * rng.normal(size=CLIPS)) ** 2) is not None
    ]
    clip = np.arange(CLIPS)
    held = {"clip": clip, "group": clip // 3, "fold": clip % 5, "truth": truth, "held_out": blocks}
    return {"predictions": held, "spec": {"targets": TARGETS, "bootstraps": 400}}


def result(name: str, error: float, seed: int, members: int = 3) -> dict:
    parts = [{**of_one(error, 10 * seed + n), "member": n} for n in range(members)]
    for part in parts:
        part["rows"] = [
            {
                "target": t, "sample": "clip", "layer": "selected", "metric": "r2", "time": None,
                "part": None, "member": part["member"], "system": "flow", "encoder": name,
                "value": float(fits.decoded(part, t, "clip").value), "ci_low": None,
                "ci_high": None, "n_clips": CLIPS, "note": None,
            }
            for t in TARGETS
        ]  # fmt: skip
    return {
        **parts[0],
        "encoder": name,
        "rows": [row for part in parts for row in part["rows"]],
        "members": parts,
    }


def evidence(errors: tuple[float, ...]) -> Evidence:
    found = {n: result(n, e, s) for s, (n, e) in enumerate(zip(NAMES, errors, strict=True))}
    return Evidence(NAMES, (), {}, probes=Fits(found), bootstraps=400, place="flow")


SPEC = contrast.Spec(statement="Latents know more.", pairs=PAIRS, targets=TARGETS)


@pytest.mark.parametrize(
    ("errors", "word"),
    [
        ((0.3, 0.6, 0.4, 0.7), "supported"),
        ((0.6, 0.3, 0.7, 0.4), "refuted"),
        ((0.5, 0.5, 0.5, 0.5), "cannot tell"),
        ((2.0, 4.0, 2.0, 4.0), "cannot tell"),  # R2 of -3 and -15: neither knows anything
    ],
)
def test_a_factor_that_matters_is_told(errors: tuple[float, ...], word: str):
    found = evidence(errors)
    judged = contrast.judge(SPEC, found, NAMES)
    ((title, line),) = judged.lines.items()
    assert title == "latent_cnn + latent_vit" and line["verdict"] == word
    r2 = {n: np.mean([found.probes.decoded(n, t, "clip").value for t in TARGETS]) for n in NAMES}
    expected = np.mean([r2[first] - r2[second] for first, second in PAIRS])
    assert line["value"] == pytest.approx(float(expected))
    assert line["ci_low"] < line["value"] < line["ci_high"]


def test_what_matters_in_one_pair_alone_is_an_interaction():
    rows = contrast.judge(SPEC, evidence((0.2, 0.8, 0.5, 0.5)), NAMES).rows
    (apart,) = [row for row in rows if row["metric"] == contrast.INTERACTION]
    pairs = [
        row["value"]
        for row in rows
        if row["metric"] == contrast.DIFFERENCE and row["target"] == "mean" and row["control"]
    ]
    assert apart["value"] == pytest.approx(pairs[0] - pairs[1]) and apart["ci_low"] > 0.3
    assert sum(row["metric"] == "r2" for row in rows) == len(NAMES) * len(TARGETS) * 4


def test_more_of_a_trajectory_is_not_more_evidence():
    found = evidence((0.5, 0.55, 0.5, 0.55))
    wide = contrast.judge(SPEC, found, NAMES).lines.popitem()[1]
    for each in found.probes.values():
        for part in (each, *each["members"]):
            part["predictions"]["group"] = np.arange(CLIPS)
            block = part["predictions"]["held_out"]
            for one in block:
                one["squared_error"] = np.repeat(one["squared_error"][::3], 3)
    alone = contrast.judge(SPEC, found, NAMES).lines.popitem()[1]
    for each in found.probes.values():
        for part in (each, *each["members"]):
            part["predictions"]["group"] = np.arange(CLIPS) // 3
    together = contrast.judge(SPEC, found, NAMES).lines.popitem()[1]
    width = {k: v["ci_high"] - v["ci_low"] for k, v in (("alone", alone), ("together", together))}
    assert width["together"] > 1.2 * width["alone"] and wide["value"] != alone["value"]


def test_what_is_undefined_can_not_be_judged():
    found = evidence((0.5, 0.5, 0.5, 0.5))
    found.probes["pixel_vit"]["members"] = []
    found.probes["pixel_vit"]["predictions"]["held_out"] = []
    del found.probes["pixel_vit"]["members"]
    (line,) = contrast.judge(SPEC, found, NAMES).lines.values()
    assert line["verdict"] == "cannot tell" and "pixel_vit is undefined" in line["note"]


def test_an_encoder_is_not_put_against_itself():
    with pytest.raises(ValidationError, match="put against itself"):
        contrast.Spec(statement="s", pairs=(("a", "a"),), targets=("x",))


def test_the_figure_shows_each_pair_target_and_member():
    judged = contrast.judge(SPEC, evidence((0.3, 0.6, 0.4, 0.7)), NAMES)
    ((title, line),) = judged.lines.items()
    content = {
        "claims": [{"claim": "better", "encoder": title, **line}],
        "spec": {"claims": {"better": SPEC.dump()}},
        "rows": [{"system": "flow", "claim": "better", **row} for row in judged.rows],
    }
    frame = drawn.frame(content)
    sound(drawn.figure(frame))
    cells = frame[frame["metric"] == "r2"]
    assert set(cells["encoder"]) == {*NAMES}
    assert cells["member"].notna().sum() == len(NAMES) * len(TARGETS) * 3
    assert set(cells.loc[cells["encoder"] == "pixel_vit", "pair"]) == {1}
