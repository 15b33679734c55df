"""States: ridge in time, against scikit-learn and by hand."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from physprobe.statistics import ridge, splits, states

CLIPS, TIMES = 24, 7


def world(features: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(CLIPS, TIMES, features)) * np.geomspace(1, 0.05, features)
    weights = rng.normal(size=(features, 3))
    noise = rng.normal(size=(CLIPS, TIMES, 3)) * (0.01, 1.0, 5.0)
    return values + 2.0, values @ weights + noise + (0.0, 10.0, -3.0)


@pytest.mark.parametrize("features", [5, 40])
def test_every_fold_is_the_ridge_of_scikit_learn_at_the_best_penalty(features):
    values, truth = world(features)
    folds = splits.nested(np.arange(CLIPS), outer=3, inner=4)
    found = states.fit(values, truth, folds)
    for number, fold in enumerate(folds):
        rows = values[fold.train].reshape(-1, features)
        mean, deviation = rows.mean(0), rows.std(0)
        scale = np.maximum(deviation, ridge.FLOOR * np.sqrt(np.mean(deviation**2)))
        own = (values - mean) / scale
        unit = ((rows - mean) / scale).astype(float)
        unit = np.trace(unit.T @ unit) / min(unit.shape)

        def errors(penalty, own=own, fold=fold, unit=unit):
            total = 0.0
            for train, block in fold.inner:
                model = Ridge(alpha=penalty * unit).fit(
                    own[train].reshape(-1, features), truth[train].reshape(-1, 3)
                )
                missed = model.predict(own[block].reshape(-1, features)) - truth[block].reshape(
                    -1, 3
                )
                total = total + (missed**2).sum(0)
            return total

        grid = np.array([errors(penalty) for penalty in states.PENALTIES])
        best = ridge.best_penalty(grid / grid.max(0))
        for column in range(3):
            penalty = states.PENALTIES[best[column]]
            assert found.penalties[number, column] == penalty
            model = Ridge(alpha=penalty * unit).fit(
                own[fold.train].reshape(-1, features), truth[fold.train][..., column].ravel()
            )
            expected = model.predict(own[fold.test].reshape(-1, features))
            np.testing.assert_allclose(
                found.predicted[fold.test][..., column].ravel(), expected, atol=1e-8
            )


def test_the_maps_are_of_the_features_themselves():
    values, truth = world(6)
    folds = splits.nested(np.arange(CLIPS), outer=3)
    for components in (None, 4):
        found = states.fit(values, truth, folds, components=components)
        for number, fold in enumerate(folds):
            told = values[fold.test] @ found.weights[number] + found.intercept[number]
            np.testing.assert_allclose(told, found.predicted[fold.test], atol=1e-9)


def test_held_out_clips_of_a_declared_split_are_predicted_and_no_others():
    values, truth = world(5)
    declared = np.where(np.arange(CLIPS) < 18, "train", "test")
    folds = splits.nested(np.arange(CLIPS), declared=declared)
    found = states.fit(values, truth, folds).predicted
    assert np.isnan(found[:18]).all() and np.isfinite(found[18:]).all()


def test_features_that_never_vary_predict_the_mean():
    values, truth = np.ones((CLIPS, TIMES, 4)), world(5)[1]
    folds = splits.nested(np.arange(CLIPS), outer=3)
    found = states.fit(values, truth, folds).predicted
    for fold in folds:
        mean = truth[fold.train].mean((0, 1))
        np.testing.assert_allclose(found[fold.test], np.broadcast_to(mean, found[fold.test].shape))


def test_what_is_not_finite_is_refused():
    values, truth = world(5)
    truth[3, 2, 1] = np.nan
    with pytest.raises(ValueError, match="states: not finite in 1 places"):
        states.fit(values, truth, splits.nested(np.arange(CLIPS)))


def test_components_are_those_of_the_training_clips_on_a_common_scale():
    values, truth = world(40)
    folds = splits.nested(np.arange(CLIPS), outer=3)
    found = states.fit(values, truth, folds, components=4)
    for number, fold in enumerate(folds):
        own = ridge.principal(values, fold.train, 4)
        own /= own[fold.train].std()
        unit = (own[fold.train] ** 2).sum() / 4
        for column in range(3):
            model = Ridge(alpha=found.penalties[number, column] * unit).fit(
                own[fold.train].reshape(-1, 4), truth[fold.train][..., column].ravel()
            )
            expected = model.predict(own[fold.test].reshape(-1, 4))
            told = found.predicted[fold.test][..., column].ravel()
            np.testing.assert_allclose(told, expected, atol=1e-8)
