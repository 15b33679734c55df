"""Figures: nothing empty, nothing cut off, intervals on everything, the same look everywhere."""

import io
import json
import subprocess
import sys
from itertools import product
from pathlib import Path
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pandas as pd
import pytest
import yaml
from figure_oracle import parts, sound
from matplotlib.backends.backend_svg import RendererSVG
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.text import Text

from physprobe.drawing import canvas, palette, sheet
from physprobe.figures import layers, located, onset, specifications
from physprobe.layouts import _sheet, fit
from physprobe.store import evidence, results, zarrs

PANELS = fit.PANELS
SCORED = ("ladder", "predicted", "layers", "skill", "eigenvalues", "spatial")


@pytest.fixture(scope="module")
def found(study) -> evidence.Evidence:
    """What the frames are made from."""
    asked = json.loads(study["spec"])
    stores = (study[part] for part in ("fits", "embeddings", "simulation", "clips"))
    return evidence.read(asked, "heat", *stores)


@pytest.fixture(scope="module")
def frames(found) -> dict[str, pd.DataFrame]:
    return _sheet.frames(found, fit.PANELS)


@pytest.mark.parametrize("name", fit.PANELS)
def test_each_figure_is_sound(frames, name):
    figure = PANELS[name].figure(frames[name])
    sound(figure)
    assert figure.get_suptitle() == PANELS[name].TITLE


def test_sheet_is_sound(frames):
    whole = sheet.compose(frames, "heat: small is untrained", PANELS, fit.ROWS)
    sound(whole)
    titles = {part.get_suptitle() for part in parts(whole)}
    assert titles == {module.TITLE for module in PANELS.values()}


def test_sheet_leaves_out_what_a_study_lacks(frames):
    some = {**frames, "spatial": pd.DataFrame()}
    whole = sheet.compose(some, "heat", PANELS, fit.ROWS)
    sound(whole)
    titles = {part.get_suptitle() for part in parts(whole)}
    assert len(titles) == len(PANELS) - 1


@pytest.mark.parametrize("name", SCORED)
def test_intervals_are_drawn_and_explained(frames, name):
    frame, module = frames[name], PANELS[name]
    figure = module.figure(frame)
    assert "95 % interval" in module.CAPTION
    assert "95 %" in figure.get_supxlabel()
    scored = frame[frame["value"].notna()] if "value" in frame else frame
    if "item" in frame:
        scored = scored[scored["item"] != "clip"]
    assert (scored.ci_low <= scored.ci_high).all()
    if name == "eigenvalues":
        brackets = [ax.get_title(loc="left").count("[") for ax in figure.axes]
        assert brackets == [1] * len(brackets)
        return
    for ax in figure.axes:
        if ax.images or ax.get_label() == "<colorbar>":
            continue
        drawn = [c for c in ax.collections if isinstance(c, LineCollection | PolyCollection)]
        assert drawn, f"{name}: {ax.get_title(loc='left')!r} has no interval"


@pytest.mark.parametrize("name", SCORED[:-1])
def test_untrained_is_said_and_controls_are_grey(frames, name):
    frame = frames[name]
    shown = dict(zip(frame["encoder"], frame["label"], strict=True))
    assert shown["small"] == "small (untrained)"
    assert shown["small_causal"] == "small causal (untrained)"
    figure = PANELS[name].figure(frame)
    words = " ".join(" ".join(text.get_text() for text in figure.findobj(Text)).split())
    assert "small (untrained)" in words and "small causal (untrained)" in words
    looks = canvas.looks(frame)
    for encoder, role in zip(frame["encoder"], frame["role"], strict=True):
        grey = looks[encoder].colour.startswith("0.")
        assert grey == (role == "control")


def test_colour_does_not_depend_on_what_else_is_shown():
    alone = palette.looks(["small_causal"], [])["small_causal"]
    both = palette.looks(["small", "small_causal"], ["untrained"])["small_causal"]
    assert alone == both
    unknown = palette.looks(["small", "mine", "yours"], [])
    assert len({look.colour for look in unknown.values()}) == 3


def test_untrained_is_what_has_random_weights_not_what_is_called_so():
    assert palette.shown("mine", "untrained, 24 wide, seed 0") == "mine (untrained)"
    assert palette.shown("mine", "fine-tuned, mpp, seed 0") == "mine (fine-tuned)"
    assert palette.told("supervised, mpp, seed 0") and not palette.told("untrained, 24 wide")
    for label in ("untrained_no_more", "untrained/net at 12345678", "results/encoders/x", None):
        assert palette.shown("mine", label) == "mine"


