"""Paired scores: differences by clip, by whole groups, and from the best of several."""

import numpy as np
import pytest

from physprobe.statistics import paired, scores, splits
from physprobe.statistics.paired import Scored


def r2(truth: np.ndarray, squared: np.ndarray, groups: np.ndarray | None = None) -> Scored:
    groups = np.arange(len(truth)) if groups is None else groups
    return Scored(scores.r2_sums(truth, squared), scores.r2_of, groups)


def test_pairing_by_clip_narrows_a_difference(rng: np.random.Generator):
    truth, hard = rng.normal(size=80), rng.exponential(size=80)
    better, worse = r2(truth, 0.2 * hard), r2(truth, 0.25 * hard)
    difference = paired.above(better, worse).interval(2000)
    assert difference.value == pytest.approx(better.value - worse.value) and difference.low > 0
    single = better.interval(2000)
    assert difference.high - difference.low < 0.5 * (single.high - single.low)


def test_groups_are_drawn_whole_and_all_comparisons_count_them(rng: np.random.Generator):
    """Eight copies of every clip are no more evidence than the clips themselves."""
    truth, own, other = rng.normal(size=20), rng.exponential(size=20), rng.exponential(size=20)
    few = paired.above(r2(truth, own), r2(truth, other)).interval(2000)
    member = np.repeat(np.arange(20), 8)
    parts = [r2(truth[member], error[member], member) for error in (own, other)]
    for compare in (paired.above, paired.above_mean):
        whole = compare(*parts).interval(2000)
        np.testing.assert_allclose(whole, few, rtol=1e-9)
    with pytest.raises(ValueError, match="different clips"):
        paired.above(parts[0], r2(truth[member], other[member]))


def test_the_best_is_found_anew_in_every_draw(rng: np.random.Generator):
    """Of equal controls the best in hindsight is better than any: a draw chooses its own."""
    truth, own = rng.normal(size=60), np.ones(60)
    others = {str(n): r2(truth, rng.exponential(size=60)) for n in range(9)}
    best = paired.best(others)
    assert others[best].value == max(float(other.value) for other in others.values())
    anew = paired.above(r2(truth, own), *others.values()).interval(2000)
    once = paired.above(r2(truth, own), others[best]).interval(2000)
    assert anew.value == pytest.approx(once.value) and anew.high < once.high


def test_scores_of_several_kinds_are_combined(rng: np.random.Generator):
    truth, error, base = rng.normal(size=30), rng.exponential(size=30), rng.exponential(size=30)
    skill = Scored(np.stack([error, base], -1), scores.skill_of, np.arange(30))
    found = paired.combined((skill, r2(truth, error)), lambda each: np.min(each, axis=0))
    assert found.value == min(skill.value, r2(truth, error).value)


def test_joined_groups_part_none_of_any(rng: np.random.Generator):
    pairs, alone = np.array([5, 5, 1, 1, 0, 2]), np.arange(6)
    np.testing.assert_array_equal(splits.joined([alone]), alone)
    np.testing.assert_array_equal(splits.joined([pairs, alone]), [0, 0, 1, 1, 2, 3])
    chained = splits.joined([pairs, np.array([0, 1, 1, 2, 3, 3])])
    np.testing.assert_array_equal(chained, [0, 0, 0, 0, 1, 1])
