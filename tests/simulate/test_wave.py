"""Damped waves: exact solutions, energy, and what the gates refuse."""

import numpy as np
import pytest
from pydantic import ValidationError
from scipy.linalg import expm

from physprobe.simulate import _initial, _spectral, _vibrating, wave

SPEC = wave.Spec()
LABELS = {"c": 1.1, "gamma": 0.03, "ic_id": 2}
TIME = np.arange(64.0)


@pytest.mark.parametrize("waves", [(1, 0), (0, 3), (-4, 2), (15, 15), (-15, 1)])
def test_a_plane_wave_without_damping_stands_to_1e_10(waves):
    y, x = np.ogrid[:64, :64]
    ky, kx = 2 * np.pi * np.array(waves) / 64
    start = np.cos(ky * y + kx * x + 0.4)
    factors = _spectral.vibration(0.83**2 * _spectral.squares(15, 64), 0.0, TIME)[0]
    found = _spectral.synthesise(_spectral.analyse(start, 15) * factors, 64)
    expected = np.cos(0.83 * np.hypot(ky, kx) * TIME)[:, None, None] * start
    np.testing.assert_allclose(found, expected, atol=1e-10)


@pytest.mark.parametrize("gamma", [0.0, 0.01, 0.3, 2 * 0.7 * 2 * np.pi / 64, 0.9, 3.0])
def test_every_mode_vibrates_as_the_exponential_of_its_equation(gamma):
    """Underdamped, overdamped, and mode (1, 0) critically damped."""
    c = 0.7
    amplitude, rate = _spectral.vibration(c**2 * _spectral.squares(3, 64), gamma, TIME)
    for row, column in ((3, 0), (4, 0), (3, 1), (0, 3)):
        stiffness = c**2 * (2 * np.pi / 64) ** 2 * ((row - 3) ** 2 + column**2)
        equation = np.array([[0, 1], [-stiffness, -gamma]])
        expected = expm(equation * TIME[:, None, None])[:, :, 0]
        np.testing.assert_allclose(amplitude[:, row, column], expected[:, 0], atol=1e-10)
        np.testing.assert_allclose(rate[:, row, column], expected[:, 1], atol=1e-10)


def test_waves_along_one_axis_follow_d_alembert():
    """Half of the start runs each way, unchanged."""
    x = np.arange(128)
    profile = np.exp(-((x - 40.0) ** 2) / (2 * 6.0**2))
    start = np.repeat(profile[None], 128, axis=0)
    factors = _spectral.vibration(_spectral.squares(63, 128), 0.0, TIME)[0]
    found = _spectral.synthesise(_spectral.analyse(start, 63) * factors, 128)
    for time in (1, 20, 63):
        halves = (np.roll(profile, time) + np.roll(profile, -time)) / 2
        np.testing.assert_allclose(found[time, 77], halves, atol=1e-10)


def test_field_solves_the_equation():
    u = wave.field(SPEC, LABELS).astype(float)
    k = 2 * np.pi * np.fft.fftfreq(128)
    lap = np.fft.ifft2(-(k[:, None] ** 2 + k**2) * np.fft.fft2(u[1:-1])).real
    found = u[2:] - 2 * u[1:-1] + u[:-2] + LABELS["gamma"] * (u[2:] - u[:-2]) / 2
    expected = LABELS["c"] ** 2 * lap
    assert np.abs(found - expected)[10:].max() < 0.02 * np.abs(expected[10:]).max()


def test_a_clip_starts_at_rest():
    u = wave.field(wave.Spec(frames=2), LABELS | {"c": 1e-3, "gamma": 1e-3})
    assert np.abs(u[1] - u[0]).max() < 1e-6 < np.ptp(u[0])


def test_energy_is_kept_without_damping_and_lost_with_it():
    start = _vibrating.energies(SPEC, LABELS, wave.field(SPEC, LABELS))[0]
    kept = _vibrating.energies(
        SPEC, LABELS | {"gamma": 0.0}, wave.field(SPEC, LABELS | {"gamma": 0.0})
    )
    np.testing.assert_allclose(kept, start, rtol=1e-5)
    lost = _vibrating.energies(SPEC, LABELS, wave.field(SPEC, LABELS))
    assert (np.diff(lost) < 0).all()


def test_energy_is_that_of_rates_and_gradients():
    """Summed over cells in space, with rates from the equation."""
    factors, rates = SPEC.vibration(LABELS, TIME)
    start = _initial.series(SPEC.seed, LABELS["ic_id"])
    y, x = _spectral.waves(15, 128)
    found = _vibrating.energies(SPEC, LABELS, wave.field(SPEC, LABELS))
    for time in (0, 1, 40):
        parts = (rates[time], *(LABELS["c"] * 1j * k * factors[time] for k in (y, x)))
        squares = sum((_spectral.synthesise(start * part, 128) ** 2).mean() for part in parts)
        assert found[time] == pytest.approx(squares / 2, rel=1e-4)


def test_focus_of_a_ring_stays_in_range():
    spec = wave.Spec(clips=60, size=32)
    for number in range(60):
        if _initial.family(0, number) == "ring":
            field = wave.field(spec, {"c": 0.35, "gamma": 1e-6, "ic_id": number})
            assert -1 <= field.min() < -0.05 and field.max() <= 1


def faster(u):
    return wave.field(SPEC, LABELS | {"c": 1.101})


def freer(u):
    return wave.field(SPEC, LABELS | {"gamma": 0.0301})


def heavier(u):
    u[40:] += 1e-4
    return u


def pushed(u):
    u[20:] = wave.field(SPEC, LABELS)[:44] * 1.0
    return u


def mirrored(u):
    u[63] = u[63, ::-1].copy()
    return u


def checkered(u):
    u[50] += 2e-5 * (-1.0) ** np.add.outer(np.arange(128), np.arange(128))
    return u


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (faster, r"every mode: mode \(-?\d, \d\) of frame \d is"),
        (freer, r"every mode: mode \(-?\d, \d\) of frame \d+ is"),
        (heavier, "budget: frame 40 holds"),
        (pushed, r"energy: frame (19|20) has"),
        (mirrored, r"(energy|every mode): .*frame 6[23]"),
        (checkered, r"every mode: mode \(-64, 64\) of frame 50 is"),
    ],
)
def test_each_gate_names_the_frame_that_breaks_it(spoil, expected):
    with pytest.raises(ValueError, match=expected):
        wave.check(SPEC, LABELS, spoil(wave.field(SPEC, LABELS)))


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"c": (2, 1)}, "low end 2 has to be below"),
        ({"c": (1, 4)}, "4 is more than 3: waves would go around"),
        ({"gamma": (0.1, 1)}, "1 is more than 0.3125: no wave would be left"),
        ({"gamma": (0, 1)}, "greater than 0"),
        ({"seed": -1}, "greater than or equal to 0"),
        ({"alpha": (1, 2)}, "Extra inputs"),
    ],
)
def test_impossible_values_are_refused(entry, expected):
    with pytest.raises(ValidationError, match=expected):
        wave.Spec(**entry)
