"""Onset: probes of an encoder and its controls in, verdicts with bands and onsets out."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from figure_oracle import sound
from sklearn.metrics import r2_score

from physprobe.falsify import onset as kind
from physprobe.falsify import stage
from physprobe.falsify._curve import Curve
from physprobe.falsify.entries import Study
from physprobe.figures import onset as drawn
from physprobe.fit import stage as fit
from physprobe.fit.methods.ridge import Spec
from physprobe.store import files, results, writing

CLIPS = 80
SHARES = [0.05, 0.3, 3.0, 3.0]  # of the label in each layer's features
PUBLISHED = set(
    [
        "run_name",
        "variable",
        "layer",
        "layer_fraction",
        "r2_mean",
        "r2_std",
        "best_lr_mode",
        "best_wd_mode",
        "grouping",
        "direction_target",
        "residual_capture",
        "preprocessing",
        "solver",
        "probe_set",
        "norm_mode",
        "feature_root",
    ]
)
DIRECTION = {"kind": "onset", "statement": "Direction sets in.", "target": "sincos_direction"}
SPEED = {"kind": "onset", "statement": "Speed sets in.", "target": "speed"}


def store(root: Path, name: str, dims: tuple, values: np.ndarray, coords: dict, **attrs) -> Path:
    out = root / "zarr.json"
    with writing.create(
        out,
        variables={name: writing.Variable(dims, values.shape, str(values.dtype))},
        coords=coords,
        attrs=attrs,
        fingerprint={},
        block=16,
    ) as made:
        made.fill(lambda block: {name: values[block]})
    return out


def decoded(folder: Path, encoders: dict) -> dict[str, list[Path]]:
    """Probes and embeddings of encoders that hold so much of the direction in each layer."""
    rng = np.random.default_rng(0)
    angle = rng.uniform(-np.pi, np.pi, CLIPS)
    labels = {"direction": angle, "speed": rng.uniform(1, 2, CLIPS)}
    coords = {name: (("clip",), values, {}) for name, values in labels.items()}
    simulation = store(
        folder / "simulation.zarr", "scene", ("clip", "x"), np.ones((CLIPS, 1), "f4"), coords,
        spec={},
    )  # fmt: skip
    pair = np.stack([np.sin(angle), np.cos(angle)], 1)
    spec = Spec(
        targets=("sincos_direction", "speed"), samples=("clip",), permutations=20, bootstraps=400
    )
    paths = {"fits": [], "embeddings": [], "simulation": [simulation]}
    for name, shares in encoders.items():
        features = rng.normal(size=(CLIPS, len(shares), 2, 6))
        for layer, share in enumerate(shares):
            features[:, layer] += share * (pair @ rng.normal(size=(2, 6)))[:, None]
        blocks = len(shares) - 1
        layers = [*map(str, range(blocks)), "final"] if blocks else ["position"]
        embedding = store(
            folder / "embeddings" / f"{name}.zarr", "pooled", ("clip", "layer", "time", "feature"),
            features.astype("f4"),
            {
                "layer": (("layer",), np.array(layers), {}),
                "time": (("time",), np.array([0.0, 1.0]), {}),
            },
            spec={"preprocess": "resize"}, label=f"a {name}", hf_repo="some/model",
        )  # fmt: skip
        out = folder / "fits" / f"{name}.ridge.json"
        fit.run(embeddings=[embedding], simulation=[simulation], out=out, spec=spec.canonical())
        paths["fits"].append(out)
        paths["embeddings"].append(embedding)
    return paths


@pytest.fixture(scope="module")
def found(tmp_path_factory) -> dict:
    """An encoder that holds the direction from layer 2 on, a twin and a place that hold less."""
    folder = tmp_path_factory.mktemp("world") / "balls"
    twins = {"twin": [0.05, 0.2, 0.2, 0.2], "place": [0.2]}
    paths = decoded(folder, {"mine": SHARES, **twins})
    claims = {"direction": DIRECTION, "speed": SPEED}
    controls = ("twin", "place")
    result = judged(folder, paths, encoders=("mine",), controls=controls, claims=claims)
    return {**result, "probe": results.read(paths["fits"][0])}


def judged(folder: Path, paths: dict, **study) -> dict:
    out = folder.parent / "study" / "verdicts.json"
    stage.run(**paths, out=out, spec=Study(system="balls", methods=["ridge"], **study).canonical())
    return results.read(out)


def picture(found: dict) -> pd.DataFrame:
    """What the figure shows; it is sound."""
    published = files.read_yaml(Path(drawn.__file__).with_name(*drawn.BESIDE))
    frame = drawn.frame(found, published)
    sound(drawn.figure(frame))
    return frame


def rows(found: dict, **where) -> list[dict]:
    return [row for row in found["rows"] if where.items() <= row.items()]


def test_scores_are_the_probes_own_and_bands_are_wider(found):
    for row in rows(found, encoder="mine", claim="direction", metric="r2"):
        (own,) = (
            r for r in found["probe"]["rows"]
            if (r["target"], r["metric"], r["layer"]) == ("sincos_direction", "r2", row["layer"])
        )  # fmt: skip
        assert [row[key] for key in ("value", "ci_low", "p")] == [
            own[key] for key in ("value", "ci_low", "p")
        ]
        if row["layer"] == "selected":
            continue
        (band,) = rows(
            found, encoder="mine", claim="direction", metric="r2_band", layer=row["layer"]
        )
        assert band["value"] == pytest.approx(row["value"], abs=1e-6)
        assert band["ci_low"] < row["value"] < band["ci_high"] < 1
        assert band["ci_high"] - band["ci_low"] > 0.9 * (row["ci_high"] - row["ci_low"])


def test_onset_is_where_it_was_planted_and_only_there(found):
    (onset,) = rows(found, encoder="mine", claim="direction", metric="onset")
    assert (onset["value"], onset["ci_low"], onset["ci_high"]) == (2, 2, 2)
    assert onset["threshold"] == "R2 >= 0.8" and onset["note"] == "layer 2 [2, 2]"
    for name, claim in (("mine", "speed"), ("twin", "direction"), ("twin", "speed")):
        (none,) = rows(found, encoder=name, claim=claim, metric="onset")
        assert none["value"] is None and none["note"] == "not reached"
    assert not rows(found, encoder="place", metric="onset"), "one layer has no onset"
    (above,) = rows(found, encoder="mine", claim="direction", metric="onset_above_controls")
    assert above["value"] <= 2 and above["ci_high"] == 2
    (noise,) = rows(found, encoder="mine", claim="speed", metric="onset_above_controls")
    assert noise["ci_high"] is None


def test_distance_is_from_the_best_control(found):
    best = max(
        row["value"]
        for name in ("twin", "place")
        for row in rows(found, encoder=name, claim="direction", metric="r2", layer="selected")
    )
    for row in rows(found, encoder="mine", claim="direction", metric="r2_above_controls"):
        (own,) = rows(found, encoder="mine", claim="direction", metric="r2", layer=row["layer"])
        assert row["value"] == pytest.approx(own["value"] - best, abs=1e-6)
        assert row["ci_low"] < row["value"] < row["ci_high"]


def test_the_table_is_a_superset_of_the_published_one(found):
    frame = picture(found)
    table = frame[frame["item"] == "score"].to_dict("records")
    assert len(table) == 2 * (4 + 4 + 1)
    assert set(frame.columns) >= PUBLISHED
    told = [line for claim in found["shown"].values() for line in claim["table"]]
    assert all({*line, "variable"} >= PUBLISHED for line in told)
    predictions = found["probe"]["predictions"]
    fold, truth = np.array(predictions["fold"]), np.array(predictions["truth"]["sincos_direction"])
    (held,) = (
        h for h in predictions["held_out"]
        if (h["target"], h["layer"]) == ("sincos_direction", "2")
    )  # fmt: skip
    guess = np.array(held["prediction"])
    by_fold = [
        r2_score(truth[fold == f], guess[fold == f], multioutput="variance_weighted")
        for f in range(5)
    ]
    (line,) = (
        x for x in table if (x["encoder"], x["variable"], x["layer"]) == ("mine", "direction", "2")
    )  # fmt: skip
    assert line["r2_mean"] == pytest.approx(np.mean(by_fold), abs=1e-6)
    assert line["r2_std"] == pytest.approx(np.std(by_fold), abs=1e-6)
    assert line["layer_fraction"] == line["depth"] == 1.0 and line["direction_target"] == "sincos"
    assert (line["grouping"], line["solver"], line["preprocessing"]) == ("clip", "ridge", "resize")
    assert line["norm_mode"] in ("zscore", "center") and 0 < line["circular_mae_deg"] < 30
    about = found["shown"]["direction"]["encoders"]
    assert {name: told["role"] for name, told in about.items()} == {
        "mine": "encoder", "twin": "control", "place": "control",
    }  # fmt: skip
    json.dumps(found, allow_nan=False)


def test_the_band_of_all_layers_decides(found):
    verdicts = {line["claim"]: line for line in found["claims"]}
    band = rows(found, encoder="mine", claim="direction", metric="r2_band")
    supported = verdicts["direction"]
    for key in ("value", "ci_low", "ci_high"):
        assert supported[key] == max(row[key] for row in band)
    assert supported["verdict"] == "supported" and supported["ci_low"] > supported["margin"] == 0.8
    assert supported["statistic"] == "R2 of sincos_direction, best layer"
    assert supported["note"].startswith(
        "first at the margin: layer 2 [2, 2]; first above the best control: "
    )
    assert verdicts["speed"]["verdict"] == "refuted" and verdicts["speed"]["ci_high"] <= 0.8
    assert "not reached" in verdicts["speed"]["note"]


@pytest.mark.parametrize(
    ("place", "word"), [(-0.01, "supported"), (0.5, "cannot tell"), (1.01, "refuted")]
)
def test_a_margin_inside_of_the_band_is_open(found, place, word):
    curve = Curve("mine", found["probe"], "sincos_direction", "clip")
    low, high = curve.band.low.max(), curve.band.high.max()
    margin = float(low + place * (high - low))
    noted = {"encoder": "mine", "metric": "onset", "note": "layer 2"}
    line = kind._line(kind.Spec(**DIRECTION, margin=margin), "mine", curve, [noted])
    assert line["verdict"] == word


def test_one_layer_has_no_onset(found, tmp_path):
    paths = decoded(tmp_path / "balls", {"place": [3.0], "twin": [0.05] * 4})
    study = {"encoders": ("place",), "controls": ("twin",), "claims": {"direction": DIRECTION}}
    (line,) = judged(tmp_path / "balls", paths, **study)["claims"]
    assert line["verdict"] == "cannot tell" and line["note"] == "place has one layer only"


def test_an_onset_is_at_the_same_depth_in_encoders_of_any_size(tmp_path):
    """Four blocks and eight, planted behind the middle block; sizes are asked for by a panel."""
    half = {f"of_{blocks}": [0.05] * (blocks // 2) + [3.0] * (blocks // 2 + 2) for blocks in (4, 8)}
    paths = decoded(tmp_path / "balls", {**half, "twin": [0.05] * 4})
    claims = {"sizes": DIRECTION, "one": DIRECTION | {"encoders": ["of_4"]}}
    study = {"encoders": tuple(half), "controls": ("twin",), "claims": claims}
    result = judged(tmp_path / "balls", paths, **study)
    assert set(result["shown"]["sizes"]["encoders"]) == {*half, "twin"}
    for name, place in (("of_4", 2), ("of_8", 4)):
        about = {"encoder": name, "claim": "sizes"}
        (by_layer,) = rows(result, metric="onset", **about)
        (by_depth,) = rows(result, metric="onset_depth", **about)
        ends = ("value", "ci_low", "ci_high")
        assert [by_layer[key] for key in ends] == [place] * 3
        assert [by_depth[key] for key in ends] == [0.5] * 3
        assert by_depth["note"] == "depth 0.50 [0.50, 0.50]"
        (above,) = rows(result, metric="onset_above_controls_depth", **about)
        assert above["ci_high"] == 0.5
    lines = result["shown"]["sizes"]["table"]
    depth = {(line["encoder"], line["layer"]): line["depth"] for line in lines}
    assert depth["of_4", "1"] == depth["of_8", "2"] == 0.25
    assert depth["of_8", "final"] == depth["of_4", "4"] == 1.0
    alone = {line["encoder"] for line in result["shown"]["one"]["table"]}
    assert alone == {"of_4", "twin"}
    assert {line["claim"]: line["encoder"] for line in result["claims"]}["one"] == "of_4"
    picture(result)
