"""Ridge against scikit-learn refits, one fold and one penalty at a time."""

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.linear_model import Ridge

from physprobe.statistics import _primal, dense, linear_map, ridge, splits


def refit_errors(rows, labels, blocks, penalty):
    """Squared errors over inner folds, each fitted anew; rows (clip, time, feature)."""
    errors = 0.0
    for block in blocks:
        rest = np.setdiff1d(np.arange(len(rows)), block)
        model = Ridge(alpha=penalty, solver="svd").fit(
            np.concatenate(rows[rest]), np.repeat(labels[rest], rows.shape[1], axis=0)
        )
        for clip in block:
            errors = errors + ((model.predict(rows[clip]) - labels[clip]) ** 2).sum(0)
    return errors


def training(clips, times, features, rng: np.random.Generator):
    x = rng.normal(size=(clips, times, features)) * rng.uniform(0.1, 5, features) + 7
    x = x + rng.normal(size=(clips, 1, features))
    labels = rng.normal(size=(clips, 3)) + x.mean(1)[:, :3] - 7
    fold = splits.nested(np.arange(clips), outer=3, inner=3)[0]
    return ridge.centre(x, fold), labels[fold.train] - labels[fold.train].mean(0), fold


@pytest.mark.parametrize(
    ("clips", "times", "features", "side"),
    [
        (30, 1, 50, ridge.Dual),
        (24, 3, 60, ridge.Dual),
        (30, 1, 8, ridge.Primal),
        (21, 5, 9, ridge.Primal),
    ],
)
@pytest.mark.parametrize("scaling", ridge.SCALINGS)
def test_inner_errors_equal_explicit_refits(
    clips, times, features, side, scaling, rng: np.random.Generator
):
    centred, labels, fold = training(clips, times, features, rng)
    blocks = ridge.blocks_of(fold)
    ((scale, solver),) = ridge.solvers(centred, blocks, [scaling])
    assert isinstance(solver, side)
    found = solver.crossval(labels, ridge.PENALTIES)
    for penalty, errors in zip(ridge.PENALTIES, found, strict=True):
        expected = refit_errors(centred.train / scale, labels, blocks, penalty * solver.unit)
        # Tiny penalties leave the refits themselves with the rounding of a near-singular matrix.
        np.testing.assert_allclose(errors, expected, rtol=1e-6)


def test_dual_equals_primal(rng: np.random.Generator):
    centred, labels, fold = training(24, 4, 30, rng)
    blocks = ridge.blocks_of(fold)
    ((scale, primal),) = ridge.solvers(centred, blocks, ["feature"])
    dual = ridge.Dual(centred.train / scale, blocks)
    assert isinstance(primal, ridge.Primal) and primal.unit == pytest.approx(dual.unit)
    np.testing.assert_allclose(
        primal.crossval(labels, ridge.PENALTIES), dual.crossval(labels, ridge.PENALTIES), rtol=1e-6
    )
    several = np.array([1e-3, 1.0, 1.0])
    other = centred.test / scale
    guesses = [side.predict(labels, several, other) for side in (primal, dual)]
    np.testing.assert_allclose(*guesses, atol=1e-9)
    np.testing.assert_allclose(guesses[0], other @ dual.weights(labels, several), atol=1e-9)
    weights = [side.weights(labels, np.ones(3)) for side in (primal, dual)]
    np.testing.assert_allclose(*weights, atol=1e-10)
    model = Ridge(alpha=primal.unit).fit(
        np.concatenate(centred.train / scale), np.repeat(labels, 4, axis=0)
    )
    np.testing.assert_allclose(weights[0].T, model.coef_, atol=1e-10)


