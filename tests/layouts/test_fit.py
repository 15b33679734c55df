"""Layouts of a study of one system: numbers, text, table and figure in their published form."""

import json
import re
from pathlib import Path

import matplotlib.image
import pandas as pd
import pytest

from physprobe.layouts import fit, pixel_falsification, stage
from physprobe.store import results, zarrs

NUMBER = r"(-?[\d.]+(e[+-]\d+)?|undefined)"
PUBLISHED = [
    r"heat physics extraction summary",
    r"={64}",
    r"sims: total=30 train=24 test=6",
    r"embedding_dim=6 koopman_latent_dim=4 spatial_channels=6",
    r"",
    r"alpha linear probe \(sim mean embeddings\)",
    r"-{64}",
    r"train_r2=N test_r2=N",
    r"train_mae=N test_mae=N",
    r"",
    r"alpha linear probe \(frame embeddings\)",
    r"-{64}",
    r"train_r2=N test_r2=N",
    r"train_mae=N test_mae=N",
    r"",
    r"koopman in pca latent",
    r"-{64}",
    r"spectral_radius=N",
    r"one_step_mse_train=N one_step_mse_test=N",
    r"one_step_cos_train=N one_step_cos_test=N",
    r"rollout_cos_train=N \+/- N",
    r"rollout_cos_test=N \+/- N",
    r"",
    r"spatial token diffusion head \(real alpha / shuffled alpha / no alpha\)",
    r"-{64}",
    r"final_train_loss_real=N final_test_loss_real=N",
    r"final_train_loss_shuf=N final_test_loss_shuf=N",
    r"final_train_loss_none=N final_test_loss_none=N",
    r"rollout_cos_train=N \+/- N",
    r"rollout_cos_test=N \+/- N",
]
SCHEMA = {
    "alpha_probe_sim": "train_r2 test_r2 train_mae test_mae",
    "alpha_probe_frame": "train_r2 test_r2 train_mae test_mae",
    "koopman": "latent_dim spectral_radius one_step_mse_train one_step_mse_test one_step_cos_train"
    " one_step_cos_test rollout_cos_train_mean rollout_cos_train_std rollout_cos_test_mean"
    " rollout_cos_test_std",
    "spatial": "channels real_final_train_loss real_final_test_loss shuffled_final_train_loss"
    " shuffled_final_test_loss none_final_train_loss none_final_test_loss rollout_cos_train_mean"
    " rollout_cos_train_std rollout_cos_test_mean rollout_cos_test_std",
}


CONTROLS = {"brightness", "pixels_gray16", "untrained", "repeated_frame"}


@pytest.fixture(scope="module")
def written(study, tmp_path_factory) -> dict[str, Path]:
    """Everything that both layouts write."""
    out = tmp_path_factory.mktemp("layouts") / "heat"
    for kind, form in (("fit", fit), ("pixel_falsification", pixel_falsification)):
        stage.run(kind=kind, **study, out=[out / name for name in form.FILES])
    names = ("metrics", "summary", "figure", "table")
    files = dict(zip(names, (out / name for name in fit.FILES), strict=True))
    return files | {"falsification": out / "pixel_falsification_metrics.json"}


@pytest.fixture(scope="module")
def metrics(written) -> dict:
    return results.read(written["metrics"])


def test_metrics_hold_the_published_schema(metrics):
    for key, names in SCHEMA.items():
        assert set(names.split()) <= metrics[key].keys()
        values = [metrics[key][name] for name in names.split()]
        assert all(isinstance(value, int | float) for value in values), key


def test_every_block_says_how_sure_it_is(metrics):
    assert metrics["untrained"] and metrics["label"].startswith("untrained")
    assert metrics["encoders"].keys() == {"small", "small_causal"}
    assert metrics["controls"].keys() == CONTROLS
    for key in SCHEMA:
        block = metrics[key]
        assert block == metrics["encoders"]["small"][key]
        assert block["n_clips"] == 30
        assert 0 < block["p"] <= 1 and block["null_q95"] is not None
        for name, (low, high) in block["ci"].items():
            assert low <= high, name
        best = block["best_control"]
        assert best["ci"][0] <= best["ci"][1]
        assert best["name"] in (*metrics["controls"], "shuffled", "shuffled_on_shuffled", "none")
    assert metrics["encoders"]["small_causal"]["spatial"] is None


def test_best_control_is_the_best_and_the_difference_is_consistent(metrics):
    r2 = {name: block["alpha_probe_sim"]["test_r2"] for name, block in metrics["controls"].items()}
    for name in metrics["encoders"]:
        block = metrics["encoders"][name]["alpha_probe_sim"]
        best = block["best_control"]
        assert best["name"] == max(r2, key=r2.get)
        assert best["difference"] == pytest.approx(block["test_r2"] - r2[best["name"]], abs=1e-6)


