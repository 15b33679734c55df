"""Shear flow: solutions in closed form, growth, budgets, order, draws, gates, and the ceiling."""

from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from physprobe.render import channels
from physprobe.render import stage as render
from physprobe.simulate import _vorticity, shear_flow, stage
from physprobe.statistics import seeds
from physprobe.store import zarrs

SPEC = shear_flow.Spec(trajectories=2, windows=3, frames=17, length=32, size=32)
HARDEST = {"reynolds": 250.0, "schmidt": 2.0, "layers": 4, "blobs": 3, "thickness": 0.06}


def clip(labels, number):
    return {name: label[number] for name, label in labels.items()}


def whole(spec, labels, **how):
    rng = seeds.rng("shear_flow", spec.seed, "initial", int(labels.get("trajectory", 0)))
    return shear_flow.trajectory(spec, labels, rng, **how)


def apart(found, expected):
    """Root mean square of the difference, in parts of the deviation, of the last frame."""
    error = ((found[-1] - expected[-1]) ** 2).mean((0, 1))
    return np.sqrt(error / expected[-1].var((0, 1)))


@pytest.fixture(scope="module")
def drawn():
    labels = shear_flow.draw(SPEC)
    return labels, shear_flow.solved(SPEC, labels)[0]


def vortices(grid, time, mean=(0.3, 0.2), decay=0.0):
    """Taylor and Green's vortices, carried along by a mean velocity."""
    x = np.arange(grid.columns) / grid.columns - mean[0] * time
    y = 2 * np.arange(grid.rows)[:, None] / grid.rows - mean[1] * time
    return np.exp(-decay * time) * np.cos(2 * np.pi * x) * np.cos(2 * np.pi * y)


def test_moving_vortices_decay_and_are_carried_along():
    """Exact: the vorticity, and a tracer that is the same, and steps of order 4."""
    grid, nu, square = shear_flow.plane(16), 0.01, 8 * np.pi**2
    start = grid.modes(np.stack([vortices(grid, 0.0)] * 2))
    errors = []
    for finer in (8, 16):
        *_, last = _vorticity.solve(grid, start, (0.3, 0.2), (nu, nu), 0.25, 5, finer=finer)
        expected = vortices(grid, 1.0, decay=nu * square)
        errors.append(np.abs(grid.points(last.state) - expected).max() / expected.max())
    assert errors[1] < 1e-7
    assert np.log2(errors[0] / errors[1]) == pytest.approx(4, abs=0.2)


def test_pressure_of_vortices():
    """p = -A^2 k^2 / 4 (cos 2kx + cos 2ky) where psi = A cos kx cos ky."""
    grid = shear_flow.plane(16)
    velocity = grid.velocity(grid.modes(vortices(grid, 0.0)), (0.3, 0.2))
    x = np.arange(16) / 16
    y = np.arange(32)[:, None] / 16
    expected = -(np.cos(4 * np.pi * x) + np.cos(4 * np.pi * y)) / (64 * np.pi**2)
    np.testing.assert_allclose(grid.points(grid.pressure(velocity)), expected, atol=1e-15)


def test_waves_grow_as_rayleigh_s_equation_has_it():
    """U (phi'' - k^2 phi) - U'' phi = c (phi'' - k^2 phi), of two layers without viscosity."""
    rows, thick, wave = 128, 0.0708, 2 * np.pi
    grid = _vorticity.Plane(rows, 8)
    modes = shear_flow.start(thick, np.zeros((2, 1)), grid)
    profile = grid.points(modes[1])[:, 0]
    turn = np.pi * np.fft.fftfreq(rows, 1 / rows)
    second = np.fft.ifft(-(turn**2)[:, None] * np.fft.fft(np.eye(rows), axis=0), axis=0).real
    bend = np.diag(second @ profile)
    lap = second - wave**2 * np.eye(rows)
    speeds, shapes = np.linalg.eig(np.linalg.solve(lap, profile[:, None] * lap - bend))
    fastest = np.argmax(speeds.imag)
    growth = wave * speeds[fastest].imag
    # Michalke 1964: 0.1897 U / delta, of one layer
    assert growth == pytest.approx(0.1897 * 0.5 / thick, rel=0.01)
    x = np.arange(8) / 8
    ripple = ((lap @ shapes[:, fastest])[:, None] * np.exp(1j * wave * x)).real
    layers = grid.curl(np.stack([modes[1], np.zeros(grid.shape)]))
    state = np.stack([layers + 1e-7 * grid.modes(ripple), np.zeros(grid.shape)])
    moments = list(_vorticity.solve(grid, state, (0.0, 0.0), (1e-8, 1e-8), 0.5, 4))
    sizes = [np.linalg.norm(moment.state[0][:, 1]) for moment in moments]
    np.testing.assert_allclose(np.diff(np.log(sizes)) / 0.5, growth, rtol=1e-3)


