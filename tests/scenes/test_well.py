"""Files of The Well: read by names, window by window, and every fault told at once, by name."""

import tracemalloc
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
import wells

from physprobe.scenes.films.film import Faulty
from physprobe.scenes.well import file as files
from physprobe.scenes.well import folder, grid


def spoilt(path: Path, spoil: Callable[[h5py.File], object]) -> Path:
    wells.write(path)
    with h5py.File(path, "r+") as file:
        spoil(file)
    return path


def replaced(file: h5py.File, name: str, values: np.ndarray) -> None:
    """An array in place of another one, with the same attributes."""
    attrs = dict(file[name].attrs)
    del file[name]
    file[name] = values
    file[name].attrs.update(attrs)


def reasons(path: Path) -> tuple[str, ...]:
    with pytest.raises(Faulty) as refused:
        files.look(path)
    return refused.value.reasons


def test_fields_and_scalars_go_by_the_names_that_are_listed(tmp_path):
    """HDF5 gives them in the order of the alphabet, which is another one."""
    path = wells.write(tmp_path / "a.hdf5")
    with h5py.File(path) as file:
        assert list(file["t0_fields"]) == ["pressure", "tracer"]
    header = files.look(path)
    assert [each.name for each in header.channels] == [
        "tracer", "pressure", "velocity_x", "velocity_y",
    ]  # fmt: skip
    assert list(header.scalars) == ["Reynolds", "Schmidt"]
    np.testing.assert_array_equal(header.scalars["Reynolds"], [1e4, 1e4])
    assert header.boundaries == {"x": ("PERIODIC", "PERIODIC"), "y": ("PERIODIC", "PERIODIC")}


def test_axes_are_turned_and_tensors_are_channels(tmp_path):
    tensor = wells.numbered(order=2)
    path = wells.write(tmp_path / "a.hdf5", fields={"c": wells.numbered(), "D": tensor})
    header = files.look(path)
    assert [each.name for each in header.channels] == ["c", "D_xx", "D_xy", "D_yx", "D_yy"]
    found = files.window(header, header.channels, 1, range(2, 9, 3))
    assert found.shape == (3, 6, 8, 5) and found.dtype == np.float32
    # (trajectory, time, x, y, i, j) at x 4, y 5
    np.testing.assert_array_equal(found[1, 5, 4, 0], 10_000 + 500 + 40 + 5)
    np.testing.assert_array_equal(found[2, 5, 4, 1:], tensor[1, 8, 4, 5].ravel())
    some = files.chosen(header, ["D_yx", "c"])
    np.testing.assert_array_equal(files.window(header, some, 1, range(2, 9, 3)), found[..., [3, 0]])


def test_what_does_not_vary_is_repeated(tmp_path):
    def constant(file: h5py.File) -> None:
        replaced(file, "t0_fields/pressure", np.arange(6, dtype=np.float32))
        item = file["t0_fields/pressure"]
        wells.flags(item)
        item.attrs["dim_varying"] = np.array([False, True])
        replaced(file, "scalars/Schmidt", np.array([0.5, 2.0], np.float32))
        wells.flags(file["scalars/Schmidt"], sample=True)
        replaced(file, "scalars/Reynolds", np.arange(12, dtype=np.float32))
        wells.flags(file["scalars/Reynolds"], time=True)

    header = files.look(spoilt(tmp_path / "a.hdf5", constant))
    found = files.window(header, files.chosen(header, ["pressure"]), 1, range(3))
    expected = np.broadcast_to(np.arange(6)[:, None], (6, 8))
    np.testing.assert_array_equal(found[..., 0], [expected] * 3)
    np.testing.assert_array_equal(header.scalars["Schmidt"], [0.5, 2.0])
    assert header.states == ("Reynolds",)
    np.testing.assert_array_equal(files.states(header, 0, range(4, 8, 2))["Reynolds"], [4, 6])


