"""Damped waves and diffusion as published: parity with what is known of the published pairs."""

import numpy as np
import pytest

from physprobe.simulate import _published_pairs, _spectral, diffusion, wave_published

SPEC = wave_published.Spec()
LABELS = wave_published.draw(SPEC)


def clip(number):
    return {name: values[number] for name, values in LABELS.items()}


@pytest.mark.parametrize(("number", "expected"), [(0, (0.44331, 0.03065)), (2, (0.35940, 0.02928))])
def test_draws_are_the_published_ones(number, expected):
    found = [LABELS[name][number] for name in ("c", "gamma")]
    np.testing.assert_allclose(found, expected, atol=5e-6)


@pytest.mark.parametrize(("number", "blobs"), [(0, 1), (2, 2)])
def test_pairs_start_from_as_many_blobs_as_published(number, blobs):
    """One blob is highest once and falls the same way to all sides; two don't."""
    start = wave_published.field(SPEC, clip(number))[0].astype(float)
    y, x = np.unravel_index(start.argmax(), start.shape)
    centred = np.roll(start, (64 - y, 64 - x), (0, 1))[34:95, 34:95]
    lopsided = np.abs(centred - centred[::-1, ::-1]).max()
    assert (lopsided < 0.1) == (blobs == 1)
    np.testing.assert_array_equal(wave_published.field(SPEC, clip(number + 1))[0], start)


def test_every_clip_says_its_equation():
    assert LABELS["equation"].tolist() == ["wave", "diffusion"] * 60


def test_waves_come_close_to_the_exact_solution():
    """Second-order steps of 0.2: the start is close to periodic, and so are the waves."""
    labels = clip(0)
    field = wave_published.field(SPEC, labels)
    factors, _ = _spectral.vibration(
        labels["c"] ** 2 * _spectral.squares(63, 128), labels["gamma"], 0.2 * np.arange(64.0)
    )
    exact = _spectral.film(_spectral.analyse(field[0].astype(float), 63) * factors, 128)
    assert np.abs(exact - exact[0]).max() > 0.05
    np.testing.assert_allclose(field, exact, atol=5e-3)


def test_waves_start_at_rest_and_run_as_far_as_published():
    reach = LABELS["c"][::2] * 12.8
    kept = np.exp(-LABELS["gamma"][::2] * 12.8 / 2)
    assert 3.8 <= reach.min() < 4.5 and 11 < reach.max() <= 11.52
    assert 0.599 <= kept.min() < 0.62 and 0.92 < kept.max() <= 0.94
    field = wave_published.field(SPEC, clip(0)).astype(float)
    first, second = (np.abs(np.diff(field[n : n + 2], axis=0)).max() for n in (0, 1))
    assert second / first == pytest.approx(3, rel=0.02)


def test_no_pair_needed_a_larger_range_of_colours():
    for number in range(0, 120, 6):
        field = wave_published.field(SPEC, clip(number))
        wave_published.check(SPEC, clip(number), field)
        assert np.abs(field).max() == 1


def test_alpha_has_collapsed_and_the_match_says_so():
    assert set(LABELS["alpha"][1::2]) == {0.22} and not LABELS["alpha"][::2].any()
    for number in (0, 58):
        assert _published_pairs.matched(wave_published.field(SPEC, clip(number))) == 0.22


def test_diffusion_hardly_moves():
    peak, mean = [], []
    for number in range(1, 120, 2):
        field = wave_published.field(SPEC, clip(number))
        peak.append(np.abs(field - field[0]).max())
        mean.append(np.abs(field[-1] - field[0]).mean())
        with pytest.raises(ValueError, match="motion"):
            diffusion.check(diffusion.Spec(), {"alpha": 0.0176}, field)
    assert max(peak) == pytest.approx(0.10, abs=0.01)
    assert np.mean(mean) == pytest.approx(0.001, abs=1e-4)


def test_split_is_that_of_the_other_pairs():
    np.testing.assert_array_equal(LABELS["split"], _published_pairs.split(120))
    assert (LABELS["split"] == "test").sum() == 24 and "group" not in LABELS


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_is_refused(value):
    field = np.zeros((4, 8, 8), np.float32)
    field[2, 3, 3] = value
    with pytest.raises(ValueError, match="finite values: frame 2"):
        wave_published.check(SPEC, clip(0), field)
