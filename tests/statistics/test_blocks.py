"""Blocks of windows of one film: their length, their draws, and what intervals make of them."""

import json

import numpy as np
import pytest

from physprobe.falsify import _claim, decodable
from physprobe.fit.methods import ridge
from physprobe.fit.probe import probe
from physprobe.statistics import blocks, bootstrap, scores, splits
from physprobe.statistics.paired import Scored, above
from physprobe.store.fits import decoded


def autoregressive(rho: float, count: int, length: int, seed: int = 0) -> np.ndarray:
    """Stationary series (count, time) of first order, of variance 1."""
    rng = np.random.default_rng(seed)
    found = rng.normal(size=(count, length))
    for time in range(1, length):
        found[:, time] = rho * found[:, time - 1] + np.sqrt(1 - rho**2) * found[:, time]
    return found


def parts(length: int, count: int = 10) -> np.ndarray:
    """Groups of windows that are contiguous parts of one film."""
    return blocks.SERIES + np.arange(length) * count // length


def of_mean(series: np.ndarray) -> np.ndarray:
    return np.stack([series, np.ones_like(series)], axis=-1)


@pytest.mark.parametrize("rho", [0.3, 0.6, 0.9])
def test_the_length_is_that_of_an_autoregressive_series(rho):
    n = 20_000
    known = (6 * rho**2 / (1 - rho**2) ** 2 * n) ** (1 / 3)
    found = [blocks.length(series) for series in autoregressive(rho, 12, n)]
    assert np.median(found) == pytest.approx(known, rel=0.15)


def test_what_hangs_together_with_nothing_is_drawn_one_by_one_and_blocks_are_never_too_long():
    noise = autoregressive(0.0, 40, 400)
    assert np.median([blocks.length(series) for series in noise]) < 3
    assert blocks.length(np.ones(50)) == blocks.length(np.full(50, np.nan)) == 1.0
    trend = np.linspace(0, 1, 60)
    assert blocks.length(trend) <= 60 / blocks.FEWEST
    assert blocks.length(np.array([0.0, 1.0])) == 1.0


def test_draws_are_runs_of_neighbours_around_a_circle():
    drawn = blocks.weights(7, 3, 4000, 0)
    assert (drawn.sum(1) == 7).all() and drawn.min() == 0
    np.testing.assert_allclose(drawn.mean(0), 1.0, atol=0.1)
    single = blocks.weights(6, 1, 4000, 0)
    assert np.cov(single.T)[0, 1] == pytest.approx(-1 / 6, abs=0.06)  # multinomial
    whole = blocks.weights(5, 5, 100, 0)
    np.testing.assert_array_equal(whole, np.ones((100, 5)))
    near, far = (np.corrcoef(drawn.T)[0, k] for k in (1, 3))
    assert near > 0.2 > 0 > far
    cut = blocks.cut(np.arange(14.0).reshape(7, 2), 3)
    np.testing.assert_array_equal(cut, [[6, 9], [24, 27], [12, 13]])


def test_deviations_are_those_of_the_mean_of_a_dependent_series():
    rho, n = 0.8, 2000
    known = np.sqrt((1 + rho) / (1 - rho) / n)
    naive, found = [], []
    for series in autoregressive(rho, 8, n):
        for groups, kept in ((None, naive), (parts(n), found)):
            interval = bootstrap.interval(of_mean(series), scores.mean_of, groups=groups, draws=200)
            kept.append(interval.drawn.std())
    assert np.mean(found) == pytest.approx(known, rel=0.2)
    assert np.mean(naive) < 0.4 * known


def test_intervals_hold_the_truth_where_single_windows_miss_it():
    n, count = 400, 100
    held = {"single": 0, "blocks": 0}
    for series in autoregressive(0.9, count, n, seed=3):
        for name, groups in (("single", None), ("blocks", parts(n))):
            _, low, high = bootstrap.interval(
                of_mean(series), scores.mean_of, groups=groups, draws=200
            )
            held[name] += low <= 0 <= high
    # the nominal 95 % is out of reach of any block bootstrap of so few effective windows
    assert held["blocks"] / count > 0.85
    assert held["single"] / count < 0.5


