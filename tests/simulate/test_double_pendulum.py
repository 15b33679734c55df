"""Double pendulum: normal modes, order, a second form of the equation, energy, symmetry, draws."""

from pathlib import Path

import numpy as np
import pytest
import scipy.integrate
import scipy.linalg
import scipy.stats
from pydantic import ValidationError

from physprobe.simulate import _pendulum, _runge_kutta, double_pendulum, stage
from physprobe.statistics import splits
from physprobe.store import zarrs

SPEC = double_pendulum.Spec(clips=40, frames=24)
MADE = {"mass1": 0.7, "mass2": 1.3, "length1": 0.8, "length2": 1.2, "gravity": 9.0}


def bodies(damping=0.0, **changed):
    return _pendulum.Bodies.of({**MADE, "damping": damping, **changed})


def moved(made, start, interval, frames, steps):
    """States (4, time) of one pendulum."""
    found = _pendulum.solve(made, np.array(start, float)[:, None], interval, frames, steps)
    return np.stack([found[name][0] for name in _pendulum.MOTION])


def clip(labels, number):
    return {name: label[number] for name, label in labels.items()}


@pytest.fixture(scope="module")
def drawn():
    labels = double_pendulum.draw(SPEC)
    return labels, *double_pendulum.solved(SPEC, labels)


def inertia(apart):
    """M by the masses and lengths of ``MADE``."""
    mass1, mass2, length1, length2, _ = MADE.values()
    mixed = mass2 * length1 * length2 * np.cos(apart)
    return np.array([[(mass1 + mass2) * length1**2, mixed], [mixed, mass2 * length2**2]])


def hamilton(time, state, damping):
    """The same in angles and momenta, by Hamilton's equations: dp/dt = -dH/dtheta - damping p."""
    mass1, mass2, length1, length2, gravity = MADE.values()
    theta1, theta2, *momenta = state
    (a, c), (_, b) = inertia(theta1 - theta2).tolist()
    speeds = [(b * momenta[0] - c * momenta[1]) / (a * b - c * c)]
    speeds.append((a * momenta[1] - c * momenta[0]) / (a * b - c * c))
    # dT/dtheta at constant p is minus that at constant speed
    turn = mass2 * length1 * length2 * np.sin(theta1 - theta2) * speeds[0] * speeds[1]
    force1 = -turn - (mass1 + mass2) * gravity * length1 * np.sin(theta1)
    force2 = turn - mass2 * gravity * length2 * np.sin(theta2)
    return [*speeds, force1 - damping * momenta[0], force2 - damping * momenta[1]]


def oracle(start, damping, times, rtol):
    """States (4, time) by scipy's adaptive DOP853, from Hamilton's equations."""
    first = [*start[:2], *(inertia(start[1] - start[0]) @ start[2:])]
    found = scipy.integrate.solve_ivp(
        hamilton, (0, times[-1]), first, "DOP853", times, args=(damping,), rtol=rtol, atol=rtol
    ).y
    speeds = [np.linalg.solve(inertia(s[1] - s[0]), s[2:]) for s in found.T]
    return np.concatenate([found[:2], np.transpose(speeds)])


def test_small_swings_are_normal_modes():
    """Frequencies and shapes of K a = w^2 M a, and of equal parts g / l (2 - root 2)."""
    made = bodies()
    stiff = np.diag([made.first_weight[0], made.second_weight[0]])
    squares, shapes = scipy.linalg.eigh(stiff, inertia(0.0))
    time = np.arange(200) * 0.05
    for square, shape in zip(squares, shapes.T, strict=True):
        small = 1e-5 * shape / np.abs(shape).max()
        found = moved(made, [*small, 0, 0], 0.05, 200, 10)
        expected = small[:, None] * np.cos(np.sqrt(square) * time)
        np.testing.assert_allclose(found[:2], expected, atol=1e-12)
    equal = _pendulum.Bodies.of(
        {"mass1": 1, "mass2": 1, "length1": 1, "length2": 1, "gravity": 9.81, "damping": 0}
    )
    slow = moved(equal, [1e-5, np.sqrt(2) * 1e-5, 0, 0], 0.05, 200, 10)[0]
    np.testing.assert_allclose(
        slow, 1e-5 * np.cos(np.sqrt(9.81 * (2 - np.sqrt(2))) * time), atol=1e-12
    )


