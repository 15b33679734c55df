"""Closed-form projections against scikit-learn, by hand, and what the noisy TV lets them keep."""

import numpy as np
import pytest
from sklearn.cross_decomposition import CCA
from sklearn.decomposition import PCA

from physprobe.simulate import noisy_tv
from physprobe.statistics import conditions, projections


@pytest.fixture(scope="module")
def paths():
    rng = np.random.default_rng(5)
    turn = 0.9 * np.linalg.qr(rng.standard_normal((6, 6)))[0]
    path = np.zeros((4, 400, 6))
    for t in range(1, 400):
        path[:, t] = path[:, t - 1] @ turn.T + rng.standard_normal((4, 6)) * [1, 2, 3, 1, 1, 5]
    return path + 7


def pairs(paths):
    return paths[:, :-1].reshape(-1, 6), paths[:, 1:].reshape(-1, 6)


def directions(how, paths, width):
    return projections.directions(
        how, projections.Moments.of(paths), width, np.random.default_rng(0)
    )


def same_span(one, other):
    left, right = (np.linalg.qr(part)[0] for part in (one, other))
    return np.linalg.svd(left.T @ right)[1].min()


def test_pca_is_that_of_scikit_learn(paths):
    now, _ = pairs(paths)
    expected = PCA(3).fit(now).components_.T
    found = directions("pca", paths, 3)
    np.testing.assert_allclose(np.abs((found * expected).sum(0)), 1, atol=1e-9)


def test_lagged_cca_is_that_of_scikit_learn(paths):
    now, following = pairs(paths)
    expected = CCA(2, max_iter=10_000, tol=1e-12).fit(now, following)
    found = (now - now.mean(0)) @ directions("lagged_cca", paths, 2)
    for own, other in zip(found.T, expected.transform(now).T, strict=True):
        assert abs(np.corrcoef(own, other)[0, 1]) == pytest.approx(1, abs=1e-4)


def test_reduced_rank_forecasts_best(paths):
    """Its error is that of the whole regression, and the rest of the forecast's variance."""
    now, following = (part - part.mean(0) for part in pairs(paths))
    whole = now @ np.linalg.lstsq(now, following, rcond=None)[0]
    values = np.linalg.svd(whole, compute_uv=False) ** 2
    for width in (1, 2, 4):
        kept = now @ directions("reduced_rank", paths, width)
        error = following - kept @ np.linalg.lstsq(kept, following, rcond=None)[0]
        expected = ((following - whole) ** 2).sum() + values[width:].sum()
        assert (error**2).sum() == pytest.approx(expected, rel=1e-9)


def test_by_hand():
    """A slow small and a fast large channel: PCA keeps the large one, CCA the slow one."""
    rng = np.random.default_rng(0)
    slow, fast = np.zeros((2, 20_000))
    for t in range(1, 20_000):
        slow[t] = 0.99 * slow[t - 1] + 0.1 * rng.standard_normal()
        fast[t] = 0.2 * fast[t - 1] + 10 * rng.standard_normal()
    path = np.stack([slow, fast], -1)[None]
    for how, kept in (("pca", 1), ("lagged_cca", 0), ("reduced_rank", 1)):
        found = projections.directions(how, projections.Moments.of(path), 1, rng)[:, 0]
        scaled = np.abs(found) * path.std((0, 1))
        assert scaled.argmax() == kept, how
        assert scaled.min() < 0.1 * scaled.max(), how
    with pytest.raises(ValueError, match="3 directions of 2"):
        projections.directions("pca", projections.Moments.of(path), 3, rng)


def recovered(spec, what):
    """R2 (condition,) of s[t+1] on held-out clips, by conditions in order."""
    labels = noisy_tv.draw(spec)
    sensors, states = noisy_tv.solved(spec, labels)
    signal = np.stack([states[name] for name in noisy_tv.SIGNAL], -1)
    found, train, scores = (
        conditions.numbered(labels, noisy_tv.CONDITIONS),
        labels["split"] == "train",
        [],
    )
    for number in range(len(found.table)):
        clips = [np.flatnonzero((found.of == number) & side) for side in (train, ~train)]
        kept = np.eye(20)
        if what:
            moments = projections.Moments.of(sensors[clips[0]])
            kept = projections.directions(
                *what[:1], moments, what[1], np.random.default_rng(number)
            )
        sides = [
            np.concatenate([sensors[c][:, :-1] @ kept, np.ones((len(c), 100, 1))], -1)
            for c in clips
        ]
        own, truth = (
            [p.reshape(-1, p.shape[-1]) for p in side]
            for side in (sides, [signal[c][:, 1:] for c in clips])
        )
        error = own[1] @ np.linalg.lstsq(own[0], truth[0], rcond=None)[0] - truth[1]
        scores.append(1 - (error**2).sum() / ((truth[1] - truth[1].mean(0)) ** 2).sum())
    return found.table, np.array(scores)


@pytest.mark.parametrize("what", [None, ("pca", 8), ("lagged_cca", 4)])
def test_loudness_hides_nothing_from_what_keeps_the_signal(what):
    """0.973 +- 0.011 at every sigma, of 20 draws with 300 steps held out as published."""
    spec = noisy_tv.Spec(paths="contiguous", test=3, sigma=(0.0, 4.0, 10.0))
    table, scores = recovered(spec, what)
    for sigma in spec.sigma:
        own = scores[table[:, 2] == sigma]
        assert own.mean() == pytest.approx(0.973, abs=0.011 / 2)
        assert own.std() == pytest.approx(0.011, abs=0.008)


@pytest.mark.parametrize(("what", "expected"), [(("pca", 4), 0.002), (("reduced_rank", 4), 0.005)])
def test_variance_and_forecasts_go_for_the_loud(what, expected):
    spec = noisy_tv.Spec(paths="contiguous", test=3, sigma=(4.0,))
    assert recovered(spec, what)[1].mean() == pytest.approx(expected, abs=0.02)


def test_lagged_cca_flips_where_the_distractor_is_as_slow_as_the_signal():
    """0.973 up to 0.95, 0.461 at 0.99, which is the signal's own, nothing at 0.999."""
    spec = noisy_tv.Spec(
        paths="contiguous", test=3, sigma=(4.0,), autocorrelation=(0.95, 0.99, 0.999)
    )
    table, scores = recovered(spec, ("lagged_cca", 4))
    for rho, expected, within in ((0.95, 0.973, 0.01), (0.99, 0.461, 0.12), (0.999, 0.0, 0.1)):
        assert scores[table[:, 1] == rho].mean() == pytest.approx(expected, abs=within), rho
