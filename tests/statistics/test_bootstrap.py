"""Intervals and bands against the truth that they should cover, and against those of scipy."""

import numpy as np
import pytest
from scipy import stats

from physprobe.statistics import bootstrap, resampling, scores, splits
from physprobe.statistics.half_samples import Halves


def test_the_interval_is_the_plain_bootstrap_weighted_by_hand(rng: np.random.Generator):
    values = rng.exponential(size=30)
    interval = bootstrap.interval(
        np.stack([values, np.ones(30)], -1), scores.mean_of, draws=4000, seed=1
    )
    drawn = values[rng.integers(30, size=(20000, 30))].mean(1)
    assert interval.value == pytest.approx(values.mean())
    width = interval.high - interval.low
    assert width == pytest.approx(np.diff(np.quantile(drawn, (0.025, 0.975)))[0], rel=0.12)
    # BCa moves toward the long tail of a skewed statistic.
    assert interval.low + interval.high > 2 * interval.value


@pytest.mark.parametrize("clips", [12, 60])
def test_p_of_the_bootstrap_is_the_level_at_which_its_interval_ends(
    clips: int, rng: np.random.Generator
):
    values = rng.exponential(size=clips)
    sums = np.stack([values, np.ones(clips)], -1)
    interval = bootstrap.interval(sums, scores.mean_of, draws=4000)
    for end in (interval.low, interval.high):
        assert bootstrap.p(sums, scores.mean_of, float(end), draws=4000) == pytest.approx(
            0.05, abs=0.002
        )
    assert bootstrap.p(sums, scores.mean_of, float(values.mean()), draws=4000) > 0.8
    assert bootstrap.p(sums, scores.mean_of, -9.0, draws=4000) == pytest.approx(5e-4, abs=3e-4)
    assert np.isnan(bootstrap.p(sums[:1], scores.mean_of))


STATISTICS = {
    "mean": (scores.mean_of, lambda a, b, axis: a.mean(axis)),
    "ratio": (scores.skill_of, lambda a, b, axis: 1 - a.sum(axis) / b.sum(axis)),
}


@pytest.mark.parametrize("name", STATISTICS)
@pytest.mark.parametrize("clips", [12, 30, 80])
def test_intervals_are_those_that_scipy_corrects_and_accelerates(
    name: str, clips: int, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
):
    """Both with 20,000 draws of their own, of skewed values: ends agree but for Monte-Carlo error.

    That error is some 1 % of the interval's width; without the acceleration, or the correction for
    bias, ends of the smaller samples are off by 5 to 15 %. What widens the draws of few clips is
    put aside: scipy's intervals are as narrow as a normal's.
    """
    monkeypatch.setattr(resampling, "widening", lambda units: np.ones(1))
    ours, theirs = STATISTICS[name]
    values, whole = rng.exponential(size=clips) ** 1.5, 3 + rng.exponential(size=clips)
    sums = np.stack([values, np.ones(clips) if name == "mean" else whole], axis=-1)
    found = bootstrap.interval(sums, ours, draws=20000, seed=3)
    low, high = stats.bootstrap(
        (values, whole), theirs, n_resamples=20000, method="BCa", paired=True, vectorized=True,
        random_state=np.random.default_rng(4),
    ).confidence_interval  # fmt: skip
    assert found.value == pytest.approx(theirs(values, whole, axis=-1))
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.03 * (high - low))
    plain = np.quantile(
        theirs(*(part[rng.integers(clips, size=(20000, clips))] for part in (values, whole)), -1),
        (0.025, 0.975),
    )
    if clips == 12:
        assert np.abs(plain - (low, high)).max() > 0.05 * (high - low)


def test_an_interval_with_one_end_is_none(rng: np.random.Generator):
    """Of two clips half of the draws are of one alone, which has no variance: no R2."""
    sums = scores.r2_sums(np.array([1.0, 2.0]), rng.random(2))
    found = bootstrap.interval(sums, scores.r2_of)
    assert np.isfinite(found.value) and np.isnan([found.low, found.high]).all()
    many = bootstrap.interval(scores.r2_sums(np.arange(20.0), rng.random(20)), scores.r2_of)
    assert np.isfinite(many).all()


def test_r2_intervals_cover_the_population_value(rng: np.random.Generator):
    """True R2 = 1 - 0.2; 300 experiments of 60 clips."""
    truth = rng.normal(size=(300, 60))
    squared = rng.normal(0, np.sqrt(0.2), size=truth.shape) ** 2
    found = bootstrap.interval(scores.r2_sums(truth, squared), scores.r2_of, draws=600)
    covered = np.mean((found.low < 0.8) & (found.high > 0.8))
    assert 0.89 < covered < 0.985


def test_clips_of_a_group_are_one_observation(rng: np.random.Generator):
    values = rng.normal(size=12)
    copies = np.repeat(values, 8)
    sums = np.stack([copies, np.ones(96)], -1)
    naive = bootstrap.interval(sums, scores.mean_of)
    grouped = bootstrap.interval(sums, scores.mean_of, groups=np.repeat(np.arange(12), 8))
    alone = bootstrap.interval(np.stack([values, np.ones(12)], -1), scores.mean_of)
    assert grouped.low == pytest.approx(alone.low)
    assert (naive.high - naive.low) < 0.6 * (grouped.high - grouped.low)


