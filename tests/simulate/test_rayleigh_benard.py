"""Convection: onset, growth, steady rolls, budgets, convergence, gates, and what windows tell."""

from pathlib import Path

import numpy as np
import pytest
import scipy.linalg
from pydantic import ValidationError

from physprobe.simulate import _plates, rayleigh_benard, stage
from physprobe.simulate import _rayleigh_benard as solver
from physprobe.statistics import seeds
from physprobe.store import zarrs

CRITICAL = 2 * np.pi / 3.117  # period of the first rolls
SPEC = rayleigh_benard.Spec(
    trajectories=1, windows=3, frames=17, start=52, length=74, rayleigh=1e5, prandtl=1.0, contrast=1
)


def started(modes, theta):
    """State at rest, from theta (z, wave) as a function of z."""
    found = np.zeros((len(modes.z), modes.waves), complex)
    for wave, of in theta.items():
        found[:, wave] = of(modes.z)
    return modes.state(found)


def stirred(modes):
    """State that is warm and cold where it soon moves."""
    waves = {wave: lambda z, w=wave: 0.1 * np.sin(np.pi * z) * 1j**w / w for wave in (1, 2, 3)}
    return started(modes, waves | {0: lambda z: -0.1 * np.sin(2 * np.pi * z)})


def moving(grid, rayleigh, time):
    """Convection on a grid of its own, and a state that moves."""
    convection = solver.Convection(_plates.Modes(*grid), rayleigh, 1.0)
    *_, last = convection.frames(stirred(convection.modes), time, 2, step=1 / 32)
    return convection, last.state


@pytest.fixture(scope="module")
def drawn():
    labels = rayleigh_benard.draw(SPEC)
    return labels, rayleigh_benard.solved(SPEC, labels)[0]


@pytest.fixture(scope="module")
def rolls():
    """A steady roll: what is stored of it, its frame, and the convection that it is of."""
    convection = solver.Convection(_plates.modes(32, 24, CRITICAL), 1e4, 0.71)
    start = started(
        convection.modes,
        {
            0: lambda z: -0.1 * np.sin(2 * np.pi * z),
            1: lambda z: 0.15 * np.sin(np.pi * z),
        },
    )
    *_, last = convection.frames(start, 1.0, 41, step=0.05)
    return convection, last, convection.look(last)


def test_the_onset_is_where_it_is_known_to_be():
    modes = _plates.Modes(8, 16, CRITICAL)
    k = modes.k[1]
    flow, heat = modes.flow_rates[1], modes.heat_rates + k**2
    # at rest for ever: A a = k^2 Ra C (lambda + k^2)^-1 C' a
    numbers = []
    for parity in (0, 1):
        c = modes.coupling[1, parity]
        gain = k**2 * c @ np.diag(1 / heat[parity]) @ c.T
        numbers.append(1 / scipy.linalg.eigvalsh(gain, np.diag(flow[parity]))[-1])
    assert numbers[0] == pytest.approx(1707.762, abs=0.01)
    assert numbers[1] > 10 * numbers[0]


@pytest.mark.parametrize(
    "rayleigh, sign, tolerance",
    [(1706.762, -1, 1e-8), (1708.762, 1, 1e-8), (5000.0, 1, 1e-5)],
)
def test_a_small_roll_grows_as_its_eigenvalue_says(rayleigh, sign, tolerance):
    modes = _plates.modes(8, 16, CRITICAL)
    convection = solver.Convection(modes, rayleigh, 1.0)
    flow, _, heat = modes.divided(convection.rates)
    up = 1j * modes.k[1] * modes.coupling[1, 0]
    values, vectors = scipy.linalg.eig(
        np.block([[-np.diag(flow[1, 0]), up], [-up.T, -np.diag(heat[1, 0])]])
    )
    fastest = np.argmax(values.real)
    start = np.zeros(len(modes.power), complex)
    parts = modes.divided(start)
    parts[0][1, 0], parts[2][1, 0] = np.split(1e-8 * vectors[:, fastest], [flow.shape[-1]])
    *_, first, last = convection.frames(start, 0.5, 3)
    found = np.log(convection.content(last.state) / convection.content(first.state))
    np.testing.assert_allclose(found, values[fastest].real, atol=tolerance)
    assert np.sign(found).tolist() == [sign, sign]