def test_predictions_are_the_probes_own(frames, study):
    probe = results.read(study["fits"][0])["predictions"]
    (held,) = (
        block
        for block in probe["held_out"]
        if (block["sample"], block["layer"]) == ("clip", "selected")
    )
    drawn = frames["predicted"]
    drawn = drawn[(drawn["encoder"] == "small") & (drawn["item"] == "clip")]
    np.testing.assert_array_equal(drawn.value, held["prediction"])
    np.testing.assert_array_equal(drawn.truth, probe["truth"]["alpha"])


def test_bins_hold_every_clip_once_and_their_mean_is_inside_its_interval(frames):
    frame = frames["predicted"]
    for _, rows in frame.groupby("encoder"):
        bins = rows[rows["item"] == "bin"]
        assert bins.n_clips.sum() == (rows["item"] == "clip").sum()
        assert bins.truth.is_monotonic_increasing
        assert ((bins.ci_low <= bins.value) & (bins.value <= bins.ci_high)).all()


def test_film_strip_shows_lowest_median_and_highest(study, frames):
    alpha = zarrs.read(study["simulation"][0])["alpha"].values
    strip = frames["filmstrip"]
    shown = strip.groupby("note", sort=False)["value"].first()
    assert list(shown.index) == ["lowest", "median", "highest"]
    assert shown["lowest"] == alpha.min() and shown["highest"] == alpha.max()
    assert 6 <= strip["time"].nunique() <= 8


def test_zero_sum_kernels_sum_to_zero_and_colours_are_symmetric(frames):
    frame = frames["spatial"]
    weights = frame[(frame["item"] == "weight") & (frame["model"] == "zero_sum")]
    assert abs(weights.value.sum()) < 1e-4 * weights.value.abs().max()
    figure = PANELS["spatial"].figure(frame)
    for ax in figure.axes:
        for image in ax.images:
            low, high = image.get_clim()
            assert low == -high


def test_table_holds_what_was_drawn(frames):
    whole = pd.read_csv(io.StringIO(_sheet.table(frames)), dtype={"layer": str})
    for name in ("layers", "skill"):
        again, drawn = whole[whole["panel"] == name], frames[name]
        np.testing.assert_allclose(again["value"], drawn["value"], rtol=1e-6)
        assert list(again["encoder"]) == list(drawn["encoder"])


@pytest.mark.parametrize("encoders", [layers.MOST_BANDS, layers.MOST_BANDS + 1])
def test_more_lines_than_have_bands_have_bars_side_by_side(encoders):
    frame = pd.DataFrame(
        {
            "encoder": f"e{n}", "role": "encoder", "label": f"e{n}", "target": "alpha",
            "unit": None, "metric": "r2", "layer": layer, "value": 0.5, "ci_low": 0.4,
            "ci_high": 0.6, "null_q95": np.nan,
        }
        for n in range(encoders) for layer in ("0", "final")
    )  # fmt: skip
    (ax,) = layers.figure(frame).axes
    (bands, bars) = (
        [part for part in ax.collections if isinstance(part, kind)]
        for kind in (PolyCollection, LineCollection)
    )
    at = {float(line.get_xdata()[0]) for line in ax.lines if len(line.get_xdata()) == 2}
    if encoders > layers.MOST_BANDS:
        assert (len(bands), len(bars), len(at)) == (0, encoders, encoders)
    else:
        assert (len(bands), len(bars), len(at)) == (encoders, 0, 1)


def test_layers_stand_in_order():
    assert layers.order(["final", "10", "2", "0", "2"]) == ["0", "2", "10", "final"]


