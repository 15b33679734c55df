"""Scores against scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import mean_absolute_error, r2_score

from physprobe.statistics import scores


def test_scores_equal_scikit_learn(rng: np.random.Generator):
    truth = rng.normal(3, 2, 40)
    predicted = truth + rng.normal(0, 1, 40)
    assert scores.r2(truth, predicted) == pytest.approx(r2_score(truth, predicted))
    assert scores.mae(truth, predicted) == pytest.approx(mean_absolute_error(truth, predicted))
    totals = scores.r2_sums(truth + 1e4, (truth - predicted) ** 2).sum(0)
    assert scores.r2_of(totals) == pytest.approx(r2_score(truth, predicted), abs=1e-9)


def test_r2_of_several_columns_weighs_them_by_their_variance(rng: np.random.Generator):
    truth, predicted = rng.normal(3, (1, 5), (40, 2)), rng.normal(3, (1, 5), (40, 2))
    squared = ((truth - predicted) ** 2).sum(1)
    whole = scores.r2_of(scores.pooled_r2_sums(truth + 1e4, squared).sum(0))
    expected = r2_score(truth, predicted, multioutput="variance_weighted")
    assert whole == pytest.approx(expected, abs=1e-9)
    padded = np.hstack([truth, np.zeros((40, 1))])
    assert scores.r2_of(scores.pooled_r2_sums(padded, squared).sum(0)) == pytest.approx(whole)


def test_undefined_scores_are_nan_not_zero():
    assert np.isnan(scores.r2(np.full(5, 0.1), np.arange(5.0)))
    assert np.isnan(scores.skill(1.0, 0.0))
    assert np.isnan(scores.cosine(np.zeros(3), np.ones(3)))
    assert scores.skill(1.0, 4.0) == 0.75