def test_numbers_are_those_of_the_probe(metrics, study):
    probe = results.read(study["fits"][0])
    (row,) = (
        row
        for row in probe["rows"]
        if (row["layer"], row["sample"], row["metric"], row["time"])
        == ("selected", "token", "r2", None)
    )
    assert metrics["alpha_probe_frame"]["test_r2"] == row["value"]
    assert metrics["alpha_probe_frame"]["ci"]["test_r2"] == [row["ci_low"], row["ci_high"]]


def test_rows_name_encoder_and_are_the_same_every_time(metrics, study, written, tmp_path):
    assert {row["encoder"] for row in metrics["rows"]} == {
        *metrics["encoders"],
        *metrics["controls"],
    }
    again = {
        name: tmp_path / "heat" / written[name].name
        for name in ("metrics", "summary", "table", "figure")
    }
    stage.run(kind="fit", **study, out=list(again.values()))
    assert results.read(again["metrics"])["rows"] == metrics["rows"]
    for name in ("summary", "table", "figure"):
        assert again[name].read_bytes() == written[name].read_bytes(), name


def test_artefact_counts_what_explodes(metrics, study):
    alpha = zarrs.read(study["simulation"][0])["alpha"].values
    assert metrics["artefact"]["unstable"] == (alpha > 2.5).sum()
    assert metrics["artefact"]["exploded"] == (alpha > 4).sum()
    strata = {(part["encoder"], part["clips"]): part for part in metrics["artefact"]["strata"]}
    assert strata["small", "stable clips"]["n_clips"] == (alpha <= 2.5).sum()


def test_summary_is_the_published_one_and_more(written):
    lines = written["summary"].read_text().splitlines()
    for line, expected in zip(lines, PUBLISHED, strict=False):
        assert re.fullmatch(
            expected.replace("=N", f"={NUMBER}").replace("- N", f"- {NUMBER}"), line
        )
    rest = "\n".join(lines[len(PUBLISHED) :])
    for part in ("random", "null", "brightness", "above the best control", "cannot tell"):
        assert part in rest


def test_table_holds_everything_that_is_drawn(written, metrics):
    table = pd.read_csv(written["table"], dtype={"layer": str})
    assert set(table["panel"]) == {
        "filmstrip", "ladder", "predicted", "layers", "skill", "eigenvalues", "spatial",
    }  # fmt: skip
    ladder = table[(table["panel"] == "ladder") & (table["sample"] == "clip")].set_index("encoder")
    for name, block in (metrics["encoders"] | metrics["controls"]).items():
        assert ladder.loc[name, "value"] == pytest.approx(
            block["alpha_probe_sim"]["test_r2"], rel=1e-6
        )
    assert ladder["label"]["small_causal"] == "small causal (untrained)"


def test_figure_is_a_picture(written):
    image = matplotlib.image.imread(written["figure"])
    assert image.shape[1] == 15 * 184 and image.std() > 0.05  # inches, and dots to each


def test_no_path_of_a_machine_in_what_is_written(written, metrics):
    assert str(written["metrics"].parent) not in json.dumps(metrics)


def test_the_falsification_has_its_published_keys(written, study):
    found = results.read(written["falsification"], "falsification")
    judged = results.read(study["verdicts"], "verdicts")
    assert {"setup", "per_seed", "aggregate", "verdict"} <= found.keys()
    assert found["claims"] == judged["claims"] and found["rows"] == judged["rows"]
    (seed,) = found["per_seed"]
    assert seed == found["encoders"]["small"] and seed["split"]["n_test"] == 30
    assert list(seed["modalities"]) == ["embed", "pixel_gray16"]
    assert {"alpha_probe", "koopman", "koopman_time_shuffled_control"} == set(
        seed["modalities"]["embed"]
    )
    maps = seed["cross_modal"]["gray16"]
    assert all(isinstance(value, float) for value in maps.values())
    best = seed["gaps"]["best_pixel_to_embed_r2_total"]
    assert best == maps["pixel_to_embed_test_r2_total"]
    assert found["aggregate"]["best_pixel_to_embed_r2_total"]["mean"] == pytest.approx(best)
    assert found["setup"]["pixel_modes"] == ["gray16"] and found["setup"]["n_total"] == 30
    text = written["falsification"].with_name("pixel_falsification_summary.txt").read_text()
    assert text.startswith("heat pixel-vs-embedding falsification summary")
    assert "best_pixel_to_embed_r2_total" in text and "verdict: small" in text


def test_files_of_another_form_are_refused(study, tmp_path):
    with pytest.raises(ValueError, match=r"fit has the files fit_metrics\.json, .* Hint"):
        stage.run(kind="fit", **study, out=[tmp_path / "heat" / "fit_metrics.json"])