@pytest.mark.parametrize(("clips", "times", "features"), [(60, 1, 9), (45, 3, 7)])
def test_errors_without_matrices_of_clips_are_the_same(
    clips, times, features, rng: np.random.Generator, monkeypatch
):
    centred, labels, fold = training(clips, times, features, rng)
    labels = np.hstack([labels, rng.permuted(labels, axis=0)])  # permuted ones have no mean of 0
    labels[:, -1] += 2.0
    blocks = ridge.blocks_of(fold)
    ((scale, primal),) = ridge.solvers(centred, blocks, ["feature"])
    monkeypatch.setattr(_primal, "COLUMNS", 4)
    by_columns = primal._by_columns(labels, ridge.PENALTIES)
    by_clips = primal._by_clips(labels, ridge.PENALTIES)
    np.testing.assert_allclose(by_columns, by_clips, rtol=1e-9)
    # the dual has a matrix of rows; at penalties that its null space can bear they are equal too
    dual = ridge.Dual(centred.train / scale, blocks)
    np.testing.assert_allclose(
        by_columns[3:], dual.crossval(labels, ridge.PENALTIES[3:]), rtol=1e-9
    )
    first = rng.random((2, len(labels))) < 0.5
    penalties = rng.choice(ridge.PENALTIES[3:], labels.shape[1])
    asked = centred.test / scale
    for ask in (
        lambda side: side.halved(labels - labels.mean(0), penalties, asked, first),
        lambda side: side.predict(labels - labels.mean(0), penalties, asked),
    ):
        np.testing.assert_allclose(ask(primal), ask(dual), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    ("clips", "features", "columns", "expected"),
    [
        (3200, 128, 1005, True),  # features far fewer than clips
        (160, 512, 505, False),  # more features than clips, if not than tokens
        (100, 64, 5005, False),  # few clips, tokens of many times
        (20_000, 16_384, 1005, True),  # matrices of clips would take 42 GB
    ],
)
def test_what_is_solved_follows_what_it_costs(clips, features, columns, expected):
    side = object.__new__(ridge.Primal)
    side.sums, side.blocks = np.broadcast_to(0.0, (clips, features)), range(4)
    assert side._cheaper_by_columns(13, columns) is expected


def test_labels_in_float32_have_the_same_inner_errors(rng: np.random.Generator):
    centred, labels, fold = training(40, 1, 60, rng)
    dual = ridge.Dual(centred.train, ridge.blocks_of(fold))
    exact = dual.crossval(labels, ridge.PENALTIES)
    mixed = dual.crossval(labels, ridge.PENALTIES, precise=1)
    np.testing.assert_allclose(mixed[:, 0], exact[:, 0], rtol=1e-10)
    np.testing.assert_allclose(mixed, exact, rtol=2e-5)


def test_ties_go_to_the_larger_penalty():
    errors = np.array([[0.5, 0.2, 1.0], [0.2, 0.2 + 1e-13, 1.0], [0.3, 0.4, 1.0]])
    assert ridge.best_penalty(errors).tolist() == [1, 1, 2]


def test_constant_columns_are_dropped_by_the_training_clips_alone(rng: np.random.Generator):
    x = rng.normal(size=(20, 2, 4))
    x[..., 1] = 1 / 3
    fold = splits.nested(np.arange(20))[0]
    x[fold.test, :, 2], x[fold.train, :, 2] = 9.0, 0.1
    assert ridge.centre(x, fold).train.shape[-1] == 2
    with pytest.raises(ValueError, match=r"all 4 are constant.*Hint"):
        ridge.centre(np.ones((20, 2, 4)), fold)


def test_features_are_centred_some_clips_at_a_time_to_the_same_numbers(rng, monkeypatch):
    x = rng.normal(3, 2, size=(50, 3, 5)).astype(np.float16)
    x[..., 2] = 1.5
    fold, made = splits.nested(np.arange(50))[0], []

    def zeros(shape, dtype):
        made.append(shape)
        return np.zeros(shape, dtype)

    monkeypatch.setattr(ridge, "NUMBERS", 7 * 15)
    found = ridge.centre(x, fold, zeros)
    assert made == [found.train.shape, found.test.shape] == [(40, 3, 4), (10, 3, 4)]
    rows = x[fold.train].astype(float)[..., [0, 1, 3, 4]]
    np.testing.assert_allclose(found.train, rows - rows.mean((0, 1)), atol=1e-12)
    np.testing.assert_allclose(found.deviation, rows.std((0, 1)))


