"""Fluids that are solved again: from one start, more finely, by how much they change."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from figure_oracle import sound

from physprobe.config import kinds
from physprobe.figures import resolution as figure
from physprobe.simulate import _resolution, active_matter, commands, entries
from physprobe.store import results

TINY = {
    "shear_flow": {"size": 16, "reynolds": [20.0, 60.0]},
    "active_matter": {"interval": 0.05, "size": 16, "box": 2.5, "zeta": [1.0, 3.0], "start": 0},
    "rayleigh_benard": {
        "interval": 0.05, "size": 16, "columns": 64, "rayleigh": 1e5, "prandtl": 1.0, "start": 0,
    },
}  # fmt: skip
FEW = {"trajectories": 2, "windows": 1, "frames": 2, "length": 4, "start": 0}


@pytest.fixture(scope="module")
def solved(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Result of each fluid."""
    folder = tmp_path_factory.mktemp("fluids")
    found = {}
    for kind, entry in TINY.items():
        simulate = {"kind": kind, **entry, **FEW}
        found[kind] = folder / kind / "resolution.json"
        spec = {"simulate": simulate, "trajectories": 1, "length": 3, "finer": [2]}
        entries.Refined.parse(json.dumps(spec))
        found[kind].parent.mkdir()
        _resolution.run(out=found[kind], spec=json.dumps(spec))
    return found


@pytest.mark.parametrize("kind", TINY)
def test_they_start_alike_and_change_little(solved, kind):
    rows = results.read(solved[kind], "resolution")["rows"]
    for way, most in (("steps", 1e-4), ("grid", 1e-2)):
        own = [row for row in rows if row["refined"] == way and row["field"] == "all"]
        values = [row["value"] for row in own]
        assert [round(row["time"] / own[1]["time"]) for row in own] == [0, 1, 2]
        assert values[0] < (1e-12 if way == "steps" else 1e-3)
        assert max(values[1:]) < most, (way, values)
        # as float32 has it, smooth waves of rods are the same on any grid for a while
        assert max(values[1:]) > 0 or (kind, way) == ("active_matter", "grid")
    fields = {row["field"] for row in rows} - {"all"}
    assert fields == set(kinds.load("simulate", kind).CHANNELS) - {"concentration"}


def test_more_cells_carry_the_same_waves(monkeypatch):
    kind = kinds.load("simulate", "active_matter")
    spec = kind.Spec.strict({"kind": "active_matter", **TINY["active_matter"], **FEW})
    rng = np.random.default_rng
    once, twice = (active_matter.initial(spec, rng(0), cells) for cells in (1, 2))
    np.testing.assert_allclose(twice[..., ::2, ::2], once, atol=1e-15)
    assert np.abs(twice).max() < 1.2 * spec.perturbation
    sides, square = [], active_matter.solver.Square
    monkeypatch.setattr(
        active_matter.solver, "Square", lambda side, box: sides.append(side) or square(side, box)
    )
    own = {"alpha": -1.0, "zeta": 1.0}
    found = kind.trajectory(spec, own, rng(0), cells=2)
    assert sides == [2 * spec.solver] and found.shape[1:3] == (spec.size, spec.size)


def test_an_error_is_by_hand_over_the_deviation_of_its_field():
    rng = np.random.default_rng(0)
    right = np.stack([rng.normal(size=(5, 8, 8)), 7 + 0 * rng.normal(size=(5, 8, 8))], -1)
    right = np.concatenate([right, 100 * right[..., :1]], -1)
    apart = np.array([0.0, 0.1, 0.2, 0.3, 0.4])[:, None, None, None] * [1.0, 5.0, 0.0]
    solutions = {4: right, 1: right + 2 * apart, 2: right - apart}
    times = 0.5 * np.arange(5)
    rows = list(_resolution.errors(solutions, times, ("a", "constant", "b")))
    deviation = right[..., 0].std()
    for factor, each in ((2, 1), (1, 2)):
        own = [row for row in rows if row["times"] == each]
        together = [row["value"] for row in own if row["field"] == "all"]
        np.testing.assert_allclose(
            together, factor * np.array([0, 0.1, 0.2, 0.3, 0.4]) / deviation / np.sqrt(2)
        )
        (a,), (b,) = ([r for r in own if r["field"] == name] for name in "ab")
        assert a["value"] == pytest.approx(factor * 0.4 / deviation) and b["value"] == 0
        assert a["time"] == times[-1] and not [r for r in own if r["field"] == "constant"]


def test_the_figure_has_a_panel_for_each_fluid_and_a_curve_for_each_way(solved):
    frame = figure.frame(*(results.read(path) for path in solved.values()))
    assert list(dict.fromkeys(frame["fluid"])) == list(TINY)
    drawn = figure.figure(frame)
    sound(drawn)
    assert len(drawn.axes) == 3
    for ax in drawn.axes:
        assert ax.get_yscale() == "log" and ax.get_xlabel().startswith("time since the start")
        thick = [line for line in ax.lines if line.get_linewidth() == 2]
        assert [line.get_color() for line in thick] == list(figure.LOOKS.values())
    assert "single trajectories" in figure.CAPTION


def config(kind: str, render: str = "channels", **asked: int) -> SimpleNamespace:
    simulate = kinds.load("simulate", kind).Spec.strict({"kind": kind, **TINY.get(kind, {})})
    system = SimpleNamespace(simulate=simulate, render=SimpleNamespace(kind=render))
    entry = entries.Resolution(**asked)
    return SimpleNamespace(systems={"mine": system}, resolutions={"mine": entry}, studies={})


def test_what_cannot_be_refined_is_refused_when_the_config_is_read():
    assert list(entries.problems(config("shear_flow"))) == []
    (line,) = entries.problems(config("shear_flow", length=300))
    assert line == "resolutions.mine.length: 300 of the 200 that the system has"
    (line,) = entries.problems(config("heat", "fields"))
    assert line.startswith("resolutions.mine: heat can't be solved more finely; active_matter,")
    found = config("shear_flow")
    found.resolutions = {"min": entries.Resolution()}
    assert list(entries.problems(found)) == [
        "resolutions.min: there is no such system. Did you mean 'mine'?"
    ]
    with pytest.raises(ValueError, match="expected to ascend"):
        entries.Resolution(finer=(4, 2))


def test_a_study_shows_its_own_fluid_and_all_are_shown_together():
    found = config("shear_flow")
    found.studies = {
        "flows": SimpleNamespace(filmed=("mine",)), "others": SimpleNamespace(filmed=("yours",)),
    }  # fmt: skip
    drawn = commands.STAGE.figures(found)
    assert list(drawn) == ["resolution", "flows/resolution"]
    assert drawn["flows/resolution"].sources == ("results/mine/resolution.json",)
    refined = commands.STAGE.commands["refine"].entry(found, SimpleNamespace(system="mine"))
    assert refined.simulate == found.systems["mine"].simulate and refined.finer == (2,)
    found.resolutions = {}
    assert commands.STAGE.figures(found) == {}
