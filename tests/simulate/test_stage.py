"""The simulate stage: labels, units, and no clip that breaks a gate."""

from pathlib import Path

import numpy as np
import pytest

from physprobe.simulate import diffusion, heat, stage
from physprobe.statistics import splits
from physprobe.store import job, zarrs

SPEC = heat.Spec(clips=3, frames=6, size=32, sigma=(2.0, 3.0))


def test_a_store_holds_field_labels_and_units(tmp_path: Path):
    out = tmp_path / "heat" / "simulation.zarr" / "zarr.json"
    stage.run(out=out, spec=SPEC.canonical())
    found = zarrs.read(out)
    assert found.temperature.dims == ("clip", "time", "y", "x")
    assert {name: found[name].attrs["units"] for name in heat.UNITS} == heat.UNITS
    assert (found.time.attrs["units"], found.x.attrs["units"]) == ("s", "px")
    labels = heat.draw(SPEC)
    for clip in range(3):
        one = {name: values[clip] for name, values in labels.items()}
        assert found.alpha.values[clip] == one["alpha"]
        stored = found.temperature.values[clip]
        np.testing.assert_allclose(stored, heat.field(SPEC, one), atol=heat.RESOLUTION / 2)
        heat.check(SPEC, one, stored)


def test_threads_do_not_change_the_content(tmp_path: Path):
    outs = [tmp_path / str(threads) / "s.zarr" / "zarr.json" for threads in (1, 2)]
    for threads, out in enumerate(outs, 1):
        with job.running(threads=threads):
            stage.run(out=out, spec=SPEC.canonical())
    assert outs[0].read_text() == outs[1].read_text()


def test_a_clip_that_breaks_a_gate_fails_the_run_and_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    sound = heat.field

    def field(spec: heat.Spec, labels: dict) -> np.ndarray:
        found = sound(spec, labels)
        if labels["alpha"] == heat.draw(SPEC)["alpha"][1]:
            found[4] *= 1.01
        return found

    monkeypatch.setattr(heat, "field", field)
    out = tmp_path / "heat" / "simulation.zarr" / "zarr.json"
    with pytest.raises(ValueError, match="clip 1 of heat: budget: frame 4"):
        stage.run(out=out, spec=SPEC.canonical())
    assert not out.exists()


def test_a_data_set_with_a_collapsed_label_is_refused_before_anything_is_solved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    sound = diffusion.draw

    def draw(spec: diffusion.Spec) -> dict:
        labels = sound(spec)
        return labels | {"alpha": np.full_like(labels["alpha"], 0.01)}

    monkeypatch.setattr(diffusion, "draw", draw)
    out = tmp_path / "diffusion" / "simulation.zarr" / "zarr.json"
    with pytest.raises(ValueError, match="alpha has 1 distinct values in 20 clips"):
        stage.run(out=out, spec=diffusion.Spec(clips=20, size=32, frames=4).canonical())
    assert not out.exists()


def test_initial_conditions_are_stored_as_groups(tmp_path: Path):
    out = tmp_path / "diffusion" / "simulation.zarr" / "zarr.json"
    stage.run(out=out, spec=diffusion.Spec(clips=12, size=32, frames=4).canonical())
    found = zarrs.read(out)
    groups, folds = splits.declared_by(found, outer=3, inner=2, seed=0)
    np.testing.assert_array_equal(groups, found.ic_id.values)
    assert len(folds) == 3
