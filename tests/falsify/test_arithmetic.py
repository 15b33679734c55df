"""The published way of solving: right on well-conditioned features, rounding on collinear ones."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from physprobe.falsify import _arithmetic
from physprobe.statistics import scores, splits

CLIPS, TIMES = 50, 8


def folds(outer: int = 5) -> tuple[splits.Fold, ...]:
    return splits.nested(np.arange(CLIPS), outer=outer, inner=2, seed=0)


def found(features: np.ndarray, truth: np.ndarray, outer: int = 5) -> dict[tuple[str, str], dict]:
    rows = _arithmetic.rows({"pixels": features}, truth, folds(outer), np.arange(CLIPS), 100)
    return {(row["metric"], row["sample"], row["way"]): row for row in rows}


def test_well_conditioned_features_are_solved_alike_by_all_as_scikit_learn_does():
    rng = np.random.default_rng(0)
    truth = rng.uniform(0.5, 5.0, CLIPS)
    features = rng.normal(size=(CLIPS, TIMES, 5)) + truth[:, None, None] * rng.normal(size=5)
    rows = found(features, truth)
    error = np.zeros(CLIPS)
    for fold in folds():
        train, test = (features[part].reshape(-1, 5) for part in (fold.train, fold.test))
        mean, spread = train.mean(0), train.std(0) + 1e-6
        model = Ridge(alpha=0.01).fit((train - mean) / spread, np.repeat(truth[fold.train], TIMES))
        guess = model.predict((test - mean) / spread).reshape(-1, TIMES)
        error[fold.test] = ((guess - truth[fold.test, None]) ** 2).mean(1)
    expected = float(scores.r2_of(scores.r2_sums(truth, error).sum(0)))
    for way in ("float32, lambda 0.01", "float64, lambda 0.01"):
        assert rows["r2_arithmetic", "token", way]["value"] == pytest.approx(expected, abs=1e-4)


def test_float32_and_a_short_grid_make_numbers_of_pixels_that_are_only_rounding():
    rng = np.random.default_rng(1)
    truth = rng.uniform(0.5, 5.0, CLIPS)
    rows = found(spreading_blobs(rng, truth, 32), truth, outer=2)
    test = {way: rows["r2_arithmetic", "token", way]["value"] for way in _arithmetic.WAYS}
    single, double, short, wide = _arithmetic.WAYS
    assert max(test[single], test[double]) < -10
    assert abs(test[single] - test[double]) > 1, "digits that float32 doesn't have"
    assert test[wide] > -0.5 > -2 > test[short]
    assert rows["r2_arithmetic", "token", short]["edge_hit"]


def spreading_blobs(rng: np.random.Generator, alpha: np.ndarray, times: int) -> np.ndarray:
    """Blobs (clip, time, pixel x colour) that diffuse at random places, in three colours."""
    place, width = rng.uniform(4, 12, (CLIPS, 2)), rng.uniform(1, 3, (CLIPS, 1))
    variance = (width**2 + 0.05 * alpha[:, None] * np.arange(times))[..., None, None]
    y, x = np.mgrid[:16, :16]
    distance = (y - place[:, 0, None, None]) ** 2 + (x - place[:, 1, None, None]) ** 2
    blob = width[..., None, None] ** 2 / variance * np.exp(-distance[:, None] / (2 * variance))
    flat = blob.reshape(CLIPS, times, -1)
    return np.concatenate([flat, flat**2, np.sqrt(flat)], axis=-1)
