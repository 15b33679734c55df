"""Curves by the number of training clips, and denoised images, are drawn from what fits hold."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from figure_oracle import sound

from physprobe.drawing import strips
from physprobe.figures import denoised, learning_curve
from physprobe.figures.commands import STAGE
from physprobe.fit.designs import counts
from physprobe.fit.section import SCHEMAS
from physprobe.store import results
from physprobe.store.evidence import Evidence
from physprobe.store.fits import Fits

TRAINED = {"ours_100": 100, "ours": 1000}


def curve(folder: Path, encoder: str, values: dict[int, float]) -> Path:
    out = folder / f"{encoder}.knn.json"
    rows = [
        {
            "target": "digit", "sample": "clip", "layer": "selected", "metric": "accuracy",
            "count": count, "value": value, "ci_low": value - 0.01, "ci_high": value + 0.01,
        }
        for count, value in values.items()
    ]  # fmt: skip
    design = counts.Spec(counts=(100, 300, 1000), trained=TRAINED, published=((60_000, 0.99),))
    results.write(
        out, schema=counts.SCHEMA, spec={"kind": "knn", "bootstraps": 100}, provenance={},
        of={"system": "dots", "encoder": encoder, "method": "knn"}, rows=rows,
        design=design.dump(), label=encoder,
    )  # fmt: skip
    return out


def study(paths: list[Path], encoders: tuple, controls: tuple, method: str) -> Evidence:
    names = {name: name for name in (*encoders, *controls)}
    fits = {"dots": {method: Fits.read(paths)}}
    return Evidence(encoders, controls, names, place="dots", fits=fits).at()


def test_ours_is_one_curve_of_what_was_trained_on_as_many(tmp_path):
    paths = [
        curve(tmp_path, "ours_100", {100: 0.80}),
        curve(tmp_path, "ours", {1000: 0.96}),
        curve(tmp_path, "pixels", {100: 0.7, 300: 0.8, 1000: 0.9}),
    ]
    found = learning_curve.frame(study(paths, ("ours_100", "ours"), ("pixels",), "knn"))
    assert len(found) == 6, "two of ours, three of the control, one published"
    figure = learning_curve.figure(found)
    sound(figure)
    (ax,) = figure.axes
    lines = {line.get_label(): line for line, *_ in ax.containers}
    named = {each.get_text(): None for each in ax.get_legend().get_texts()}
    assert [name for name in named if "trained on as many" in name] == ["ours, trained on as many"]
    assert "published, not comparable" in named
    points = [line for line in ax.lines if len(line.get_xdata()) == 2]
    assert any(np.allclose(line.get_ydata(), [0.2, 0.04]) for line in points), lines
    (star,) = [line for line in ax.lines if line.get_marker() == "*"]
    assert star.get_xdata()[0] == 60_000 and star.get_ydata()[0] == pytest.approx(0.01)
    assert "not comparable" in learning_curve.CAPTION


@pytest.mark.parametrize("wrong", [0.02, 2e-4])
def test_a_ceiling_is_a_curve_or_is_told_where_it_is_far_below(tmp_path, wrong):
    paths = [
        curve(tmp_path, "pixels", {100: 0.7, 1000: 0.9}),
        curve(tmp_path, "equation", {100: 1 - wrong, 1000: 1 - wrong}),
    ]
    known = replace(study(paths, ("pixels",), (), "knn"), ceilings=("equation",))
    frame = learning_curve.frame(known)
    assert set(frame.loc[frame["encoder"] == "equation", "role"]) == {"ceiling"}
    (ax,) = learning_curve.figure(frame).axes
    named = {text.get_text() for text in ax.get_legend().get_texts()}
    told = [text.get_text() for text in ax.texts]
    assert ("ceiling: equation" in named) == (wrong > 0.01)
    assert told == ([] if wrong > 0.01 else ["ceiling, below: equation, 2e-04"])


def of_shares(folder: Path, encoder: str, level: float) -> Path:
    out = folder / f"{encoder}.ridge.json"
    rows = [
        {
            "target": target, "sample": "clip", "layer": "selected", "metric": metric,
            "share": share, "groups": round(40 * share), "count": round(400 * share),
            "value": value, "ci_low": 0.8 * value, "ci_high": 1.2 * value,
        }
        for target in ("alpha", "zeta", "mean")
        for share in (0.1, 0.5, 1.0)
        for metric, value in (("r2", 0.5), ("z_mse", level / share))
    ]  # fmt: skip
    design = counts.Spec(shares=(0.1, 0.5, 1.0), published=((40, 0.079),))
    results.write(
        out, schema=counts.SHARES, spec={"kind": "ridge", "bootstraps": 100}, provenance={},
        of={"system": "dots", "encoder": encoder, "method": "ridge"}, rows=rows,
        design=design.dump(), label=encoder,
    )  # fmt: skip
    return out


def test_numbers_are_drawn_by_trajectories_a_panel_for_each_target(tmp_path):
    paths = [of_shares(tmp_path, "ours", 0.1), of_shares(tmp_path, "pixels", 0.2)]
    found = learning_curve.frame(study(paths, ("ours",), ("pixels",), "ridge"))
    assert set(found["metric"]) == {"z_mse"}, "the published measure, where it was asked for"
    figure = learning_curve.figure(found)
    sound(figure)
    alpha, zeta, mean = figure.axes
    named = [ax.get_ylabel() for ax in figure.axes]
    assert named == ["z-MSE of alpha", "z-MSE of zeta", "mean z-MSE of all targets"]
    bars = {each.get_label(): each for each in zeta.containers}
    line = bars["ours"][0]
    np.testing.assert_array_equal(line.get_xdata(), [4, 20, 40])
    np.testing.assert_allclose(line.get_ydata(orig=False), [1, 0.2, 0.1])
    (star,) = [line for line in mean.lines if line.get_marker() == "*"]
    assert (star.get_xdata()[0], star.get_ydata()[0]) == (40, pytest.approx(0.079))
    assert not [line for line in alpha.lines if line.get_marker() == "*"]
    assert alpha.get_xlabel().startswith("training groups")

    some = found.assign(metric="r2", value=0.75, ci_low=0.7, ci_high=0.8)
    alpha, *_ = learning_curve.figure(some[some["role"] != "published"]).axes
    assert alpha.get_ylabel().startswith("unexplained: 1")
    np.testing.assert_allclose(alpha.containers[0][0].get_ydata(orig=False), 0.25)
    # clips that are groups of their own are counted as clips
    own = learning_curve.figure(some.assign(count=some["groups"])[some["role"] != "published"])
    assert own.axes[0].get_xlabel() == "training clips"


def drawn(folder: Path, encoder: str, level: int) -> Path:
    def image(value: int) -> str:
        return strips.packed(np.full((1, 12, 12), value, np.uint8))

    shown = {
        f"first {place}": {
            "clip": str(place), "truth": image(10 * place), "embedded": image(200),
            "reconstruction": image(level),
        }
        for place in (1, 2, 3)
    }  # fmt: skip
    rows = [
        {
            "model": model, "metric": metric, "value": value, "ci_low": value - 0.1,
            "ci_high": value + 0.1,
        }
        for model, value in (("reconstruction", 20.0), ("mean_image", 9.0), ("embedded", 6.0))
        for metric in ("psnr", "ssim")
    ]  # fmt: skip
    out = folder / f"{encoder}.decoder.json"
    results.write(
        out, schema=SCHEMAS["decoder"], spec={"kind": "decoder"}, provenance={}, label=encoder,
        of={"system": "dots", "encoder": encoder, "method": "decoder"}, rows=rows,
        decoder={"clip": [1, 2, 3], "seconds": None, "shown": shown},
    )  # fmt: skip
    return out


def test_denoised_images_stand_between_what_went_in_and_clean_ones(tmp_path):
    paths = [drawn(tmp_path, "ours", 50), drawn(tmp_path, "random", 60)]
    found = denoised.frame(study(paths, ("ours",), ("random",), "decoder"))
    figure = denoised.figure(found)
    sound(figure)
    rows = np.array(figure.axes).reshape(4, 3)
    values = [[int(ax.images[0].get_array()[0, 0]) for ax in row] for row in rows]
    assert values == [[200] * 3, [50] * 3, [60] * 3, [10, 20, 30]]
    assert [row[0].get_ylabel() for row in rows] == ["went in", "ours", "random", "clean"]
    told = [row[-1].texts[0].get_text() for row in rows]
    assert "6.0" in told[0] and "20.0" in told[1] and "mean image" in told[3]
    assert "no reconstruction of what went in" in " ".join(denoised.CAPTION.split())
    assert STAGE.figures is not None