def test_a_band_holds_the_whole_curve_where_intervals_hold_single_points(rng: np.random.Generator):
    """Twelve layers of true R2 from 0.2 to 0.8, alike in what is hard: 300 experiments."""
    expected = np.linspace(0.2, 0.8, 12)
    inside = {"band": 0, "interval": 0}
    for _ in range(300):
        truth, shared = rng.normal(size=80), rng.normal(size=80)
        noise = 0.6 * shared + 0.8 * rng.normal(size=(12, 80))
        sums = scores.r2_sums(truth, (1 - expected)[:, None] * noise**2)
        found = bootstrap.band(sums, scores.log_error_of, draws=400)
        low, high = 1 - np.exp(found.high), 1 - np.exp(found.low)
        inside["band"] += ((low < expected) & (expected < high)).all()
        single = bootstrap.interval(sums, scores.r2_of, draws=400)
        inside["interval"] += ((single.low < expected) & (expected < single.high)).all()
    assert 0.9 < inside["band"] / 300 < 0.985
    assert inside["interval"] / 300 < 0.85


def test_a_band_around_nothing_is_undefined():
    sums = scores.r2_sums(np.arange(9.0), np.zeros((3, 9)))
    found = bootstrap.band(sums, scores.log_error_of)
    assert np.isnan(found.low).all() and np.isnan(found.high).all()


def test_the_same_seed_gives_the_same_interval(rng: np.random.Generator):
    sums = scores.r2_sums(rng.normal(size=(3, 20)), rng.random((3, 20)))
    first, again, other = (bootstrap.interval(sums, scores.r2_of, seed=s) for s in (1, 1, 2))
    assert np.array_equal(first.low, again.low) and not np.array_equal(first.low, other.low)
    assert np.array_equal(bootstrap.interval(sums[1], scores.r2_of, seed=1).low, first.low[1])


@pytest.mark.parametrize("clips", [6, 12, 40])
def test_an_interval_of_few_normal_clips_holds_their_mean_as_student_t_does(clips: int):
    rng = np.random.default_rng(clips)
    sums = np.stack([rng.normal(size=(1500, clips)), np.ones((1500, clips))], -1)
    _, low, high = bootstrap.interval(sums, scores.mean_of, draws=1000)
    assert 0.93 <= np.mean((low <= 0) & (high >= 0)) <= 0.97


def test_halves_add_the_variance_of_their_errors_ratio():
    """Errors that halves multiply at random: the logarithm's variance is half their mean square."""
    rng = np.random.default_rng(1)
    errors, ratios = np.ones(400), 0.2 * rng.normal(size=12)
    sums = np.stack([errors, np.ones(400)], -1)
    halves = Halves.at(0, 2, ratios, rng.choice([-1.0, 1.0], size=(12, 400)))
    found = bootstrap.interval(sums, scores.mean_of, draws=20000, halves=halves)
    spread = np.log(found.drawn)
    # d is half of the logarithm of the two halves' ratio, z Student's t of 12 degrees of freedom
    assert spread.var() == pytest.approx(2 * np.mean(ratios**2) * 12 / 10, rel=0.1)
    assert found.value == 1.0
    still = bootstrap.interval(sums, scores.mean_of, draws=500)
    assert still.low == still.high == 1.0


def test_what_is_hard_to_predict_and_bad_to_learn_from_widens_the_draws():
    rng = np.random.default_rng(2)
    errors, signs = rng.exponential(size=200), rng.choice([-1.0, 1.0], size=(12, 200))
    sums = np.stack([errors, np.ones(200)], -1)
    apart = signs @ (errors - errors.mean()) / errors.sum()
    same, other = (
        bootstrap.interval(
            sums, scores.mean_of, draws=4000, halves=Halves.at(0, 2, way * apart / 2, signs)
        )
        for way in (1.0, -1.0)
    )
    assert same.drawn.var() > 1.3 * other.drawn.var()


def test_halves_of_a_group_are_alike_and_follow_their_clips():
    groups = np.repeat(np.arange(20), 3)
    signs = splits.halves(groups, seed=2)
    assert signs.shape == (splits.HALVES, 60) and (signs.sum(1) == 0).all()
    assert (signs.reshape(-1, 20, 3) == signs[:, ::3, None]).all()
    np.testing.assert_array_equal(signs, splits.halves(groups, seed=2))
    assert (signs != splits.halves(groups, seed=3)).any()
    order = np.random.default_rng(0).permutation(60)
    halves = Halves.at(0, 2, np.zeros(splits.HALVES), signs)
    np.testing.assert_array_equal(halves.of(order).signs, signs[:, order])


def test_sums_by_group_are_those_of_a_matrix_of_units_and_clips(rng: np.random.Generator):
    groups = rng.choice([7, 3, 11, 5], 30)
    sums = rng.normal(size=(2, 30, 4))
    units = (np.unique(groups)[:, None] == groups).astype(float)
    np.testing.assert_allclose(resampling.by_group(sums, groups), units @ sums, atol=1e-12)
    alone = rng.permutation(30)
    np.testing.assert_array_equal(resampling.by_group(sums, alone), sums[:, np.argsort(alone)])