def test_layers_meet_where_sides_do():
    """Nothing rings at the seams, and vorticity is as strong as the check of the config has it."""
    grid = shear_flow.plane(96)
    phases = np.random.default_rng(0).uniform(0, 6, (4, 3))
    state = shear_flow.start(0.06, phases, grid)
    tracer = grid.points(state[1])
    assert np.abs(tracer).max() == pytest.approx(0.5, abs=2e-3)
    assert abs(tracer.mean()) < 1e-15
    power = np.abs(state) ** 2
    edge = power[:, grid.bands[0] - 1 : grid.bands[0] + 2].max((1, 2))
    assert (edge < 1e-8 * power.max((1, 2))).all()
    found = np.sqrt(grid.drain(state)[0])
    assert found == pytest.approx(shear_flow.vorticity(4, 3, 0.06), rel=1e-3)


def test_budgets_close_and_all_is_lost_by_diffusion():
    grid, nu = shear_flow.plane(64), 1 / HARDEST["reynolds"]
    state = shear_flow.start(0.06, np.random.default_rng(1).uniform(0, 6, (4, 3)), grid)
    moments = list(_vorticity.solve(grid, state, (0.0, 0.0), (nu, nu / 2), 0.1, 21))
    held = np.array([moment.held for moment in moments])
    lost = np.array([moment.lost for moment in moments])
    assert (np.abs(held + lost - held[0])[1:] < 1e-6 * lost[1:]).all()
    assert (np.diff(held, axis=0) < 0).all() and (held[-1] < 0.9 * held[0]).all()
    speed = grid.points(grid.velocity(state[0], (0.0, 0.0)))
    assert held[0, 0] == pytest.approx((speed**2).sum(0).mean() / 2)
    assert held[0, 2] == pytest.approx(grid.points(state[1]).var() / 2)


def test_half_the_steps_and_twice_the_cells_change_less_than_1e_3():
    spec = SPEC.model_copy(update={"length": 17})
    found = whole(spec, HARDEST)
    assert (apart(found, whole(spec, HARDEST, finer=2)) < 1e-4).all()
    finer = spec.model_copy(update={"solver": 128})
    assert (apart(found, whole(finer, HARDEST)) < 1e-3).all()
    assert found[-1, ..., 3].std() > 0.03


def test_windows_are_frames_of_whole_trajectories(drawn):
    labels, windows = drawn
    assert windows.shape == (6, 17, 64, 32, 4) and windows.dtype == np.float32
    frames = whole(SPEC, clip(labels, 0))
    for number in range(3):
        first = round(labels["t0"][number] / SPEC.interval)
        np.testing.assert_array_equal(windows[number], frames[first : first + 17])
    for number, window in enumerate(windows):
        shear_flow.check(SPEC, clip(labels, number), window)
    np.testing.assert_array_equal(shear_flow.field(SPEC, clip(labels, 4)), windows[4])


def test_more_trajectories_leave_the_first_as_they_were(drawn):
    more = shear_flow.draw(SPEC.model_copy(update={"trajectories": 40}))
    for name, values in drawn[0].items():
        np.testing.assert_array_equal(more[name][:6], values)
    shear_flow.check_labels(SPEC.model_copy(update={"trajectories": 40}), more)
    for name in ("reynolds", "schmidt", "thickness"):
        low, high = getattr(SPEC, name)
        assert low <= more[name].min() < low * (high / low) ** 0.2
        assert low * (high / low) ** 0.8 < more[name].max() <= high
    assert set(more["layers"]) == {2, 4} and set(more["blobs"]) == {1, 2, 3}