@pytest.mark.parametrize(("clips", "features"), [(30, 12), (6, 40)])
def test_principal_components_are_those_of_the_training_rows(
    clips, features, rng: np.random.Generator
):
    x = rng.normal(size=(clips, 3, features)) @ rng.normal(size=(features, features))
    train = np.arange(clips - 2)
    found = ridge.principal(x, train, 5)
    model = PCA(5, svd_solver="full").fit(np.concatenate(x[train]))
    expected = model.transform(x.reshape(-1, features)).reshape(clips, 3, 5)
    np.testing.assert_allclose(np.abs(found), np.abs(expected), atol=1e-8)
    with pytest.raises(ValueError, match="Hint: at most"):
        ridge.principal(x, train, features + 1)


def test_a_penalty_that_float64_cannot_bear_is_named():
    with pytest.raises(np.linalg.LinAlgError, match=r"singular.*Hint"):
        dense.solve(-np.eye(3), 0.5, np.ones((3, 1)))


def test_a_map_equals_explicit_refits(rng: np.random.Generator):
    x = rng.normal(size=(40, 3, 6)) + rng.normal(size=(40, 1, 6)) + 3
    y = x @ rng.normal(size=(6, 5)) + 4 * rng.normal(size=(40, 3, 5)) + 1
    folds = splits.nested(np.arange(40), outer=4, inner=3)
    found = linear_map.fit(x, y, folds)
    predicted = np.empty_like(y)
    for fold, choice in zip(folds, found.choices, strict=True):
        centred, best = ridge.centre(x, fold), None
        rows, blocks = x[fold.train].mean((0, 1)), ridge.blocks_of(fold)
        for scaling in ridge.SCALINGS:
            z = (x - rows) / centred.scale(scaling)
            train, target = z[fold.train], y[fold.train]
            unit = (train**2).sum() / 6
            for penalty in reversed(ridge.PENALTIES):
                errors = 0.0
                for block in blocks:
                    rest = np.setdiff1d(np.arange(len(train)), block)
                    model = Ridge(alpha=penalty * unit).fit(
                        np.concatenate(train[rest]), np.concatenate(target[rest])
                    )
                    guess = model.predict(np.concatenate(train[block]))
                    errors += ((guess - np.concatenate(target[block])) ** 2).sum()
                if best is None or errors < best[0] * (1 - 1e-10):
                    best = errors, scaling, penalty, z, unit
        errors, scaling, penalty, z, unit = best
        assert (choice["scaling"], choice["lambda"]) == (scaling, penalty)
        spread = ((y[fold.train] - y[fold.train].mean((0, 1))) ** 2).sum()
        assert choice["inner_r2"] == pytest.approx(1 - errors / spread, abs=1e-9)
        model = Ridge(alpha=penalty * unit).fit(
            np.concatenate(z[fold.train]), np.concatenate(y[fold.train])
        )
        predicted[fold.test] = model.predict(np.concatenate(z[fold.test])).reshape(-1, 3, 5)
    np.testing.assert_allclose(found.sse, ((y - predicted) ** 2).sum((1, 2)), rtol=1e-7)
    expected = 1 - ((y - predicted) ** 2).sum() / ((y - y.mean((0, 1))) ** 2).sum()
    assert found.r2 == pytest.approx(expected)


def test_a_map_finds_a_linear_twin_and_nothing_in_noise(rng: np.random.Generator):
    x = rng.normal(size=(40, 4, 8))
    folds = splits.nested(np.arange(40))
    twin = linear_map.fit(x, x @ rng.normal(size=(8, 20)) + 2, folds)
    assert twin.r2 > 1 - 1e-6 and twin.cosine.min() > 1 - 1e-6
    noise = linear_map.fit(x, rng.normal(size=(40, 4, 20)), folds)
    assert -0.1 < noise.r2 < 0.05
    with pytest.raises(ValueError, match="align"):
        linear_map.fit(x, x[:, :3], folds)
