"""What decoders draw: the figure shows worst and median clips, the film plays them in columns."""

from pathlib import Path

import av
import numpy as np
import pytest
from figure_oracle import sound

from physprobe.drawing import strips
from physprobe.figures import _film, reconstruction
from physprobe.fit.section import SCHEMAS
from physprobe.store import results
from physprobe.store.evidence import Evidence
from physprobe.store.fits import Fits

TIMES, SIDE, SECONDS = 12, 16, 0.1
RNG = np.random.default_rng(0)


def shown(clip: int, error: float, pace: float | None, forecast: bool) -> dict:
    """A clip whose reconstruction is 40 levels too dark, whose forecast goes black after 4."""
    truth = RNG.integers(100, 255, (TIMES, SIDE, SIDE)).astype(np.uint8)
    films = {"truth": truth, "reconstruction": truth - 40, "forecast": truth - 40}
    films["forecast"] = np.where(np.arange(TIMES)[:, None, None] > 4, 0, truth - 40).astype("u1")
    packed = {name: strips.packed(frames) for name, frames in films.items()}
    if not forecast:
        packed["forecast"] = None
    return {"clip": str(clip), "start": 2, "error": error, "pace": pace, **packed}


def decoded(forecast: bool = True, paces: bool = True, level: float = 0.003) -> dict:
    """Blocks and rows of a decoder."""
    rules = {"worst": (7, 0.01, 2.0), "median": (3, level, 1.0)}
    if paces:
        rules |= {"calmest": (4, level, 0.5), "middling": rules["median"]}
        rules |= {"wildest": rules["worst"]}
    chosen = {
        rule: shown(clip, error, pace if paces else None, forecast)
        for rule, (clip, error, pace) in rules.items()
    }

    def row(model: str, value: float, horizon: int | None = None) -> dict:
        ends = {"ci_low": 0.9 * value, "ci_high": 1.1 * value}
        return {"model": model, "metric": "mse", "horizon": horizon, "value": value, **ends}

    rows = [row("reconstruction", level), row("mean_image", 0.02)]
    for horizon in (1, 4, 8) if forecast else ():
        rows += [row("predictor", level + 0.001 * horizon, horizon)]
        rows += [row("copy_last", 0.004 * horizon, horizon), row("mean_image", 0.02, horizon)]
    block = {"clip": [3, 4, 7], "seconds": SECONDS, "shown": chosen}
    return {"rows": rows, "decoder": block}


def written(folder: Path, encoder: str, **more: object) -> Path:
    found = decoded(**more)
    out = folder / f"{encoder}.decoder.json"
    results.write(
        out, schema=SCHEMAS["decoder"], spec={"kind": "decoder"}, provenance={}, label=encoder,
        of={"system": "dots", "encoder": encoder, "method": "decoder"}, **found,
    )  # fmt: skip
    return out


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    folder = tmp_path_factory.mktemp("fits")
    paths = [
        written(folder, "own"),
        written(folder, "still", forecast=False),
        written(folder, "random", forecast=False, level=0.015),
    ]
    labels = {"own": "own", "still": "still", "random": "untrained, small"}
    fits = {"dots": {"decoder": Fits.read(paths)}}
    return Evidence(("own", "still"), ("random",), labels, place="dots", fits=fits).at()


def test_figure_is_sound_and_shows_worst_and_median(study):
    frame = reconstruction.frame(study)
    figure = reconstruction.figure(frame)
    sound(figure)
    images = frame[frame["item"] != "score"]
    assert set(images["encoder"]) == {"own", "still"}, "of encoders, not of controls"
    chosen = images.groupby("item", sort=False)["clip"].unique()
    assert {rule: list(clips) for rule, clips in chosen.items()} == {
        "worst": ["7"],
        "median": ["3"],
    }
    drawn = sum(len(ax.images) for ax in figure.axes)
    assert drawn == len(images) == 2 * 2 * 2 * reconstruction.TIMES
    words = " ".join(part.get_suptitle() for part in figure.subfigs)
    assert "own, worst: clip 7, error 0.0100" in words and "median: clip 3, error 0.0030" in words
    assert "95 % intervals" in reconstruction.CAPTION
    assert "95 %" in figure.get_supxlabel()


