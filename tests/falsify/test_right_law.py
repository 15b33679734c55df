"""Right law: rates are what was counted, and both figures are drawn from them."""

from pathlib import Path

import numpy as np
import pytest
from figure_oracle import beside, sound

from physprobe.config import kinds
from physprobe.discover import linear
from physprobe.falsify import _rates, right_law
from physprobe.falsify import stage as falsify
from physprobe.falsify.entries import Study
from physprobe.figures import stage as figures
from physprobe.fit.methods.linear import Spec
from physprobe.fit.section import SCHEMAS
from physprobe.store import results

QUICK = Spec(nulls=10, shuffles=199, bootstraps=100, band=5, controls=2)


@pytest.fixture(scope="module")
def given(tmp_path_factory, world, system) -> dict[str, list[Path]]:
    """What is read off the fields of two systems, beside their simulations."""
    folder = tmp_path_factory.mktemp("laws")
    paths, simulations = [], []
    for kind in ("diffusion", "advection"):
        field, truth = world(kind, 5)
        scale = linear.Scale(cell=2.0, frame=0.5)
        labels = {name: value * scale.parameter(name) for name, value in truth.items()}
        rows, blocks = linear.discover(
            QUICK, field, periodic=True, scale=scale, truth=labels, system=kind
        )
        paths.append(folder / kind / "fits" / "field.laws.json")
        results.write(
            paths[-1], schema=SCHEMAS["law"], spec=QUICK.dump(), rows=rows, systems=[kind],
            provenance={"inputs": {}}, **blocks,
        )  # fmt: skip
        simulations += system(folder / kind, labels)["simulation"]
    return {"fits": paths, "embeddings": [], "simulation": simulations}


def test_verdicts_parameters_and_rates_are_counted_and_drawn(given, tmp_path):
    out = tmp_path / "study" / "verdicts.json"
    study = Study(
        systems=["diffusion", "advection"], encoders=["field"], methods=["laws"],
        claims={
            "named": {"kind": "right_law", "statement": "The law is named right."},
            "mostly": {"kind": "right_law", "statement": "Of most clips.", "margin": 0.7},
        },
    )  # fmt: skip
    falsify.run(**given, out=out, spec=study.canonical())
    found = results.read(out, "verdicts")

    def row(**where: object) -> dict:
        where["claim"] = "named"
        (one,) = [row for row in found["rows"] if where.items() <= row.items()]
        return one

    every = {"encoder": "field", "system": "all"}
    assert row(**every, sample="clip", metric="right")["value"] == 1
    assert row(**every, sample="clip", metric="right")["n_clips"] == 10
    assert row(**every, sample="system", metric="wrong")["value"] == 0
    assert row(**every, metric="false_verdicts", decoy="all")["n_clips"] == 2 * 4 * 2
    assert row(system="diffusion", metric="share")["verdict"] == "diffusive"
    assert row(system="diffusion", metric="r2", target="alpha")["value"] > 0.999
    assert row(system="advection", metric="relative_error", target="vx")["value"] < 1e-3
    decay = next(c for c in found["shown"]["named"]["dispersion"] if (c["system"], c["quantity"]) ==
                 ("diffusion", "decay"))  # fmt: skip
    assert decay["value"] == pytest.approx(decay["true"], rel=0.02)

    line, other = found["claims"]
    assert other["value"] == line["value"] and other["margin"] == 0.7
    right = row(**every, sample="clip", metric="right")
    for key in ("value", "ci_low", "ci_high"):
        assert line[key] == right[key]
    assert line["verdict"] == "supported" and line["note"] == "0% named wrong"

    pictures = {name: tmp_path / f"{name}.png" for name in ("confusion", "dispersion")}
    for kind, picture in pictures.items():
        table = picture.with_suffix(".csv")
        figures.run(kind=kind, sources=[out], **beside(picture), claims=["named"])
        drawn = kinds.load("figures", kind)
        frame = drawn.frame(found)
        sound(drawn.figure(frame))
        # two claims on one source show the same
        assert len(table.read_text().splitlines()) == 1 + len(frame)
    assert all(path.stat().st_size > 10_000 for path in pictures.values())


def test_wrong_is_what_is_neither_right_nor_left_open():
    said = ["diffusive", "advective", "cannot tell", "diffusive"]
    right, wrong = _rates._right_and_wrong("clip", [(one, "diffusive") for one in said])
    assert (right["value"], wrong["value"]) == (0.5, 0.25)
    # Wilson (1927): (2 + z^2/2 -+ z sqrt(2 * 2/4 + z^2/4)) / (4 + z^2)
    z = 1.959964
    half = z * np.sqrt(1 + z**2 / 4)
    assert (right["ci_low"], right["ci_high"]) == pytest.approx(
        ((2 + z**2 / 2 - half) / (4 + z**2), (2 + z**2 / 2 + half) / (4 + z**2))
    )


def test_nothing_counts_as_right_where_no_law_holds():
    found = _rates._right_and_wrong("clip", [("cannot tell",) * 2, ("wave-like", "cannot tell")])
    assert [row["value"] for row in found] == [0.5, 0.5]


@pytest.mark.parametrize(
    ("right", "word"), [(20, "supported"), (13, "cannot tell"), (7, "cannot tell"), (0, "refuted")]
)
def test_the_interval_of_the_share_that_is_right_decides(right, word):
    """Of 20 clips, against one half."""
    verdicts = [("wave-like", "wave-like")] * right + [("cannot tell", "wave-like")] * (20 - right)
    about = {"encoder": "field", "system": "all"}
    rows = [{**about, **row} for row in _rates._right_and_wrong("clip", verdicts)]
    line = right_law._line(right_law.Spec(statement="s"), "field", rows)
    assert line["verdict"] == word and line["value"] == right / 20
    assert line["statistic"] == "share of 20 clips whose law is named right"