def layered(shallow: int, deep: int, hf_repo: str = "mine", metric: str = "r2") -> dict:
    """Verdicts on onsets: two encoders, a twin, a place; one label sets in, one never does."""
    rng, table, rows = np.random.default_rng(0), [], []
    depths = {"trained": shallow, "vjepa2_large": deep, "untrained": shallow, "position": -1}
    panels = {"speed": "speed", "direction_2": "sincos2_direction"}
    for panel, target in panels.items():
        for name, depth in depths.items():
            role = "encoder" if name in ("trained", "vjepa2_large") else "control"
            best = 0.9 if role == "encoder" and panel == "speed" else 0.3
            layers = [*map(str, range(depth + 1)), "final"] if depth > 0 else ["position"]
            for place, layer in enumerate(layers):
                value = best * (1 - np.exp(-3 * (place + 1) / len(layers))) + rng.normal(0, 0.02)
                table.append({
                    "run_name": "balls", "solver": "trained_sweep",
                    "grouping": "spatial_sector",
                    "variable": panel, "layer": layer, "encoder": name, "role": role,
                    "label": "untrained, tiny" if name == "untrained" else name, "target": target,
                    "place": place,
                    "depth": min(place / depth, 1.0) if depth > 0 else None,
                    "metric": metric, "score": value, "ci_low": value - 0.05,
                    "chance": 0.0 if metric == "r2" else 0.6,
                    "ci_high": value + 0.04, "null_q95": 0.02,
                    "band_low": value - 0.09 if depth > 0 else None,
                    "band_high": value + 0.06 if depth > 0 else None,
                })  # fmt: skip
            if role == "encoder":
                place = (2, 1, None) if panel == "speed" else (None, None, None)
                for form, blocks in (("", 1), ("_depth", depth)):
                    row = {"metric": f"onset{form}", "claim": panel, "encoder": name}
                    ends = [value and value / blocks for value in place]
                    row |= dict(zip(("value", "ci_low", "ci_high"), ends, strict=True))
                    note = f"{form.strip('_') or 'layer'} {ends[0]} [{ends[1]}, not certain]"
                    rows.append(row | {"target": target, "note": note})
    asked = {"published": "speed", "margin": 0.8}
    encoders = {
        name: {"role": "encoder" if name in ("trained", "vjepa2_large") else "control",
               "hf_repo": hf_repo if name == "vjepa2_large" else name}
        for name in depths
    }  # fmt: skip
    spec = {"controls": ["untrained", "position"], "claims": dict.fromkeys(panels, asked)}
    shown = {
        panel: {
            "table": [line for line in table if line["variable"] == panel],
            "encoders": encoders,
        }
        for panel in panels
    }
    return {"spec": spec, "rows": rows, "shown": shown}


@pytest.fixture(scope="module")
def published() -> dict:
    return yaml.safe_load(Path(onset.__file__).with_name("published_layers.yaml").read_text())


@pytest.mark.parametrize("deep", [4, 24])
def test_onset_figure_is_sound(published, deep):
    """By layer; where encoders are not equally deep by part of the depth, and below by layer."""
    frame = onset.frame(layered(4, deep), published)
    figure = onset.figure(frame)
    sound(figure)
    assert "95 % intervals" in figure.get_supxlabel() and "95 % interval" in onset.CAPTION
    units = [ax.get_xlabel().partition(" ")[0] for ax in figure.axes]
    assert units == (["layer"] * 2 if deep == 4 else ["depth"] * 2 + ["layer"] * 2)
    assert ("differ in depth" in figure.get_supxlabel()) == (deep > 4)
    words = " ".join(text.get_text() for text in figure.findobj(Text))
    assert "untrained" in words and "published" not in words
    assert "balls, trained sweep probes, folds by spatial sector" in words.replace("\n", " ")
    assert set(frame["item"]) == {"score", "onset"}


def test_encoders_of_any_depth_end_together_and_set_in_where_they_do(published):
    """By depth both lines span 0 to 1; by layer each has its own end, with an open marker."""
    figure = onset.figure(onset.frame(layered(4, 24), published))
    by_depth, _, by_layer, _ = figure.axes
    ends = {"depth": [1.06, 1.06, 1.06], "layer": [4.5, 4.5, 24.5]}
    for ax, unit in ((by_depth, "depth"), (by_layer, "layer")):
        lines = [x for x in ax.lines if x.get_label() in ("trained", "vjepa2 large", "untrained")]
        np.testing.assert_allclose(sorted(line.get_xdata()[-1] for line in lines), ends[unit])
        told = ax.get_title(loc="right")
        assert told.count(f": {unit} ") == 2
        diamonds = [x for x in ax.lines if x.get_marker() == "D" and x.get_markersize() > 6]
        places = sorted(line.get_xdata()[0] for line in diamonds)
        np.testing.assert_allclose(places, [2 / 24, 0.5] if unit == "depth" else [2, 2])
    hollow = [line for line in by_layer.lines if line.get_markerfacecolor() == "white"]
    assert sorted(line.get_xdata()[0] for line in hollow) == [4.5, 4.5, 24.5]