def test_a_window_is_read_without_the_rest(tmp_path):
    tracer = wells.numbered(3, 200, (32, 32))
    path = wells.write(
        tmp_path / "a.hdf5",
        fields={"tracer": tracer},
        frames=200,
        trajectories=3,
        x=np.arange(32.0),
        y=np.arange(32.0),
    )
    header = files.look(path)
    files.window(header, header.channels, 0, range(4))
    tracemalloc.start()
    found = files.window(header, header.channels, 2, range(150, 158))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    np.testing.assert_array_equal(found[..., 0], tracer[2, 150:158].swapaxes(1, 2))
    assert peak < 4 * found.nbytes < tracer.nbytes / 10


def test_reynolds_may_be_called_rayleigh(tmp_path):
    path = wells.write(tmp_path / "a.hdf5", scalars={"Rayleigh": 5e4, "Schmidt": 2.0})
    header = files.look(path)
    assert header.scalars["Reynolds"][0] == 5e4 and "is called Reynolds here" in header.notes[0]
    other = wells.write(tmp_path / "b.hdf5", dataset="rayleigh_benard", scalars={"Rayleigh": 1e6})
    assert list(files.look(other).scalars) == ["Rayleigh"]


def attr(where: str, name: str, value: object) -> Callable[[h5py.File], None]:
    return lambda file: file[where].attrs.__setitem__(name, value)


def listed(where: str, name: str, values: list[str]) -> Callable[[h5py.File], None]:
    return lambda file: wells.names(file[where], name, values)


def array(name: str, values: np.ndarray) -> Callable[[h5py.File], None]:
    return lambda file: replaced(file, name, values)


SPOILT = {
    "has no group t2_fields": lambda file: file.__delitem__("t2_fields"),
    "has no attribute grid_type": lambda file: file.attrs.__delitem__("grid_type"),
    "n_trajectories is '2', expected a whole number": attr("/", "n_trajectories", "2"),
    "n_spatial_dims is 2, spatial_dims x": listed("dimensions", "spatial_dims", ["x"]),
    "dimensions/x doesn't ascend": array("dimensions/x", np.arange(8.0)[::-1]),
    "dimensions/y holds": array("dimensions/y", np.array([b"a"] * 6)),
    "boundary_conditions/x_periodic is no group": array(
        "boundary_conditions/x_periodic", np.ones(8, bool)
    ),
    "its times are 1 to 21 apart, which isn't even": array("dimensions/time", np.arange(12.0) ** 2),
    "t0_fields/tracer is 2 x 12 x 8 x 5, expected 2 x 12 x 8 x 6 (trajectory, time, x, y)": array(
        "t0_fields/tracer", np.zeros((2, 12, 8, 5), np.float32)
    ),
    "t1_fields/velocity is 2 x 12 x 8 x 6, expected 2 x 12 x 8 x 6 x 2 (trajectory, time,": array(
        "t1_fields/velocity", np.zeros((2, 12, 8, 6), np.float32)
    ),
    "attribute time_varying of t0_fields/tracer is": attr("t0_fields/tracer", "time_varying", 1),
    "attribute dim_varying of t0_fields/tracer is [1, 1], expected true or false for each": attr(
        "t0_fields/tracer", "dim_varying", [1, 1]
    ),
    "scalars names Schmitt, which isn't there": listed(
        "scalars", "field_names", ["Reynolds", "Schmitt"]
    ),
    "scalars/Schmidt is not finite": array("scalars/Schmidt", np.float32(np.nan)),
    "boundary_conditions/x_periodic/mask is 6, expected 8 (x)": array(
        "boundary_conditions/x_periodic/mask", np.ones(6, bool)
    ),
    "is of type SOLID, expected PERIODIC or WALL or OPEN": attr(
        "boundary_conditions/x_periodic", "bc_type", "SOLID"
    ),
}


