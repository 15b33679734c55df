"""Verdicts as a figure: every claim of every encoder is there, with a value or without."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import xarray as xr
from figure_oracle import beside, sound

from physprobe.falsify import commands
from physprobe.falsify import stage as falsify
from physprobe.falsify._claim import judged
from physprobe.falsify.decodable import Spec
from physprobe.falsify.stage import SCHEMA, sentence
from physprobe.figures import stage, verdicts
from physprobe.store import results
from physprobe.store.evidence import Evidence

ALPHA = Spec(statement="Alpha is decodable better than from every control.", target="alpha")
LONG = Spec(
    statement="What the encoder holds of the diffusivity is more than what brightness, the pixels"
    " and the place of the pattern tell of it.",
    margin=0.3,
)
FOUND = {
    "beyond": judged(
        ALPHA, statistic="R2 of alpha less that of the best control", value=0.4, ci_low=0.3,
        ci_high=0.5, verdict="supported",
    ),
    "far_below": judged(
        LONG, statistic="R2 of log_alpha less that of the best control", value=-9.0, ci_low=-12.0,
        ci_high=-8.0, verdict="refuted",
    ),
    "share": judged(LONG, statistic="share of specifications", value=0.5, verdict="cannot tell"),
    "none": judged(ALPHA, verdict="cannot tell", note="alpha is undefined for small"),
}  # fmt: skip


def result(names: list[str], encoders: dict[str, str]) -> dict:
    claims = [
        {"claim": name, "encoder": encoder, "label": label, **FOUND[name]}
        for name in names
        for encoder, label in encoders.items()
    ]
    return {"claims": claims, "verdict": sentence(claims)}


SMALL, BOTH = {"small": ""}, {"small": "", "base": "untrained, made up"}


@pytest.mark.parametrize("encoders", [SMALL, BOTH], ids=["one encoder", "two"])
@pytest.mark.parametrize(
    "names", [list(FOUND), ["beyond"], ["none"], ["far_below"], ["share", "none"]]
)
def test_every_claim_of_every_encoder_is_drawn(names: list[str], encoders: dict):
    frame = verdicts.frame(result(names, encoders))
    assert list(zip(frame["claim"], frame["encoder"], strict=True)) == [
        (name, encoder) for name in names for encoder in encoders
    ]
    figure = verdicts.figure(frame)
    sound(figure)
    (ax,) = figure.axes
    told = [text.get_text() for text in ax.texts]
    assert [text for text in told if text in verdicts.COLOURS] == list(frame["verdict"])
    labels = [text.get_text().replace("\n", " ") for text in ax.get_yticklabels()]
    for label, row in zip(labels, frame.itertuples(), strict=True):
        assert row.statement in label and (row.statistic or row.note) in label
        assert ("base (untrained): " in label) == (row.encoder == "base")
    assert ("\N{MINUS SIGN}9.0" in told) == ("far_below" in names), "beyond the edge"
    marks = [line for line in ax.lines if line.get_marker() in ("o", "<")]
    assert len(marks) == frame["value"].notna().sum()


@pytest.mark.parametrize(("names", "lines"), [(list(FOUND), 8), ([], 0)])
def test_the_stage_draws_claims_and_says_where_there_are_none(tmp_path: Path, names, lines):
    out = tmp_path / "study" / "verdicts.json"
    results.write(out, schema=SCHEMA, spec={}, rows=[], provenance={}, **result(names, BOTH))
    picture, table = out.with_suffix(".png"), out.with_suffix(".csv")
    stage.run(kind="verdicts", sources=[out], **beside(picture))
    assert len(table.read_text().splitlines()) == 1 + lines
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert sentence(results.read(out)["claims"]) == (
        "small: of 4 claims 1 supported, 1 refuted, 2 cannot tell. base (untrained, made up): of 4"
        " claims 1 supported, 1 refuted, 2 cannot tell."
        if names
        else "No claims."
    )


@pytest.mark.parametrize(
    ("sizes", "weights", "draws", "about"),
    [
        ({}, "8c2b", 1, "this one network"),
        ({"member": 5}, ["8c2b", "56f5"], 1, "networks of this kind, of which 5 were tried"),
        ({}, "8c2b", 20, "networks of this kind, of which 20 were tried"),
        ({}, None, 1, ""),
    ],
)
def test_a_verdict_says_whether_it_is_about_one_network_or_its_kind(sizes, weights, draws, about):
    store = xr.Dataset(coords={name: range(size) for name, size in sizes.items()})
    store.attrs |= {"weights_hash": weights, "architecture": {"networks": draws}}
    found = Evidence(("small",), (), {}, embeddings={("heat", "small"): store})
    assert falsify.about(found.networks("small")) == about


def test_a_study_without_claims_has_no_figure_of_them():
    study = SimpleNamespace(claims={}, figures={})
    assert list(commands.figures(SimpleNamespace(studies={"curve": study}))) == []