def test_initial_conditions_differ_where_parameters_are_shared():
    spec = SPEC.model_copy(update={"trajectories": 6, "initial_conditions": 3, "windows": 1})
    labels = shear_flow.draw(spec)
    assert len(np.unique(labels["reynolds"])) == 2 and len(np.unique(labels["thickness"])) == 6
    assert labels["group"].tolist() == [*range(6)]
    with pytest.raises(ValueError, match="reynolds has 1 distinct values in 2 clips"):
        shear_flow.check_labels(spec, labels | {"reynolds": np.full(6, 200.0)})


def test_a_clip_tells_its_parameters(drawn):
    """The ceiling, from 17 kept frames: 1e-3 of both, and from every second one."""
    labels, windows = drawn
    for number, window in enumerate(windows):
        for stride, tolerance in ((1, 1e-3), (2, 4e-3)):
            spec = SPEC.model_copy(update={"stride": stride})
            found = shear_flow.told(spec, window[::stride])
            for name, value in found.items():
                assert value == pytest.approx(labels[name][number], rel=tolerance), (number, name)


def planted(window, fault):
    """A window with one of its laws broken."""
    wrong, half = window.copy(), len(window) // 2
    tracer, pressure, u, v = np.moveaxis(wrong, -1, 0)
    if fault == "finite":
        pressure[half, 3, 4] = np.nan
    elif fault == "tracer":
        tracer[half:] += 1e-4
    elif fault == "wind":
        u[half:] += 1e-4
    elif fault == "overshoot":
        tracer[half, 20, 20] += tracer[half, 5, 6] - 0.502
        tracer[half, 5, 6] = 0.502
    elif fault == "divergence":
        v[half] *= 1.001
    elif fault == "pressure":
        pressure[half] *= -1
    elif fault == "decay":
        wrong[:] = wrong[::-1]
    elif fault == "slower":
        wrong[:] = wrong[[0, *range(len(wrong) - 1)]]
    return wrong


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("finite", "finite values: frame 8"),
        ("tracer", "mean: tracer is .* at frame 8"),
        ("wind", "mean: velocity_x is .* at frame 8"),
        ("overshoot", r"maximum principle: \|tracer\| goes up to 0.502 at frame 8"),
        ("divergence", "divergence: .* at frame 8"),
        ("pressure", "pressure: .* at frame 8"),
        ("decay", "decay: energy grows .* at frame 1;"),
        ("slower", "labels: the clip's viscosity is .*; expected"),
    ],
)
def test_a_window_that_breaks_a_law_is_refused(drawn, fault, message):
    labels, windows = drawn
    with pytest.raises(ValueError, match=message):
        shear_flow.check(SPEC, clip(labels, 0), planted(windows[0], fault))


def test_labels_of_another_clip_are_refused(drawn):
    labels, windows = drawn
    own = clip(labels, 0)
    with pytest.raises(ValueError, match="labels: the clip's diffusivity"):
        shear_flow.check(SPEC, own | {"schmidt": own["schmidt"] * 1.1}, windows[0])


def force(monkeypatch, fault, amount):
    """Let flows do a little of what they don't."""
    sound = _vorticity.rates

    def wrong(grid, mean):
        flow = sound(grid, mean)

        def rate(state):
            own, stream = np.zeros_like(state), grid.inverse * state[0]
            if fault == "energy":
                own[0] = state[0]
            elif fault == "enstrophy":
                # what is at a right angle to the stream function takes no energy
                along = grid.weights * stream.conj()
                own[0] = state[0] - (along * state[0]).sum() / (along * stream).sum() * stream
            elif fault == "variance":
                own[1] = state[1]
            elif fault == "mean":
                own[1, 0, 0] = 1
            return flow(state) + amount * own

        return rate

    monkeypatch.setattr(_vorticity, "rates", wrong)


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("energy", "trajectory 0 of shear_flow: budget of energy: .* at frame 1;"),
        ("enstrophy", "budget of enstrophy: .* at frame 1;"),
        ("variance", "budget of tracer variance: .* at frame 1;"),
        ("mean", "mean: tracer is .* at frame 1;"),
    ],
)
def test_a_flow_that_breaks_a_law_is_refused(monkeypatch, fault, message):
    force(monkeypatch, fault, 1e-3)
    spec = shear_flow.Spec(trajectories=1, size=16, length=3, frames=2)
    with pytest.raises(ValueError, match=message):
        shear_flow.solved(spec, shear_flow.draw(spec))