def test_random_weights_are_labelled_so(published):
    result = layered(4, 24)
    for line in (line for part in result["shown"].values() for line in part["table"]):
        if line["encoder"] == "trained":
            line["label"] = "untrained, 6 wide, 4 blocks, fan_in init, seed 1"
    figure = onset.figure(onset.frame(result, published))
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert "trained (untrained)" in labels and "untrained" in labels and "vjepa2 large" in labels


def test_scores_of_classes_are_named_and_their_chance_is_drawn(published):
    figure = onset.figure(onset.frame(layered(4, 4, metric="relative_accuracy"), published))
    sound(figure)
    assert {ax.get_ylabel() for ax in figure.axes} == {"relative accuracy on held-out clips"}
    assert "ties one half" in figure.get_supxlabel().replace("\n", " ")
    assert "first layer with relative accuracy" in figure.get_supxlabel().replace("\n", " ")
    assert "chance" in [label.get_text() for label in figure.legends[0].get_texts()]
    for ax in figure.axes:
        (chance,) = (line for line in ax.lines if line.get_label() == "chance")
        assert set(chance.get_ydata()) == {0.6}, "as the table says"


def test_published_layers_are_drawn_beside_their_own_encoder_alone(published):
    frame = onset.frame(layered(24, 24, published["encoder"]), published)
    drawn = frame[(frame["item"] == "published") & (frame["variable"] == "speed")]
    # the published number 8 is the output of block 8: nine blocks are applied
    assert drawn.set_index("layer").loc["9", "r2_mean"] == 0.983
    assert drawn["place"].tolist() == list(range(1, 25))
    np.testing.assert_allclose(drawn["depth"], np.arange(1, 25) / 24)
    figure = onset.figure(frame)
    sound(figure)
    assert any("published" in label.get_text() for label in figure.legends[0].get_texts())


def test_published_scores_of_classes_are_those_of_the_panels_metric(published):
    result = layered(24, 24, published["encoder"], "relative_accuracy")
    asked = {"published": "possible", "metric": "relative_accuracy", "margin": 0.8}
    result["spec"]["claims"] = {"speed": asked, "direction_2": asked | {"metric": "auc"}}
    frame = onset.frame(result, published)
    drawn = frame[frame["item"] == "published"].set_index(["variable", "layer"])
    assert drawn.loc[("speed", "0"), "relative_accuracy_mean"] == 0.522
    assert drawn.loc[("direction_2", "0"), "auc_mean"] == 0.504
    assert drawn["score"].notna().all()
    sound(onset.figure(frame))


def test_published_layers_are_those_of_the_sheet(published):
    """Mean of a curve as checked by hand; every curve has a value per block."""
    curves = published["curves"]
    for curve in curves.values():
        lists = [values for values in curve.values() if isinstance(values, list)]
        assert lists and {len(values) for values in lists} == {24}
    assert curves["possible"]["relative_accuracy_mean"][7] == 0.978
    assert curves["possible_by_relative_accuracy"]["relative_accuracy_mean"][:2] == [0.733, 0.789]
    assert curves["direction"]["r2_mean"][16] == 0.876
    assert curves["direction_by_sector"]["r2_mean"][8:10] == [0.816, 0.941]
    assert curves["direction_sincos_after_blocks"]["r2_mean"][:2] == [0.691, 0.864]
    assert {curve["first_layer"] for curve in curves.values()} == {0, 1}


