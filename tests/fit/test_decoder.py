"""Decoder: a dot whose place is the latent is drawn, noise draws nothing, forecasts as far as."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from physprobe.config import config_files
from physprobe.config import model as config
from physprobe.drawing import strips
from physprobe.embed import stage as embed
from physprobe.embed.pixels import Spec as Pixels
from physprobe.fit import _members, stage
from physprobe.fit._motion import Motion
from physprobe.fit.methods import _decoded, _drawing, decoder
from physprobe.fit.section import Given
from physprobe.render import fields
from physprobe.render import stage as render
from physprobe.simulate import heat
from physprobe.simulate import stage as simulate
from physprobe.statistics import splits
from physprobe.store import results, zarrs
from physprobe.store.fits import row

CLIPS, TIMES, SIZE, DT = 40, 24, 16, 0.1


def turned(latent: np.ndarray) -> np.ndarray:
    """The true latent a frame later: a dot goes round at its own speed."""
    x, y, speed = np.moveaxis(np.asarray(latent), -1, 0)
    return np.stack(
        [x * np.cos(speed) - y * np.sin(speed), x * np.sin(speed) + y * np.cos(speed), speed], -1
    )


def latents() -> np.ndarray:
    """(clip, time, 3): where the dot is [px from the middle], and its speed [rad/frame]."""
    rng = np.random.default_rng(1)
    speed = rng.uniform(0.1, 0.4, CLIPS) * rng.choice([-1, 1], CLIPS)
    angle, radius = rng.uniform(0, 2 * np.pi, CLIPS), rng.uniform(3, 5, CLIPS)
    found = [np.stack([radius * np.cos(angle), radius * np.sin(angle), speed], -1)]
    for _ in range(TIMES - 1):
        found.append(turned(found[-1]))
    return np.stack(found, 1)


def frames(latent: np.ndarray, side: int = 2 * SIZE) -> np.ndarray:
    """(clip, time, y, x, rgb) uint8: a dot 4 px wide, of frames that are twice as large."""
    cells = (np.arange(side) + 0.5 - side / 2) * SIZE / side
    y = cells[:, None] - latent[..., 1, None, None]
    x = cells - latent[..., 0, None, None]
    dot = np.clip(2.5 - np.hypot(x, y), 0, 1)
    return np.repeat(np.rint(dot * 255).astype(np.uint8)[..., None], 3, -1)


LATENTS = latents()
FRAMES = frames(LATENTS)


def given(**more: object) -> Given:
    labels = {"lyapunov": np.linspace(0.5, 2.0, CLIPS)}
    whole = Given(
        [LATENTS], ["latent"], labels, splits.nested(np.arange(CLIPS)),
        times=(np.arange(TIMES) * DT).tolist(), frames=FRAMES,
    )  # fmt: skip
    return replace(whole, **more)


def moving() -> Motion:
    """The equation that dots obey, and how they are filmed."""

    def solve(rows: dict, steps: int) -> tuple[np.ndarray, dict]:
        names = ("radius", "theta1", "omega1")
        radius, angle, speed = (rows[f"start_{name}"][:, None] for name in names)
        angle = angle + speed * np.arange(steps)
        states = dict(zip(names, np.broadcast_arrays(radius, angle, speed), strict=True))
        place = np.stack([radius * np.cos(angle), radius * np.sin(angle)], -1)
        return place, states

    known = ("radius", "theta1", "omega1")
    return Motion(known, ("theta1",), known, solve, {"mass": np.ones(CLIPS)}, 1, frames)


def states() -> dict:
    """Radius, angle and its growth in a frame, of every dot at all times."""
    x, y, speed = np.moveaxis(LATENTS, -1, 0)
    start = np.arctan2(y, x)[:, :1]
    return {
        "radius": np.hypot(x, y),
        "theta1": start + speed * np.arange(TIMES),
        "omega1": speed,
    }


def spec(**more: object) -> decoder.Spec:
    asked = {"size": SIZE, "channels": (16, 32), "steps": 1200, "learning_rate": 4e-3}
    return decoder.Spec(**{**asked, "horizons": (1, 4, 12), "bootstraps": 200, **more})


@pytest.fixture(scope="module")
def found() -> dict:
    told = given(advance=turned, states=states(), motion=moving())
    rows, blocks = decoder.fit(spec(), told)
    return {"rows": rows, **blocks}


def test_a_dot_is_drawn_where_its_latent_is(found):
    about = {"model": "reconstruction", "horizon": None}
    skill = row(found, metric="skill", baseline="mean_image", **about)
    iou = row(found, metric="iou", **about)
    assert skill["value"] > 0.9 and iou["value"] > 0.5
    assert skill["ci_low"] < skill["value"] < skill["ci_high"]
    models = ("reconstruction", "mean_image")
    mse = [row(found, metric="mse", model=model, horizon=None) for model in models]
    ratio = mse[0]["value"] / mse[1]["value"]
    assert skill["value"] == pytest.approx(1 - ratio)
    assert mse[0]["n_clips"] == len(given().folds[0].test)


def test_mean_image_is_that_of_training_clips(found):
    small = np.stack([_decoded.shrunk(clip, SIZE) for clip in FRAMES]) / 255
    fold = given().folds[0]
    level = small[fold.train].mean((0, 1))
    expected = ((small[fold.test] - level) ** 2).mean()
    value = row(found, metric="mse", model="mean_image", horizon=None)["value"]
    assert value == pytest.approx(expected, rel=1e-4)


def test_forecasts_of_a_perfect_predictor_are_as_good_as_reconstructions(found):
    whole = row(found, metric="mse", model="reconstruction", horizon=None)["value"]
    for horizon in (1, 4, 12):
        own = row(found, metric="mse", model="predictor", horizon=horizon)["value"]
        assert own == pytest.approx(whole, rel=0.25)
    for shown in found["decoder"]["shown"].values():
        forecast, drawn = (strips.unpacked(shown[k]) for k in ("forecast", "reconstruction"))
        assert np.abs(forecast.astype(int) - drawn).max() <= 1, "the same latents but for rounding"


def test_the_last_frame_is_right_only_for_short(found):
    at = {"metric": "mse", "model": "copy_last"}
    small = np.stack([_decoded.shrunk(clip, SIZE) for clip in FRAMES]) / 255
    test = given().folds[0].test
    for horizon in (1, 4, 12):
        starts = np.arange(2, TIMES - horizon, 4)
        expected = ((small[test][:, starts] - small[test][:, starts + horizon]) ** 2).mean()
        assert row(found, horizon=horizon, **at)["value"] == pytest.approx(expected, rel=1e-4)
    gained = row(found, metric="skill", model="predictor", horizon=4, baseline="copy_last")
    assert gained["value"] > 0.9


def test_a_predictor_that_stands_still_is_no_better_than_the_last_frame():
    rows, _ = decoder.fit(spec(), given(advance=lambda rows: rows))
    about = {"metric": "skill", "model": "predictor", "horizon": 4}
    assert row({"rows": rows}, baseline="copy_last", **about)["value"] < 0.05


def test_angles_are_read_off_what_is_drawn(found):
    def error(model: str, horizon: int | None = None) -> float:
        about = {"metric": "state_error", "target": "theta1", "model": model, "horizon": horizon}
        return row(found, **about)["value"]

    assert error("frames") < 0.1, "the network reads real frames"
    assert error("reconstruction") < 0.15
    speed = np.abs(LATENTS[given().folds[0].test, 0, 2])
    for horizon in (1, 4):
        off = error("copy_last", horizon)
        assert off == pytest.approx((speed * horizon).mean(), abs=0.1), "as far as dots turn"
    assert error("predictor", 12) < 0.2
    assert error("frames") <= error("reconstruction") + 0.02


def test_rivals_forecast_pixels_from_the_same_starts(found):
    at = {"metric": "mse", "horizon": 4}
    own, still, dmd, network, equation = (
        row(found, model=model, **at)["value"]
        for model in ("predictor", "copy_last", "dmd", "state_mlp", "equation")
    )
    assert equation < 0.2 * still, "the state is in the latent, and the equation is the true one"
    assert network < 0.5 * still
    assert dmd < still
    gained = row(found, metric="skill", model="predictor", horizon=4, baseline="dmd")["value"]
    assert gained == pytest.approx(1 - own / dmd)


def test_errors_of_every_clip_are_kept_for_comparisons(found):
    block = found["decoder"]
    for part in block["scores"]:
        about = {"model": part["model"], "horizon": part["horizon"], "metric": "mse"}
        starts = len(np.arange(2, TIMES - (part["horizon"] or 0), 4)) if part["horizon"] else TIMES
        value = np.sum(part["squares"]) / (len(block["clip"]) * starts * SIZE**2)
        assert row(found, **about)["value"] == pytest.approx(value)


def test_noise_draws_no_more_than_the_mean_image():
    noise = np.random.default_rng(2).normal(size=(CLIPS, TIMES, 8))
    rows, blocks = decoder.fit(spec(), given(features=[noise]))
    about = {"model": "reconstruction", "baseline": "mean_image"}
    assert row({"rows": rows}, metric="skill", **about)["value"] < 0.02
    assert {r["horizon"] for r in rows} == {None}, "without a predictor nothing is forecast"
    assert all(shown["forecast"] is None for shown in blocks["decoder"]["shown"].values())


def test_same_seed_same_numbers():
    both = [decoder.fit(spec(steps=40), given(advance=turned))[0] for _ in range(2)]
    keys = ("model", "metric", "horizon", "baseline", "value", "ci_low", "ci_high")
    told = [[{k: r.get(k) for k in keys} for r in rows] for rows in both]
    assert told[0] == told[1]


def test_clips_to_show_are_chosen_by_error_and_by_pace(found):
    block = found["decoder"]
    error, clips = np.array(block["error"]), np.array(block["clip"])
    shown = {rule: int(part["clip"]) for rule, part in block["shown"].items()}
    assert shown["worst"] == clips[error.argmax()]
    assert shown["wildest"] == clips.max() and shown["calmest"] == clips.min()
    middle = error[clips.tolist().index(shown["median"])]
    assert (error <= middle).sum() >= len(error) / 2 and (error >= middle).sum() >= len(error) / 2
    worst = block["shown"]["worst"]
    truth = strips.unpacked(worst["truth"])
    np.testing.assert_array_equal(truth, _decoded.shrunk(FRAMES[int(worst["clip"])], SIZE))
    drawn = strips.unpacked(worst["reconstruction"])
    mse = (((drawn - truth.astype(float)) / 255) ** 2).mean()
    assert mse == pytest.approx(worst["error"], abs=2e-5)


def test_without_a_pace_clips_are_chosen_by_error_alone():
    _, blocks = decoder.fit(spec(steps=2), given(labels={}))
    assert set(blocks["decoder"]["shown"]) == {"worst", "median"}


def test_principal_components_take_the_place_of_features():
    more = np.random.default_rng(3).normal(size=(CLIPS, TIMES, 20)) * 0.01
    wide = np.concatenate([LATENTS, more], -1)
    rows, _ = decoder.fit(spec(), given(features=[wide], components=2, advance=turned))
    about = {"metric": "skill", "model": "reconstruction", "baseline": "mean_image"}
    assert row({"rows": rows}, **about)["value"] > 0.8
    assert {r["horizon"] for r in rows} == {None}, "no predictor of components"


@pytest.mark.parametrize(("height", "size"), [(12, 4), (10, 4), (6, 8)])
def test_frames_are_averaged_over_areas(height, size):
    rng = np.random.default_rng(0)
    clip = np.repeat(rng.integers(0, 255, (3, height, height, 1), np.uint8), 3, -1)
    small = _decoded.shrunk(clip, size)
    assert small.shape == (3, size, size)
    assert small.mean() == pytest.approx(clip.mean(), abs=0.5)
    if height % size == 0:
        block = height // size
        cells = clip[..., 0].reshape(3, size, block, size, block).mean((2, 4))
        assert np.abs(small - cells).max() <= 0.5001


def test_members_show_each_their_own():
    fits = {}
    for member in (1, 2):
        noise = np.random.default_rng(member).normal(size=(CLIPS, TIMES, 4))
        fits[member] = decoder.fit(spec(steps=5), given(features=[noise]))
    rows, blocks = _members.gathered(fits, "random")
    rows = [{"member": None, **told} for told in rows]
    whole = results.by_member({"rows": rows, **blocks})
    about = {"metric": "mse", "model": "reconstruction"}
    mean, *each = (row(whole, member=member, **about) for member in (None, 1, 2))
    assert mean["value"] == pytest.approx(np.mean([one["value"] for one in each]))
    shown = [part["decoder"]["shown"]["worst"] for part in blocks["members"]]
    assert all(strips.unpacked(part["truth"]).shape == (TIMES, SIZE, SIZE) for part in shown)


def test_sides_have_to_be_doubled_to():
    with pytest.raises(ValueError, match="multiples of 8, not 36"):
        decoder.Spec(size=36)


def test_without_frames_nothing_is_drawn():
    with pytest.raises(ValueError, match="Hint: give --clips"):
        decoder.fit(spec(), given(frames=None))


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A few clips of heat by the real stages, embedded in tokens of two frames."""
    folder = tmp_path_factory.mktemp("results") / "heat"
    paths = {
        "simulation": folder / "simulation.zarr" / "zarr.json",
        "clips": folder / "clips.zarr" / "zarr.json",
        "embeddings": folder / "embeddings" / "pixels.zarr" / "zarr.json",
    }
    spec = heat.Spec(clips=20, frames=8, size=32, sigma=(2.0, 3.0))
    simulate.run(out=paths["simulation"], spec=spec.canonical())
    films = fields.Spec().canonical()
    render.run(simulation=paths["simulation"], out=paths["clips"], spec=films)
    pixels = Pixels(size=4, tubelet=2).canonical()
    embed.run(
        clips=paths["clips"],
        out=paths["embeddings"],
        spec=pixels,
    )
    return paths


