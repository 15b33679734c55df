"""Any study: other systems, targets and units than those of heat, through real stages to a page."""

import importlib
from pathlib import Path

import pandas as pd
import pytest

from physprobe.config import model as config
from physprobe.drawing import canvas
from physprobe.falsify import stage as falsify
from physprobe.figures import ladder, predicted
from physprobe.layouts import fit, pixel_falsification
from physprobe.layouts import stage as layouts
from physprobe.report import stage as report
from physprobe.store import results

LIB = Path(__file__).parents[2] / "lib/physprobe/report"
RIDGE = {"kind": "ridge", "samples": ["clip"], "permutations": 20, "bootstraps": 100}
DMD = {"kind": "dmd", "shuffles": 5, "bootstraps": 100, "spectra": 100, "components": 3}
SIZE = {"clips": 24, "frames": 16}
SYSTEMS = {
    "balls": {"simulate": {"kind": "balls", "size": 64, **SIZE}, "render": {"kind": "balls"}},
    "wave": {"simulate": {"kind": "wave", **SIZE}, "render": {"kind": "fields", "low": -1.0}},
    "occlusion": {
        "simulate": {"kind": "occlusion", "principles": ["O1"], "scenes": 6, "size": 48},
        "render": {"kind": "occlusion"},
    },
}
CASES = {
    "balls": ({**RIDGE, "targets": ["speed", "vxy"]}, "speed", " [m/s]"),
    "wave": ({**RIDGE, "targets": ["log_c", "gamma"]}, "log_c", ""),
    "occlusion": (
        {**RIDGE, "kind": "logistic", "targets": ["possible"], "by": "principle"}, "possible", "",
    ),
}  # fmt: skip
STAGES = ("simulate", "render", "embed", "fit")


@pytest.fixture(scope="module", params=CASES)
def written(request, tmp_path_factory) -> dict:
    """What a study writes of a system without a label named alpha, and what was asked."""
    name = request.param
    method, target, _ = CASES[name]
    asked = config.load(
        {
            "systems": {name: SYSTEMS[name]},
            "encoders": {"seen": {"kind": "pixels", "size": 8, "color": "gray"}},
            "controls": {
                "statistics": {"kind": "statistics", "features": ["brightness"]},
                "seen_dimly": {"kind": "pixels", "size": 4, "color": "gray"},
            },
            "methods": {"probe": method, "dmd": DMD},
            "studies": {
                "any": {
                    "system": name, "encoders": ["seen"], "controls": ["statistics", "seen_dimly"],
                    "methods": ["probe", "dmd"], "layouts": ["fit", "pixel_falsification"],
                    "claims": {
                        "there": {"kind": "decodable", "statement": "It is.", "target": target},
                        "more": {"kind": "beyond_pixels", "statement": "It is no map of them."},
                    },
                }
            },
        }
    )  # fmt: skip
    run = {stage: importlib.import_module(f"physprobe.{stage}.stage").run for stage in STAGES}
    folder = tmp_path_factory.mktemp("results") / name
    simulation, clips = (folder / f"{part}.zarr/zarr.json" for part in ("simulation", "clips"))
    run["simulate"](out=simulation, spec=asked.systems[name].simulate.canonical())
    run["render"](simulation=simulation, out=clips, spec=asked.systems[name].render.canonical())
    found = {"fits": [], "embeddings": [], "simulation": [simulation]}
    for encoder in ("seen", "statistics", "seen_dimly"):
        store = folder / f"embeddings/{encoder}.zarr/zarr.json"
        run["embed"](clips=clips, out=store, spec=asked.embedding(encoder).canonical())
        found["embeddings"].append(store)
        for entry in ("probe", "dmd"):
            out = folder / f"fits/{encoder}.{entry}.json"
            spec = asked.methods[entry].canonical()
            run["fit"](embeddings=[store], simulation=[simulation], out=out, spec=spec)
            found["fits"].append(out)
    common = {**found, "spec": asked.studies["any"].canonical()}
    out = folder.parent / f"any_{name}"
    falsify.run(**common, out=out / "verdicts.json")
    for kind, form in (("fit", fit), ("pixel_falsification", pixel_falsification)):
        layouts.run(
            kind=kind, **common, clips=[clips], verdicts=out / "verdicts.json",
            out=[out / file for file in form.FILES],
        )  # fmt: skip
    names = ("metrics", "summary", "figure", "table")
    files = dict(zip(names, (out / file for file in fit.FILES), strict=True))
    judged = out / "pixel_falsification_metrics.json"
    report.run(
        verdicts=[out / "verdicts.json"], figures=[], layouts=[files["metrics"]],
        published=LIB / "published.yaml", template=LIB / "page.html.j2", out=out / "report.html",
    )  # fmt: skip
    return {**files, "judged": judged, "page": out / "report.html", "name": name}


def test_a_study_without_alpha_runs_to_its_page(written):
    """Fault 11: it ended in a KeyError in the last job."""
    _, target, _ = CASES[written["name"]]
    metrics = results.read(written["metrics"], "fit")
    assert metrics["decoded"]["target"] == target
    own = metrics["encoders"]["seen"]["probe_sim"]
    assert (
        own["value"] is not None
        and own["ci"]
        and own["best_control"]["name"] in metrics["controls"]
    )
    assert metrics["encoders"]["seen"]["alpha_probe_sim"]["test_r2"] is None
    claim, _ = results.read(written["judged"], "falsification")["claims"]
    assert claim["value"] is not None
    words = written["page"].read_text()
    assert f" of {target.replace('_', ' ')}, clip mean" in words and "R² of alpha, " not in words
    summary = written["summary"].read_text()
    assert (
        f"of {target}, clip mean" in summary
        and f"seen             sim    {own['value']:+.3f}" in summary
    )


def test_figures_are_of_the_studys_target_in_its_own_unit(written):
    """Fault 11: they printed px^2/s over whatever the label was."""
    _, target, unit = CASES[written["name"]]
    table = pd.read_csv(written["table"], dtype={"unit": str})
    panels = {name: table[table["panel"] == name] for name in ("ladder", "predicted", "layers")}
    assert set(panels["ladder"]["target"]) == {target}
    drawn = ladder.figure(panels["ladder"])
    score = "accuracy" if target == "possible" else "R²"
    assert drawn.axes[0].get_xlabel() == f"{score} of {target.replace('_', ' ')} on held-out clips"
    if target == "possible":
        assert panels["predicted"].empty
        return
    axes = predicted.figure(panels["predicted"]).axes
    assert axes[0].get_ylabel() == f"predicted{unit}"
    assert {ax.get_xlabel() for ax in axes} == {f"true {target.replace('_', ' ')}{unit}"}
    assert canvas.unit("px^2/s") == " [px²/s]"


def test_roles_come_from_specs_whatever_an_entry_is_called(written):
    judged = results.read(written["judged"], "falsification")
    assert list(judged["per_seed"][0]["modalities"]) == ["embed", "pixel_gray4"]
    assert list(judged["per_seed"][0]["cross_modal"]) == ["gray4"]
    drawn = pd.read_csv(written["table"])
    spectra = drawn.loc[drawn["panel"] == "eigenvalues", "encoder"]
    assert set(spectra) == {"seen", "seen_dimly"}
