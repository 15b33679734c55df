"""Initial patterns: the same on every grid, in range under every law, of several families."""

import numpy as np
import pytest

from physprobe.simulate import _initial, _spectral

MANY = range(200)


def patterns(cells):
    return np.stack([_spectral.synthesise(_initial.series(0, n), cells) for n in MANY])


def of(name):
    return [n for n in MANY if _initial.family(0, n) == name]


def test_a_pattern_follows_from_its_two_numbers():
    np.testing.assert_array_equal(_initial.series(3, 7), _initial.series(3, 7))
    for seed, ic_id in ((3, 8), (4, 7), (7, 3)):
        assert np.abs(_initial.series(seed, ic_id) - _initial.series(3, 7)).max() > 1e-3


def test_families_are_as_likely_as_each_other():
    counts = [len(of(name)) for name in _initial.FAMILIES]
    assert sum(counts) == len(MANY) and min(counts) > 30


@pytest.mark.parametrize("cells", [32, 64, 256])
def test_every_grid_shows_the_same_pattern(cells):
    """Values at cells that two grids share, and no mode that the coarse one lacks."""
    coarse, fine = patterns(cells), patterns(512)
    np.testing.assert_allclose(coarse, fine[:, :: 512 // cells, :: 512 // cells], atol=1e-14)
    modes = np.fft.rfft2(fine[:20], norm="forward")
    number = np.abs(np.fft.fftfreq(512, 1 / 512))
    beyond = (number[:, None] > 15) | (number[:257] > 15)
    assert np.abs(modes[:, beyond]).max() < 1e-15


def test_patterns_are_between_0_and_1_and_differ_in_contrast_by_little():
    found = patterns(256)
    assert found.min() > -_initial.BETWEEN_CELLS / 3 and found.max() <= 1
    assert found.std((1, 2)).min() > 0.09 and found.std((1, 2)).max() < 0.18


def test_amplitudes_add_up_to_1():
    whole = np.abs(np.fft.fft2(patterns(32), norm="forward")).sum((1, 2))
    np.testing.assert_allclose(whole, 1, atol=1e-12)


def test_a_field_of_waves_has_eight_of_three_to_six_periods():
    for number in of("waves")[:10]:
        modes = np.abs(np.fft.fft2(_spectral.synthesise(_initial.series(0, number), 64)))
        rows, columns = np.nonzero(modes > 1e-9 * modes.max())
        n = np.hypot(*((k + 32) % 64 - 32 for k in (rows, columns)))
        assert len(n) == 17 and n[0] == 0 and n[1:].min() >= 3 and n.max() <= 6


def test_blobs_and_rings_are_what_they_are_called():
    """A ring is low in its middle, a single blob highest there."""
    y, x = np.ogrid[:128, :128]
    depths = []
    for number in of("ring"):
        pattern = _spectral.synthesise(_initial.series(0, number), 128)
        turn = [np.angle((pattern * np.exp(2j * np.pi * k / 128)).sum()) for k in (y, x)]
        middle = tuple(np.rint(np.array(turn) * 128 / (2 * np.pi)).astype(int) % 128)
        depths.append(pattern[middle] / pattern.max())
    assert max(depths) < 0.25


def test_centres_are_anywhere():
    mean = patterns(32)[[n for name in ("blobs", "packet") for n in of(name)]].mean(0)
    assert mean.std() < 0.35 * mean.mean()