def test_steps_are_of_order_8():
    """The slope of log error over log step, one step and half of it, many starts."""
    starts = np.random.default_rng(0).uniform(-0.6, 0.6, (4, 40))
    made = _pendulum.Bodies.of({name: np.full(40, v) for name, v in {**MADE, "damping": 0}.items()})

    def ends(steps):
        found = _pendulum.solve(made, starts, 1.0, 2, steps)
        return np.stack([found[name][:, 1] for name in _pendulum.MOTION])

    errors = [np.abs(ends(steps) - ends(256)).max(0) for steps in (14, 28)]
    orders = np.log(errors[0] / errors[1]) / np.log(2)
    assert np.median(orders) == pytest.approx(_runge_kutta.ORDER, abs=0.3)


@pytest.mark.parametrize("damping", [0.0, 0.4])
def test_an_adaptive_solver_agrees_until_its_own_horizon(damping):
    """As long as its solutions to 1e-12 and 1e-11 do, and that is some Lyapunov times."""
    start, times = [2.0, 2.6, -1.0, 3.0], np.arange(240) * 0.05
    fine, coarse = (oracle(start, damping, times, rtol) for rtol in (1e-12, 1e-11))
    apart = np.abs(fine - coarse).max(0)
    horizon = int(np.argmax(apart > 1e-7)) or len(times)
    found = moved(bodies(damping), start, 0.05, horizon, 40)
    assert horizon >= 100
    np.testing.assert_allclose(found, fine[:, :horizon], atol=1e-7)


def test_energy_is_kept_over_a_thousand_frames():
    """A part of 1e-6, of the wildest clips that the default draws allow."""
    spec = double_pendulum.Spec(clips=24, frames=1000, energy=(1.45, 1.5))
    labels = double_pendulum._draws.clipwise(
        "test", 0, spec.clips,
        lambda rng: (d := double_pendulum._made(spec, rng)) | double_pendulum._started(d, rng),
    )  # fmt: skip
    _, states = double_pendulum.solved(spec, labels)
    total = states["kinetic"] + states["potential"]
    assert np.abs(total / labels["energy"][:, None] - 1).max() < double_pendulum.DRIFT / 10


def test_damping_takes_what_the_dissipated_power_adds_up_to():
    spec = double_pendulum.Spec(clips=20, frames=200, damping=(0.2, 0.6))
    labels = double_pendulum.draw(spec)
    field, states = double_pendulum.solved(spec, labels)
    kept = states["kinetic"] + states["potential"]
    np.testing.assert_allclose(
        kept + states["lost"], np.tile(labels["energy"], (200, 1)).T, rtol=1e-9
    )
    assert (np.diff(states["lost"]) > 0).all() and (kept[:, -1] < 0.2 * kept[:, 0]).all()
    # loss as the integral of 2 damping T, by the trapezoidal rule of the frames
    power = 2 * labels["damping"][:, None] * states["kinetic"]
    summed = scipy.integrate.trapezoid(power, dx=spec.interval)
    np.testing.assert_allclose(summed, states["lost"][:, -1], rtol=0.05)
    double_pendulum.check(spec, clip(labels, 3), field[3])


@pytest.mark.parametrize("damping", [0.0, 0.5])
def test_lyapunov_exponents_are_how_fast_neighbours_part(damping):
    """The variational equation against pairs of clips that start 2e-6 apart."""
    made, pace = bodies(damping), np.array([3.0])
    start, units = np.array([1.9, -2.2, 1.0, 2.0]), np.array([1, 1, 3.0, 3.0])
    step, frames = 1e-6, 31
    ends = [
        [moved(made, start + sign * step * way, 0.05, frames, 40)[:, -1] for sign in (1, -1)]
        for way in np.diag(units)
    ]
    map_ = np.array([(up - down) / (2 * step) for up, down in ends]).T / units[:, None]
    expected = np.log(np.linalg.svd(map_, compute_uv=False)[0]) / (0.05 * (frames - 1))
    found = _pendulum.lyapunov(made, start[:, None], pace, 0.05, frames, 40)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_high_energy_is_chaotic_and_low_energy_is_not():
    """Over 25 s: neighbours part exponentially, or about in proportion to time, ln t / t."""
    found = {}
    fixed = {"gravity": 9.81, "mass_ratio": 1.0, "length_ratio": 1.0}
    for level in (0.01, 1.0):
        spec = double_pendulum.Spec(clips=6, frames=250, interval=0.1, energy=level, **fixed)
        found[level] = double_pendulum.draw(spec)["lyapunov"]
    assert found[0.01].max() < 0.3
    assert np.median(found[1.0]) > 0.8