def test_a_tracer_that_overshoots_and_steps_that_are_too_long_are_refused(monkeypatch):
    spec = shear_flow.Spec(trajectories=1, size=16, length=3, frames=2)
    labels = shear_flow.draw(spec)
    with monkeypatch.context() as patch:
        force(patch, "variance", 50)
        patch.setattr(shear_flow, "_balanced", lambda held, lost: None)
        with pytest.raises(ValueError, match=r"maximum principle: .* at frame 1;"):
            shear_flow.solved(spec, labels)
    monkeypatch.setattr(_vorticity, "TURN", 9.0)
    monkeypatch.setattr(_vorticity, "FADE", 9.0)
    with pytest.raises(ValueError, match="stability: a step before frame 1 turns phases by"):
        shear_flow.solved(spec.model_copy(update={"interval": 0.5}), labels)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"reynolds": (500, 2000)}, r"grid of 64 x 128 that is kept: k lB is 1.4.* up to 10\d\d,"),
        ({"schmidt": (0.2, 10)}, "a Schmidt number of 10, structures are too fine"),
        ({"size": 128, "solver": 128}, "grid of 128 x 256 that is solved on: k lB"),
        ({"thickness": (0.01, 0.05)}, "layers of 0.01 are too thin .* Hint: thickness from 0.025"),
        ({"thickness": (0.1, 0.3)}, "4 layers of 0.3 run into each other; expected 0.25 at most"),
        ({"size": 15}, "size"),
        ({"solver": 96}, "solver: 96 has to be a multiple of size, 64"),
        ({"layers": (3,)}, "layers: 3 has to be one of the even numbers from 2 on"),
        ({"blobs": (0,)}, "blobs: 0 has to be one of the numbers from 1 on"),
        ({"frames": 201}, "don't fit into a trajectory of 200"),
        ({"reynolds": (500, 400)}, "low end 500 has to be below"),
        ({"speed": 1}, "Extra inputs"),
    ],
)
def test_what_is_not_resolved_or_makes_no_sense_is_refused(entry, message):
    with pytest.raises(ValidationError, match=message):
        shear_flow.Spec(**entry)


def test_grids_of_twice_the_size_take_four_times_the_reynolds_number():
    assert shear_flow.Spec(size=128).reynolds == (1000, 4000)
    assert shear_flow.Spec(size=128, reynolds=(500, 4000)).solver == 256


def test_the_store_holds_channels_by_name(tmp_path: Path):
    simulation, clips = (
        tmp_path / name / "zarr.json" for name in ("simulation.zarr", "clips.zarr")
    )
    spec = shear_flow.Spec(trajectories=2, windows=2, size=16, length=6, frames=4)
    stage.run(out=simulation, spec=spec.canonical())
    found = zarrs.read(simulation)
    assert found.fluid.dims == ("clip", "time", "y", "x", "channel")
    assert found.fluid.shape == (4, 4, 32, 16, 4)
    assert found.channel.values.tolist() == [*shear_flow.CHANNELS]
    assert found.trajectory.values.tolist() == [0, 0, 1, 1]
    assert found.y.values[[0, -1]].tolist() == [-1, 0.9375] and found.x.values[-1] == 0.9375
    render.run(simulation=simulation, out=clips, spec=channels.Spec().canonical())
    seen = zarrs.read(clips).channels
    np.testing.assert_array_equal(seen.values, found.fluid.values)