@pytest.mark.parametrize("told", SPOILT)
def test_a_fault_is_told_by_name(tmp_path, told):
    assert any(told in reason for reason in reasons(spoilt(tmp_path / "a.hdf5", SPOILT[told])))


def test_all_faults_are_told_at_once(tmp_path):
    def spoil(file: h5py.File) -> None:
        replaced(file, "t0_fields/tracer", np.zeros((2, 12, 8, 5), np.float32))
        del file["t1_fields/velocity"].attrs["sample_varying"]
        del file["boundary_conditions/y_periodic/mask"]

    found = reasons(spoilt(tmp_path / "a.hdf5", spoil))
    assert len(found) == 3 and "velocity has no attribute sample_varying" in found[1]
    assert found[2] == "boundary_conditions/y_periodic has no mask"


def test_a_mask_that_is_false_at_both_ends_is_noted_and_the_type_counts(tmp_path):
    """As the_well's own dummy data have it; its loader reads OPEN then."""
    name = "boundary_conditions/x_periodic/mask"
    header = files.look(spoilt(tmp_path / "a.hdf5", lambda f: replaced(f, name, np.zeros(8, bool))))
    assert header.boundaries["x"] == ("PERIODIC", "PERIODIC")
    assert "mask is false at both ends" in header.doubts[0]


def test_arrays_that_are_not_named_are_noted_and_not_read(tmp_path):
    spoil = listed("t0_fields", "field_names", ["tracer"])
    header = files.look(spoilt(tmp_path / "a.hdf5", spoil))
    assert header.fields == ("tracer", "velocity")
    assert header.doubts == ("t0_fields has pressure, which its field_names don't name",)


def test_times_that_solvers_wrote_a_little_late_are_taken_for_even_ones_and_noted(tmp_path):
    times = 0.25 * np.arange(12)
    times[5] += 0.05
    header = files.look(spoilt(tmp_path / "a.hdf5", array("dimensions/time", times)))
    assert header.interval == pytest.approx(0.25) and header.times[0, 5] == pytest.approx(1.3)
    assert "frames are 0.2 to 0.3 apart, up to 0.2 of a step off 0.25" in header.notes[0]


def test_boundaries_are_those_of_each_end(tmp_path):
    def wall_below(file: h5py.File) -> None:
        replaced(file, "boundary_conditions/y_wall_dirichlet/mask", np.arange(6) == 0)

    path = wells.write(tmp_path / "a.hdf5", walls=True)
    assert files.look(path).boundaries["y"] == ("WALL", "WALL")
    with h5py.File(path, "r+") as file:
        wall_below(file)
    assert files.look(path).boundaries["y"] == ("WALL", "OPEN")


def test_a_file_that_was_cut_off_is_refused(tmp_path):
    path = wells.write(tmp_path / "a.hdf5")
    path.write_bytes(path.read_bytes()[:-2000])
    assert "can't be read: " in reasons(path)[0] and "truncated file" in reasons(path)[0]


def test_values_that_are_not_finite_are_named(tmp_path):
    def spoil(file: h5py.File) -> None:
        file["t0_fields/pressure"][1, 7, 2, 3] = np.nan
        file["t1_fields/velocity"][0, 4:6, 0, 0, 1] = np.inf

    header = files.look(spoilt(tmp_path / "a.hdf5", spoil))
    whole = ["trajectory 1 of pressure is not finite at 1 of 576 values, first in frame 7"]
    whole += ["trajectory 0 of velocity is not finite at 2 of 1152 values, first in frame 4"]
    assert [line.partition(": ")[2] for line in files.unfinite(header)] == whole
    with pytest.raises(ValueError, match=r"a\.hdf5: trajectory 1 of pressure .* in frame 7"):
        files.window(header, header.channels, 1, range(1, 12, 2))
    assert files.window(header, header.channels, 1, range(0, 12, 2)).shape[0] == 6


