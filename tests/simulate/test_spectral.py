"""Spectral solutions against SciPy's transforms and against physics."""

import numpy as np
from scipy.fft import dct, dctn, fft2, idct

from physprobe.simulate import _spectral

TIME = np.array([0.0, 0.3, 1.0, 40.0])


def test_basis_is_the_orthonormal_cosine_transform():
    profile = np.random.default_rng(0).normal(size=48)
    wavenumber, basis = _spectral.cosines(48)
    np.testing.assert_allclose(basis @ profile, dct(profile, norm="ortho"), atol=1e-13)
    np.testing.assert_allclose(basis @ basis.T, np.eye(48), atol=1e-13)
    np.testing.assert_allclose(wavenumber, np.pi * np.arange(48) / 48)


def test_any_profile_diffuses_as_by_fast_transforms():
    profile = np.random.default_rng(1).normal(size=60)
    decay = np.exp(-2.5 * np.outer(TIME, (np.pi * np.arange(60) / 60) ** 2))
    expected = idct(decay * dct(profile, norm="ortho"), norm="ortho")
    np.testing.assert_allclose(_spectral.diffuse(profile, 2.5, TIME), expected, atol=1e-13)


def test_diffusing_twice_is_diffusing_for_the_sum_of_the_times():
    profile = np.random.default_rng(2).normal(size=40)
    (once,) = _spectral.diffuse(profile, 1.3, np.array([5.0]))
    (half,) = _spectral.diffuse(profile, 1.3, np.array([2.0]))
    (twice,) = _spectral.diffuse(half, 1.3, np.array([3.0]))
    np.testing.assert_allclose(twice, once, atol=1e-14)


def test_a_mirrored_profile_has_a_mirrored_solution():
    profile = np.random.default_rng(3).normal(size=40)
    solution = _spectral.diffuse(profile, 0.7, TIME)
    mirrored = _spectral.diffuse(profile[::-1], 0.7, TIME)
    np.testing.assert_allclose(mirrored, solution[:, ::-1], atol=1e-13)


def test_coefficients_are_those_of_the_fast_transform_and_keep_the_sum_of_squares():
    frame = np.random.default_rng(4).normal(size=(40, 56)).astype(np.float32)
    found = _spectral.coefficients(frame)
    np.testing.assert_allclose(found, dctn(frame.astype(float), norm="ortho"), atol=1e-5)
    np.testing.assert_allclose((found**2).sum(), (frame**2).sum(), rtol=1e-5)


def test_a_sketch_mixes_the_coefficients():
    rng = np.random.default_rng(5)
    frames = rng.normal(size=(3, 40, 56)).astype(np.float32)
    mixture = rng.choice([-1.0, 1.0], (2, 40))
    expected = [mixture @ _spectral.coefficients(frame) for frame in frames]
    np.testing.assert_allclose(_spectral.sketch(frames, mixture), expected, atol=1e-4)


def test_analysis_is_the_fast_transform_and_synthesis_undoes_it():
    field = np.random.default_rng(6).normal(size=(3, 33, 33))
    modes = _spectral.analyse(field, 16)
    whole = fft2(field, norm="forward")
    y, x = _spectral.waves(16, 33)
    rows, columns = (np.rint(k.ravel() * 33 / (2 * np.pi)).astype(int) for k in (y, x))
    np.testing.assert_allclose(modes, whole[:, rows[:, None], columns], atol=1e-15)
    np.testing.assert_allclose(_spectral.synthesise(modes, 33), field, atol=1e-13)


def test_a_finer_grid_shows_the_same_series_between_the_cells():
    modes = _spectral.analyse(np.random.default_rng(7).normal(size=(32, 32)), 9)
    coarse, fine = (_spectral.synthesise(modes, cells) for cells in (32, 96))
    np.testing.assert_allclose(fine[::3, ::3], coarse, atol=1e-14)


def test_a_film_is_the_synthesis_rounded():
    rng = np.random.default_rng(8)
    modes = _spectral.analyse(rng.normal(size=(19, 32, 32)), 9)
    expected = _spectral.synthesise(modes, 40).astype(np.float32)
    np.testing.assert_array_equal(_spectral.film(modes, 40), expected)


def test_transport_for_a_sum_of_times_is_transport_twice():
    first, second, both = (
        _spectral.transport(7, 32, 0.4, (0.3, -0.9), np.array([t])) for t in (3.0, 5.5, 8.5)
    )
    np.testing.assert_allclose(first * second, both, atol=1e-15)


def test_rates_of_a_vibration_are_its_derivative():
    time = np.array([2.0, 7.0])
    stiffness = 0.8**2 * _spectral.squares(5, 32)
    later, earlier = (_spectral.vibration(stiffness, 0.2, time + h)[0] for h in (1e-4, -1e-4))
    rate = _spectral.vibration(stiffness, 0.2, time)[1]
    np.testing.assert_allclose(rate, (later - earlier) / 2e-4, atol=1e-7)
