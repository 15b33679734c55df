"""The contract of renderers, and systems that are seen as a signal instead of a video."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from physprobe.config import kinds, seen
from physprobe.drawing import pictures
from physprobe.render import _video, section, signal, stage
from physprobe.simulate import double_pendulum, entries
from physprobe.simulate import stage as simulate
from physprobe.store import zarrs


@pytest.mark.parametrize("kind", kinds.names("render"))
def test_every_renderer_keeps_the_contract(kind):
    renderer = kinds.load("render", kind)
    assert renderer.Spec.model_fields["kind"].default == kind
    assert renderer.SEEN in seen.FORMS
    assert isinstance(renderer.DRAWS, tuple)
    assert isinstance(renderer.CHANNELS, tuple) or (renderer.CHANNELS is None and renderer.DRAWS)
    assert (renderer.UNIT is None) == (renderer.SEEN == "video")


def test_every_form_can_be_pictured():
    assert pictures.PICTURED.keys() == seen.FORMS.keys()


@pytest.mark.parametrize("kind", kinds.names("simulate"))
def test_every_system_has_a_renderer(kind):
    system = kinds.load("simulate", kind)
    able = [entries.draws(kinds.load("render", name), system) for name in kinds.names("render")]
    assert any(able)


def test_a_renderer_that_lacks_frames_is_refused(monkeypatch):
    monkeypatch.delattr(signal, "frames")
    with pytest.raises(ValueError, match=r"signal.py can.t be loaded: TypeError: .* frames"):
        kinds.load("render", "signal")
    assert section.Kind.SEEN == "video"


@pytest.fixture(scope="module")
def clips(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("tips")
    simulation, out = (folder / name / "zarr.json" for name in ("simulation.zarr", "clips.zarr"))
    simulate.run(out=simulation, spec=double_pendulum.Spec(clips=70, frames=8).canonical())
    stage.run(simulation=simulation, out=out, spec=signal.Spec().canonical())
    return out


def test_a_store_of_signals_has_channels_by_name(clips: Path):
    found = xr.open_zarr(clips.parent)
    rods = xr.open_zarr(clips.parents[1] / "simulation.zarr").rods
    assert found.signal.dims == ("clip", "time", "channel") and found.signal.dtype == "float32"
    assert found.channel.values.tolist() == ["x1", "y1", "x2", "y2"]
    assert found.signal.attrs["units"] == "m" and found.time.attrs["units"] == "s"
    np.testing.assert_array_equal(found.signal.values, rods.values[..., :4])
    assert seen.of(found.data_vars) == "signal"


def test_a_signal_is_filmed_as_traces(clips: Path, tmp_path: Path):
    values = zarrs.values(zarrs.read(clips), "signal", clip=slice(0, 2))
    films = pictures.films("signal", values)
    assert films.shape[:2] == (2, 8) and films.dtype == np.uint8
    grey = (films == pictures.AHEAD).all(-1).sum((2, 3))
    assert (np.diff(grey, axis=1) < 0).all() and (grey[:, -1] == 0).all()
    inked = (films != pictures.PAPER).any(-1)
    np.testing.assert_array_equal(inked, np.broadcast_to(inked[:, :1], inked.shape))
    _video.run(clips=clips, out=tmp_path / "preview.mp4")
    assert (tmp_path / "preview.mp4").stat().st_size > 1000


def test_a_trace_is_at_the_top_where_the_channel_is_highest():
    values = np.zeros((1, 50, 1), np.float32)
    values[0, 20:25] = 1
    last = pictures.films("signal", values)[0, -1]
    inked = (last != pictures.PAPER).any(-1)
    assert inked[:5].any(0).nonzero()[0].mean() == pytest.approx(95 * 22 / 49, abs=2)
    assert inked[-5:, [2, 90]].any(0).all()


def test_what_is_neither_is_refused():
    with pytest.raises(
        ValueError, match="clips are video or channels or signal, but here is temperature"
    ):
        seen.of(["temperature"])


def test_fields_by_name_are_pictured_one_below_the_other(rng):
    clips = rng.normal(size=(2, 3, 4, 6, 2)).astype(np.float32)
    films = pictures.films("channels", clips)
    assert films.shape == (2, 3, 2 * (4 + pictures.GAP), 6, 3)
    highest = np.unravel_index(clips[..., 1].argmax(), clips.shape[:4])
    row = 4 + pictures.GAP + 3 - highest[2]  # y goes upwards
    assert tuple(films[highest[0], highest[1], row, highest[3]]) == (253, 231, 36)  # viridis' end
    across, down = pictures.axes("channels", 16, 6, ["tracer", "pressure"])
    assert list(down.ticks.values()) == ["tracer", "pressure"] and across.label == "x [cells]"
