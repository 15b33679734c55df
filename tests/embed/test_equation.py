"""The ceiling through the real stages: what it reads, what it refuses, and that it is no rival."""

import json
from pathlib import Path

import numpy as np
import pytest

from physprobe.config import kinds
from physprobe.config.model import load as check
from physprobe.embed import equation
from physprobe.embed import stage as embed
from physprobe.falsify import stage as falsify
from physprobe.figures import by_start, ladder, layers, predicted
from physprobe.fit import stage as fit
from physprobe.render import stage as render
from physprobe.simulate import stage as simulate
from physprobe.store import evidence, zarrs

CLIPS, STUDY = 20, {
    "question": "", "system": "heat", "systems": [], "encoders": ["pixels"],
    "controls": ["statistics", "known"], "methods": ["ridge"],
    "claims": {
        name: {"kind": kind, "statement": "s", "system": "", "method": "", "encoders": [], **more}
        for name, kind, more in (
            ("decodable", "decodable", {"target": "alpha"}),
            ("apart", "contrast", {"targets": ["alpha"], "pairs": [["pixels", "statistics"]]}),
        )
    },
}  # fmt: skip


def written(stage: str, **entry) -> str:
    return kinds.load(stage, entry["kind"]).Spec(**entry).canonical()


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> dict:
    folder = tmp_path_factory.mktemp("results") / "heat"
    found = {"simulation": [folder / "simulation.zarr" / "zarr.json"]}
    clips = folder / "clips.zarr" / "zarr.json"
    entry = {"clips": CLIPS, "frames": 4, "size": 32, "sigma": (2.5, 3.2), "alpha": (0.2, 1.0)}
    simulate.run(out=found["simulation"][0], spec=written("simulate", kind="heat", **entry))
    render.run(simulation=found["simulation"][0], out=clips, spec=written("render", kind="fields"))
    entries = {
        "pixels": {"kind": "pixels", "size": 8, "color": "gray"},
        "statistics": {"kind": "statistics", "features": ("brightness",)},
        "known": {"kind": "equation"},
    }
    found |= {"embeddings": [], "fits": []}
    for name, entry in entries.items():
        out = folder / "embeddings" / f"{name}.zarr" / "zarr.json"
        side = found["simulation"] if name == "known" else []
        embed.run(clips=clips, out=out, spec=written("embed", **entry), simulation=side)
        ridge = written(
            "fit/methods", kind="ridge", permutations=20, bootstraps=200, targets=("alpha",)
        )
        fitted = folder / "fits" / f"{name}.ridge.json"
        fit.run(embeddings=[out], simulation=found["simulation"], out=fitted, spec=ridge)
        found["embeddings"].append(out)
        found["fits"].append(fitted)
    return found


def test_it_tells_what_it_is_and_its_features(paths):
    store = zarrs.read(paths["embeddings"][-1])
    assert store.attrs["role"] == "ceiling"
    assert zarrs.read(paths["embeddings"][0]).attrs["role"] == "rival"
    truth = zarrs.read(paths["simulation"][0])["alpha"].values
    first, second = np.moveaxis(zarrs.values(store, "pooled")[:, 0, 0, :2], -1, 0)
    np.testing.assert_allclose(first, truth, rtol=0.02)
    np.testing.assert_allclose(second, np.log(first), atol=1e-6)


def test_it_is_no_rival_and_is_drawn(paths, tmp_path: Path):
    asked = {key: paths[key] for key in ("fits", "embeddings", "simulation")}
    study = evidence.read(STUDY, "heat", *asked.values())
    assert study.controls == ("statistics",) and study.ceilings == ("known",)
    out = tmp_path / "heat" / "verdicts.json"
    falsify.run(**asked, out=out, spec=json.dumps(STUDY))
    judged = json.loads(out.read_text())
    assert judged["claims"][0]["best_control"] == "statistics"
    rows = {row["metric"]: row for row in judged["rows"] if row["sample"] == "clip"}
    assert rows["r2_ceiling"]["encoder"] == "known" and rows["r2_ceiling"]["value"] > 0.99
    above = rows["r2_above_ceiling"]
    assert (above["encoder"], above["control"]) == ("pixels", "known") and above["value"] < 0
    assert not any(
        row["control"] == "known" for row in judged["rows"] if row["metric"] == "r2_difference"
    )
    for figure in (layers, ladder):
        frame = figure.frame(study)
        assert set(frame["role"]) == {"encoder", "control", "ceiling"}
        (ax, *_) = figure.figure(frame).axes
        value = frame.loc[frame["role"] == "ceiling", "value"].iloc[0]
        flat = [line for line in ax.lines if str(line.get_label()).startswith("ceiling: known")]
        along = flat[0].get_ydata() if figure is layers else flat[0].get_xdata()
        np.testing.assert_allclose(along, value)
        ticks = [tick.get_text() for tick in (*ax.get_xticklabels(), *ax.get_yticklabels())]
        assert "known" not in ticks
    drawn = predicted.figure(predicted.frame(study))
    assert "Ceiling, known" in drawn.get_supxlabel()
    assert len(drawn.axes) == 2


