"""Report stage: numbers, text, table, figure and page of a whole study."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import matplotlib.image
import pandas as pd
import pytest

from physprobe.calibrate import stage as calibrate
from physprobe.falsify import _gate
from physprobe.falsify import stage as falsify_stage
from physprobe.layouts import fit
from physprobe.report import _page
from physprobe.report import stage as report_page
from physprobe.store import results

LIB = Path(stage.__file__).parent
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


ALONE = {
    **{f"comparison_{what}": [] for what in ("tables", "falsifications", "clips")},
    **{
        name: []
        for name in (
            "comparisons",
            "transfers",
            "layerwise_tables",
            "multiverses",
            "places",
            "surveys",
            "calibrations",
        )
    },
}
"""A page with studies alone."""


@pytest.fixture(scope="module")
def written(study, tmp_path_factory) -> dict[str, Path]:
    """Everything that both stages write."""
    out = tmp_path_factory.mktemp("report") / "heat"
    files = {
        "metrics": out / "fit_metrics.json",
        "summary": out / "fit_summary.txt",
        "figure": out / "fit_results.png",
        "table": out / "fit_results.csv",
    }
    stage.run(**study, **files)
    page = out.parent / "report.html"
    report_page.run(
        metrics=[files["metrics"]],
        tables=[files["table"]],
        falsifications=[study["falsification"]],
        clips=[study["clips"]],
        gates=[],
        trainings=[],
        **ALONE,
        published=LIB / "published.yaml",
        template=LIB / "page.html.j2",
        out=page,
    )
    return {**files, "page": page}


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
    probe = results.read(study["probes"][0])
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
    stage.run(**study, **again)
    assert results.read(again["metrics"])["rows"] == metrics["rows"]
    for name in ("summary", "table", "figure"):
        assert again[name].read_bytes() == written[name].read_bytes(), name


def test_artefact_counts_what_explodes(metrics, study):
    from physprobe.store import zarrs

    alpha = zarrs.read(study["simulation"])["alpha"].values
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
    assert image.shape[1] == 2250 and image.std() > 0.05


class Page(HTMLParser):
    """Text, tags and resources of a page."""

    def __init__(self, text: str):
        super().__init__()
        self.tags, self.resources, self.text, self.open = [], [], "", []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self.resources += [
            v for k, v in attributes if k in ("src", "href", "srcset", "data", "poster")
        ]
        if tag not in ("meta", "img", "br", "link"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data if "style" not in self.open else ""


@pytest.fixture(scope="module")
def page(written) -> Page:
    return Page(written["page"].read_text())


def test_page_needs_nothing_but_itself(page, written):
    assert page.open == []
    assert all(r.startswith(("data:image/png;base64,", "#")) for r in page.resources)
    ids = {about["id"] for _, about in page.tags if "id" in about}
    assert {r[1:] for r in page.resources if r.startswith("#")} <= ids
    text = written["page"].read_text()
    assert "url(" not in text and "@import" not in text and "<script" not in text
    assert "://" not in text


def test_page_begins_with_claims_and_verdicts(page):
    ids = [about["id"] for _, about in page.tags if "id" in about]
    assert ids[0] == "claims"
    chips = [
        about["class"] for tag, about in page.tags if about.get("class", "").startswith("chip")
    ]
    assert {"chip supported", "chip cannot-tell"} <= set(chips)
    assert "p = 0.005 (200 bootstrap draws)" in page.text
    assert "untrained" in page.text


def test_page_answers_first_for_all_encoders():
    """Reading results: every encoder's verdicts, the refuted claims by name."""
    claims = [
        {"encoder": name, "label": name, "statement": f"{name} {word}.", "verdict": word}
        for name, word in (("one", "supported"), ("two", "refuted"), ("two", "cannot tell"))
    ]
    one, two = _page._answers(claims)
    assert (one["encoder"], one["counts"]["supported"], one["refuted"]) == ("one", 1, [])
    assert two["counts"] == {"supported": 0, "refuted": 1, "cannot tell": 1}
    assert two["refuted"] == ["two refuted."]


def test_page_shows_the_answers_before_anything_else(page):
    found = [about for _, about in page.tags if about.get("class") == "answer" or "id" in about]
    assert found[0].get("class") == "answer"


@pytest.mark.parametrize(
    ("value", "margin", "word"),
    [(0.004, 0.0, "negligible"), (0.12, 0.1, "small"), (0.1, 0.0, "clear"), (0.9, 0.0, "large")],
)
def test_a_gain_has_a_word_for_its_size(value: float, margin: float, word: str):
    assert _page.size({"value": value, "margin": margin}) == word


def test_page_escapes_what_config_says(page, written):
    assert "Alpha <b>is</b> decodable & more." in page.text
    assert "Alpha <b>is</b>" not in written["page"].read_text()


def test_page_shows_every_figure_with_its_caption(page):
    images = [about for tag, about in page.tags if tag == "img"]
    captions = [tag for tag, _ in page.tags if tag == "figcaption"]
    assert len(images) == len(captions) == 7
    assert all(image["alt"] for image in images)
    assert page.text.count("95 % interval") >= 6


