"""Energies and samples against a density that is known, and spread against cases by hand."""

import numpy as np
import pytest

from physprobe.fit._plane import Plane
from physprobe.fit.methods import _langevin, _squares, energies, spread
from physprobe.fit.section import Given
from physprobe.simulate import mixture

DENSITY = mixture.Spec().mixture
ONE = mixture.Spec(weights=(1,), means=((0, 0),), covariances=(((1, 0), (0, 1)),)).mixture


def exact(density, *noises, scale=1.0, level=0.0):
    """Energies scale * -log p + level of smoothed densities, and their scores."""

    def given(points, *layers):
        each = [density.smoothed(noises[n]) for n in layers or range(len(noises))]
        return np.stack(
            [
                np.concatenate(
                    [level - scale * p.log_density(points)[:, None], scale * p.score(points)], 1
                )
                for p in each
            ]
        )

    return given


def given(density, *noises, half_width=None, **how):
    plane = Plane(density, exact(density, *noises, **how), "energy", noises, half_width)
    layers = [f"energy_{noise:g}" for noise in noises]
    return Given([np.zeros((4, 1, 3))] * len(noises), layers, {}, (), plane=plane)


def told(rows, **where):
    (row,) = [r for r in rows if all(r[key] == value for key, value in where.items())]
    return row["value"]


SMALL = energies.Spec(samples=0, cells=8, shown=(1.0,))


def test_the_density_itself_is_the_optimum():
    """The least losses are -1.530 and 0.435, 2.769, 97.92; nothing is off."""
    level = -np.log(400.0)
    rows, _ = energies.fit(SMALL, given(DENSITY, 0.0, half_width=10.0, level=level))
    assert told(rows, metric="contrastive_loss") == pytest.approx(-1.530, abs=0.002)
    assert told(rows, metric="optimum") == pytest.approx(-1.530, abs=0.002)
    rows, blocks = energies.fit(SMALL, given(DENSITY, 1.0, 0.5, 0.1, level=3.0))
    for layer, expected in (("energy_1", 0.435), ("energy_0.5", 2.769), ("energy_0.1", 97.92)):
        loss = told(rows, metric="denoising_loss", layer=layer)
        assert loss == pytest.approx(expected, abs=0.01)
        assert loss == pytest.approx(told(rows, metric="optimum", layer=layer))
        assert told(rows, metric="energy_correlation", layer=layer) == pytest.approx(1)
        assert told(rows, metric="score_error", layer=layer) == pytest.approx(0, abs=1e-12)
    landscape = blocks["landscape"]
    assert landscape["layer"] == ["energy_1"], "no other is asked for"
    np.testing.assert_allclose(landscape["value"], landscape["truth"], atol=0.011)


def test_a_wrong_energy_by_hand():
    """N(0, I) with E twice as steep: |s - s*|^2 = |x|^2, of mean 2, as |s*|^2 is."""
    rows, _ = energies.fit(SMALL, given(ONE, 0.0, half_width=10.0, scale=2.0, level=-np.log(400)))
    assert told(rows, metric="fisher_divergence") == pytest.approx(2)
    assert told(rows, metric="score_error") == pytest.approx(1)
    assert told(rows, metric="energy_correlation") == pytest.approx(1)
    # E_p[E] = 2 H(p) - log 400, and E_q[exp(-E)] = int p^2 = 1 / 4 pi
    entropy = 1 + np.log(2 * np.pi)
    expected = 2 * entropy - np.log(400) + 1 / (4 * np.pi)
    assert told(rows, metric="contrastive_loss") == pytest.approx(expected)
    rows, _ = energies.fit(SMALL, given(ONE, 1.0, scale=-1.0))
    assert told(rows, metric="energy_correlation") == pytest.approx(-1), "the published sign"
    # smoothed, |s*|^2 is of mean 1; off by twice as much
    assert told(rows, metric="denoising_loss") == pytest.approx(1 + (4 - 1) / 2)


def test_langevin_draws_the_density():
    """From a square to N(0, I), one step after the other; folded back where it is bounded."""
    rng = np.random.default_rng(0)
    start = rng.uniform(-5, 5, (4000, 2))
    plan = _langevin.levels((2.0, 0.3))
    assert [level.layer for level in plan] == [0, 1]
    assert plan[0].step == pytest.approx(0.4)
    found, path = _langevin.sampled(
        lambda points, layer: ONE.smoothed((2.0, 0.3)[layer]).score(points),
        plan, start, 800, rng, keep=5,
    )  # fmt: skip
    assert path.shape == (5, 4000, 2)
    np.testing.assert_array_equal(path[0], start)
    np.testing.assert_array_equal(path[-1], found)
    np.testing.assert_allclose(np.cov(found.T), 1.09 * np.eye(2), atol=0.12)
    hot = _langevin.levels((0.0,))
    assert hot[0].temperature == 20
    assert hot[-1].temperature == 1
    flat, _ = _langevin.sampled(lambda p, _: 0 * p, hot, start, 120, rng, half_width=1.0)
    assert np.abs(flat).max() <= 1
    np.testing.assert_allclose(flat.var(0), 1 / 3, atol=0.03)
    steep, _ = _langevin.sampled(
        lambda p, _: ONE.score(p), hot[-1:], start, 400, rng, half_width=10.0
    )
    # a step h makes 1 / (1 - h / 2) of a variance of 1
    np.testing.assert_allclose(steep.var(0), 1 / (1 - 0.01), atol=0.1)


