"""Layerwise stage: probes of an encoder and its controls in, one result with onsets out."""

import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import r2_score

from physprobe.fit import stage as fit
from physprobe.fit.methods.ridge import Spec
from physprobe.falsify import stage
from physprobe.falsify.entries import Layerwise
from physprobe.store import results, zarrs

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
ENTRY = {
    "encoders": ["mine"],
    "controls": ["twin", "place"],
    "figures": {
        "fig": {
            "direction": {"system": "balls", "probe": "ridge", "target": "sincos_direction"},
            "speed": {"system": "balls", "probe": "ridge", "target": "speed"},
        }
    },
}


def store(root: Path, name: str, dims: tuple, values: np.ndarray, coords: dict, **attrs) -> Path:
    out = root / "zarr.json"
    with zarrs.create(
        out,
        variables={name: zarrs.Variable(dims, values.shape, str(values.dtype))},
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
    paths = {"probes": [], "embeddings": []}
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
        paths["probes"].append(out)
        paths["embeddings"].append(embedding)
    return paths


@pytest.fixture(scope="module")
def found(tmp_path_factory) -> dict:
    """An encoder that holds the direction from layer 2 on, a twin and a place that hold less."""
    folder = tmp_path_factory.mktemp("world") / "balls"
    twins = {"twin": [0.05, 0.2, 0.2, 0.2], "place": [0.2]}
    paths = decoded(folder, {"mine": SHARES, **twins})
    out = folder.parent / "study" / "fig.json"
    stage.run(**paths, out=out, spec=Layerwise.model_validate(ENTRY).canonical())
    return {**results.read(out), "probe": results.read(paths["probes"][0])}


def rows(found: dict, **where) -> list[dict]:
    return [row for row in found["rows"] if where.items() <= row.items()]


def test_scores_are_the_probes_own_and_bands_are_wider(found):
    for row in rows(found, encoder="mine", panel="direction", metric="r2"):
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
            found, encoder="mine", panel="direction", metric="r2_band", layer=row["layer"]
        )
        assert band["value"] == pytest.approx(row["value"], abs=1e-6)
        assert band["ci_low"] < row["value"] < band["ci_high"] < 1
        assert band["ci_high"] - band["ci_low"] > 0.9 * (row["ci_high"] - row["ci_low"])


def test_onset_is_where_it_was_planted_and_only_there(found):
    (onset,) = rows(found, encoder="mine", panel="direction", metric="onset")
    assert (onset["value"], onset["ci_low"], onset["ci_high"]) == (2, 2, 2)
    assert onset["threshold"] == "R2 >= 0.8" and onset["note"] == "layer 2 [2, 2]"
    for name, panel in (("mine", "speed"), ("twin", "direction"), ("twin", "speed")):
        (none,) = rows(found, encoder=name, panel=panel, metric="onset")
        assert none["value"] is None and none["note"] == "not reached"
    assert not rows(found, encoder="place", metric="onset"), "one layer has no onset"
    (above,) = rows(found, encoder="mine", panel="direction", metric="onset_above_controls")
    assert above["value"] <= 2 and above["ci_high"] == 2
    (noise,) = rows(found, encoder="mine", panel="speed", metric="onset_above_controls")
    assert noise["ci_high"] is None


def test_distance_is_from_the_best_control(found):
    best = max(
        row["value"]
        for name in ("twin", "place")
        for row in rows(found, encoder=name, panel="direction", metric="r2", layer="selected")
    )
    for row in rows(found, encoder="mine", panel="direction", metric="r2_above_controls"):
        (own,) = rows(found, encoder="mine", panel="direction", metric="r2", layer=row["layer"])
        assert row["value"] == pytest.approx(own["value"] - best, abs=1e-6)
        assert row["ci_low"] < row["value"] < row["ci_high"]


def test_the_table_is_a_superset_of_the_published_one(found):
    table = found["table"]
    assert len(table) == 2 * (4 + 4 + 1)
    assert all(set(line) >= PUBLISHED for line in table)
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
    assert found["encoders"]["mine"]["role"] == "encoder"
    json.dumps(found, allow_nan=False)


def test_an_onset_is_at_the_same_depth_in_encoders_of_any_size(tmp_path):
    """Four blocks and eight, planted behind the middle block; sizes are asked for by a panel."""
    half = {f"of_{blocks}": [0.05] * (blocks // 2) + [3.0] * (blocks // 2 + 2) for blocks in (4, 8)}
    paths = decoded(tmp_path / "balls", {**half, "twin": [0.05] * 4})
    panel = ENTRY["figures"]["fig"]["direction"]
    panels = {"sizes": panel | {"encoders": list(half)}, "one": panel}
    entry = {"encoders": ["of_4"], "controls": ["twin"], "figures": {"fig": panels}}
    out = tmp_path / "study" / "fig.json"
    stage.run(**paths, out=out, spec=Layerwise.model_validate(entry).canonical())
    result = results.read(out)
    assert set(result["encoders"]) == {*half, "twin"}
    for name, place in (("of_4", 2), ("of_8", 4)):
        about = {"encoder": name, "panel": "sizes"}
        (by_layer,) = rows(result, metric="onset", **about)
        (by_depth,) = rows(result, metric="onset_depth", **about)
        ends = ("value", "ci_low", "ci_high")
        assert [by_layer[key] for key in ends] == [place] * 3
        assert [by_depth[key] for key in ends] == [0.5] * 3
        assert by_depth["note"] == "depth 0.50 [0.50, 0.50]"
        (above,) = rows(result, metric="onset_above_controls_depth", **about)
        assert above["ci_high"] == 0.5
    lines = [line for line in result["table"] if line["variable"] == "sizes"]
    depth = {(line["encoder"], line["layer"]): line["depth"] for line in lines}
    assert depth["of_4", "1"] == depth["of_8", "2"] == 0.25
    assert depth["of_8", "final"] == depth["of_4", "4"] == 1.0
    alone = {line["encoder"] for line in result["table"] if line["variable"] == "one"}
    assert alone == {"of_4", "twin"}