def test_files_of_a_folder_are_alike_and_have_a_side(tmp_path):
    wells.write(tmp_path / "data/train/a.hdf5")
    wells.write(tmp_path / "data/train/b.hdf5", scalars={"Reynolds": 5e4, "Schmidt": 2.0})
    wells.write(tmp_path / "data/test/a.h5")
    (tmp_path / "data/test/.a.h5").write_bytes(b"being written")
    found = folder.listed(str(tmp_path))
    assert not found.faults
    assert found.splits == {
        "data/test/a.h5": "test", "data/train/a.hdf5": "train", "data/train/b.hdf5": "train",
    }  # fmt: skip
    wells.write(tmp_path / "data/train/c.hdf5", x=np.arange(4) / 4)
    wells.write(tmp_path / "data/train/d.hdf5", dataset="other", interval=0.2)
    (tmp_path / "data/train/e.hdf5").write_bytes(b"no HDF5")
    told = " | ".join(
        f"{fault.file}: {fault.what}" for fault in folder.listed(str(tmp_path)).faults
    )
    assert "train/c.hdf5: has points along x and y: 4 x 6, most have 8 x 6" in told
    assert "train/d.hdf5: is of the data set other, most have shear_flow" in told
    assert "train/d.hdf5: has frames 0.2 apart, most have 0.1" in told
    assert "train/e.hdf5: can't be read" in told


def test_the_listing_follows_a_change_without_reading_fields(tmp_path):
    path = wells.write(tmp_path / "a.hdf5")
    before = folder.digest(folder.listed(str(tmp_path)))
    assert before == folder.digest(folder.listed(str(tmp_path)))
    with h5py.File(path, "r+") as file:
        file["scalars/Schmidt"][()] = 0.25
    assert before != folder.digest(folder.listed(str(tmp_path)))


@pytest.mark.parametrize("which", ["roots", "extrema"])
def test_a_polynomial_on_chebyshev_points_is_exact_on_even_cells(which):
    count = 48
    angles = np.pi * (
        (np.arange(count) + 0.5) / count if which == "roots" else np.arange(count) / (count - 1)
    )
    stored = np.float32(0.5 - 0.5 * np.cos(angles)).astype(float)
    found = grid.axis(stored)
    np.testing.assert_allclose(found.points, (np.arange(count) + 0.5) / count, atol=1e-6)
    exact = 0.5 - 0.5 * np.cos(angles)

    def layer(y):
        return np.exp(-8 * y) + 3 * y**5

    np.testing.assert_allclose(found.matrix @ layer(exact), layer(found.points), atol=1e-6)
    assert grid.axis(stored, resample=False).matrix is None


def test_an_even_grid_stays_and_another_is_refused():
    assert grid.axis(np.linspace(0, 1, 9)).matrix is None
    with pytest.raises(Faulty, match="neither even nor Chebyshev's"):
        grid.axis(np.linspace(0, 1, 9) ** 2)


def test_labels_over_all_of_a_period_are_put_right():
    """Those of active matter go from 0 to L, though the point at L is that at 0."""
    found = grid.axis(np.linspace(0, 10, 16), period=10.0)
    np.testing.assert_allclose(found.points, 10 / 16 * np.arange(16))
    assert found.matrix is None and "reach over all of the period" in found.notes[0]
    right = np.linspace(0, 10, 16, endpoint=False)
    np.testing.assert_array_equal(grid.axis(right, period=10.0).points, right)


def test_interpolation_is_that_of_torch(rng):
    field = rng.normal(size=(2, 3, 20, 13)).astype(np.float32)
    expected = torch.nn.functional.interpolate(
        torch.from_numpy(field), (9, 17), mode="bilinear", align_corners=False
    ).numpy()
    y, x = (grid.Axis(np.arange(float(n))).then(grid.linear(n, m)) for n, m in ((20, 9), (13, 17)))
    found = grid.put(field.transpose(0, 2, 3, 1), y, x)
    np.testing.assert_allclose(found, expected.transpose(0, 2, 3, 1), atol=1e-5)
