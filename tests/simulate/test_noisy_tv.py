"""The noisy TV against its stationary moments, its equation, and the published figures of it."""

import numpy as np
import pytest

from physprobe.simulate import noisy_tv
from physprobe.statistics import conditions


def solved(**fields):
    spec = noisy_tv.Spec(**fields)
    labels = noisy_tv.draw(spec)
    sensors, states = noisy_tv.solved(spec, labels)
    return spec, labels, sensors, states


def parts(states):
    return (
        np.stack([states[n] for n in names], -1) for names in (noisy_tv.SIGNAL, noisy_tv.DISTRACTOR)
    )


def test_moments_are_the_stationary_ones():
    """Variances 0.5025 and 0.4737, and the same of every autocorrelation of the distractor."""
    *_, states = solved(sigma=(1.0,), autocorrelation=(0.0, 0.9), draws=40, train=20, test=20)
    signal, distractor = parts(states)
    assert signal.var() == pytest.approx(0.5025, rel=0.05)
    slow = np.tile(np.repeat([0.0, 0.9], 40), 40)
    for rho in (0.0, 0.9):
        own = distractor[slow == rho]
        assert own.var() == pytest.approx(0.4737, rel=0.03)
        lagged = (own[:, 1:] * own[:, :-1]).mean() / own.var()
        assert lagged == pytest.approx(rho, abs=0.02)


def test_signal_turns_by_a_tenth_of_pi():
    *_, states = solved(sigma=(0.0,), draws=4, train=10, test=10)
    signal, _ = parts(states)
    now, following = (signal[:, s].reshape(-1, 4) for s in (slice(None, -1), slice(1, None)))
    turn = np.linalg.lstsq(now, following, rcond=None)[0].T
    poles = np.linalg.eigvals(turn)
    np.testing.assert_allclose(np.abs(poles), 0.99, atol=0.01)
    np.testing.assert_allclose(np.abs(np.angle(poles)), 0.1 * np.pi, atol=0.01)


def test_loudness_is_as_published():
    """-17.8 dB at sigma 8 by theory; the published run had -17.0."""
    assert noisy_tv.signal_to_noise(np.array(8.0)) == pytest.approx(-17.8, abs=0.05)


def test_orthogonal_signal_grows_without_end():
    spec, _, _, states = solved(
        dynamics="orthogonal", paths="contiguous", sigma=(0.0,), draws=60, train=18, test=2
    )
    signal, _ = parts(states)
    turn = noisy_tv.world(spec, 3).turn
    np.testing.assert_allclose(turn @ turn.T, np.eye(4), atol=1e-12)
    last = signal.reshape(60, 20, 101, 4)[:, -1, -1]
    assert last.var() == pytest.approx(1 + 0.01 * 2000, rel=0.25)


def test_one_path_is_cut_into_clips_and_conditions_share_it():
    _, labels, sensors, states = solved(
        paths="contiguous", sigma=(0.0, 3.0), draws=2, train=3, test=1
    )
    found = conditions.numbered(labels, noisy_tv.CONDITIONS)
    assert found.table.tolist() == [[0, 0.9, 0], [0, 0.9, 3], [1, 0.9, 0], [1, 0.9, 3]]
    quiet, loud = (np.flatnonzero(found.of == n) for n in (0, 1))
    for values in states.values():
        np.testing.assert_array_equal(values[quiet], values[loud])
        np.testing.assert_array_equal(values[quiet[:-1], -1], values[quiet[1:], 0])
    maps = noisy_tv.world(noisy_tv.Spec(), 0)
    _, distractor = parts(states)
    apart = 3 * distractor[loud] @ maps.distractor.T
    np.testing.assert_allclose(sensors[loud] - sensors[quiet], apart, atol=1e-5)
    assert labels["split"][quiet].tolist() == ["train"] * 3 + ["test"]


def test_sensors_are_both_parts_and_little_noise():
    spec, labels, sensors, states = solved(sigma=(2.0,), draws=1, train=5, test=5)
    own = noisy_tv.equation(spec, 0, 0.9, 2.0)
    both = np.concatenate([*parts(states)], -1)
    rest = sensors - both @ own.sensors.T
    assert rest.std() == pytest.approx(0.01, rel=0.02)
    for maps in (noisy_tv.world(spec, 0).signal, noisy_tv.world(spec, 0).distractor):
        np.testing.assert_allclose(np.linalg.norm(maps, axis=0), 1)
    one = {name: values[7] for name, values in labels.items()}
    np.testing.assert_array_equal(noisy_tv.field(spec, one), sensors[7])


def test_gates_name_the_step_that_is_off():
    spec, labels, sensors, states = solved(sigma=(2.0,), draws=1, train=2, test=1)
    one = {name: values[0] for name, values in labels.items()}
    path = {name: values[0].copy() for name, values in states.items()}
    noisy_tv.check_states(spec, one, path)
    path["signal_2"][6] += 2
    with pytest.raises(ValueError, match="signal: the step after frame 5"):
        noisy_tv.check_states(spec, one, path)
    sensors[0, 4, 1] = np.nan
    with pytest.raises(ValueError, match="frame 4"):
        noisy_tv.check(spec, one, sensors[0])