def test_a_clip_does_not_depend_on_those_beside_it(drawn):
    labels, field, states = drawn
    few = double_pendulum.Spec(clips=3, frames=24)
    other = double_pendulum.draw(few)
    for name in other:
        np.testing.assert_array_equal(other[name], labels[name][:3], err_msg=name)
    again, alike = double_pendulum.solved(few, other)
    np.testing.assert_array_equal(again, field[:3])
    for name, values in alike.items():
        np.testing.assert_array_equal(values, states[name][:3], err_msg=name)
    np.testing.assert_array_equal(double_pendulum.field(SPEC, clip(labels, 5)), field[5])


def test_states_describe_what_is_shown(drawn):
    labels, field, states = drawn
    for number in range(SPEC.clips):
        one = clip(labels, number)
        double_pendulum.check(SPEC, one, field[number])
        double_pendulum.check_states(SPEC, one, clip(states, number))
    tips = labels["length1"][:, None] * states["sin_theta1"]
    np.testing.assert_allclose(field[..., 0], tips, atol=1e-7)
    down = labels["length1"][:, None] * states["cos_theta1"]
    down = down + labels["length2"][:, None] * states["cos_theta2"]
    np.testing.assert_allclose(field[..., 3], -down, atol=3e-7)
    slope = np.gradient(states["theta2"], SPEC.interval, axis=1)[:, 1:-1]
    assert np.corrcoef(slope.ravel(), states["omega2"][:, 1:-1].ravel())[0, 1] > 0.99
    assert np.abs(field[..., :4]).max() < field[..., 4].min()


def test_draws_fill_their_ranges_and_both_signs():
    spec = double_pendulum.Spec(clips=600, frames=2)
    labels = double_pendulum.draw(spec)
    assert labels["energy_level"].min() < 0.06 and labels["energy_level"].max() > 1.49
    bodies_ = _pendulum.Bodies.of(labels)
    start = np.stack([labels[f"start_{name}"] for name in _pendulum.MOTION])
    np.testing.assert_allclose(bodies_.energy(start), labels["energy"], rtol=1e-12)
    np.testing.assert_allclose(labels["energy"], labels["energy_level"] * bodies_.upright)
    for name in double_pendulum.RATIOS:
        part = name.partition("_")[0]
        np.testing.assert_allclose(labels[f"{part}2"] / labels[f"{part}1"], labels[name])
        np.testing.assert_allclose(labels[f"{part}2"] + labels[f"{part}1"], 2)
        assert np.log(labels[name]).mean() == pytest.approx(0, abs=0.1)
    for name in _pendulum.MOTION:
        assert (labels[f"start_{name}"] > 0).mean() == pytest.approx(0.5, abs=0.08), name


def test_no_frame_is_likelier_than_another():
    """The first frame is as the last one in distribution: the flow keeps the ensemble."""
    spec = double_pendulum.Spec(
        clips=1500, frames=2, interval=2.0, energy=0.8, gravity=9.81, mass_ratio=2.0,
        length_ratio=0.7,
    )  # fmt: skip
    labels = double_pendulum.draw(spec)
    _, states = double_pendulum.solved(spec, labels)
    for name in ("cos_theta1", "sin_theta2", "cos_theta2", "omega1", "omega2", "kinetic"):
        first, last = states[name].T
        assert scipy.stats.ks_2samp(first, last).pvalue > 1e-3, name


def test_a_motion_that_gains_energy_is_refused(drawn):
    labels, field, states = drawn
    wrong = clip(states, 2)
    wrong["kinetic"] = wrong["kinetic"].copy()
    wrong["kinetic"][7] += 1e-5 * labels["energy"][2]
    with pytest.raises(ValueError, match=r"energy: .* at frame 7; expected"):
        double_pendulum.check_states(SPEC, clip(labels, 2), wrong)
    stretched = field[2].copy()
    stretched[4, 2] += 1e-4
    with pytest.raises(ValueError, match=r"rods: length2 is .* at frame 4"):
        double_pendulum.check(SPEC, clip(labels, 2), stretched)


