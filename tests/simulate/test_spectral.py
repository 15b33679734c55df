"""Spectral solutions against SciPy's transforms and against physics."""

import numpy as np
from scipy.fft import dct, dctn, idct

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
