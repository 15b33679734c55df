"""Position: what a place alone gives away, on the published design and on the fixed one."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from physprobe.embed import position, statistics
from physprobe.embed import stage as embed
from physprobe.fit import stage as fit
from physprobe.fit.methods import ridge
from physprobe.scenes import scene
from physprobe.simulate import balls, balls_acceleration, balls_velocity
from physprobe.simulate import stage as simulate
from physprobe.store import results, writing, zarrs

SIZE = {"frames": 16, "height": 256, "width": 256, "threads": 1}


def located(folder: Path, spec: object) -> dict[str, list[Path]]:
    """A simulation, and the positions in it; the frames of its clips are never looked at."""
    simulation = folder / "simulation.zarr" / "zarr.json"
    simulate.run(out=simulation, spec=spec.canonical())
    system = zarrs.read(simulation)
    count, clips = system.sizes["clip"], folder / "clips.zarr" / "zarr.json"
    shape = (count, 16, 1, 1, 3)
    with writing.create(
        clips,
        variables={"video": writing.Variable(("clip", "time", "y", "x", "rgb"), shape, "uint8")},
        coords={"time": (("time",), system.time.values, {"units": "s"})},
        attrs={},
        fingerprint={},
        block=count,
    ) as store:
        store.fill(lambda block: {"video": np.zeros(shape, "uint8")})
    out = folder / "embeddings" / "position.zarr" / "zarr.json"
    entry = position.Spec().canonical()
    embed.run(clips=clips, simulation=[simulation], out=out, spec=entry)
    return {"embeddings": [out], "simulation": [simulation]}


def decoded(folder: Path, spec: object, target: str, sample: str) -> float:
    """R2 on held-out clips, from positions alone."""
    paths = located(folder, spec)
    asked = ridge.Spec(targets=(target,), samples=(sample,), permutations=1, bootstraps=100)
    fit.run(**paths, out=folder / "found.json", spec=asked.canonical())
    rows = results.read(folder / "found.json")["rows"]
    return next(row["value"] for row in rows if row["metric"] == "r2")


@pytest.mark.parametrize(
    ("kind", "target", "sample", "expected"),
    [
        (balls_velocity, "vxy", "temporal_last", 0.72),
        (balls_velocity, "vxy", "clip", 0.40),
        (balls_velocity, "sincos_direction", "temporal_last", 0.57),
        (balls_velocity, "direction", "temporal_last", 0.44),
        (balls_acceleration, "axy", "temporal_last", 0.37),
    ],
)
def test_places_of_the_published_balls_give_motion_away(tmp_path, kind, target, sample, expected):
    assert decoded(tmp_path, kind.Spec(), target, sample) == pytest.approx(expected, abs=0.03)


@pytest.mark.parametrize("target", ["vxy", "axy"])
def test_places_of_the_fixed_balls_tell_nothing(tmp_path, target):
    assert abs(decoded(tmp_path, balls.Spec(clips=400), target, "clip")) < 0.03


def test_a_token_is_the_mean_place_of_its_frames(tmp_path):
    paths = located(tmp_path, balls.Spec(clips=5))
    found = zarrs.read(paths["embeddings"][0])
    system = zarrs.read(paths["simulation"][0])
    assert found["pooled"].dims == ("clip", "layer", "time", "feature")
    assert found.layer.values.tolist() == ["position"]
    for place, name in enumerate(("row", "column")):
        number = scene.QUANTITIES.index(f"ball_{name}")
        expected = system["scene"].values[..., number].reshape(5, 8, 2).mean(-1)
        np.testing.assert_allclose(found["pooled"].values[:, 0, :, place], expected, rtol=1e-6)


def test_a_system_without_balls_is_refused():
    field = xr.Dataset(attrs={"field": "temperature"})
    with pytest.raises(ValueError, match="not a scene with balls"):
        position.load(position.Spec(), **SIZE, simulation=field)
    with pytest.raises(ValueError, match="tubelets of 5"):
        position.load(
            position.Spec(tubelet=5), **SIZE, simulation=field.assign_attrs(field="scene")
        )


def test_the_simulation_is_for_controls_that_say_so(tmp_path):
    paths = located(tmp_path, balls.Spec(clips=5))
    common = {"clips": tmp_path / "clips.zarr" / "zarr.json", "out": tmp_path / "a.zarr/zarr.json"}
    with pytest.raises(ValueError, match="position: needs the simulation"):
        embed.run(**common, spec=position.Spec().canonical())
    with pytest.raises(ValueError, match="statistics: needs no simulation"):
        embed.run(**common, spec=statistics.Spec().canonical(), simulation=paths["simulation"])
