"""Margins: p agrees with the interval and with Student's, power is what it is said to be."""

import numpy as np
import pytest
from scipy import stats

from physprobe.statistics import margins


@pytest.mark.parametrize("count", [6, 40])
def test_p_of_a_mean_is_students(count: int, rng: np.random.Generator):
    values = rng.normal(0.3, 1.0, count)
    test = stats.ttest_1samp(values, 0.0)
    ends = test.confidence_interval()
    for at in (0.0, -1.0, 0.5):
        known = stats.ttest_1samp(values, at).pvalue
        assert margins.p(values.mean(), *ends, at, count) == pytest.approx(known)


@pytest.mark.parametrize("at", [-1.0, 0.0999, 0.1, 0.3, 0.4, 0.6, 0.6001, 3.0])
@pytest.mark.parametrize("draws", [0, 40, 1000])
def test_p_is_below_5_percent_just_where_the_verdict_leaves_the_value_out(at: float, draws: int):
    low, high = 0.1, 0.6  # uneven about the value, as skewed draws make it
    drawn = np.random.default_rng(0).normal(0.3, 0.15, draws) if draws else None
    found = margins.p(0.3, low, high, at, 30, drawn)
    assert (found < 0.05) == (low > at or high <= at)
    if drawn is not None:
        assert found >= min(1 / (1 + draws), 0.0499)


def test_draws_that_reach_far_are_believed_before_students_tail():
    """Of five networks the mean has heavier tails than a hundred clips have."""
    drawn = stats.t(4).ppf((np.arange(4000) + 0.5) / 4000)
    low, high = np.quantile(drawn, (0.025, 0.975))
    found = margins.p(0.0, low, high, 5.0, 100, drawn)
    assert found == pytest.approx(2 * stats.t(4).sf(5.0), rel=0.1)
    assert margins.p(0.0, low, high, 5.0, 100) < found / 5
    assert margins.p(0.0, low, high, 500.0, 100, drawn) == 1 / 4001


def test_p_without_an_interval_or_of_a_certain_score():
    assert np.isnan(margins.p(0.3, np.nan, np.nan, 0.0))
    assert margins.p(0.3, 0.3, 0.3, 0.0, drawn=np.full(99, 0.3)) == 0.01
    assert margins.p(0.3, 0.3, 0.3, 0.3) == 1.0


def test_what_is_detectable_is_told_8_times_in_10(rng: np.random.Generator):
    """By t tests of a mean at a distance of what was called detectable, at the family's level."""
    count, level = 25, 0.01
    half = stats.t.ppf(0.975, count - 1) / np.sqrt(count)
    reach = margins.reach(0.1, -half, half, count, level)
    values = rng.normal(reach.detectable, 1.0, (4000, count))
    told = (stats.ttest_1samp(values, 0.0, axis=1).pvalue < level).mean()
    assert told == pytest.approx(margins.POWER, abs=0.03)
    # so many clips make the distance that was found detectable
    more = int(reach.units)
    values = rng.normal(0.1, 1.0, (2000, more))
    told = (stats.ttest_1samp(values, 0.0, axis=1).pvalue < level).mean()
    assert told == pytest.approx(margins.POWER, abs=0.03)


def test_clips_do_not_narrow_what_networks_differ_by():
    alone = margins.reach(0.1, -0.3, 0.3, 50)
    half = margins.reach(0.1, -0.3, 0.3, 50, narrowed=0.98)
    assert half.detectable == alone.detectable and half.units > alone.units
    assert np.isinf(margins.reach(0.1, -0.3, 0.3, 50, narrowed=0.5).units)
    assert np.isinf(margins.reach(0.0, -0.3, 0.3, 50).units)
    assert np.isnan(margins.reach(0.1, 0.2, 0.2, 50).units)


@pytest.mark.parametrize(
    ("above", "word"), [(0.004, "negligible"), (0.02, "small"), (0.1, "clear"), (0.9, "large")]
)
def test_a_gain_has_a_word_for_its_size(above: float, word: str):
    assert margins.size(above) == word
