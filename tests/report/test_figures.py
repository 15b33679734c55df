"""Figures: nothing empty, nothing cut off, intervals on everything, the same look everywhere."""

import io
import warnings

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.figure import Figure

from physprobe.core import results, stores
from physprobe.report import _axes, _frames, _palette, fit_results, layers, stage


@pytest.fixture(scope="module")
def found(study) -> _frames.Study:
    """What the frames are made from."""
    names = [path.parent.stem for path in study["embeddings"]]
    labels = [stores.read(path).attrs["label"] for path in study["embeddings"]]
    return _frames.Study(
        "heat",
        ("small", "small_causal"),
        ("untrained", "pixels_gray16", "brightness"),
        dict(zip(names, labels, strict=True)),
        stage._by_name(study["probes"]),
        stage._by_name(study["koopman"]),
        stage._by_name(study["heads"]),
    )


@pytest.fixture(scope="module")
def frames(found, study) -> dict[str, pd.DataFrame]:
    return {
        "filmstrip": stage.films(stores.read(study["simulation"]), stores.read(study["clips"])),
        **{
            name: getattr(_frames, name)(found)
            for name in ("ladder", "predicted", "layers", "skill", "eigenvalues", "spatial")
        },
    }


def sound(figure: Figure) -> None:
    """Draw without a warning; then no axes is empty, and no text is cut off or on another's title."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure.savefig(io.BytesIO(), format="png")
    page = figure.bbox
    for ax in figure.axes:
        drawn = [*ax.lines, *ax.collections, *ax.images, *ax.patches, *ax.containers]
        assert drawn, f"{ax.get_title(loc='left')!r} is empty"
        assert ax.get_position().width > 0.03 and ax.get_position().height > 0.03
    renderer = figure.canvas.get_renderer()
    for text in figure.findobj(lambda artist: hasattr(artist, "get_text")):
        if not (text.get_visible() and text.get_text().strip()):
            continue
        box = text.get_window_extent(renderer)
        within = box.x0 >= -1 and box.y0 >= -1 and box.x1 <= page.x1 + 1 and box.y1 <= page.y1 + 1
        assert within, f"{text.get_text()!r} is cut off"
        assert text.get_fontsize() >= 6, text.get_text()


@pytest.mark.parametrize("name", fit_results.PANELS)
def test_each_figure_is_sound(frames, name):
    figure = fit_results.PANELS[name].figure(frames[name])
    sound(figure)
    assert fit_results.PANELS[name].TITLE == figure.get_suptitle()


def test_sheet_is_sound(frames):
    sheet = fit_results.figure(frames, "heat: small is untrained")
    sound(sheet)
    titles = {part.get_suptitle() for row in sheet.subfigs for part in row.subfigs}
    assert titles == {module.TITLE for module in fit_results.PANELS.values()}


def test_sheet_leaves_out_what_a_study_lacks(frames):
    sheet = fit_results.figure({**frames, "spatial": pd.DataFrame()}, "heat")
    sound(sheet)
    titles = {part.get_suptitle() for row in sheet.subfigs for part in row.subfigs}
    assert len(titles) == len(fit_results.PANELS) - 1


@pytest.mark.parametrize("name", ["ladder", "predicted", "layers", "skill", "eigenvalues", "spatial"])
def test_intervals_are_drawn_and_explained(frames, name):
    frame, module = frames[name], fit_results.PANELS[name]
    figure = module.figure(frame)
    assert "95 % interval" in module.CAPTION
    assert "95 %" in figure.get_supxlabel()
    scored = frame[frame["value"].notna()] if "value" in frame else frame
    scored = scored[scored.get("item", "score") != "clip"]
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


@pytest.mark.parametrize("name", ["ladder", "predicted", "layers", "skill", "eigenvalues"])
def test_untrained_is_said_and_controls_are_grey(frames, name):
    frame = frames[name]
    shown = dict(zip(frame["encoder"], frame["label"], strict=True))
    assert shown["small"] == "small (untrained)"
    assert shown["small_causal"] == "small causal (untrained)"
    figure = fit_results.PANELS[name].figure(frame)
    words = " ".join(t.get_text() for t in figure.findobj(lambda a: hasattr(a, "get_text")))
    assert "small (untrained)" in words and "small causal (untrained)" in words
    looks = _axes.looks(frame)
    for encoder, role in zip(frame["encoder"], frame["role"], strict=True):
        grey = looks[encoder].colour.startswith("0.")
        assert grey == (role == "control")


def test_colour_and_order_do_not_depend_on_what_else_is_shown():
    alone = _palette.looks(["small_causal"], [])["small_causal"]
    both = _palette.looks(["small", "small_causal"], ["untrained"])["small_causal"]
    assert alone == both
    unknown = _palette.looks(["small", "mine", "yours"], [])
    assert len({look.colour for look in unknown.values()}) == 3
    assert _palette.ordered(["other", "untrained", "brightness"]) == ["brightness", "untrained", "other"]


def test_predictions_are_the_probes_own(frames, study):
    probe = results.read(study["probes"][0])["predictions"]
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
    alpha = stores.read(study["simulation"])["alpha"].values
    strip = frames["filmstrip"]
    shown = strip.groupby("note", sort=False)["alpha"].first()
    assert list(shown.index) == ["lowest", "median", "highest"]
    assert shown["lowest"] == alpha.min() and shown["highest"] == alpha.max()
    assert 6 <= strip["time"].nunique() <= 8


def test_zero_sum_kernels_sum_to_zero_and_colours_are_symmetric(frames):
    frame = frames["spatial"]
    weights = frame[(frame["item"] == "weight") & (frame["model"] == "zero_sum")]
    assert abs(weights.value.sum()) < 1e-4 * weights.value.abs().max()
    figure = fit_results.PANELS["spatial"].figure(frame)
    for ax in figure.axes:
        for image in ax.images:
            low, high = image.get_clim()
            assert low == -high


def test_table_gives_back_what_was_drawn(frames):
    text = _frames.table(frames).to_csv(index=False)
    whole = pd.read_csv(io.StringIO(text), dtype={"layer": str})
    for name in ("layers", "skill"):
        again = _frames.from_table(whole, name)
        columns = list(frames[name].columns)
        pd.testing.assert_frame_equal(
            again[columns].astype(str), frames[name].astype(again[columns].dtypes).astype(str)
        )


def test_layers_stand_in_order():
    assert layers.order(["final", "10", "2", "0", "2"]) == ["0", "2", "10", "final"]
