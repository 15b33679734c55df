"""Advection-diffusion: exact solutions, and what its gates refuse."""

import numpy as np
import pytest
from pydantic import ValidationError

from physprobe.simulate import _spectral, advection_diffusion

SPEC = advection_diffusion.Spec()
LABELS = {"alpha": 0.7, "vy": 0.61, "vx": -1.13, "ic_id": 1}
TIME = np.arange(64.0)


def solved(start, alpha, velocity, time=TIME):
    """Solution for any start, in float64."""
    band = (start.shape[0] - 1) // 2
    factors = _spectral.transport(band, start.shape[0], alpha, velocity, time)
    return _spectral.synthesise(_spectral.analyse(start, band) * factors, start.shape[0])


def gaussian(place, variance, cells=128, copies=3):
    """Gaussian of height s^2 / variance for s = 8 px, with its images beyond the square."""
    axis = np.arange(cells)[:, None] + cells * np.arange(-copies, copies + 1)
    rows, columns = (np.exp(-((axis - p) ** 2) / (2 * variance)).sum(1) for p in place)
    return 64 / variance * np.outer(rows, columns)


@pytest.mark.parametrize("waves", [(1, 0), (0, 3), (-4, 2), (15, 15), (-15, 1)])
def test_a_plane_wave_moves_and_fades_to_1e_10(waves):
    y, x = np.ogrid[:64, :64]
    ky, kx = 2 * np.pi * np.array(waves) / 64
    alpha, velocity = 0.31, (0.377, -1.219)
    found = solved(np.cos(ky * y + kx * x + 0.4), alpha, velocity)
    for time in (0, 1, 17, 63):
        phase = ky * (y - velocity[0] * time) + kx * (x - velocity[1] * time) + 0.4
        expected = np.exp(-alpha * (ky**2 + kx**2) * time) * np.cos(phase)
        np.testing.assert_allclose(found[time], expected, atol=1e-10)


def test_a_gaussian_moves_and_widens_to_1e_10():
    alpha, velocity, start = 1.3, (1.41, -0.83), (30.2, 101.7)
    found = solved(gaussian(start, 64.0), alpha, velocity)
    for time in (0, 1, 30, 63):
        place = [p + v * time for p, v in zip(start, velocity, strict=True)]
        expected = gaussian(place, 64 + 2 * alpha * time)
        np.testing.assert_allclose(found[time], expected, atol=1e-10)


def test_field_solves_the_equation():
    """Spectral derivatives in space and a central difference in time, of the finished clip."""
    u = advection_diffusion.field(SPEC, LABELS).astype(float)
    k = 2 * np.pi * np.fft.fftfreq(128)
    modes = np.fft.fft2(u[1:-1])
    dy, dx, lap = (
        np.fft.ifft2(factor * modes).real
        for factor in (1j * k[:, None], 1j * k, -(k[:, None] ** 2 + k**2))
    )
    found = (u[2:] - u[:-2]) / 2
    expected = LABELS["alpha"] * lap - LABELS["vy"] * dy - LABELS["vx"] * dx
    assert np.abs(found - expected)[30:].max() < 3e-3 * np.abs(expected).max()


def test_whole_steps_without_diffusion_roll_the_cells():
    labels = LABELS | {"alpha": 0.0, "vy": 1.0, "vx": -2.0}
    field = advection_diffusion.field(SPEC, labels)
    for time in (1, 20, 63):
        rolled = np.roll(field[0], (time, -2 * time), axis=(0, 1))
        np.testing.assert_allclose(field[time], rolled, atol=1e-6)


def test_two_half_steps_make_a_whole_one():
    once = advection_diffusion.field(SPEC, LABELS)
    halves = {name: LABELS[name] / 2 for name in ("alpha", "vy", "vx")}
    np.testing.assert_allclose(
        advection_diffusion.field(SPEC, LABELS | halves)[::2], once[:32], atol=1e-6
    )


def test_the_pattern_stays_within_its_first_lap():
    labels = advection_diffusion.draw(advection_diffusion.Spec(clips=1000))
    gone = 63 * np.abs([labels["vy"], labels["vx"]])
    assert gone.max() < 128 and np.hypot(*gone).min() > 11


def faster(u):
    return advection_diffusion.field(SPEC, LABELS | {"vx": -1.131})


def smoother(u):
    return advection_diffusion.field(SPEC, LABELS | {"alpha": 0.702})


def warmer(u):
    u[40:] *= 1.0001
    return u


def late(u):
    u[30] = u[29]
    return u


def checkered(u):
    u[50] += 2e-5 * (-1.0) ** np.add.outer(np.arange(128), np.arange(128))
    return u


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (faster, r"every mode: mode \(-?\d, \d\) of frame \d is"),
        (smoother, r"every mode: mode \(-?\d, \d\) of frame \d is"),
        (warmer, "budget: frame 40 holds"),
        (late, r"every mode: mode \(-?\d, \d\) of frame 30 is"),
        (checkered, r"every mode: mode \(-64, 64\) of frame 50 is"),
    ],
)
def test_each_gate_names_the_frame_that_breaks_it(spoil, expected):
    with pytest.raises(ValueError, match=expected):
        advection_diffusion.check(SPEC, LABELS, spoil(advection_diffusion.field(SPEC, LABELS)))


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"alpha": (2, 1)}, "low end 2 has to be below"),
        ({"alpha": (1, 20)}, "20 is more than 12.8: nothing would be left"),
        ({"speed": 4}, "4 is more than 3: clips would go around"),
        ({"speed": 0}, "greater than 0"),
        ({"size": 16}, "greater than or equal to 32"),
        ({"frames": 1}, "greater than 1"),
        ({"sigma": (1, 2)}, "Extra inputs"),
    ],
)
def test_impossible_values_are_refused(entry, expected):
    with pytest.raises(ValidationError, match=expected):
        advection_diffusion.Spec(**entry)