def test_truth_stands_above_what_is_drawn_of_the_same_frame(study):
    frame = reconstruction.frame(study)
    one = frame[(frame["encoder"] == "own") & (frame["item"] == "worst")]
    pairs = one.pivot(index="time", columns="model", values="image")
    for truth, drawn in pairs[["truth", "reconstruction"]].to_numpy():
        np.testing.assert_array_equal(truth - 40, drawn)
    assert list(pairs.index) == pytest.approx([0, 0.3, 0.6, 0.8, 1.1])


def test_errors_are_drawn_by_time_ahead_beside_baselines_and_controls(study):
    figure = reconstruction.figure(reconstruction.frame(study))
    own, still = [ax for ax in figure.axes if not ax.images]
    colours = {line.get_color(): line for line in own.lines if line.get_marker() == "o"}
    line = colours[reconstruction.COLOURS["predictor"]]
    np.testing.assert_allclose(line.get_xdata(), np.array([1, 4, 8]) * SECONDS)
    np.testing.assert_allclose(line.get_ydata(), [0.004, 0.007, 0.011])
    assert reconstruction.COLOURS["copy_last"] in colours
    assert len(own.collections) == 3, "an interval on every curve"
    squares = [line for line in own.lines if line.get_marker() == "s"]
    assert [line.get_ydata()[0] for line in squares] == [0.015], "the control's reconstruction"
    assert "nothing is forecast" in still.get_xlabel()
    assert own.get_ylim() == still.get_ylim()


def frames_of(path: Path) -> np.ndarray:
    with av.open(path) as film:
        (stream,) = film.streams
        assert (stream.codec_context.name, stream.pix_fmt) == ("h264", "yuv420p")
        return np.stack([frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)])


def test_film_plays_all_frames_in_columns(tmp_path):
    path = tmp_path / "forecast.mp4"
    _film.run(fits=[written(tmp_path, "still", forecast=False), written(tmp_path, "own")], out=path)
    found = frames_of(path)
    side, gap = _film.SIDE, _film.GAP
    width, height = gap + 3 * (side + gap), _film.HEAD + side + _film.STRIP
    # clips 7, 3 and 4, each once, in two columns; the first encoder with a forecast is shown
    assert found.shape == (TIMES, _film.HEAD + gap + 2 * height, 2 * width, 3)
    top = 2 * _film.HEAD + gap
    columns = [gap + place * (side + gap) for place in range(3)]
    truth, forecast, drawn = (
        found[:, top : top + side, x : x + side].mean((1, 2, 3)) for x in columns
    )
    assert (truth - drawn > 25).all(), "40 levels darker"
    np.testing.assert_allclose(forecast[:5], drawn[:5], atol=4)
    assert (forecast[5:] < 10).all() and (drawn[5:] > 50).all()


def test_film_is_the_same_every_time(tmp_path):
    fits = [written(tmp_path, "own")]
    for name in ("a", "b"):
        _film.run(fits=fits, out=tmp_path / f"{name}.mp4")
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()


@pytest.mark.parametrize("paces", [True, False])
def test_film_without_a_forecast_has_two_columns(tmp_path, paces):
    path = tmp_path / "forecast.mp4"
    _film.run(fits=[written(tmp_path, "still", forecast=False, paces=paces)], out=path)
    width = _film.GAP + 2 * (_film.SIDE + _film.GAP)
    assert frames_of(path).shape[2] == 2 * width


def test_each_clip_is_shown_once_with_the_rules_that_chose_it():
    named = _film.named(decoded()["decoder"])
    assert list(named) == ["worst, wildest", "median, middling", "calmest"]


def test_error_and_lyapunov_times_are_those_of_the_frame():
    part = shown(1, 0.01, 2.0, True)
    columns = {name: strips.unpacked(part[name]) for name in _film.WORDS}
    errors = _film._errors(columns)
    np.testing.assert_allclose(errors["reconstruction"], (40 / 255) ** 2)
    assert (errors["forecast"][5:] > errors["forecast"][:5].max()).all()
    assert _film._clock(part, 7, SECONDS) == "0.50 s after the last frame seen, 1.00 Lyapunov times"
    assert _film._clock(part, 2, None) == "0 tokens after the last one seen"


def test_film_of_nothing_is_refused(tmp_path):
    with pytest.raises(ValueError, match="Hint: name its results as --fits"):
        _film.run(fits=[], out=tmp_path / "forecast.mp4")