FIT = {
    "setup": {"encoder": "small"},
    "label": "untrained, 128 wide",
    "provenance": {"encoders": {"small": {"hf_repo": "untrained"}}},
    "artefact": {"exploded": 21},
    "alpha_probe_sim": {"test_r2": 0.85},
}
ENTRY = {"what": "n", "published": 21, "study": "old", "path": "artefact.exploded", "tolerance": 0}


@pytest.mark.parametrize(
    ("changes", "verdict", "why"),
    [
        ({}, "reproduced", "the same"),
        ({"published": 20}, "not reproduced", "not the same"),
        ({"published": 20, "tolerance": 2}, "reproduced", "within 2"),
        ({"path": "artefact.other.deep"}, "not comparable", "ours was not computed"),
        ({"study": "none"}, "not comparable", "ours was not computed"),
        ({"because": "it is older"}, "not comparable", "it is older"),
        (
            {"path": "alpha_probe_sim.test_r2", "published": 0.85, "encoder": "hub/large"},
            "not comparable",
            "different encoder: untrained, 128 wide, published with large",
        ),
    ],
)
def test_published_numbers_are_judged(changes, verdict, why):
    found = _page._compared({**ENTRY, **changes}, {"old": FIT})
    assert (found["verdict"], found["why"]) == (verdict, why)


def test_published_numbers_have_source_and_place():
    import yaml

    content = yaml.safe_load((LIB / "published.yaml").read_text())
    for entry in content["numbers"]:
        assert {"what", "published", "section", "study", "path"} <= entry.keys()
        assert "tolerance" in entry or "because" in entry


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "\N{EN DASH}"),
        (0.12345, "0.123"),
        (-0.5, "\N{MINUS SIGN}0.500"),
        (22, "22"),
        (-5132.12, "\N{MINUS SIGN}5,132.1"),
    ],
)
def test_numbers_are_rounded_for_people(value, text):
    assert _page.number(value) == text


def test_no_path_of_a_machine_in_what_is_written(written, metrics):
    assert str(written["page"].parent) not in written["page"].read_text()
    assert str(written["page"].parent) not in json.dumps(metrics)


def test_page_shows_what_is_known_of_an_encoder_that_ships(study, written, tmp_path):
    rows = list(_gate.rows(*GATE))
    folder = tmp_path / "small"
    for recipe, best in (("pixels", 0.7), ("latents", 0.4)):
        table = folder / "trials" / recipe / "training.csv"
        table.parent.mkdir(parents=True)
        table.write_text(TRAINING.format(best=best))
    results.write(
        folder / "gate.json", schema=falsify_stage.GATE, spec={}, rows=rows, provenance={},
        passed=True, why="mean over 1 targets +0.500",
    )  # fmt: skip
    out = tmp_path / "page.html"
    report_page.run(
        metrics=[written["metrics"]],
        tables=[written["table"]],
        falsifications=[study["falsification"]],
        clips=[study["clips"]],
        gates=[folder / "gate.json"],
        trainings=sorted(folder.glob("trials/*/training.csv")),
        **ALONE,
        published=LIB / "published.yaml",
        template=LIB / "page.html.j2",
        out=out,
    )
    text = out.read_text()
    assert 'id="gate-small"' in text
    assert 'id="trials"' in text
    assert text.index("<td>pixels</td>") < text.index("<td>latents</td>"), "the best one first"


def test_page_shows_the_calibration(study, written, tmp_path):
    rates = {
        "rejection_rate": ("ridge, one layer", 0.05),
        "coverage": ("R2, each clip", 0.94),
        "chance_level": ("nested ridge, few features", -0.02),
    }
    rows = [
        {"test": test, "metric": metric, "value": value, "ci_low": value - 0.02,
         "ci_high": value + 0.02, "note": "200 repetitions"}
        for metric, (test, value) in rates.items()
    ]  # fmt: skip
    found, out = tmp_path / "calibration.json", tmp_path / "page.html"
    nominal = {"rejection_rate": 0.05, "coverage": 0.95, "chance_level": 0.0}
    results.write(
        found, schema=calibrate.SCHEMA, spec={}, rows=rows, provenance={}, nominal=nominal
    )
    report_page.run(
        metrics=[written["metrics"]],
        tables=[written["table"]],
        falsifications=[study["falsification"]],
        clips=[study["clips"]],
        gates=[],
        trainings=[],
        **ALONE | {"calibrations": [found]},
        published=LIB / "published.yaml",
        template=LIB / "page.html.j2",
        out=out,
    )
    assert "How often are the tests wrong?" in out.read_text()
    assert "How often are the tests wrong?" not in written["page"].read_text()


TRAINING = """step,seconds,loss,effective_rank,feature_std,mean_cosine,score,kept
0,0,,20,0.5,0.1,0.5,False
10,60,2,15,0.4,0.2,{best},True
"""
_BLOCK = {"target": "alpha", "sample": "clip", "layer": "selected"}
GATE = (
    {
        "heat": {
            name: {
                "spec": {"targets": ["alpha"]},
                "predictions": {
                    "clip": [0, 1, 2, 3],
                    "group": [0, 1, 2, 3],
                    "truth": {"alpha": [1.0, 2.0, 3.0, 4.0]},
                    "held_out": [_BLOCK | {"squared_error": [error] * 4}],
                },
            }
            for name, error in {"small": 0.1, "random_0": 0.5, "random_1": 0.6}.items()
        }
    },
    "small",
    ("random_0", "random_1"),
    50,
)