def test_steady_rolls_carry_what_they_are_known_to_carry(rolls):
    convection, frame, look = rolls
    modes = convection.modes
    slope = (modes.derive @ look.series[0, :, 0]).real
    below, above = slope @ (-1.0) ** np.arange(modes.rows), slope.sum()
    carried = modes.tendency(frame.state)[1]
    lost = convection.lost(frame.state)
    numbers = [-below, -above, *(1 + np.array([carried, *lost]) / convection.kappa)]
    np.testing.assert_allclose(numbers, 2.6525, atol=1e-3)
    np.testing.assert_allclose(numbers, numbers[0], rtol=1e-4)
    assert look.missing / look.force < 1e-5


def test_of_a_steady_roll_all_forces_balance_point_by_point(rolls):
    """By finite differences of the cells: pressure and velocity fit each other."""
    convection, _, look = rolls
    rows, columns = 256, 128
    b, p, u, w = convection.modes.cells(look.series, rows, columns)
    dz, dx = 1 / rows, CRITICAL / columns

    def lap(field):
        along = (np.roll(field, 1, 1) + np.roll(field, -1, 1) - 2 * field) / dx**2
        return np.gradient(np.gradient(field, dz, axis=0), dz, axis=0) + along

    def slopes(field):
        return (np.roll(field, -1, 1) - np.roll(field, 1, 1)) / (2 * dx), np.gradient(
            field, dz, axis=0
        )

    for field, push, force in ((u, slopes(p)[0], 0), (w, slopes(p)[1], b)):
        along, up = slopes(field)
        off = u * along + w * up + push - force - convection.nu * lap(field)
        assert np.abs(off[3:-3]).max() < 5e-3 < 0.1 < np.abs(push).max()


def test_twice_the_grid_and_half_the_step_change_less_than_1e_3():
    found, steps = {}, {}
    for name, grid, step in (("plain", (64, 40), 1 / 64), ("fine", (128, 80), 1 / 256)):
        convection = solver.Convection(_plates.modes(*grid), 1e5, 1.0)
        *_, last = convection.frames(stirred(convection.modes), 0.5, 7, step=step)
        series = convection.look(last).series
        found[name], steps[name] = convection.modes.cells(series, 32, 128), last.steps
    assert steps["fine"] > 2 * steps["plain"]
    for channel, name in enumerate(rayleigh_benard.CHANNELS):
        plain, fine = found["plain"][channel], found["fine"][channel]
        assert np.linalg.norm(plain - fine) < 1e-3 * np.linalg.norm(fine - fine.mean()), name
    assert np.abs(found["fine"][3]).max() > 0.3


def test_steps_are_of_third_order():
    modes = _plates.modes(16, 16)
    convection = solver.Convection(modes, 1e4, 1.0)
    last = {}
    for steps in (8, 16, 64):
        past = [convection._point(stirred(modes))]
        for _ in range(2):
            past, _ = convection._frame(past, 0.5, steps)
        last[steps] = past[0].state
    coarse, fine = (np.linalg.norm(last[steps] - last[64]) for steps in (8, 16))
    assert 2**2.5 < coarse / fine < 2**3.6


def test_no_step_is_longer_than_what_moves_allows():
    modes = _plates.modes(64, 40)
    convection = solver.Convection(modes, 1e5, 1.0)
    frames = list(convection.frames(stirred(modes), 0.5, 7))
    for frame in frames[1:]:
        assert 0.5 / frame.steps * modes.tendency(frame.state)[2] <= solver.COURANT * 1.001
    assert len({frame.steps for frame in frames}) > 2
    with pytest.raises(ValueError, match="time step: a frame would take more than 4096 steps"):
        list(convection.frames(1e6 * stirred(modes), 0.5, 2))


