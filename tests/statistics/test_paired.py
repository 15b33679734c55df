"""Paired scores: differences by clip, by whole groups, and from the best of several."""

from dataclasses import replace

import numpy as np
import pytest

from physprobe.statistics import bootstrap, paired, scores, splits
from physprobe.statistics.half_samples import Halves
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


CLIPS, MEMBERS = 40, 5


def mean(values: np.ndarray) -> Scored:
    return Scored(np.stack([values, np.ones_like(values)], -1), scores.mean_of, np.arange(CLIPS))


def several(values: np.ndarray, name: str) -> Scored:
    return paired.mean_of_members([mean(each) for each in values], name)


def planted(rng: np.random.Generator, spread: float) -> np.ndarray:
    """Scores (member, clip) about 0: of members that differ, on clips that differ."""
    own, clips = rng.normal(0, spread, (MEMBERS, 1)), rng.normal(0, 1, CLIPS)
    return own + clips + rng.normal(0, 0.3, (MEMBERS, CLIPS))


@pytest.mark.parametrize("spread", [0.0, 0.2, 1.0])
def test_intervals_of_members_cover_the_mean_of_all_there_could_be(spread: float):
    rng, trials = np.random.default_rng(3), 300
    covered = np.zeros(2)
    for _ in range(trials):
        values = planted(rng, spread)
        for place, found in enumerate((several(values, "random"), mean(values.mean(0)))):
            _, low, high = found.interval(500)
            covered[place] += low <= 0.0 <= high
    counted, ignored = covered / trials
    assert 0.91 <= counted <= 0.99
    assert (ignored < 0.75) == (spread == 1.0)  # clips alone: 95 % intervals that hold half of it


def test_a_mean_over_members_is_one_score(rng: np.random.Generator):
    truth, errors = rng.normal(size=60), rng.exponential(size=(MEMBERS, 60))
    each = [r2(truth, error) for error in errors]
    found = paired.mean_of_members(each, "random")
    assert found.value == pytest.approx(np.mean([one.value for one in each]))
    assert paired.mean_of_members(each[:1], "random") is each[0]
    interval = found.interval(300, 4)
    # from the draws of each, as rows have them, it is the same
    rows = bootstrap.mean_of_members([one.interval(300, 4) for one in each], "random")
    np.testing.assert_allclose(interval, rows, rtol=1e-9)
    assert interval.low < found.value < interval.high
    assert found.p(interval.high + 0.1, 300, 4) < 0.05 and found.p(found.value, 300, 4) > 0.5
    order = rng.permutation(60)
    np.testing.assert_allclose(found.of(order).value, found.value)
    assert found.of(order[:30]).value == pytest.approx(
        np.mean([r2(truth[order[:30]], error[order[:30]]).value for error in errors]), rel=1e-6
    )


def test_a_row_ends_where_its_metric_does_and_says_what_it_is_about(rng: np.random.Generator):
    """R2 of two networks, .95 and .3: the interval of their mean is wide, but no R2 is above 1."""
    truth = rng.normal(size=30)
    each = [r2(truth, part * truth**2) for part in (0.05, 0.7)]
    found = paired.mean_of_members(each, "random")
    row = found.row("r2", 500)
    _, low, high = found.interval(500)
    assert row["ci_high"] == 1.0 < high and row["ci_low"] == low and row["n_clips"] == 30
    assert row["metric"] == "r2" and row["estimand"] == bootstrap.FIXED
    assert found.row("r2_difference", 500)["ci_high"] == high
    signs = splits.halves(np.arange(30))
    halves = Halves.at(scores.ERROR, each[0].sums.shape[-1], np.full(len(signs), 0.1), signs)
    assert replace(each[0], halves=halves).row("r2", 500)["estimand"] == bootstrap.ESTIMAND
    nothing = r2(np.ones(30), truth**2).row("r2", 500, "labels are equal")
    assert nothing["note"] == "labels are equal" and nothing["estimand"] is None


def test_a_comparison_counts_how_far_members_are_apart(rng: np.random.Generator):
    control, own = planted(rng, 0.5), planted(rng, 0.0)[0] + 3.0
    wide = paired.above(mean(own), several(control, "random")).interval(1000)
    narrow = paired.above(mean(own), mean(control.mean(0))).interval(1000)
    assert wide.value == pytest.approx(narrow.value)
    assert wide.high - wide.low > 1.5 * (narrow.high - narrow.low)
    # the same networks on other clips, or of another layer, are drawn together; others apart
    again = control + rng.normal(0, 0.1, control.shape)
    together, apart = (
        paired.above(several(control, "random"), several(again, name)).interval(1000)
        for name in ("random", "other")
    )
    assert together.high - together.low < 0.3 * (apart.high - apart.low)
    best = paired.above(mean(own), several(control, "random"), mean(control[0]))
    assert best.members == (("random", MEMBERS),)
    mixed = paired.combined((best, several(again, "other")), lambda found: found[0] + found[1])
    assert mixed.members == (("random", MEMBERS), ("other", MEMBERS))
    assert np.isfinite(mixed.interval(200)).all()
