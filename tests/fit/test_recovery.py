"""Recovery against scikit-learn, collapse and calibration by hand."""

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from physprobe.fit.methods import _health, recovery
from physprobe.fit.section import Given
from physprobe.statistics import splits


def given(layers, draws=3, **more):
    """Clips of two conditions and some draws; latents are read off these layers."""
    rng = np.random.default_rng(0)
    count = draws * 2 * 6
    states = {name: rng.standard_normal((count, 9)) for name in ("a", "b", "c")}
    labels = {
        "draw": np.repeat(np.arange(draws), 12),
        "sigma": np.tile(np.repeat([0.0, 2.0], 6), draws),
    }
    declared = np.tile(["train"] * 4 + ["test"] * 2, 2 * draws)
    folds = splits.nested(np.arange(count), inner=2, declared=declared)
    made = layers(rng, states)
    return Given(
        features=list(made.values()), layers=list(made), labels=labels, folds=folds, states=states
    )


SPEC = recovery.Spec(targets={"pair": ("a", "b"), "rest": ("c",)}, bootstraps=200)


def rows(found, **where):
    return [r for r in found if all(r[key] == value for key, value in where.items())]


def test_r2_is_that_of_scikit_learn():
    seen = given(
        lambda rng, s: {
            "latent": s["a"][..., None] * [1, -2, 0.3] + rng.standard_normal((36, 9, 3))
        }
    )
    found, blocks = recovery.fit(SPEC, seen)
    z = seen.features[0]
    for lead in (0, 1):
        for number, draw in enumerate(range(3)):
            mine = (seen.labels["draw"] == draw) & (seen.labels["sigma"] == 2)
            train, test = (
                np.intersect1d(np.flatnonzero(mine), side)
                for side in (seen.folds[0].train, seen.folds[0].test)
            )
            truth = np.stack([seen.states["a"], seen.states["b"]], -1)[:, lead : 8 + lead]
            own = LinearRegression().fit(z[train, :-1].reshape(-1, 3), truth[train].reshape(-1, 2))
            told, right = own.predict(z[test, :-1].reshape(-1, 3)), truth[test].reshape(-1, 2)
            expected = 1 - ((told - right) ** 2).sum() / ((right - right.mean(0)) ** 2).sum()
            (block,) = rows(blocks["recovery"]["scores"], target="pair", lead=lead, metric="r2")
            assert block["value"][1, number] == pytest.approx(expected)
        (row,) = rows(found, target="pair", lead=lead, metric="r2", part=2.0)
        assert row["value"] == pytest.approx(block["value"][1].mean())
        assert row["ci_low"] <= row["value"] <= row["ci_high"]


def test_size_of_a_latent_does_not_matter():
    sizes = [
        recovery.fit(
            SPEC, given(lambda rng, s, k=k: {"latent": np.stack([s["a"], s["b"]], -1) * k})
        )[0]
        for k in (1.0, 1e-9)
    ]
    for one, other in zip(*sizes, strict=True):
        if one["metric"] == "r2":
            assert one["value"] == pytest.approx(other["value"], abs=1e-6)
    (row,) = rows(sizes[0], target="pair", lead=0, metric="r2", part=0.0)
    assert row["value"] == pytest.approx(1)
    assert [r["value"] for r in rows(sizes[0], metric="collapsed")] == [0, 0]
    assert [r["value"] for r in rows(sizes[1], metric="collapsed")] == [1, 1]


def test_health_by_hand():
    square = np.array([[1.0, 1], [1, -1], [-1, 1], [-1, -1]])
    assert _health.health(square) == pytest.approx((1, 2))
    line = np.array([[1.0, 0], [-1, 0]])
    assert _health.health(line) == pytest.approx((0.5, 1))
    # singular values 3 and 1 of 4: exp(-(3/4 ln 3/4 + 1/4 ln 1/4))
    apart = np.array([[3.0, 0], [-3, 0], [0, 1], [0, -1]])
    assert _health.health(apart)[1] == pytest.approx(4 / 3**0.75)
    assert _health.health(np.ones((4, 2))) == (0, 0)


@pytest.mark.parametrize(("size", "coverage"), [(1.0, 0.95), (2.0, 0.673), (0.5, 0.9999)])
def test_coverage_of_errors_by_their_size(size, coverage):
    def layers(rng, states):
        target = rng.standard_normal((36, 9, 40))
        predicted = np.roll(target, -1, axis=1) + size * 0.3 * rng.standard_normal(target.shape)
        variance = np.full_like(target, 2 * np.log(0.3))
        return {
            "latent": target,
            "predicted": predicted,
            "log_variance": variance,
            "target": target,
            "target_log_variance": np.full_like(target, -40.0),
        }

    found, _ = recovery.fit(SPEC, given(layers))
    for row in rows(found, metric="coverage"):
        assert row["value"] == pytest.approx(coverage, abs=0.02)
    for row in rows(found, metric="error_over_deviation"):
        assert row["value"] == pytest.approx(size, rel=0.05)


def test_what_is_lacking_is_named():
    seen = given(lambda rng, s: {"latent": s["a"][..., None]})
    with pytest.raises(ValueError, match="d: neither state nor label"):
        recovery.fit(recovery.Spec(targets={"x": ("d",)}), seen)
    with pytest.raises(ValueError, match="rho: neither"):
        recovery.fit(recovery.Spec(targets={"x": ("a",)}, by="rho"), seen)