def test_a_result_shows_the_last_frame_of_every_token(stores):
    out = stores["clips"].parents[1] / "fits" / "pixels.decoder.json"
    stage.run(
        embeddings=[stores["embeddings"]],
        simulation=[stores["simulation"]],
        clips=[stores["clips"]],
        out=out,
        spec=spec(size=8, steps=20).canonical(),
    )
    found = results.read(out, "decoder")
    films = zarrs.read(stores["clips"])
    assert found["provenance"]["inputs"]["clips"] == films.attrs["digest"]
    part = found["decoder"]["shown"]["worst"]
    video = zarrs.values(films, "video")[int(part["clip"])]
    np.testing.assert_array_equal(strips.unpacked(part["truth"]), _decoded.shrunk(video[1::2], 8))
    assert found["decoder"]["seconds"] == pytest.approx(2 * np.diff(films.time.values)[0])


def test_a_decoder_without_its_clips_is_refused(stores, tmp_path):
    with pytest.raises(ValueError, match=r"0 stores of clips, .* Hint: give --clips"):
        stage.run(
            embeddings=[stores["embeddings"]],
            simulation=[stores["simulation"]],
            out=tmp_path / "pixels.decoder.json",
            spec=spec().canonical(),
        )


STUDY = """
systems:
  tips: &tips {simulate: {kind: double_pendulum}, render: {kind: RENDER}}
  others: *tips
encoders: {seen: {kind: ENCODER}}
methods: {decoder: {kind: decoder}}
studies: {one: {FILMS, encoders: [seen], methods: [decoder]}}
"""


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("pendulum", "pixels", "system: tips"), None),
        (
            ("signal", "signal", "system: tips"),
            "decoder draws frames, and tips is a signal. Hint: leave it",
        ),
        (
            ("pendulum", "pixels", "systems: [tips, others], design: {kind: together}"),
            "decoder draws the clips of one system, under the design plain. Hint",
        ),
    ],
)
def test_what_has_no_frames_is_refused_before_anything_is_run(tmp_path, words, message):
    text = STUDY
    for name, word in zip(("RENDER", "ENCODER", "FILMS"), words, strict=True):
        text = text.replace(name, word)
    (tmp_path / "study.yaml").write_text(text)
    if message is None:
        config.read(tmp_path / "study.yaml")
        return
    with pytest.raises(config_files.ConfigError, match=message.replace(".", r"\.")):
        config.read(tmp_path / "study.yaml")


