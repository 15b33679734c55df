"""Signal: the channels of a token's frames, and nothing that sees images sees them."""

from pathlib import Path

import numpy as np
import pytest

from physprobe.config import config_files, kinds, model
from physprobe.embed import pixels, signal, stage
from physprobe.render import signal as tips
from physprobe.render import stage as render
from physprobe.simulate import double_pendulum
from physprobe.simulate import stage as simulate
from physprobe.store import zarrs


@pytest.fixture(scope="module")
def clips(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("tips")
    simulation, out = (folder / name / "zarr.json" for name in ("simulation.zarr", "clips.zarr"))
    simulate.run(out=simulation, spec=double_pendulum.Spec(clips=20, frames=8).canonical())
    render.run(simulation=simulation, out=out, spec=tips.Spec().canonical())
    return out


def embedded(clips: Path, **fields) -> np.ndarray:
    name = "_".join(map(str, fields.values())) or "plain"
    out = clips.parents[1] / f"{name}.zarr" / "zarr.json"
    stage.run(clips=clips, out=out, spec=signal.Spec(**fields).canonical())
    return zarrs.read(out)


def test_tokens_are_channels_of_their_frames(clips: Path):
    shown = zarrs.read(clips).signal.values
    stacked = embedded(clips, tubelet=4)
    assert stacked.pooled.dims == ("clip", "layer", "time", "feature")
    assert stacked.layer.values.tolist() == ["signal"]
    np.testing.assert_array_equal(stacked.pooled.values[:, 0], shown.reshape(20, 2, 16))
    mean = embedded(clips, tubelet=2, tubelet_frames="mean").pooled.values[:, 0]
    np.testing.assert_allclose(mean, shown.reshape(20, 4, 2, 4).mean(2), rtol=1e-6)


def test_twins_permute_and_repeat_frames(clips: Path):
    shown = zarrs.read(clips).signal.values
    shuffled = embedded(clips, tubelet=1, frames="shuffled").pooled.values[:, 0]
    assert not np.array_equal(shuffled, shown)
    np.testing.assert_array_equal(np.sort(shuffled, axis=1), np.sort(shown, axis=1))
    repeated = embedded(clips, tubelet=1, frames="repeated").pooled.values[:, 0]
    np.testing.assert_array_equal(repeated, np.repeat(shown[:, 4:5], 8, axis=1))


def test_what_sees_videos_refuses_a_signal_by_hand_too(clips: Path):
    out = clips.parents[1] / "pixels.zarr" / "zarr.json"
    with pytest.raises(ValueError, match=r"pixels sees a video, and .* is a signal"):
        stage.run(clips=clips, out=out, spec=pixels.Spec().canonical())


@pytest.mark.parametrize("kind", kinds.names("embed"))
def test_only_families_of_signals_see_them(kind):
    known = {
        "signal",
        "latent",
        "kalman",
        "linear_models",
        "projection",
        "precomputed",
        "recording",
    }
    known |= {"density", "equation", "points"}
    assert ("signal" in kinds.load("embed", kind).SEES) == (kind in known)


SYSTEMS = """
systems:
  tips:
    simulate: {kind: double_pendulum}
    render: {kind: RENDER}
encoders: {channels: {kind: signal}}
controls: {pixels: {kind: pixels}}
methods: {ridge: {kind: ridge, targets: [gravity]}}
studies: {tips: {system: tips, encoders: [channels], controls: CONTROLS, methods: [ridge]}}
"""


@pytest.mark.parametrize(
    ("render_", "controls", "message"),
    [
        ("signal", "[pixels]", "pixels sees a video, and tips is a signal"),
        ("pendulum", "[]", "channels sees a signal, and tips is a video"),
        ("fields", "[]", "fields draws fields on a grid, and double_pendulum has rods"),
        ("signal", "[]", None),
    ],
)
def test_what_does_not_go_together_is_refused_before_anything_is_run(
    tmp_path: Path, render_, controls, message
):
    file = tmp_path / "config.yaml"
    file.write_text(SYSTEMS.replace("RENDER", render_).replace("CONTROLS", controls))
    content = config_files.gather([file])
    if message is None:
        assert model.load(content).systems
        return
    with pytest.raises(config_files.ConfigError, match=message):
        model.load(content)