def test_every_grid_starts_alike():
    found = []
    for grid in ((64, 40), (128, 64)):
        modes = _plates.modes(*grid)
        start = rayleigh_benard.initial(modes, 0.4, seeds.rng("test", 1))
        look = solver.Convection(modes, 1e5, 1.0).look(
            solver.Frame(start, np.zeros_like(start), np.zeros(3), 0)
        )
        found.append(modes.cells(look.series[0], 32, 128))
    np.testing.assert_allclose(*found, atol=2e-6)
    y = rayleigh_benard.coords(rayleigh_benard.Spec(size=32))["y"]
    mean = (1 - y) * (1 - 0.6 * (1 - np.exp(-20 * y)))
    noise = (found[0] - mean[:, None]) / (y * (1 - y))[:, None]
    np.testing.assert_allclose(noise[4:-4].mean(1), 0, atol=3e-5)
    assert 5e-4 < noise[4:-4].std() < 2e-3


def test_windows_are_parts_of_one_trajectory_and_pass(drawn):
    labels, fields = drawn
    assert fields.shape == (3, 17, 64, 256, 4) and fields.dtype == np.float32
    whole = {round(labels["t0"][0] / 0.25) + frame: fields[0, frame] for frame in range(17)}
    for clip in range(3):
        own = {name: values[clip] for name, values in labels.items()}
        rayleigh_benard.check(SPEC, own, fields[clip])
        first = round(own["t0"] / 0.25)
        for frame in range(17):
            same = whole.setdefault(first + frame, fields[clip, frame])
            np.testing.assert_array_equal(fields[clip, frame], same)
    assert np.abs(fields[..., 3]).max() > 0.3
    assert set(labels) == {*rayleigh_benard.UNITS, "t0", "trajectory", "group"}


def test_a_window_tells_both_numbers_by_what_it_gains_and_loses(drawn):
    labels, fields = drawn
    for clip in range(3):
        found = rayleigh_benard.told(SPEC, fields[clip])
        assert found.keys() == {"rayleigh", "prandtl"}
        for name, value in found.items():
            assert value == pytest.approx(labels[name][clip], rel=1e-3), name


def test_a_store_has_names_and_units(tmp_path: Path):
    sizes = {"trajectories": 2, "windows": 2, "frames": 3, "start": 0, "length": 4, "size": 16}
    spec = rayleigh_benard.Spec(**sizes, rayleigh=1e5, prandtl=(0.9, 1.0))
    out = tmp_path / "rb" / "simulation.zarr" / "zarr.json"
    stage.run(out=out, spec=spec.canonical())
    found = zarrs.read(out)
    assert found.fluid.dims == ("clip", "time", "y", "x", "channel")
    assert found.channel.values.tolist() == list(rayleigh_benard.CHANNELS)
    np.testing.assert_allclose(found.y.values, (np.arange(16) + 0.5) / 16)
    np.testing.assert_allclose(found.x.values[[0, -1]], [1 / 32, 4 - 1 / 32])
    assert found.group.values.tolist() == [0, 0, 1, 1]
    own = {name: values[2] for name, values in rayleigh_benard.draw(spec).items()}
    np.testing.assert_array_equal(found.fluid.values[2], rayleigh_benard.field(spec, own))
    assert len(np.unique(found.contrast)) == len(np.unique(found.prandtl)) == 2


