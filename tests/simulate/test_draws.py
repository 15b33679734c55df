"""Draws: uniform, independent, and the same for the same seed."""

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from physprobe.simulate import _draws

RANGES = {"alpha": (0.5, 5.0), "sigma": (5.0, 20.0), "x0": (-3.0, 7.0)}


def test_draws_are_uniform_and_independent():
    drawn = _draws.uniform(np.random.default_rng(0), RANGES, 20_000)
    for name, (low, high) in RANGES.items():
        assert low <= drawn[name].min() and drawn[name].max() <= high
        deciles = np.quantile((drawn[name] - low) / (high - low), np.arange(1, 10) / 10)
        np.testing.assert_allclose(deciles, np.arange(1, 10) / 10, atol=0.015)
    correlation = np.corrcoef(list(drawn.values()))
    np.testing.assert_allclose(correlation, np.eye(len(RANGES)), atol=0.03)


def test_more_clips_leave_the_first_as_they_were():
    few, many = (_draws.uniform(np.random.default_rng(7), RANGES, n) for n in (5, 50))
    for name in RANGES:
        np.testing.assert_array_equal(few[name], many[name][:5])


@pytest.mark.parametrize("ends", [(2, 1), (1, 1), (0, 1), (-1, 2), (1, float("inf")), (1,)])
def test_a_range_is_positive_finite_and_ascending(ends):
    with pytest.raises(ValidationError):
        TypeAdapter(_draws.Range).validate_python(ends)
