"""Logistic regression: equal to scikit-learn's, for many labels and penalties at once."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from physprobe.statistics import logistic

ROWS = 60


def problem(features: int, classes: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Rows with a decaying spectrum; a label that they hold in part, and two that they don't."""
    rng = np.random.default_rng(seed)
    rows = 3.0 + rng.normal(size=(ROWS, features)) * np.geomspace(3, 0.1, features)
    labels = rng.integers(classes, size=(ROWS, 3))
    labels[:, 0] = np.argsort(np.argsort(rows[:, 0] + rng.normal(size=ROWS))) * classes // ROWS
    return rows, labels


def peer(rows: np.ndarray, labels: np.ndarray, penalty: float) -> LogisticRegression:
    model = LogisticRegression(C=1 / penalty, tol=1e-13, max_iter=50000, solver="newton-cg")
    return model.fit(rows, labels)


@pytest.mark.filterwarnings("ignore:.*[Ll]ine [Ss]earch")
@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("features", [5, 200])
@pytest.mark.parametrize("penalty", [1e-2, 1.0, 100.0])
def test_coefficients_and_probabilities_equal_those_of_scikit_learn(features, classes, penalty):
    rows, labels = problem(features, classes)
    further = np.random.default_rng(9).normal(3, 2, size=(20, features))
    basis = logistic.Basis(rows)
    found = logistic.fit(basis, labels, classes, penalty)
    weights, intercepts = basis.weights(found)
    logits = np.einsum("nd,dkc->nkc", basis.coordinates(further), found)
    np.testing.assert_allclose(
        logits, np.einsum("nf,fkc->nkc", further, weights) + intercepts, atol=1e-8
    )
    probabilities = np.exp(logistic.log_probabilities(logits, 1))
    for column, mine in enumerate(labels.T):
        model = peer(rows, mine, penalty)
        np.testing.assert_allclose(weights[..., column], model.coef_.T, atol=1e-6)
        np.testing.assert_allclose(
            probabilities[..., column], model.predict_proba(further), atol=1e-6
        )


def test_a_penalty_for_each_column_is_that_column_fitted_alone():
    rows, labels = problem(30, 2)
    basis, penalties = logistic.Basis(rows), np.array([1e-3, 0.1, 10.0])
    together = logistic.fit(basis, labels, 2, penalties)
    for column, penalty in enumerate(penalties):
        alone = logistic.fit(basis, labels[:, [column]], 2, penalty)
        np.testing.assert_allclose(together[..., [column]], alone, atol=1e-8)
    warm = logistic.fit(basis, labels, 2, penalties, start=together + 0.3)
    np.testing.assert_allclose(warm, together, atol=1e-8)


def test_rotated_rows_give_the_same_probabilities():
    rows, labels = problem(200, 2)
    first = logistic.Basis(rows)
    half = logistic.Basis(rows[:30])
    turned = logistic.Basis(first.rotated(rows[:30]))
    for basis, others in ((half, rows[30:]), (turned, first.rotated(rows[30:]))):
        fitted = logistic.fit(basis, labels[:30], 2, 0.5)
        logits = np.einsum("nd,dkc->nkc", basis.coordinates(others), fitted)
        if basis is half:
            expected = logits
    np.testing.assert_allclose(logits, expected, atol=1e-8)


def test_classes_that_a_plane_separates_have_a_finite_fit():
    rows, labels = problem(200, 2)
    found = logistic.fit(logistic.Basis(rows), labels, 2, 1e-5)
    logits = np.einsum("nd,dkc->nkc", logistic.Basis(rows).directions, found)[:, 0]
    assert np.isfinite(found).all() and ((logits > 0) == labels).all()
    assert np.abs(logits).min() > 5


def test_log_probabilities_add_up_and_do_not_underflow():
    for logits in (np.array([[-800.0], [3.0]]), np.array([[900.0, -900.0, 0.0]])):
        found = logistic.log_probabilities(logits, 1)
        np.testing.assert_allclose(np.exp(found).sum(1), 1)
        assert np.isfinite(found).all()


def test_a_class_that_no_row_has_does_not_stop_the_others():
    rows, labels = problem(5, 3)
    labels[:, 2] = np.minimum(labels[:, 2], 1)
    found = logistic.fit(logistic.Basis(rows), labels, 3, 1.0)
    assert np.isfinite(found).all()
    np.testing.assert_allclose(
        found[..., :2], logistic.fit(logistic.Basis(rows), labels[:, :2], 3, 1.0), atol=1e-9
    )