def test_samples_of_the_exact_score_are_those_of_the_density():
    spec = energies.Spec(samples=600, steps=300, cells=4, frames=3, walkers=5)
    rows, blocks = energies.fit(spec, given(DENSITY, 4.0, 2.0, 1.0, 0.5))
    apart = told(rows, metric="sliced_wasserstein", layer="samples")
    assert apart < 2 * told(rows, metric="sliced_wasserstein", layer="truth") < 1.0
    assert told(rows, metric="share_error", layer="samples") < 0.1
    shares = [told(rows, metric="share", layer="samples", part=part) for part in "abc"]
    assert sum(shares) == pytest.approx(1)
    assert blocks["samples"]["path"].shape == (3, 5, 2)


def test_distances_by_hand():
    rng = np.random.default_rng(0)
    points = rng.standard_normal((500, 2))
    # moved by (3, 4), along a direction u by u . (3, 4), in square 25 / 2 in the mean
    found = energies.sliced_wasserstein(points, points + np.array([3.0, 4.0]), rng)
    assert found == pytest.approx(np.sqrt(12.5), rel=0.1)
    assert energies.sliced_wasserstein(points, points, rng) == 0
    other = rng.standard_normal((500, 2))
    assert energies.discrepancy(points, other) == pytest.approx(0, abs=0.01)
    # far apart: the kernel's mean within N(0, I) is 1 / 3, on either side, and 0 between them
    assert energies.discrepancy(points, other + 100) == pytest.approx(2 / 3, abs=0.05)


def test_an_encoder_without_energy_is_refused():
    plane = Plane(ONE, None, "embedding")
    with pytest.raises(ValueError, match="gives none"):
        energies.fit(SMALL, Given([np.zeros((4, 1, 3))], ["embedding"], {}, (), plane=plane))


def embedded(function, count=400):
    points, _ = DENSITY.drawn(count, np.random.default_rng(1))
    labels = {"x": points[:, 0], "y": points[:, 1]}
    plane = Plane(DENSITY, lambda seen, *_: function(seen)[None], "embedding")
    return Given([function(points)[:, None]], ["embedding"], labels, (), plane=plane)


def test_spread_by_hand():
    """Four points of a square: rank 2, cosines 0 and -1; moved far away, all are alike."""
    square = np.array([[1.0, 1], [1, -1], [-1, 1], [-1, -1]])
    found = spread.measured(square)
    assert found["collapsed"] == 0
    assert found["effective_rank"] == pytest.approx(2)
    assert found["mean_cosine"] == pytest.approx((0 + 0 - 1) / 3)
    far = spread.measured(square + 1000)
    assert far["effective_rank"] == pytest.approx(2), "rank knows no size"
    assert far["collapsed"] == 1
    assert far["room"] == pytest.approx(np.log2((1 - far["mean_cosine"]) / 0.01))
    line = spread.measured(square * [1, 0])
    assert line["effective_rank"] == pytest.approx(1)
    assert line["room"] == pytest.approx(np.log2(1 / 1.5))
    assert spread.measured(np.ones((5, 3)))["collapsed"] == 1


def test_similarity_is_that_of_references():
    spec = spread.Spec(references=3, cells=5)
    rows, blocks = spread.fit(spec, embedded(lambda seen: seen))
    told_ = blocks["similarity"]
    assert told_["cosine"].shape == (3, 5, 5)
    assert (np.diff(told_["reference"][:, 0]) > 0).all()
    grid, _ = _squares.squares(*_squares.PLOT, 5)
    at = told_["reference"][2]
    cosine = grid @ at / np.linalg.norm(grid, axis=1) / np.linalg.norm(at)
    np.testing.assert_allclose(told_["cosine"][2].ravel() / 100, cosine, atol=0.006)
    assert told(rows, metric="collapsed") == 0
    constant, _ = spread.fit(
        spec, embedded(lambda seen: np.ones((len(seen), 4)) + 1e-6 * seen[:, :1])
    )
    assert told(constant, metric="collapsed") == 1
