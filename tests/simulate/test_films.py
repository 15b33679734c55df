"""Films as a world: windows, twins, groups, times and labels, from the files to the clips."""

import csv
import json
import re
from pathlib import Path

import av
import filmed
import numpy as np
import pytest

from physprobe import __main__ as door
from physprobe.config import config_files, model
from physprobe.config.system import System
from physprobe.embed import stage as embed
from physprobe.embed import statistics
from physprobe.fit import stage as fit
from physprobe.render import balls as ball_renderer
from physprobe.render import films as renderer
from physprobe.render import stage as render
from physprobe.scenes.films import clips as clips_of
from physprobe.scenes.films import containers, rows
from physprobe.simulate import balls, films
from physprobe.simulate import stage as simulate
from physprobe.statistics import blocks, splits
from physprobe.store import job, zarrs

REAL = Path(__file__).parents[3] / "shared/data/films"
SIDE = (12, 16)


def numbered(count: int, offset: int = 0) -> np.ndarray:
    """Frames that tell their number by their red, whose upper half is blue."""
    frames = np.zeros((count, *SIDE, 3), np.uint8)
    frames[..., 0] = (np.arange(count) + offset)[:, None, None]
    frames[:, : SIDE[0] // 2, :, 2] = 250
    return frames


def film(place: Path, name: str, count: int, offset: int = 0, **how) -> Path:
    return filmed.write(place / name, numbered(count, offset), **how)


def world(place: Path, out: Path, size=None, **asked):
    """Simulation and clips of a folder, made by the real stages."""
    paths = [out / name / "zarr.json" for name in ("simulation.zarr", "clips.zarr")]
    simulate.run(out=paths[0], spec=films.Spec(folder=str(place), **asked).canonical(), force=True)
    shown = {key: asked[key] for key in ("leave_out", "array") if key in asked}
    about = renderer.Spec(folder=str(place), size=size, **shown)
    render.run(simulation=paths[0], out=paths[1], spec=about.canonical(), force=True)
    return zarrs.read(paths[0]), zarrs.read(paths[1])


def shown(clips) -> np.ndarray:
    """Number (clip, time) of every frame, as its lower right corner tells."""
    return clips.video.values[:, :, -1, -1, 0].astype(int)


def told(spec: films.Spec) -> str:
    return " | ".join(f"{fault.file}: {fault.what}" for fault in films.faults(spec)[1])


def test_windows_are_clips_and_a_film_is_a_group(tmp_path):
    film(tmp_path / "films", "b.mkv", 13, 100, rate=8)
    film(tmp_path / "films", "a.mkv", 10, rate=8)
    labels, clips = world(tmp_path / "films", tmp_path, frames=4, stride=2, step=3)
    # a window reaches over seven frames
    expected = [[s + 2 * n for n in range(4)] for s in (0, 3, 100, 103, 106)]
    np.testing.assert_array_equal(shown(clips), expected)
    assert labels.film.values.tolist() == ["a.mkv"] * 2 + ["b.mkv"] * 3
    assert labels.window.values.tolist() == [0, 1, 0, 1, 2]
    assert labels.group.values.tolist() == [0, 0, 1, 1, 1]
    np.testing.assert_allclose(labels.time.values, np.arange(4) / 4)
    np.testing.assert_array_equal(clips.time.values, labels.time.values)
    assert labels.attrs["films"]["b.mkv"]["frames"] == 13
    assert labels.attrs["largest_shift"] < 1e-9


def test_windows_may_be_told_in_seconds(tmp_path):
    film(tmp_path / "films", "a.mkv", 20, rate=8)
    film(tmp_path / "films", "b.mkv", 20, 30, rate=8)
    _, clips = world(tmp_path / "films", tmp_path, frames=4, stride="0.25 s", step="1 s")
    assert shown(clips)[1].tolist() == [8, 10, 12, 14]
    spec = films.Spec(folder=str(tmp_path / "films"), frames=4, stride="0.3 s")
    assert "stride of 0.3 s is 2.4 frames at 8 a second; a whole number is 0.25 s" in told(spec)


def test_one_long_film_is_cut_into_contiguous_groups(tmp_path):
    film(tmp_path / "films", "a.mkv", 95)
    labels, clips = world(tmp_path / "films", tmp_path, frames=4, step=2)
    groups, folds = splits.declared_by(labels, outer=5, inner=4, seed=0)
    assert len(np.unique(groups)) == clips_of.PIECES and (np.diff(groups) >= 0).all()
    # what scores are drawn in: blocks of windows in their order
    np.testing.assert_array_equal(blocks.ordered(groups), np.arange(len(groups)))
    frames = {g: set(shown(clips)[groups == g].ravel().tolist()) for g in np.unique(groups)}
    for one in frames:
        for other in frames:
            assert one == other or not frames[one] & frames[other]
    gaps = [min(frames[g + 1]) - max(frames[g]) - 1 for g in sorted(frames)[:-1]]
    assert min(gaps) >= 4  # as much as a clip reaches over
    near = films.Spec(folder=str(tmp_path / "films"), frames=4, gap=0, step=1)
    chosen = films.draw(near)
    starts = films.solved(near, chosen)[0]
    ends = [rows.read(one)[1] for one in starts]
    joined = np.flatnonzero(np.diff(chosen["group"]))
    assert {int(ends[n + 1][0] - ends[n][-1]) for n in joined} == {1}
    for fold in folds:
        assert not set(groups[fold.train]) & set(groups[fold.test])
    spec = films.Spec(folder=str(tmp_path / "films"), frames=4, pieces=40)
    assert re.search("a.mkv: has 95 frames .* each of its 40 pieces, 4 apart, needs 4", told(spec))


def test_twins_are_played_faster_backwards_and_upside_down(tmp_path):
    film(tmp_path / "films", "a.mkv", 22)
    film(tmp_path / "films", "b.mkv", 22, 50)
    labels, clips = world(
        tmp_path / "films", tmp_path, frames=3, labels=("rate", "reversed", "flipped")
    )
    # three frames at three times the rate reach over seven; the next window follows on nine
    assert labels.sizes["clip"] == 2 * 2 * 12
    columns = [
        labels[name].values.tolist()
        for name in (
            "film",
            "window",
            *films.Spec(folder="x", labels=("rate", "reversed", "flipped")).labels,
        )
    ]
    for clip, (name, window, rate, backwards, flipped) in enumerate(zip(*columns, strict=True)):
        frames = np.arange(3) * rate + 9 * window + 50 * (name == "b.mkv")
        video = clips.video.values[clip]
        np.testing.assert_array_equal(video[:, 0, 0, 0], frames[::-1] if backwards else frames)
        assert (video[:, -1 if flipped else 0, :, 2] == 250).all()
        assert (video[:, 0 if flipped else -1, :, 2] == 0).all()
    assert labels.group.values.tolist() == [0] * 24 + [1] * 24
    assert labels.rate.attrs["units"] == "1"


def test_a_variable_rate_is_refused_or_resampled_and_the_shift_told(tmp_path):
    stamps = [0, 10, 20, 30, 44, 50, 60, 70, 83, 90, 100, 110]
    film(tmp_path / "films", "a.mp4", 12, stamps=stamps)
    film(tmp_path / "films", "b.mkv", 12, 100)
    spec = films.Spec(folder=str(tmp_path / "films"), frames=4)
    assert "a.mp4: has a variable rate: 0.0600 to 0.1400 s between frames; `frame_rate`" in told(
        spec
    )
    labels, _ = world(tmp_path / "films", tmp_path, frames=4, frame_rate=10)
    assert labels.attrs["largest_shift"] == pytest.approx(0.04, abs=1e-6)
    assert "fewer than the frame_rate of 20" in told(spec.model_copy(update={"frame_rate": 20.0}))


def test_the_frame_nearest_in_time_is_shown(tmp_path):
    film(tmp_path / "films", "a.mkv", 30, rate=10)
    film(tmp_path / "films", "b.mkv", 30, 100, rate=10)
    labels, clips = world(tmp_path / "films", tmp_path, frames=4, frame_rate=4)
    # at 0, .25, .5, .75 s; of two frames as near the earlier one
    assert shown(clips)[0].tolist() == [0, 2, 5, 7]
    assert labels.attrs["largest_shift"] == pytest.approx(0.05, abs=1e-6)


def test_films_of_other_rates_are_refused(tmp_path):
    for name, rate in (("a.mkv", 10), ("b.mkv", 10), ("c.mkv", 12)):
        film(tmp_path, name, 20, ord(name[0]) - 97, rate=rate)
    found = told(films.Spec(folder=str(tmp_path), frames=8))
    assert found == "c.mkv: has 12 frames a second, most have 10; `frame_rate` states one"


def test_a_film_that_is_too_short_is_named(tmp_path):
    film(tmp_path, "a.mkv", 20)
    film(tmp_path, "b.mkv", 9, 30)
    found = told(films.Spec(folder=str(tmp_path), frames=4, stride=3))
    assert found == (
        "b.mkv: has 9 frames at 10 a second, and it needs 10 for a clip of 4 frames, 3 apart"
    )


def test_a_table_gives_labels_groups_splits_and_parts(tmp_path):
    place = tmp_path / "films"
    for number, name in enumerate("abc"):
        film(place, f"{name}.mkv", 20, 30 * number)
    (place / "metadata.csv").write_text(
        "file_name,alpha [px^2/s],colour,group,split,start,end\n"
        "a.mkv,0.5,red,x,train,0,0.8\na.mkv,0.7,red,x,train,1.2,2\n"
        "b.mkv,1.5,blue,x,train,,\nc.mkv,2.5,blue,y,test,.4,\n"
    )
    spec = films.Spec(folder=str(place), frames=4, step=4)
    assert films.label_units(spec) == {"alpha": "px^2/s"}
    assert films.label_classes(spec) == ("colour",)
    labels, clips = world(place, tmp_path, frames=4, step=4)
    starts = [0, 4, 12, 16, *range(30, 50, 4), *range(64, 80, 4)]
    assert shown(clips)[:, 0].tolist() == starts
    assert labels.alpha.values.tolist() == [0.5] * 2 + [0.7] * 2 + [1.5] * 5 + [2.5] * 4
    assert labels.alpha.attrs["units"] == "px^2/s"
    assert labels.colour.values.tolist() == ["red"] * 4 + ["blue"] * 9
    assert labels.group.values.tolist() == [0] * 9 + [1] * 4
    assert labels.split.values.tolist() == ["train"] * 9 + ["test"] * 4
    # text stands for what is not a file
    (place / "metadata.csv").write_text("file_name,start\na.mkv,3\nb.mkv,\nc.mkv,\n")
    assert "a.mkv: lasts 2.000 s, and is used from 3 s on" in told(spec)


@pytest.mark.parametrize("axis", ["frame", "time"])
def test_tracks_are_states_in_time(tmp_path, axis):
    place = tmp_path / "films"
    rows = [f"file_name,{axis},x [px],theta [rad]"]
    for number, name in enumerate(("a.mkv", "b.mkv")):
        film(place, name, 12, 20 * number)
        at = [n if axis == "frame" else n / 10 for n in range(12)]
        rows += [f"{name},{t},{100 * number + n},{n / 10}" for n, t in enumerate(at)]
    (place / "tracks.csv").write_text("\n".join(rows[:1] + rows[:0:-1]) + "\n")
    labels, clips = world(place, tmp_path, frames=4, stride=2)
    frames = shown(clips)
    np.testing.assert_array_equal(labels.x.values, frames + 80 * (frames >= 20))
    np.testing.assert_allclose(labels.theta.values, frames % 20 / 10)
    assert labels.x.attrs["units"] == "px" and labels.x.dims == ("clip", "time")
    assert films.state_units(films.Spec(folder=str(place))) == {"x": "px", "theta": "rad"}
    (place / "tracks.csv").write_text("\n".join(row for row in rows if ",101," not in row) + "\n")
    with pytest.raises(ValueError, match=r"b.mkv: tracks.csv has no row for 1 of 4 .* frame 1"):
        world(place, tmp_path, frames=4)


@pytest.mark.parametrize(
    "text, expected",
    [
        ("file_name,frame,x\na.mkv,0,1\na.mkv,0,2\n", "has frame 0 of a.mkv twice"),
        ("file_name,frame,x\nz.mkv,0,1\na.mkv,0,2\n", "tracks.csv: z.mkv isn't there"),
        ("file_name,frame,x\n", "a.mkv: has no rows in tracks.csv"),
        ("file_name,frame,x\na.mkv,0,nan\n", "x is 'nan' in line 2"),
        ("file_name,frame,x\na.mkv,0.5,1\n", "frame is '0.5' in line 2"),
        ("file_name,x\na.mkv,1\n", "needs the columns file_name, and frame or time"),
        ("file_name,frame\na.mkv,1\n", "has no state beside"),
    ],
)
def test_what_is_wrong_with_tracks_is_told(tmp_path, text, expected):
    film(tmp_path, "a.mkv", 60)
    (tmp_path / "tracks.csv").write_text(text)
    assert expected in told(films.Spec(folder=str(tmp_path), frames=4))


def test_twins_have_no_labels_of_the_film_as_it_is(tmp_path):
    film(tmp_path, "a.mkv", 60)
    (tmp_path / "metadata.csv").write_text("file_name,speed\na.mkv,3\n")
    found = told(films.Spec(folder=str(tmp_path), frames=2, labels=("rate",)))
    assert "has speed, which twins of `labels: [rate]` don't share" in found


def test_images_and_arrays_need_a_rate(tmp_path):
    clips = np.stack([numbered(12), numbered(12, 40)])
    (tmp_path / "films").mkdir()
    np.savez(tmp_path / "films" / "clips.npz", film=clips, speed=[2.0, 4.0], kind=["x", "y"])
    spec = films.Spec(folder=str(tmp_path / "films"), frames=4)
    assert "clips.npz#0: doesn't say when its frames are; `fps`" in told(spec)
    labels, found = world(tmp_path / "films", tmp_path, frames=4, fps=5)
    assert shown(found)[:, 0].tolist() == [0, 4, 8, 40, 44, 48]
    assert labels.speed.values.tolist() == [2.0] * 3 + [4.0] * 3
    assert labels.kind.values.tolist() == ["x"] * 3 + ["y"] * 3
    assert films.label_classes(spec) == ("kind",) and films.label_units(spec) == {"speed": "1"}
    np.testing.assert_allclose(labels.time.values, np.arange(4) / 5)


def test_frames_are_decoded_once_and_in_order(tmp_path, monkeypatch):
    """Windows that overlap and twins share what was decoded, and a film is opened once."""
    opened = []
    real = containers.frames
    monkeypatch.setattr(containers, "frames", lambda path, *a: opened.append(path) or real(path))
    film(tmp_path / "films", "a.mkv", 40)
    film(tmp_path / "films", "b.mkv", 40, 60)
    world(tmp_path / "films", tmp_path, frames=4, step=2, labels=("rate", "reversed"))
    assert sorted(path.name for path in opened) == ["a.mkv", "b.mkv"]


def test_a_film_is_decoded_once_if_its_packets_tell_what_it_is(tmp_path, monkeypatch):
    """By simulation and renderer together, and to its end: windows leave two frames over."""
    counts = {"a.mkv": 0, "b.webm": 0, "c.gif": 0}
    real = containers._Seen.frame

    def counted(self, frame, packet):
        counts[self.name] += 1
        real(self, frame, packet)

    class Named(containers._Seen):
        def __init__(self, container, stream):
            super().__init__(container, stream)
            self.name = Path(container.name).name

        frame = counted

    monkeypatch.setattr(containers, "_Seen", Named)
    for number, name in enumerate(counts):
        film(tmp_path / "films", name, 18, 20 * number)
    source = tmp_path / "simulation.zarr" / "zarr.json"
    simulate.run(out=source, spec=films.Spec(folder=str(tmp_path / "films"), frames=4).canonical())
    looked = dict(counts)
    assert looked == {"a.mkv": 1, "b.webm": 1, "c.gif": 1 + 18}  # of a GIF's, a pixel may be clear
    about = renderer.Spec(folder=str(tmp_path / "films")).canonical()
    with job.running(threads=2):
        render.run(simulation=source, out=tmp_path / "clips.zarr" / "zarr.json", spec=about)
    assert [counts[name] - looked[name] for name in counts] == [18, 18, 16]


@pytest.mark.parametrize("at", [9, 18])
def test_a_film_that_is_damaged_is_refused_as_it_is_rendered(tmp_path, capsys, at):
    """Be it in a clip, or behind the last one; by name, and the check tells the same."""
    place = tmp_path / "films"
    film(place, "a.mkv", 20)
    path = film(place, "b.mp4", 20, 30, bf="0")
    with av.open(str(path)) as opened:
        packet = [bytes(packet) for packet in opened.demux(video=0)][at]
    filmed.patched(path, packet, -len(packet), bytes(len(packet)))
    source, out = (tmp_path / name / "zarr.json" for name in ("simulation.zarr", "clips.zarr"))
    simulate.run(out=source, spec=films.Spec(folder=str(place), frames=6, step=6).canonical())
    about = renderer.Spec(folder=str(place), size=None).canonical()
    told = r"frame [0-9]+ can't be decoded: Invalid data found when processing input"
    for _ in range(2):
        with pytest.raises(
            ValueError, match=rf"clip [345] of .*b.mp4: {told}. Hint: .*films check"
        ):
            render.run(simulation=source, out=out, spec=about)
        assert not out.exists()
    assert door.main(["films", "check", str(place)]) == 1
    assert re.search(rf"b.mp4 +{told}", capsys.readouterr().out)


def test_a_run_goes_on_at_the_film_where_it_stopped(tmp_path, monkeypatch):
    place = tmp_path / "films"
    for number, name in enumerate("abc"):
        film(place, f"{name}.mkv", 8, 20 * number)
    real = containers.frames
    opened = []

    def broken(path, *more):
        opened.append(path.name)
        if path.name == "c.mkv":
            raise KeyboardInterrupt
        return real(path)

    monkeypatch.setattr(containers, "frames", broken)
    out = tmp_path / "clips.zarr" / "zarr.json"
    source = tmp_path / "simulation.zarr" / "zarr.json"
    simulate.run(out=source, spec=films.Spec(folder=str(place), frames=4).canonical())
    about = renderer.Spec(folder=str(place), size=None).canonical()
    with pytest.raises(KeyboardInterrupt):
        render.run(simulation=source, out=out, spec=about)
    monkeypatch.setattr(containers, "frames", lambda p, *a: opened.append(p.name) or real(p))
    renderer._reader.cache_clear()
    opened.clear()
    render.run(simulation=source, out=out, spec=about)
    assert opened == ["a.mkv", "c.mkv"]  # of the first only the clip that tells the size
    np.testing.assert_array_equal(shown(zarrs.read(out))[:, 0], [0, 4, 20, 24, 40, 44])


def test_a_film_that_changes_after_it_was_described_is_refused(tmp_path):
    place = tmp_path / "films"
    film(place, "a.mkv", 40)
    source = tmp_path / "simulation.zarr" / "zarr.json"
    spec = films.Spec(folder=str(place), frames=4)
    before = spec.listing()
    simulate.run(out=source, spec=spec.canonical())
    film(place, "a.mkv", 40, 7)
    assert spec.listing() != before
    about = renderer.Spec(folder=str(place), size=None).canonical()
    with pytest.raises(ValueError, match=r"a.mkv: has changed since it was described"):
        render.run(simulation=source, out=tmp_path / "clips.zarr" / "zarr.json", spec=about)
    (place / "a.mkv").unlink()
    with pytest.raises(ValueError, match="film 1: is no film any more"):
        render.run(simulation=source, out=tmp_path / "clips.zarr" / "zarr.json", spec=about)
    with pytest.raises(ValueError, match="holds no film"):
        films.draw(spec)


def test_pixels_that_are_not_square_need_a_size(tmp_path):
    place = tmp_path / "films"
    film(place, "a.mkv", 40)
    film(place, "b.mkv", 40, 50)
    _, clips = world(place, tmp_path, size=(6, 8), frames=4)
    assert clips.video.shape[1:] == (4, 6, 8, 3)
    _, clips = world(place, tmp_path, size=None, frames=4)
    assert clips.video.shape[1:] == (4, *SIDE, 3)


def config(place: Path, **render_) -> dict:
    return {
        "systems": {"own": {"simulate": {"kind": "films", "folder": str(place)}, **render_}},
        "encoders": {"pixels": {"kind": "pixels", "size": 8, "color": "gray"}},
        "controls": {"statistics": {"kind": "statistics", "features": ["brightness"]}},
        "methods": {"ridge": {"kind": "ridge", "targets": ["speed"]}},
        "studies": {"own_films": {"system": "own", "encoders": ["pixels"], "methods": ["ridge"]}},
    }


def test_one_entry_names_the_folder_once(tmp_path):
    film(tmp_path, "a.mkv", 40)
    (tmp_path / "metadata.csv").write_text("file_name,speed [px/s]\na.mkv,3\n")
    own = model.load(config(tmp_path)).systems["own"]
    assert own.render == renderer.Spec(folder=str(tmp_path))
    own = model.load(config(tmp_path, render={"size": 32})).systems["own"]
    assert own.render == renderer.Spec(folder=str(tmp_path), size=32)


def test_the_example_is_a_study_of_films_without_labels(tmp_path):
    root = Path(__file__).parents[2]
    film(tmp_path, "a.mkv", 400)
    text = (root / "examples/own_films.yaml").read_text()
    (tmp_path / "mine.yaml").write_text(text.replace("folder: films", f"folder: {tmp_path}"))
    found = config_files.gather([root / "tests/configs/wide.yaml", tmp_path / "mine.yaml"])
    own = model.load(found).systems["own"]
    assert own.render.folder == str(tmp_path) and own.render.size == 96


def test_what_a_config_asks_of_films_is_checked_before_anything_runs(tmp_path):
    film(tmp_path, "a.mkv", 40)
    with pytest.raises(ValueError, match="asks for target 'speed', but films has the labels"):
        model.load(config(tmp_path))
    (tmp_path / "metadata.csv").write_text("file_name,speed [px/s]\nb.mkv,3\n")
    with pytest.raises(ValueError, match=r"systems.own.simulate: .*b.mkv isn't there.*no row in"):
        model.load(config(tmp_path))
    with pytest.raises(ValueError, match="there is no such folder"):
        model.load(config(tmp_path / "none"))
    with pytest.raises(ValueError, match="two folders"):
        System(
            simulate={"kind": "films", "folder": "one"}, render={"kind": "films", "folder": "two"}
        )


def test_the_check_tells_all_faults_in_a_table(tmp_path, capsys):
    film(tmp_path, "good.mkv", 40)
    (tmp_path / "empty.mp4").write_bytes(b"")
    filmed.cut(film(tmp_path, "cut.mkv", 40), 0.5)
    (tmp_path / "metadata.csv").write_text("file_name,speed\ngood.mkv,nan\ncut.mkv,1\nno.mkv,2\n")
    (tmp_path / "readme.md").write_text("mine")
    assert door.main(["films", "check", str(tmp_path)]) == 1
    out = capsys.readouterr().out
    assert re.search(r"good.mkv +40 +10 +12 x 16 ", out) and "not read: readme.md" in out
    for line in (
        r"empty.mp4 +is empty \(0 bytes\)",
        r"empty.mp4 +has no row in metadata.csv",
        r"cut.mkv +declares 4.000 s, decodes",
        r"metadata.csv, line 4 +no.mkv isn't there",
        r"metadata.csv +label speed is 'nan' in line 2",
    ):
        assert re.search(line, out), line
    for name in ("empty.mp4", "cut.mkv", "metadata.csv"):
        (tmp_path / name).unlink()
    assert door.main(["films", "check", str(tmp_path)]) == 0
    long = json.dumps({"frames": 100})
    assert door.main(["films", "check", str(tmp_path), "--spec", long]) == 1
    assert "needs 100 for a clip of 100 frames" in capsys.readouterr().out
    assert door.main(["films", "look", str(tmp_path)]) == 1


def probed(simulation: Path, clips: Path, out: Path, target: str) -> dict:
    """Score of a ridge probe of trivial statistics."""
    about = statistics.Spec(features=["brightness", "total_variation", "motion_energy"])
    embed.run(clips=clips, out=out / "embedding.zarr" / "zarr.json", spec=about.canonical())
    spec = {"kind": "ridge", "targets": [target], "samples": ["clip"], "permutations": 20}
    fit.run(
        embeddings=[out / "embedding.zarr" / "zarr.json"],
        simulation=[simulation],
        out=out / "fit.json",
        spec=json.dumps(spec),
    )
    rows = json.loads((out / "fit.json").read_text())["rows"]
    return next(r for r in rows if r["metric"] == "r2" and r["layer"] == "selected")


def test_films_of_moving_balls_give_their_speed_back(tmp_path):
    """As the same clips do that are simulated directly."""
    source, drawn = (tmp_path / name / "zarr.json" for name in ("direct.zarr", "drawn.zarr"))
    spec = balls.Spec(
        clips=60, size=32, frames=8, acceleration=None, distractor=0, texture=0, tilt=0
    )
    simulate.run(out=source, spec=spec.canonical())
    render.run(simulation=source, out=drawn, spec=ball_renderer.Spec().canonical())
    direct = probed(source, drawn, tmp_path / "direct", "speed")

    place = tmp_path / "films"
    videos, speed = zarrs.read(drawn).video.values, zarrs.read(source).speed.values
    for number, video in enumerate(videos):
        filmed.write(place / f"ball_{number:02d}.mp4", video, rate=24)
    with (place / "metadata.csv").open("w", newline="") as file:
        rows = [(f"ball_{number:02d}.mp4", repr(v)) for number, v in enumerate(speed.tolist())]
        csv.writer(file).writerows([("file_name", "speed [m/s]"), *rows])
    labels, clips = world(place, tmp_path, size=32, frames=8)
    np.testing.assert_array_equal(labels.speed.values, speed)
    difference = np.abs(clips.video.values.astype(int) - videos)
    assert difference.mean() < 3  # what H.264 loses
    found = probed(
        tmp_path / "simulation.zarr" / "zarr.json",
        tmp_path / "clips.zarr" / "zarr.json",
        tmp_path / "filmed",
        "speed",
    )
    assert direct["value"] > 0.5 and direct["ci_low"] <= found["value"] <= direct["ci_high"]
    assert found["n_clips"] == 60


@pytest.mark.skipif(not REAL.is_dir(), reason="no real films beside the project")
def test_real_films_are_read_and_the_faulty_one_is_refused():
    spec = films.Spec(folder=str(REAL), frames=8, frame_rate=29.97)
    found, faults = films.faults(spec)
    assert {fault.file for fault in faults} == {"box.mp4"}
    assert "declares 456 frames, decodes 455" in faults[0].what
    counts = {name: film.count for name, film in found.films.items()}
    assert counts == {
        "bouncing_ball.webm": 79,
        "carphone_pristine.mp4": 120,
        "double_pendulum.webm": 531,
        "falling_ball.webm": 44,
        "holonomic_pendulum.webm": 439,
    }
    assert found.listed.unread == ("README.md",)
    labels = films.draw(spec.model_copy(update={"leave_out": ("box.mp4",)}))
    assert len(np.unique(labels["group"])) == 5