@pytest.mark.parametrize(
    "given, told",
    [
        ({"rayleigh": 2e7}, "rayleigh: 2e.07 to 2e.07; expected numbers from 100000 to 1e.07"),
        ({"rayleigh": (1e3, 1e5)}, "rayleigh: 1000 to 100000; expected"),
        ({"prandtl": (0.1, 1.0)}, "prandtl: 0.1 to 1; expected numbers from 0.2 to 10"),
        ({"contrast": (0.5, 1.5)}, "contrast: 1.5 is more than 1"),
        (
            {"grid": (64, 40)},
            "grid: 64 x 40 is too coarse; up to Ra 1e.06 and for Pr 0.5 to 2 it takes 144",
        ),
        ({"rayleigh": 1e5, "prandtl": 0.2, "grid": (80, 40)}, "for Pr 0.2 to 0.2 it takes 112"),
        ({"grid": (200, 81)}, "grid: 200 x 81; expected even numbers"),
        ({"size": 8}, "columns: 32 are too few for the waves of a grid"),
        ({"frames": 150}, "frames: 150 with a stride of 1 from frame .* don't fit"),
    ],
)
def test_what_could_not_be_solved_is_refused(given, told):
    with pytest.raises(ValidationError, match=told):
        rayleigh_benard.Spec(**given)


def gated(convection, start, frames=4):
    gates = rayleigh_benard.Gates(convection, 0.25)
    for frame in convection.frames(start, 0.25, frames):
        gates.see(frame, convection.look(frame))
    gates.close()


def test_faults_break_the_gate_that_is_for_them(monkeypatch):
    convection, start = moving((64, 40), 1e5, 1.0)
    modes = convection.modes
    gated(convection, start)
    look = solver.Convection.look

    def planted(of, name, value, told):
        with monkeypatch.context() as patch:
            patch.setattr(of, name, value)
            with pytest.raises(ValueError, match=told):
                gated(convection, start)

    planted(modes, "_flow_tests", 1.001 * modes._flow_tests, "budget: energy is .* at t = 0.25")
    planted(modes, "_heat_tests", 1.01 * modes._heat_tests, "budget: variance of buoyancy is")
    planted(modes, "_pressure", 1.01 * modes._pressure, "momentum: .* of all force is not balanced")
    planted(modes, "_slope", 1.1 * modes._slope, "momentum: .* of all force is not balanced")
    planted(modes, "derive", 1.001 * modes.derive, "divergence: .*expected 0")
    above = lambda self, frame: (found := look(self, frame))._replace(  # noqa: E731
        high=found.high + (0.02 if frame.steps else 0)
    )
    planted(solver.Convection, "look", above, "range: buoyancy is .* at t = 0.25; expected")


def test_a_grid_that_is_too_coarse_breaks_the_gate_for_tails():
    with pytest.raises(ValueError, match=r"tails: the last waves of .* Hint: a finer grid"):
        gated(*moving((32, 16), 1e6, 2.0))


def test_windows_that_were_not_solved_so_are_refused(drawn):
    labels, fields = drawn
    own = {name: values[0] for name, values in labels.items()}

    def planted(channel, change, told):
        wrong = fields[0].copy()
        wrong[5, ..., channel] = change(wrong[5, ..., channel])
        with pytest.raises(ValueError, match=told):
            rayleigh_benard.check(SPEC, own, wrong)

    planted(2, lambda u: np.where(u == u[3, 4], np.nan, u), "finite values: frame 5")
    planted(0, lambda b: b + 0.05, "range: frame 5 is")
    planted(3, lambda w: w + 1e-4, "rows: velocity_y has a mean of 0.0001 along a row of frame 5")
    planted(1, lambda p: p + 1e-3, "pressure: mean 0.001 in frame 5")


def test_parameters_that_have_collapsed_are_refused():
    spec = rayleigh_benard.Spec(trajectories=40, initial_conditions=2, windows=2)
    labels = rayleigh_benard.draw(spec)
    rayleigh_benard.check_labels(spec, labels)
    assert len(np.unique(labels["rayleigh"])) == 20
    assert len(np.unique(labels["contrast"])) == 40
    with pytest.raises(ValueError, match="prandtl has 1 distinct values"):
        rayleigh_benard.check_labels(spec, labels | {"prandtl": np.full(80, 1.0)})
