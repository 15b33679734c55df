"""The Well as a world: windows of its trajectories, by names, and back to its files by export."""

import json
import os
import subprocess
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
import wells
import yaml

from physprobe import __main__ as door
from physprobe.config import config_files, kinds, model
from physprobe.render import channels
from physprobe.render import stage as render
from physprobe.scenes.well import file as files
from physprobe.scenes.well import form
from physprobe.simulate import stage as simulate
from physprobe.simulate import the_well
from physprobe.store import _well, export, zarrs

OFFICIAL = os.environ.get("PHYSPROBE_THE_WELL")
"""A Python that has the_well, in an environment of its own."""


def spec(place: Path, **asked) -> the_well.Spec:
    return the_well.Spec(folder=str(place), **{"frames": 4, **asked})


def world(place: Path, out: Path, **asked):
    """Simulation of a folder, made by the real stage."""
    path = out / "simulation.zarr" / zarrs.ROOT
    simulate.run(out=path, spec=spec(place, **asked).canonical(), force=True)
    return zarrs.read(path)


def told(place: Path, **asked) -> str:
    return " | ".join(the_well.problems(spec(place, **asked)))


@pytest.fixture(scope="module")
def well(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two parameter sets, split as The Well is; another Reynolds number each."""
    place = tmp_path_factory.mktemp("well")
    for split, trajectories in (("train", 3), ("valid", 1), ("test", 2)):
        for name, reynolds in (("a", 1e4), ("b", 5e4)):
            scalars = {"Reynolds": reynolds, "Schmidt": 0.5}
            path = place / "data" / split / f"{name}.hdf5"
            wells.write(path, scalars=scalars, trajectories=trajectories)
    return place


@pytest.fixture(scope="module")
def simulation(well: Path, tmp_path_factory: pytest.TempPathFactory):
    return world(well, tmp_path_factory.mktemp("results") / "flow", stride=2, windows=2)


def test_clips_are_windows_of_trajectories_with_scalars_as_labels(well, simulation):
    assert simulation.fluid.dims == ("clip", "time", "y", "x", "channel")
    assert simulation.sizes["clip"] == 2 * (3 + 2) * 2
    assert simulation.channel.values.tolist() == [
        "tracer", "pressure", "velocity_x", "velocity_y",
    ]  # fmt: skip
    np.testing.assert_allclose(simulation.time.values, 0.2 * np.arange(4), rtol=1e-6)
    np.testing.assert_allclose(simulation.y.values, np.linspace(-1, 1, 6, endpoint=False))
    for clip in (0, 7, 19):
        one = simulation.isel(clip=clip)
        path = well / str(one.file.values)
        start = int(one.start.values)
        with h5py.File(path) as file:
            stored = file["t1_fields/velocity"][int(one.trajectory.values), start : start + 7 : 2]
            assert one.Reynolds.values == file["scalars/Reynolds"][()]
        np.testing.assert_array_equal(one.fluid.values[..., 2:], stored.swapaxes(1, 2))
        assert one.t0.values == pytest.approx(0.1 * start)
        assert one["split"].values == path.parent.name
    groups = zip(simulation.file.values, simulation.trajectory.values, strict=True)
    assert len(set(simulation.group.values.tolist())) == len(set(groups)) == 10
    assert simulation.attrs["boundaries"] == {dim: ["PERIODIC"] * 2 for dim in ("x", "y")}
    assert kinds.load("simulate", "the_well").periodic(spec(well)) == (True, True)
    assert simulation.Reynolds.attrs["units"] == simulation.t0.attrs["units"] == "1"


def test_windows_are_drawn_or_all(well, simulation):
    assert len(set(simulation.start.values.tolist())) > 2
    asked = {"leave_out": ("data/train/b.hdf5",), "frames": 3}
    drawn = the_well.draw(spec(well, **asked))
    fewer = the_well.draw(spec(well, trajectories=1, **asked))
    # one trajectory of each file, whose window stays where it was
    first = drawn["trajectory"] == 0
    np.testing.assert_array_equal(drawn["start"][first], fewer["start"])
    every = the_well.draw(spec(well, step=4, start=1, **asked))
    assert every["start"][:6].tolist() == [1, 5, 9] * 2
    assert len(every["start"]) == 3 * (2 + 2 + 3)


def test_what_valid_is_for(well):
    out, scored = (the_well.draw(spec(well, valid=side)) for side in ("out", "test"))
    assert not any("valid" in name for name in out["file"])
    sides = dict(zip(scored["file"], scored["split"], strict=True))
    assert {name.split("/")[1]: side for name, side in sides.items()} == {
        "train": "train", "valid": "test", "test": "test",
    }  # fmt: skip
    # all parameters are on both sides, so those of a set can't be kept together
    whole = the_well.draw(spec(well, group="parameters"))
    assert "split" not in whole and set(whole["group"]) == {0, 1}


def test_some_channels_in_the_order_that_is_asked_for(well, tmp_path):
    found = world(well, tmp_path, fields=("velocity_y", "tracer"), coarsen=2, trajectories=1)
    assert found.channel.values.tolist() == ["velocity_y", "tracer"]
    assert found.fluid.shape[2:4] == (3, 4)
    one = found.isel(clip=0)
    header = files.look(well / str(one.file.values))
    first = int(one.start.values)
    stored = files.window(header, header.channels, 0, range(first, first + 4))[..., [3, 0]]
    blocks = stored.reshape(4, 3, 2, 4, 2, 2).mean((2, 4))
    np.testing.assert_allclose(one.fluid.values, blocks, rtol=1e-6)
    np.testing.assert_allclose(found.x.values, (np.arange(4) + 0.25) / 4)


def test_chebyshev_points_become_even_cells(tmp_path):
    y = 0.5 - 0.5 * np.cos(np.pi * (np.arange(16) + 0.5) / 16)
    shape = (1, 5, 8, 16)
    stored = np.broadcast_to(y**3, shape) * np.arange(1, 6)[:, None, None]
    place = wells.write(
        tmp_path / "a.hdf5", dataset="rayleigh_benard", fields={"buoyancy": np.float32(stored)},
        scalars={"Rayleigh": 1e6}, frames=5, trajectories=1, y=y, walls=True,
    )  # fmt: skip
    found = world(place, tmp_path)
    centres = (np.arange(16) + 0.5) / 16
    np.testing.assert_allclose(found.y.values, centres, atol=1e-6)
    times = np.arange(1, 6)[int(found.start.values[0]) :][:4, None, None]
    expected = times * np.broadcast_to(centres[:, None] ** 3, (16, 8))
    np.testing.assert_allclose(found.fluid.values[0, ..., 0], expected, atol=2e-6)
    assert found.attrs["boundaries"]["y"] == ["WALL", "WALL"]
    assert the_well.periodic(spec(place)) == (False, True)
    assert "interpolated onto 16 even cells" in found.attrs["notes"][0]
    raw = the_well.coords(spec(place, resample=False))
    np.testing.assert_allclose(raw["y"], y, atol=1e-6)


def test_the_cells_of_active_matter_are_a_part_of_its_period(tmp_path):
    x = np.linspace(0, 10, 8)
    place = wells.write(
        tmp_path / "a.hdf5", dataset="active_matter", scalars={"L": 10.0, "zeta": 1, "alpha": -1},
        x=x, y=x[:6] / x[5] * 10,
    )  # fmt: skip
    found = the_well.coords(spec(place))
    np.testing.assert_allclose(found["x"], 10 / 8 * np.arange(8))
    np.testing.assert_allclose(found["y"], 10 / 6 * np.arange(6), rtol=1e-6)


def test_the_published_protocol(tmp_path):
    """Windows 4 apart where twice the frames fit, half the height, 224 x 224, z-scored labels."""
    y = np.linspace(-1, 1, 260, endpoint=False)
    for split, reynolds in (("train", 1e4), ("valid", 5e5), ("test", 1e5)):
        wells.write(
            tmp_path / f"data/{split}/a.hdf5", scalars={"Reynolds": reynolds, "Schmidt": 2.0},
            fields={"tracer": wells.numbered(1, 9, (8, 260)), "pressure": np.zeros((1, 9, 8, 260))},
            trajectories=1, frames=9, y=y,
        )  # fmt: skip
    asked = spec(tmp_path, frames=2, protocol="published")
    labels = the_well.draw(asked)
    assert labels["start"].tolist() == [0, 4, 0, 4]
    assert labels["split"].tolist() == ["train"] * 2 + ["test"] * 2
    np.testing.assert_allclose(labels["z_Reynolds"][:2], (4 - 4.85) / 0.61)
    np.testing.assert_allclose(labels["z_Schmidt"], (2 - 2.69) / 3.38)
    assert the_well.label_units(asked)["z_Schmidt"] == "1"
    # half of what is periodic along y isn't
    assert the_well.periodic(asked) == (False, True)
    assert the_well.coords(asked)["channel"].tolist() == ["pressure", "tracer"]
    found = the_well.field(asked, {name: values[1] for name, values in labels.items()})
    stored = wells.numbered(1, 9, (8, 260))[0, 4:6, :, :256]
    expected = torch.nn.functional.interpolate(
        torch.from_numpy(stored)[None], (224, 224), mode="bilinear", align_corners=False
    )[0].numpy()
    np.testing.assert_allclose(found[..., 1], expected.swapaxes(1, 2), rtol=1e-5, atol=1e-3)
    with pytest.raises(ValueError, match="protocol: says what stride, windows is"):
        spec(tmp_path, protocol="published", windows=3, stride=2)
    with h5py.File(tmp_path / "data/train/a.hdf5", "r+") as file:
        file.attrs["dataset_name"] = "other"
    assert "is of other; the published protocol is of active_matter" in told(
        tmp_path, protocol="published"
    )


def test_what_can_not_be_had_is_refused_when_the_config_is_read(well, tmp_path):
    assert "fields: found 'tracr'; the files have tracer, pressure, velocity" in told(
        well, fields=("tracr",)
    )
    assert "Did you mean 'tracer'?" in told(well, fields=("tracr",))
    assert "has 12 frames, and a clip of 7 frames, 2 apart, needs 13 from frame 0" in told(
        well, frames=7, stride=2
    )
    assert "y: 6 points are no multiple of `coarsen`, 4" in told(well, coarsen=4)
    assert "there is no such file or folder" in told(tmp_path / "none")
    assert "folders that are left out alone" in told(tmp_path_of(well, "valid", tmp_path))
    with pytest.raises(ValueError, match="windows and step: found both"):
        spec(well, windows=1, step=1)
    entry = {"simulate": {"kind": "the_well", "folder": str(well), "fields": ["tracr"]}}
    mine = tmp_path / "mine.yaml"
    mine.write_text(
        yaml.safe_dump({"systems": {"filmed": {**entry, "render": {"kind": "channels"}}}})
    )
    smoke = Path(__file__).parents[1] / "configs/smoke.yaml"
    with pytest.raises(ValueError, match=r"systems\.filmed\.simulate: .*found 'tracr'"):
        model.load(config_files.gather([smoke, mine]))


def tmp_path_of(well: Path, split: str, place: Path) -> Path:
    """A folder that has only one side of the split."""
    (place / "only/data").mkdir(parents=True)
    (place / "only/data" / split).symlink_to(well / "data" / split)
    return place / "only"


def test_a_changed_value_changes_the_content_but_one_that_no_clip_shows_does_not(tmp_path):
    path = wells.write(tmp_path / "a.hdf5", trajectories=2)
    asked = spec(path, trajectories=1, step=4, frames=4)
    before = asked.content()

    def changed(trajectory: int) -> str:
        with h5py.File(path, "r+") as file:
            file["t0_fields/tracer"][trajectory, 5, 0, 0] += 1
        stat = path.stat()
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns + 10**9))
        return asked.content()

    assert changed(1) == before
    assert changed(0) != before


def test_a_value_that_is_not_finite_ends_the_run_and_is_named(tmp_path):
    path = wells.write(tmp_path / "a.hdf5")
    with h5py.File(path, "r+") as file:
        file["t0_fields/pressure"][1, 6, 0, 0] = np.nan
    with pytest.raises(ValueError, match=r"a\.hdf5: trajectory 1 of pressure .* first in frame 6"):
        world(path, tmp_path, step=4)


def test_the_checker_lists_every_fault_and_every_file(tmp_path, well, capsys):
    assert door.main(["well", "check", str(well)]) == 0
    assert "data/valid/b.hdf5  shear_flow  1             12      8 x 6" in capsys.readouterr().out
    wells.write(tmp_path / "good.hdf5")
    bad = wells.write(tmp_path / "bad.hdf5")
    with h5py.File(bad, "r+") as file:
        file["t0_fields/pressure"][1, 6, 0, 0] = np.nan
        file["boundary_conditions/x_periodic/mask"][...] = False
    (tmp_path / "cut.hdf5").write_bytes(bad.read_bytes()[:-500])
    assert door.main(["well", "check", str(tmp_path)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[lines.index("") + 2 :]] == ["cut.hdf5"] + [
        "bad.hdf5"
    ] * 2
    assert door.main(["well", "check", str(well), "--spec", '{"frames": 13}']) == 1
    assert door.main(["well", "look", str(well)]) == 1


@pytest.fixture(scope="module")
def exported(simulation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("exported")
    export.run(simulation=Path(simulation.encoding["source"]), out=out)
    return out


def test_what_is_exported_passes_the_checker_and_reads_back(simulation, exported, tmp_path):
    paths = sorted(exported.rglob("*.hdf5"))
    assert [path.relative_to(exported).as_posix() for path in paths] == [
        "data/test/flow.hdf5", "data/train/flow.hdf5",
    ]  # fmt: skip
    for path in paths:
        with h5py.File(path) as file:
            assert form.faults(file) == form.doubts(file) == []
            assert file["t0_fields"].attrs["field_names"].tolist() == ["tracer", "pressure"]
            # an empty list is of text too
            empty = file["t2_fields"].attrs.get_id("field_names").dtype
            assert h5py.check_string_dtype(empty) is not None
            assert file.attrs["simulation_parameters"].tolist() == ["Schmidt"]
            assert file["scalars/Reynolds"].shape == (file.attrs["n_trajectories"],)
            assert file["boundary_conditions/y_periodic/mask"][[0, -1]].all()
    again = world(exported, tmp_path, windows=1)
    # files go by their names: test is before train
    order = np.argsort(simulation["split"].values == "train", kind="stable")
    np.testing.assert_array_equal(again.fluid.values, simulation.fluid.values[order])
    np.testing.assert_allclose(again.t0.values, simulation.t0.values[order], rtol=1e-6)
    for name in ("Reynolds", "Schmidt"):
        np.testing.assert_array_equal(again[name].values, simulation[name].values[order])
    # windows of one trajectory are still one group
    groups = simulation.group.values[order]
    np.testing.assert_array_equal(again.group.values == again.group.values[0], groups == groups[0])
    assert len(set(again.group.values)) == 10
    np.testing.assert_allclose(again.y.values, simulation.y.values, rtol=1e-6)


def test_statistics_are_those_of_the_training_files(simulation, exported):
    stats = yaml.safe_load((exported / "stats.yaml").read_text())
    train = simulation.fluid.values[simulation["split"].values == "train"].astype(np.float64)
    steps = np.diff(train, axis=1)
    assert stats["mean"]["tracer"] == pytest.approx(train[..., 0].mean())
    assert stats["std"]["velocity"] == pytest.approx(train[..., 2:].std((0, 1, 2, 3)))
    assert stats["rms"]["velocity"][1] == pytest.approx(np.sqrt((train[..., 3] ** 2).mean()))
    assert stats["mean_delta"]["pressure"] == pytest.approx(steps[..., 1].mean())
    assert stats["std_delta"]["velocity"] == pytest.approx(
        steps[..., 2:].std((0, 1, 2, 3)), abs=1e-3
    )
    assert stats["rms_delta"]["tracer"] == pytest.approx(np.sqrt((steps[..., 0] ** 2).mean()))
    about = yaml.safe_load((exported / "flow.yaml").read_text())
    assert about["field_names"][1] == ["velocity_x", "velocity_y"]
    assert about["spatial_resolution"] == [8, 6] and about["n_trajectories_per_file"] == [12, 8]


def test_channels_are_put_together_to_tensors():
    names = ["concentration", "v_y", "D_yx", "D_xx", "v_x", "D_yy", "D_xy", "E_xx", "rate_x"]
    assert _well.shaped(names) == [
        _well.Field("concentration", 0, (0,)),
        _well.Field("v", 1, (4, 1)),
        _well.Field("D", 2, (3, 6, 2, 5)),
        _well.Field("E_xx", 0, (7,)),
        _well.Field("rate_x", 0, (8,)),
    ]


def test_groups_are_on_one_side_where_no_split_is_declared(simulation):
    undeclared = simulation.drop_vars("split")
    sides = _well.split(undeclared)
    assert {side: int((sides == side).sum()) for side in set(sides)} == {
        "train": 16, "valid": 2, "test": 2,
    }  # fmt: skip
    for group in set(simulation.group.values):
        assert len(set(sides[simulation.group.values == group])) == 1


def test_export_refuses_what_lies_in_the_way(simulation, tmp_path):
    (tmp_path / "data/train").mkdir(parents=True)
    (tmp_path / "data/train/other.hdf5").touch()
    path = Path(simulation.encoding["source"])
    with pytest.raises(ValueError, match=r"other\.hdf5: a loader would take it for a part of flow"):
        export.run(simulation=path, out=tmp_path)
    with pytest.raises(ValueError, match="expected one of --embeddings and --simulation"):
        export.run(out=tmp_path)


def test_an_encoder_sees_the_channels(simulation, tmp_path):
    out = tmp_path / "clips.zarr" / zarrs.ROOT
    source = Path(simulation.encoding["source"]) / zarrs.ROOT
    render.run(simulation=source, out=out, spec=channels.Spec().canonical())
    clips = zarrs.read(out)
    assert clips.channel.values.tolist() == simulation.channel.values.tolist()
    np.testing.assert_array_equal(clips.channels.values, simulation.fluid.values)
    with pytest.raises(ValueError, match="is no simulation of a fluid: it holds channels"):
        export.run(simulation=out, out=tmp_path)


SCRIPT = """
import json, sys
import h5py
from the_well.data import WellDataset
from the_well.data.normalization import ZScoreNormalization
found = {}
for split in ("train", "test"):
    data = WellDataset(path=sys.argv[1], well_split_name=split, n_steps_input=3, n_steps_output=1,
                       use_normalization=split == "train", normalization_type=ZScoreNormalization)
    item = data[len(data) - 1]
    found[split] = {
        "length": len(data), "fields": item["input_fields"].shape,
        "channels": data.metadata.field_names, "scalars": item["constant_scalars"].tolist(),
        "names": data.metadata.constant_scalar_names,
        "boundaries": item["boundary_conditions"].tolist(),
        "last": item["output_fields"][0].tolist(),
    }
json.dump(found, sys.stdout)
"""


@pytest.mark.skipif(not OFFICIAL, reason="PHYSPROBE_THE_WELL names no Python that has the_well")
def test_the_official_loader_reads_what_is_exported(simulation, exported):
    done = subprocess.run(
        [str(OFFICIAL), "-c", SCRIPT, str(exported)],
        env={**os.environ, "PYTHONPATH": ""},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    sides = simulation["split"].values
    for split, count in (("train", 12), ("test", 8)):
        assert found[split]["length"] == count
        assert found[split]["fields"] == [3, 8, 6, 4]
        assert found[split]["boundaries"] == [[2, 2], [2, 2]]
        assert found[split]["channels"]["0"] == ["tracer", "pressure"]
        last = np.flatnonzero(sides == split)[-1]
        scalars = dict(zip(found[split]["names"], found[split]["scalars"], strict=True))
        assert scalars["Reynolds"] == simulation.Reynolds.values[last]
    expected = simulation.fluid.values[np.flatnonzero(sides == "test")[-1], 3].swapaxes(0, 1)
    np.testing.assert_array_equal(np.array(found["test"]["last"], np.float32), expected)
    stats = yaml.safe_load((exported / "stats.yaml").read_text())
    raw = simulation.fluid.values[np.flatnonzero(sides == "train")[-1], 3].swapaxes(0, 1)
    scaled = (raw[..., 0] - stats["mean"]["tracer"]) / stats["std"]["tracer"]
    np.testing.assert_allclose(np.array(found["train"]["last"])[..., 0], scaled, rtol=1e-4)
