"""The mixture against integrals and derivatives, and what was measured of the published one."""

import json

import numpy as np
import pytest
import xarray as xr
from scipy.stats import multivariate_normal

from physprobe.embed import stage as embedding
from physprobe.render import stage as rendering
from physprobe.simulate import _mixture, mixture
from physprobe.simulate import stage as simulating

BOX = 20.0**2


@pytest.fixture(scope="module")
def many():
    whole = mixture.Spec().mixture
    return whole, *whole.drawn(400_000, np.random.default_rng(0))


def test_density_is_that_of_scipy_and_adds_up_to_one():
    whole = mixture.Spec().mixture
    points = np.random.default_rng(1).normal(0, 4, (50, 2))
    expected = sum(
        w * multivariate_normal(m, s).pdf(points) for w, m, s in zip(*whole, strict=True)
    )
    np.testing.assert_allclose(np.exp(whole.log_density(points)), expected, rtol=1e-10)
    side = np.linspace(-12, 12, 481)
    grid = np.stack(np.meshgrid(side, side), -1).reshape(-1, 2)
    assert np.exp(whole.log_density(grid)).sum() * 0.05**2 == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("noise", [0.0, 0.5, 2.0])
def test_score_is_the_gradient(noise):
    whole = mixture.Spec().mixture.smoothed(noise)
    points = np.random.default_rng(2).normal(0, 4, (30, 2))
    for axis in range(2):
        step = 1e-5 * np.eye(2)[axis]
        slope = (whole.log_density(points + step) - whole.log_density(points - step)) / 2e-5
        np.testing.assert_allclose(whole.score(points)[:, axis], slope, atol=1e-5)


def test_one_component_by_hand():
    """N(0, I): log p = -log 2 pi - |x|^2 / 2, score -x; smoothed by 1, -x / 2."""
    one = _mixture.mixture([1], [[0, 0]], [[[1, 0], [0, 1]]])
    points = np.array([[1.0, -2.0]])
    assert one.log_density(points)[0] == pytest.approx(-np.log(2 * np.pi) - 2.5)
    np.testing.assert_allclose(one.score(points), -points)
    np.testing.assert_allclose(one.smoothed(1).score(points), -points / 2)
    # 1 / s^2 - E |x|^2 / 4 / 2 with |x|^2 of mean 4 at s = 1: 1 - 1/2
    drawn, _ = one.smoothed(1).drawn(400_000, np.random.default_rng(0))
    found = _mixture.denoising_optimum(one.smoothed(1).score(drawn), 1.0)
    assert found == pytest.approx(0.5, abs=0.01)


def test_entropy_and_divergence_as_measured(many):
    whole, points, component = many
    entropy = -whole.log_density(points).mean()
    assert entropy == pytest.approx(3.462, abs=0.005)
    assert np.log(BOX) - entropy == pytest.approx(2.530, abs=0.005)
    told = whole.posterior(points).argmax(1) == component
    assert told.mean() == pytest.approx(0.99991, abs=5e-5)


def test_variant_as_measured():
    whole = mixture.Spec(means=((0, 0), (5, 3.5), (-5, 7))).mixture
    points, component = whole.drawn(400_000, np.random.default_rng(0))
    assert -whole.log_density(points).mean() == pytest.approx(3.461, abs=0.005)
    assert (whole.posterior(points).argmax(1) == component).mean() == pytest.approx(
        0.9994, abs=2e-4
    )


def test_least_contrastive_loss_as_measured(many):
    """-1.530; and no other energy does better."""
    whole, points, _ = many
    least = _mixture.contrastive_optimum(whole.log_density(points), -np.log(BOX))
    assert least == pytest.approx(-1.530, abs=0.005)
    noise = np.random.default_rng(3).uniform(-10, 10, (400_000, 2))

    def loss(scale, shift):
        on, off = (-np.log(BOX) - whole.log_density(x) for x in (points, noise))
        return (scale * on + shift).mean() + np.exp(-(scale * off + shift)).mean()

    assert loss(1, 0) == pytest.approx(least, abs=0.03)
    for scale, shift in ((0.9, 0), (1.1, 0), (1, 0.2), (1, -0.2)):
        assert loss(scale, shift) > loss(1, 0)


@pytest.mark.parametrize(
    ("noise", "loss", "size"), [(1.0, 0.435, 1.130), (0.5, 2.769, 2.461), (0.1, 97.92, 4.160)]
)
def test_least_denoising_loss_as_measured(many, noise, loss, size):
    whole, points, _ = many
    rng = np.random.default_rng(4)
    added = noise * rng.standard_normal(points.shape)
    score = whole.smoothed(noise).score(points + added)
    assert (score**2).sum(1).mean() == pytest.approx(size, rel=0.01)
    assert _mixture.denoising_optimum(score, noise) == pytest.approx(loss, rel=0.01)
    assert ((score + added / noise**2) ** 2).mean() == pytest.approx(loss, rel=0.01)


def test_labels_gates_and_faults():
    spec = mixture.Spec(clips=200)
    labels = mixture.draw(spec)
    one = {name: values[7] for name, values in labels.items()}
    mixture.check(spec, one, mixture.field(spec, one))
    with pytest.raises(ValueError, match="log density"):
        mixture.check(spec, {**one, "log_density": 0.0}, mixture.field(spec, one))
    assert set(labels["component"]) == {"a", "b", "c"}
    with pytest.raises(ValueError, match=r"add up to 0\.75"):
        mixture.Spec(weights=(0.4, 0.35, 0.0))
    with pytest.raises(ValueError, match="positive"):
        mixture.Spec(covariances=(((1, 2), (2, 1)), ((1, 0), (0, 1)), ((1, 0), (0, 1))))


def test_points_pass_the_pipeline(tmp_path):
    simulation, clips = (tmp_path / f"{n}.zarr/zarr.json" for n in ("simulation", "clips"))
    simulating.run(out=simulation, spec=json.dumps({"kind": "mixture", "clips": 40}))
    rendering.run(simulation=simulation, out=clips, spec=json.dumps({"kind": "points"}))
    out = tmp_path / "embeddings/points.zarr/zarr.json"
    embedding.run(clips=clips, out=out, spec=json.dumps({"kind": "signal", "tubelet": 1}))
    system, found = (xr.open_zarr(path.parent).load() for path in (simulation, out))
    np.testing.assert_allclose(found.pooled[:, 0, 0, 0], system.x.values, atol=1e-5)
    assert found.time_end.values - found.time_start.values == 1