def specified(claims: dict, each: int = 3, controls: bool = True) -> dict:
    """Verdicts on robustness: specifications of claims about one encoder, half supported."""
    rng, lines = np.random.default_rng(0), []
    axes = {
        "layer": ["0", "2", "final"], "sample": ["clip", "temporal_last"],
        "grouping": ["clip", "spatial_sector"],
        "normalisation": ["zscore", "center", "none"][:each],
        "solver": ["ridge", "trained_sweep"],
    }  # fmt: skip
    for claim, targets in claims.items():
        for target, *choice in product(targets, *axes.values()):
            value, best = rng.uniform(-3, 0.9), rng.uniform(-0.2, 0.4)
            line = {"claim": claim, "encoder": "mine", "target": target, "value": value}
            line |= dict(zip(axes, choice, strict=True)) | {"note": None}
            line |= {"ci_low": value - 0.1, "ci_high": value + 0.08}
            line |= {"control": "twin" if controls else None, "control_value": best}
            line |= {"control_ci_low": best - 0.1, "control_ci_high": best + 0.1}
            if not controls:
                line |= dict.fromkeys(("control_value", "control_ci_low", "control_ci_high"))
            above = value - best > 0.1 if controls else value > 0.1
            lines.append(line | {"verdict": "supported" if above else "refuted"})
    beyond = "controls" if controls else "chance"
    asked = {
        name: {"statement": f"{name} is decoded better than from the best control, in a sentence"
               " that is far too long for one line.", "margin": 0.0, "beyond": beyond}
        for name in claims
    }  # fmt: skip
    shown = {
        name: {"specifications": [line for line in lines if line["claim"] == name]}
        for name in claims
    }
    return {"spec": {"claims": asked}, "shown": shown, "labels": {"mine": "untrained"}}


@pytest.mark.parametrize("controls", [True, False])
def test_specification_curve_is_sound(controls):
    claims = {"speed": ["speed", "log_speed"], "direction": ["sincos_direction"]}
    result = specified(claims, controls=controls)
    result["shown"]["speed"]["specifications"][0] |= {"verdict": "undefined", "value": None}
    frame = specifications.frame(result)
    figure = specifications.figure(frame)
    sound(figure)
    assert "95 % intervals" in figure.get_supxlabel() and "95 % intervals" in specifications.CAPTION
    note = figure.get_supxlabel().replace("\n", " ")
    assert "no probability" in note and ("best control" in note or not controls)
    titles = [ax.get_title(loc="left") for ax in figure.axes[:2]]
    for title, claim in zip(titles, claims, strict=True):
        lines = result["shown"][claim]["specifications"]
        count = sum(x["verdict"] == "supported" for x in lines)
        defined = sum(x["verdict"] != "undefined" for x in lines)
        assert f"supported by {count} of {defined} specifications" in title
        assert "mine (untrained)" in title
    assert ("1 undefined" in titles[0], "undefined" in titles[1]) == (True, False)


def test_matrix_has_a_row_for_each_choice_and_leaves_out_what_was_none():
    figure = specifications.figure(specifications.frame(specified({"speed": ["speed"]}, each=1)))
    sound(figure)
    matrix = figure.axes[1]
    assert [label.get_text() for label in matrix.get_yticklabels()] == [
        "layer 0", "layer 2", "layer final", "clip", "temporal last", "grouping clip",
        "grouping spatial sector", "ridge", "trained sweep",
    ]  # fmt: skip
    counts = [text.get_text() for text in matrix.texts]
    assert len(counts) == 9 and sum(int(count.split()[0]) for count in counts[-2:]) == sum(
        int(count.split()[0]) for count in counts[:3]
    )


def places(grid: tuple[int, int] = (4, 5), undefined: bool = False) -> dict:
    """Verdicts on places: two targets, one of which may be undefined from one part."""
    rng, rows = np.random.default_rng(0), []
    for target in ("speed", "sincos_direction"):
        for name in (*located.PARTS, *(f"{y},{x}" for y, x in np.ndindex(*grid))):
            value = 0.8 if name == "under" else rng.uniform(-3, 0.3)
            rows.append({
                "claim": target, "encoder": "mine", "target": target, "sample": "clip",
                "layer": "final",
                "place": name, "metric": "r2", "value": value, "ci_low": value - 0.1,
                "ci_high": value + 0.1, "null_q95": 0.03, "note": None, "n_clips": 40,
            })  # fmt: skip
    if undefined:
        rows[2] |= dict.fromkeys(("value", "ci_low", "ci_high", "null_q95"))
        rows[2]["note"] = "target is constant"
    touched = rng.integers(0, 30, grid).tolist()
    blocks = {"grid": {"mine": list(grid)}, "touched": {"mine": touched}}
    return {
        "rows": rows,
        "spec": {"controls": []},
        "shown": {"speed": blocks, "direction": blocks},
        "labels": {"mine": "untrained, tiny"},
    }