@pytest.mark.parametrize(("lowest", "drawn"), [(0.06, 1), (0.002, 0)])
def test_errors_by_start_have_it_as_a_line_or_told_where_it_is_far_below(lowest, drawn):
    rows = [
        {"encoder": name, "role": role, "label": name, "target": "alpha", "start": start,
         "unit": "1", "value": value, "ci_low": value - 0.01, "ci_high": value + 0.01}
        for name, role, value in (("net", "encoder", 0.5), ("known", "ceiling", lowest))
        for start in (0.0, 1.0)
    ]  # fmt: skip
    import pandas as pd

    ax = by_start.figure(pd.DataFrame(rows)).axes[0]
    lines = [line for line in ax.lines if line.get_label() == "ceiling: known"]
    assert [list(line.get_ydata()) for line in lines] == [[lowest, lowest]] * drawn
    told = [text.get_text() for text in ax.texts]
    assert told == ["ceiling, below: known, 2e-03"] * (1 - drawn)


def test_what_is_not_read_is_refused(paths):
    spec = equation.Spec()
    assert "no estimator reads reaction_diffusion" in spec.unread("reaction_diffusion", "fields")
    assert "heat" in spec.unread("images", "images")
    assert "can't be read back" in spec.unread("balls", "balls_cycles")
    assert spec.unread("heat", "fields") is None
    both = equation.Spec(equations=("advection", "diffusion"))
    assert both.unread("advection", "fields") is None
    assert "no equation" in both.unread("heat", "fields")
    assert list(equation.problems(equation.Spec(equations=("heat", "images"))))
    with pytest.raises(ValueError, match="no estimator"):
        equation.Equation(both, 4, 1, {"kind": "reaction_diffusion"}, {"kind": "fields"})


def test_several_equations_are_tried():
    system = {"kind": "advection", "size": 32, "frames": 12, "clips": 1}
    advection = kinds.load("simulate", "advection")
    spec = advection.Spec(**system)
    labels = {name: values[0] for name, values in advection.draw(spec).items()}
    fields = kinds.load("render", "fields")
    film = fields.frames(fields.Spec(), advection.field(spec, labels))[None]
    told = equation.Equation(
        equation.Spec(equations=("advection", "diffusion")), 12, 1, system, {"kind": "fields"}
    )
    found = told.encode(film, np.arange(1)).pooled[0, 0, 0]
    assert found.shape == (told.features,) == (2 * (3 + 2),)
    np.testing.assert_allclose(found[0], labels["vy"], rtol=0.01)
    own, other = found[4], found[8]
    assert own < 0.05 < 0.5 < other
    assert len(equation._features(0.5, True)) == 7


def test_a_config_keeps_it_out_of_claims():
    content = {
        "systems": {"heat": {"simulate": {"kind": "heat"}, "render": {"kind": "fields"}}},
        "encoders": {"small": {"kind": "huggingface", "model": "physprobe/small"}},
        "controls": {"known": {"kind": "equation"}, "brightness": {"kind": "statistics"}},
        "methods": {"ridge": {"kind": "ridge", "targets": ["alpha"]}, "dmd": {"kind": "dmd"}},
        "studies": {
            "heat_a": {
                "system": "heat", "encoders": ["small"], "controls": ["known", "brightness"],
                "methods": ["ridge", "dmd"],
                "claims": {"c": {"kind": "decodable", "statement": "s", "target": "alpha"}},
            }
        },
    }  # fmt: skip
    config = check(content)
    fitted = {(one.encoder, one.method) for one in config.fitted("heat_a")}
    assert ("known", "ridge") in fitted and ("known", "dmd") not in fitted
    claim = content["studies"]["heat_a"]["claims"]["c"]
    claim["controls"] = ["known"]
    with pytest.raises(ValueError, match="known is a ceiling, and no rival"):
        check(content)
    del claim["controls"]
    content["studies"]["heat_a"]["controls"] = ["known"]
    with pytest.raises(ValueError, match="no control to beat"):
        check(content)
    content["encoders"]["known_too"] = {"kind": "equation"}
    with pytest.raises(ValueError, match="a ceiling is no encoder"):
        check(content)
    content["systems"]["heat"]["simulate"]["kind"] = "reaction_diffusion"
    with pytest.raises(ValueError, match="no estimator reads reaction_diffusion"):
        check(content)
