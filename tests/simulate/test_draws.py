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


def test_log_uniform_draws_are_as_many_per_octave():
    rng = np.random.default_rng(0)
    drawn = np.array([_draws.log_uniform(rng, (0.5, 8.0)) for _ in range(8000)])
    assert drawn.min() >= 0.5 and drawn.max() <= 8
    share = np.histogram(np.log2(drawn), 4, (-1, 3))[0] / 8000
    np.testing.assert_allclose(share, 0.25, atol=0.02)


def test_clips_are_drawn_anew_until_they_suit_and_leave_others_alone():
    def propose(rng):
        return {"alpha": float(rng.uniform())}

    free = _draws.clipwise("system", 3, 40, propose)
    bound = _draws.clipwise("system", 3, 40, propose, lambda clip, found: found["alpha"] > 0.5)
    kept = free["alpha"] > 0.5
    assert 5 < kept.sum() < 35
    np.testing.assert_array_equal(bound["alpha"][kept], free["alpha"][kept])
    assert bound["alpha"].min() > 0.5 and len(np.unique(bound["alpha"])) == 40
    low = int(np.argmin(kept))
    one = _draws.clipwise(
        "system", 3, 40, propose, lambda clip, found: clip != low or found["alpha"] > 0.5
    )
    np.testing.assert_array_equal(np.flatnonzero(one["alpha"] != free["alpha"]), [low])
    assert one["alpha"][low] == bound["alpha"][low]


def test_a_clip_that_nothing_suits_is_an_error():
    with pytest.raises(ValueError, match="clip 0: none of 1000 draws suits"):
        _draws.clipwise("system", 0, 3, lambda rng: {"alpha": 1.0}, lambda clip, found: False)