def test_scores_of_several_lengths_are_each_drawn_by_their_own_and_members_alike():
    n = 600
    slow, fast = autoregressive(0.9, 1, n)[0], autoregressive(0.0, 1, n, seed=1)[0]
    about = {"groups": parts(n), "draws": 300}
    both = bootstrap.interval(of_mean(np.stack([slow, fast])), scores.mean_of, **about)
    alone = [
        bootstrap.interval(of_mean(series), scores.mean_of, **about) for series in (slow, fast)
    ]
    for place, one in enumerate(alone):
        np.testing.assert_allclose(np.array(both.at(place)), np.array(one))
        np.testing.assert_allclose(both.at(place).drawn, one.drawn)
        assert both.at(place).units == one.units
    assert alone[0].units < n / 8 < n / 4 < alone[1].units
    # of members that are all the same it is the interval of any of them, of others by one length
    same = bootstrap.mean_of_members([both.at(0), alone[0]], "it")
    np.testing.assert_allclose(np.array(same), np.array(alone[0]), atol=1e-12)
    mixed = bootstrap.mean_of_members([both.at(0), both.at(1)], "it")
    assert mixed.low < mixed.value < mixed.high


def test_differences_claims_and_bands_are_drawn_in_blocks_too():
    n = 300
    series = autoregressive(0.9, 2, n, seed=5) + 0.3
    order = np.random.default_rng(0).permutation(n)
    own, other = (Scored(of_mean(one)[order], scores.mean_of, parts(n)[order]) for one in series)
    groups = parts(n)
    inside = np.argsort(order)
    gap = above(own.of(inside), other.of(inside))
    single = Scored(gap.sums, gap.statistic, np.arange(n))
    interval, naive = gap.interval(500), single.interval(500)
    assert interval.value == pytest.approx(naive.value)
    assert interval.high - interval.low > 2 * (naive.high - naive.low)
    assert gap.p(0.0, 500) > single.p(0.0, 500)
    curve = of_mean(series)
    wide = bootstrap.band(curve, scores.mean_of, groups=groups, draws=500)
    narrow = bootstrap.band(curve, scores.mean_of, draws=500)
    assert ((wide.high - wide.low) > 2 * (narrow.high - narrow.low)).all()


def test_windows_of_a_single_part_of_a_film_are_counted_as_windows_by_all_that_draws_them():
    n = 60
    sums = of_mean(autoregressive(0.5, 2, n, seed=4) + 0.2)
    about = {"groups": parts(n, 1), "draws": 300}
    one = bootstrap.interval(sums[0], scores.mean_of, **about)
    assert n / 6 < one.units < n
    assert bootstrap.p(sums[0], scores.mean_of, float(one.low), **about) == pytest.approx(
        0.05, abs=0.01
    )
    band = bootstrap.band(sums, scores.mean_of, **about)
    assert (band.low < band.value).all() and (band.value < band.high).all()


def test_a_probe_of_one_film_is_judged_by_blocks_of_its_windows():
    n = 120
    label, other = autoregressive(0.9, 2, n, seed=2)
    features = np.stack([label + 0.5 * other, *autoregressive(0.9, 3, n, seed=9)], axis=1)
    spec = ridge.Spec(targets=("y",), samples=("clip",), permutations=1, scalings=("none",))
    film = parts(n)
    scored = {}
    for name, groups in (("film", film), ("films", film - blocks.SERIES)):
        rows, block = probe(
            spec, [features[:, None]], ["0"], {"y": label}, splits.nested(groups), groups=groups
        )
        whole = json.loads(json.dumps(block, default=np.ndarray.tolist))
        found = decoded({"predictions": whole}, "y", "clip")
        row = next(row for row in rows if row["layer"] == "selected" and row["metric"] == "r2")
        scored[name] = _claim.measured(decodable.Spec(statement="it", target="y"), found, 2000)
        assert row["value"] == pytest.approx(scored[name]["value"])
        assert row["ci_low"] == pytest.approx(scored[name]["ci_low"], abs=1e-9)
    one, many = scored["film"], scored["films"]
    assert one["value"] == pytest.approx(many["value"]), "folds and choices are alike"
    assert many["groups"] == 10 < one["groups"] < n
    assert one["ci_low"] != many["ci_low"]


def test_other_groups_are_drawn_as_ever_and_parts_of_a_film_keep_their_numbers():
    assert blocks.ordered(None) is None and blocks.ordered(np.arange(5)) is None
    assert blocks.ordered(np.array(["a", "b"])) is None
    assert blocks.ordered([0, blocks.SERIES]) is None, "some are no parts of a film"
    np.testing.assert_array_equal(blocks.ordered(blocks.SERIES + np.array([1, 0, 1])), [1, 0, 2])
    film = parts(20)
    np.testing.assert_array_equal(splits.joined([film, film]), film)
    assert splits.joined([np.arange(3) + 5]).tolist() == [0, 1, 2]
    assert len(splits.nested(film)) == 5 and len(np.unique(splits.halves(film)[0, :2])) == 1