def test_another_rendering_is_drawn_than_went_in():
    rng = np.random.default_rng(0)
    still = LATENTS[:, :1]
    clean, noisy = FRAMES[:, :1], rng.integers(0, 256, FRAMES[:, :1].shape).astype(np.uint8)
    asked = given(features=[still], frames=clean, embedded=noisy, times=[0.0])
    rows, blocks = decoder.fit(spec(steps=80, checks=1), asked)
    told = {"rows": rows}
    psnr, ssim = (
        {m: row(told, metric=metric, model=m)["value"] for m in ("embedded", "reconstruction")}
        for metric in ("psnr", "ssim")
    )
    test = asked.folds[0].test
    small, wanted = (
        np.stack([_decoded.shrunk(clip, SIZE)[0] for clip in some[test]]) / 255
        for some in (noisy, clean)
    )
    errors = ((small - wanted) ** 2).mean((1, 2))
    assert psnr["embedded"] == pytest.approx((-10 * np.log10(errors)).mean(), rel=1e-4)
    assert psnr["reconstruction"] > psnr["embedded"] + 3
    assert ssim["reconstruction"] > ssim["embedded"]
    shown = blocks["decoder"]["shown"]
    first = shown["first 1"]
    assert first["clip"] == str(test[0]) and len(shown) == 5 + _decoded.FIRSTS
    np.testing.assert_array_equal(
        strips.unpacked(first["embedded"])[0], _decoded.shrunk(noisy[test[0]], SIZE)[0]
    )
    np.testing.assert_array_equal(
        strips.unpacked(first["truth"])[0], _decoded.shrunk(clean[test[0]], SIZE)[0]
    )


def test_numbers_too_small_are_nothing_while_a_network_is_trained_and_no_longer():
    """Of dark images gradients get so small that a step takes several times as long."""
    import torch
    from torch import nn

    def smallest() -> float:
        return float(torch.tensor(1e-39) * 0.5)

    if not torch.set_flush_denormal(True):
        pytest.skip("this processor keeps them")
    torch.set_flush_denormal(False)
    seen: list[float] = []

    def taken(rows: torch.Tensor) -> torch.Tensor:
        seen.append(smallest())
        return rows

    rows = torch.zeros(2, 3, 4)
    spec = decoder.Spec(steps=3, batch=2, checks=1)
    draw, _ = _drawing._trained(
        spec, nn.Linear(4, 4), (rows, rows), (rows, rows), taken, lambda part: part, "network"
    )
    assert len(seen) >= 3 and not any(seen)
    draw(rows.flatten(0, 1))
    assert seen[-1] == smallest() > 0