def test_a_world_that_knows_left_from_right_is_refused(drawn, monkeypatch):
    sound = _pendulum.rates

    def leaning(made):
        equation = sound(made)

        def write(state, rate):
            equation(state, rate)
            rate[2] += 1e-9

        return write

    double_pendulum.check_labels(SPEC, drawn[0])
    monkeypatch.setattr(_pendulum, "rates", leaning)
    with pytest.raises(ValueError, match=r"mirror symmetry: .* from frame 1 on"):
        double_pendulum.check_labels(SPEC, drawn[0])


def test_turning_one_way_is_refused(drawn):
    labels = drawn[0] | {"start_omega2": np.abs(drawn[0]["start_omega2"])}
    with pytest.raises(ValueError, match="omega2 starts positive in 40 of 40 clips"):
        double_pendulum.check_labels(SPEC, labels)


def test_an_energy_band_and_a_range_of_masses_can_be_held_out():
    spec = double_pendulum.Spec(
        clips=60, frames=2, hold_out={"energy_level": (0.8, 1.5), "mass_ratio": (1.0, 3.0)}
    )
    labels = double_pendulum.draw(spec)
    test = labels["split"] == "test"
    inside = (labels["energy_level"] >= 0.8) & (labels["mass_ratio"] >= 1)
    np.testing.assert_array_equal(test, inside)
    double_pendulum.check_labels(spec, labels)
    (fold,) = splits.nested(labels["group"], outer=5, inner=3, seed=0, declared=labels["split"])
    np.testing.assert_array_equal(np.sort(fold.test), np.flatnonzero(inside))
    with pytest.raises(ValueError, match="all 2 clips are train clips"):
        double_pendulum.check_labels(
            double_pendulum.Spec(clips=2), {n: v[~test][:2] for n, v in labels.items()}
        )


@pytest.mark.parametrize(
    ("held", "message"),
    [
        ({"energy_level": (2.0, 3.0)}, "no clip has energy_level from 2 to 3"),
        ({"mass_ratio": (3.0, 1.0)}, "has to ascend"),
        ({"gravity": (1.0, 20.0)}, "none is left to train on"),
        ({"theta1": (0.0, 1.0)}, "energy_level"),
    ],
)
def test_ranges_that_part_nothing_are_refused(held, message):
    with pytest.raises(ValidationError, match=message):
        double_pendulum.Spec(hold_out=held)


def test_quantities_may_be_fixed_or_drawn():
    spec = double_pendulum.Spec(
        clips=30, frames=2, mass=(1.0, 3.0), length=(1.0, 2.0), mass_ratio=1.0, energy=0.5
    )
    labels = double_pendulum.draw(spec)
    double_pendulum.check_labels(spec, labels)
    np.testing.assert_allclose(labels["mass1"], labels["mass2"])
    assert np.ptp(labels["mass1"]) > 0.5 and np.ptp(labels["energy_level"]) == 0
    assert double_pendulum.view(spec) == pytest.approx(2.2)


def test_the_store_holds_rods_states_and_labels(tmp_path: Path, drawn):
    out = tmp_path / "double_pendulum" / "simulation.zarr" / "zarr.json"
    stage.run(out=out, spec=SPEC.canonical())
    found = zarrs.read(out)
    labels, field, states = drawn
    assert found.rods.dims == ("clip", "time", "quantity")
    np.testing.assert_array_equal(found.rods.values, field)
    for name, unit in double_pendulum.STATES.items():
        assert found[name].dims == ("clip", "time") and found[name].attrs["units"] == unit
        np.testing.assert_array_equal(found[name].values, states[name])
    for name, unit in double_pendulum.UNITS.items():
        assert found[name].dims == ("clip",) and found[name].attrs["units"] == unit
        np.testing.assert_array_equal(found[name].values, labels[name])


def test_lyapunov_exponents_are_found_whatever_the_other_directions_do():
    """Of one pendulum of equal masses, where a decomposition of the map itself did not end."""
    spec = double_pendulum.Spec(clips=60, mass_ratio=1.0, length_ratio=1.0, gravity=9.81)
    found = double_pendulum.draw(spec)["lyapunov"]
    assert np.isfinite(found).all() and (found > 0).mean() > 0.9