@pytest.mark.parametrize("undefined", [False, True])
def test_located_figure_is_sound_and_its_colours_are_robust(undefined):
    result = places(undefined=undefined)
    frame = located.frame(result)
    figure = located.figure(frame)
    sound(figure)
    assert "95 % intervals" in figure.get_supxlabel() and "95 % intervals" in located.CAPTION
    assert "mine (untrained)" in figure.axes[0].get_title(loc="left")
    maps = [ax.images[0] for ax in figure.axes if ax.images]
    assert len(maps) == 3
    scores = [image for image in maps if image.get_clim() == (-0.2, 1.0)]
    assert len(scores) == 2
    values = {row["place"]: row["value"] for row in result["rows"][: 4 + 20]}
    assert scores[0].get_array()[1, 3] == pytest.approx(values["1,3"])
    (counts,) = (image for image in maps if image not in scores)
    np.testing.assert_array_equal(counts.get_array(), result["shown"]["speed"]["touched"]["mine"])


def test_names_are_what_they_are_whatever_dollars_they_have():
    """A unit, or a class, is no formula; powers of ten are written out."""

    def panel(part, frame):
        ax = part.subplots()
        ax.plot([0.01, 100], [1, 2])
        ax.set_xscale("log")
        ax.set_xlabel(r"cost [$\undefined$]")
        ax.set_yticks([1, 2], ["$a$", r"$\none$"])

    figure = canvas.alone(panel, pd.DataFrame(), (4, 2))
    picture, drawing = canvas.encoded(figure)
    assert picture.startswith(b"\x89PNG") and rb"cost [$\undefined$]" in drawing
    assert figure.axes[0].get_xlabel() == r"cost [$\undefined$]"
    ticks = [tick.get_text() for tick in figure.axes[0].get_xticklabels()]
    assert "10\u207b\u00b9" in ticks and not any("$" in tick for tick in ticks)


SALTED = """
import hashlib
import pandas as pd
from physprobe.drawing import canvas

def panel(part, frame):
    ax = part.subplots()
    ax.bar([0, 1], [1, 2], hatch="//", label="some")
    ax.imshow([[0, 1], [1, 0]], extent=(0, 1, 0, 1), aspect="auto")
    ax.plot([0, 1], [1, 2], "o", clip_on=True)
    part.legend()

figure = canvas.alone(panel, pd.DataFrame(), (4, 2))
found = [hashlib.sha256(form).hexdigest() for form in canvas.encoded(figure, "a", "b < c & d")]
"""


def test_a_figure_is_the_same_bytes_in_every_process():
    """Nothing in it is drawn by lot, or says when."""
    here: dict = {}
    exec(SALTED, here)
    more = "print(*found)"
    there = subprocess.run(
        [sys.executable, "-c", SALTED + more], capture_output=True, text=True, check=True
    ).stdout.split()
    assert there == here["found"] and len(there) == 2


def test_a_drawing_says_what_it_is_and_has_letters_of_its_own():
    """It looks alike whatever fonts there are, and fetches nothing."""
    figure = canvas.nothing("Nothing < more")
    size = figure.get_size_inches()
    _, drawing = canvas.encoded(figure, "A <title>", "Caption & more.")
    root = ElementTree.fromstring(drawing)
    texts = [each.text for each in root.iter() if each.text and each.text.strip()]
    assert "A <title>" in texts and "Caption & more." in texts
    assert not any(each.tag.endswith("}text") for each in root.iter())
    assert [float(side) for side in root.get("viewBox").split()] == pytest.approx(
        [0, 0, *(72 * size)]
    )
    links = {value for each in root.iter() for key, value in each.items() if key.endswith("href")}
    assert links and all(link.startswith(("#", "data:")) for link in links)


def test_a_drawing_has_room_for_its_own_letters():
    """Those of a picture are fitted to its pixels, and some words wider or narrower by that."""

    def panel(part, frame):
        part.subplots().set_yticks([0, 1], ["Whether a film runs backwards, or not at all"] * 2)

    figure = canvas.alone(panel, pd.DataFrame(), (6, 2))
    canvas.encoded(figure)
    figure.set_dpi(72)
    used = figure.get_tightbbox(RendererSVG(432, 144, io.StringIO()))
    pad = matplotlib.rcParams["figure.constrained_layout.w_pad"]
    assert used.x0 == pytest.approx(pad, abs=1e-3)
