"""Comparison: two small systems through the real stages, and what is written of them."""

import json
from pathlib import Path

import numpy as np
import pytest
from figure_oracle import beside, sound

from physprobe.config import kinds
from physprobe.config import model as config
from physprobe.falsify import stage as falsify
from physprobe.figures import stage as figures
from physprobe.layouts import _sheet, comparison
from physprobe.layouts import stage as layouts
from physprobe.report import stage as report
from physprobe.store import evidence, results

LIB = Path(__file__).parents[2] / "lib/physprobe/report"
RIDGE = {"kind": "ridge", "samples": ["clip"], "permutations": 20, "bootstraps": 200}
ENTRIES = {
    "systems": {
        name: {
            "simulate": {"kind": name, "clips": 24, "frames": 16, "size": 64, **more},
            "render": {"kind": "fields", "colormap": "gray"},
        }
        for name, more in {"advection": {"speed": 1.0}, "diffusion": {"alpha": [0.2, 3.0]}}.items()
    },
    "encoders": {"pixels": {"kind": "pixels", "size": 8, "color": "gray"}},
    "controls": {"brightness": {"kind": "statistics", "features": ["brightness"]}},
    "methods": {
        "equation": {"kind": "logistic", "permutations": 20, "bootstraps": 200},
        "of_advection": {**RIDGE, "targets": ["vx", "vy"]},
        "of_diffusion": {**RIDGE, "targets": ["log_alpha"]},
        "dmd": {"kind": "dmd", "shuffles": 5, "bootstraps": 100, "spectra": 100, "components": 4,
                "ranks": [4], "horizons": [1, 2, 4]},
    },
    "studies": {
        "pair": {
            "systems": ["advection", "diffusion"],
            "design": {"kind": "together"},
            "ordinary": {"advection": ["of_advection"], "diffusion": ["of_diffusion"]},
            "layouts": ["comparison"],
            "encoders": ["pixels"],
            "controls": ["brightness"],
            "methods": ["equation", "dmd"],
            "claims": {
                "separable": {"kind": "decodable", "statement": "Told <apart>.",
                              "target": "equation"},
                "vx": {"kind": "decodable", "statement": "vx is there.", "target": "vx",
                       "system": "advection", "controls": ["brightness"]},
                "order": {"kind": "order", "statement": "A second frame helps.", "horizon": 2,
                          "system": "advection", "against": "diffusion"},
            },
        },
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> dict[str, Path]:
    """Everything that a comparison writes, by the names of its options."""
    folder = tmp_path_factory.mktemp("results")
    asked = config.load(ENTRIES)
    run = {name: kinds.importlib.import_module(f"physprobe.{name}.stage").run for name in STAGES}
    names = ["pixels", "brightness"]
    simulations, clips, embeddings = [], [], {name: [] for name in names}
    for system, entry in asked.systems.items():
        simulations.append(folder / system / "simulation.zarr" / "zarr.json")
        clips.append(folder / system / "clips.zarr" / "zarr.json")
        run["simulate"](out=simulations[-1], spec=entry.simulate.canonical())
        run["render"](simulation=simulations[-1], out=clips[-1], spec=entry.render.canonical())
        for name in names:
            embeddings[name].append(folder / system / "embeddings" / f"{name}.zarr" / "zarr.json")
            spec = asked.embedding(name).canonical()
            run["embed"](clips=clips[-1], out=embeddings[name][-1], spec=spec)
    fits = []
    for fit in asked.fitted("pair"):
        systems = list(asked.systems) if fit.place == "pair" else [fit.place]
        own = [list(asked.systems).index(system) for system in systems]
        out = folder / Path(fit.path).relative_to("results")
        run["fit"](
            embeddings=[embeddings[fit.encoder][place] for place in own],
            simulation=[simulations[place] for place in own],
            out=out,
            spec=asked.methods[fit.method].canonical(),
            design=json.dumps({"kind": "together" if fit.place == "pair" else "plain"}),
        )
        fits.append(out)
    common = {
        "fits": fits,
        "embeddings": [path for paths in embeddings.values() for path in paths],
        "simulation": simulations,
        "spec": asked.studies["pair"].canonical(),
    }
    judged = folder / "pair" / "verdicts.json"
    falsify.run(**common, out=judged)
    out = [folder / "pair" / name for name in comparison.FILES]
    layouts.run(kind="comparison", **common, clips=clips, verdicts=judged, out=out)
    pictures = []
    for panel in comparison.PANELS:
        paths = beside(folder / "pair" / f"{panel}.png")
        figures.run(kind=panel, **common, clips=clips, **paths)
        pictures += [paths["out"], paths["vector"]]
    page = folder / "report.html"
    report.run(
        verdicts=[judged],
        figures=pictures,
        layouts=[out[0]],
        published=LIB / "published.yaml",
        template=LIB / "page.html.j2",
        out=page,
    )
    files = dict(zip(("metrics", "summary", "figure", "table"), out, strict=True))
    found = {"evidence": common, "clips": clips, "page": page, "verdicts": judged}
    return {**files, **found}


STAGES = ("simulate", "render", "embed", "fit")
CLASSIFIED = {"accuracy", "precision", "recall", "tp", "tn", "fp", "fn"}


@pytest.fixture(scope="module")
def metrics(written) -> dict:
    return results.read(written["metrics"])


def test_the_published_keys_are_there(metrics):
    found = metrics["equation_classification"]
    for key in ("sim_mean_train", "sim_mean_test", "frame_train", "frame_test"):
        assert set(found[key]) >= CLASSIFIED
    assert {
        "all_params_train_r2_total", "all_params_test_r2_total", "advection_vx_r2_test",
        "advection_vy_r2_test", "advection_vx_mae_test", "advection_vy_mae_test",
    } <= set(metrics["parameter_regression"])  # fmt: skip
    for block in (metrics["koopman_shared"], *metrics["koopman_by_equation"].values()):
        assert {"latent_dim", "spectral_radius", "train", "test"} <= set(block)
        assert {"rollout_cos_mean", "rollout_cos_std", "rollout_mse_mean"} <= set(block["test"])
    assert set(metrics["koopman_by_equation"]) == {"advection", "diffusion"}
    assert {"rollout_cos_mean_advection", "rollout_cos_std_diffusion"} <= set(
        metrics["koopman_shared"]["test"]
    )
    second = metrics["koopman_advection_second_order"]
    for side in ("train", "test"):
        assert -1 <= second[side]["rollout_cos_mean"] <= 1
        assert second[side]["rollout_mse_mean"] > 0
    shared = metrics["koopman_shared_second_order"]["test"]
    assert {"rollout_cos_mean_advection", "rollout_cos_std_diffusion"} <= set(shared)
    setup = metrics["setup"]
    assert (setup["n_total"], setup["n_held_out"]) == (48, 48)


def test_counts_and_accuracy_say_the_same(metrics):
    for key, rows in (("sim_mean_test", 48), ("frame_test", 48 * 8)):
        block = metrics["equation_classification"][key]
        assert sum(block[count] for count in ("tp", "tn", "fp", "fn")) == rows
        assert block["accuracy"] == pytest.approx((block["tp"] + block["tn"]) / rows)
        assert block["ci"]["accuracy"][0] <= block["accuracy"] <= block["ci"]["accuracy"][1]


def test_differences_and_claims_are_by_initial_condition_and_by_system(written):
    judged = results.read(written["verdicts"])
    rows = [row for row in judged["rows"] if row["metric"] == "accuracy_difference"]
    assert {row["n_clips"] for row in rows} == {48}
    assert {row["system"] for row in rows} == {"advection+diffusion"}
    systems = {row["system"] for row in judged["rows"] if row["metric"] == "r2_difference"}
    assert systems == {"advection", "diffusion"}
    claims = {claim["claim"]: claim for claim in judged["claims"]}
    assert claims["separable"]["statistic"].startswith("accuracy of equation")
    assert claims["vx"]["statistic"].startswith("R2 of vx")
    assert claims["vx"]["best_control"] == "brightness"
    assert claims["order"]["value"] is not None


def test_the_brightness_of_a_conserved_mean_tells_nothing(metrics):
    control = metrics["controls"]["brightness"]["equation_classification"]["sim_mean_test"]
    assert control["ci"]["accuracy"][0] <= 0.6


def test_the_page_shows_the_comparison(written):
    text = written["page"].read_text()
    assert "Told &lt;apart&gt;." in text
    for panel in ("counterparts", "separation", "parameters", "orders"):
        assert f'id="pair-{panel}"' in text
    assert written["figure"].stat().st_size > 50_000
    assert "equation classification" in written["summary"].read_text()


def test_twins_share_their_start(written):
    import pandas as pd

    strip = pd.read_csv(written["table"]).query("panel == 'counterparts'")
    assert list(strip["system"].unique()) == ["advection", "diffusion"]
    assert strip["clip"].nunique() == 1
    assert np.isfinite(strip["time"]).all()
    assert json.loads(written["metrics"].read_text())["schema"] == "physprobe/comparison/2"


def test_every_panel_is_sound(written):
    asked = dict(written["evidence"])
    study = evidence.read(json.loads(asked.pop("spec")), "pair", **asked, clips=written["clips"])
    for name, frame in _sheet.frames(study, comparison.PANELS).items():
        assert len(frame), name
        module = comparison.PANELS[name]
        figure = module.figure(frame)
        sound(figure)
        assert figure.get_suptitle() == module.TITLE
