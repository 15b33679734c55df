"""Nested grouped ridge: one factorization per layer and fold, against refits by scikit-learn.

24 layers x 5 outer folds x 20 penalties x 5 targets on 392 clips of 1024 features, 4 inner folds,
one core. The loop of refits is slow, so both sides run on the same few layers, in turn; the gate
comes first: the same penalties chosen, the same R2 to 1e-6. Our side then runs all 24 layers, and
once more with all that a score comes with: 1000 permutations, 10,000 bootstraps, and fits to
halves, which are put beside refits on a small case: equal to 1e-9. The published sweep of 20
settings trains the same maps on one layer.
"""

import time
from collections.abc import Callable
from types import ModuleType

import numpy as np
from sklearn.linear_model import Ridge, RidgeCV
from threadpoolctl import threadpool_limits

from physprobe.fit.methods import _ridge, _samples, ridge, trained_sweep
from physprobe.fit.methods._numbers import Numbers
from physprobe.fit.probe import probe, tallies
from physprobe.statistics import scores, splits
from physprobe.statistics.splits import Fold

LAYERS, CLIPS, FEATURES, TARGETS = 24, 392, 1024, 5
PENALTIES = tuple(np.logspace(-6, 6, 20))
COMPARED = 2


def layer(number: int, labels: np.ndarray, width: int = FEATURES) -> np.ndarray:
    """Features (clip, 1, feature) that hold the labels in noise with a decaying spectrum."""
    rng = np.random.default_rng(number)
    spread = np.arange(1, width + 1) ** -0.7
    noise = rng.normal(size=(len(labels), width)) * spread @ rng.normal(size=(width, width))
    return (noise + 0.1 * labels @ rng.normal(size=(TARGETS, width)))[:, None]


def scaled(features: np.ndarray, fold: Fold) -> tuple[np.ndarray, np.ndarray]:
    """Penalties, absolute, and features z-scored by the training clips."""
    train = features[fold.train, 0]
    z = (features[:, 0] - train.mean(0)) / train.std(0)
    unit = (z[fold.train] ** 2).sum() / min(z[fold.train].shape)
    return unit * np.array(PENALTIES), z


def refits(features: np.ndarray, labels: np.ndarray, folds: tuple[Fold, ...]) -> tuple:
    """Predictions and penalties by refitting everything."""
    predicted, chosen = np.empty_like(labels), []
    for fold in folds:
        penalties, z = scaled(features, fold)
        errors = np.zeros((len(PENALTIES), TARGETS))
        for place, penalty in enumerate(penalties):
            for rest, held in fold.inner:
                model = Ridge(alpha=penalty).fit(z[rest], labels[rest])
                errors[place] += ((model.predict(z[held]) - labels[held]) ** 2).sum(0)
        best = errors.argmin(0)
        model = Ridge(alpha=penalties[best]).fit(z[fold.train], labels[fold.train])
        predicted[fold.test] = model.predict(z[fold.test])
        chosen.append(best)
    return predicted, np.array(chosen)


def leave_one_out(features: np.ndarray, labels: np.ndarray, folds: tuple[Fold, ...]) -> None:
    """RidgeCV: fast, but its inner folds are single clips, so it can't keep a group together."""
    for fold in folds:
        penalties, z = scaled(features, fold)
        model = RidgeCV(penalties, alpha_per_target=True).fit(z[fold.train], labels[fold.train])
        model.predict(z[fold.test])


def ours(features: list[np.ndarray], labels: np.ndarray, folds: tuple[Fold, ...]) -> list:
    """Everything fitted, per layer and fold."""
    solver = _ridge.Ridge(PENALTIES, ["feature"])
    asked = Numbers(labels[:, None], {str(target): 1 for target in range(TARGETS)})
    sources = _samples.pooled(["clip"], features, [str(layer) for layer in range(len(features))])
    (tally,) = tallies(solver, asked, sources, folds)
    return tally.layers


def probed(kind: ModuleType, features: list, labels: np.ndarray, folds: tuple, **more) -> list:
    """Rows of a whole probe, its intervals included."""
    targets = {str(number): values for number, values in enumerate(labels.T)}
    spec = kind.Spec(targets=tuple(targets), samples=("clip",), **more)
    names = [str(number) for number in range(len(features))]
    return probe(spec, features, names, targets, folds)[0]


def seconds(work: Callable[[], object], times: int) -> float:
    """Least of several runs [s]."""
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return min(taken)


def agree(features: list[np.ndarray], labels: np.ndarray, folds: tuple[Fold, ...]) -> str:
    """Gate: penalties and R2 of explicit refits."""
    worst = 0.0
    for values, fits in zip(features, ours(features, labels, folds), strict=True):
        expected, chosen = refits(values, labels, folds)
        if not np.array_equal(chosen, [fit.penalty for fit in fits]):
            raise SystemExit("gate: other penalties chosen than by explicit refits")
        predicted = np.empty_like(labels)
        for fold, fit in zip(folds, fits, strict=True):
            predicted[fold.test] = fit.predicted[:, 0]
        difference = scores.r2(labels, predicted, axis=0) - scores.r2(labels, expected, axis=0)
        worst = max(worst, np.abs(difference).max())
    if not worst <= 1e-6:
        raise SystemExit(f"gate: R2 differs by {worst:.1e}")
    r2 = scores.r2(labels, predicted, axis=0)
    return f"gate: same penalties, R2 ({r2.min():.2f} to {r2.max():.2f}) equal to {worst:.0e}"


def halved(features: np.ndarray, labels: np.ndarray, folds: tuple[Fold, ...]) -> float:
    """Largest difference of what halves say (target, split) from refits of everything."""
    targets = {str(number): values for number, values in enumerate(labels.T)}
    spec = ridge.Spec(
        targets=tuple(targets), samples=("clip",), penalties=PENALTIES, scalings=("feature",),
        permutations=1, bootstraps=100,
    )  # fmt: skip
    _, block = probe(spec, [features], ["0"], targets, folds)
    _, chosen = refits(features, labels, folds)
    signs, errors = splits.halves(np.arange(len(labels))), []
    for half in np.concatenate([signs > 0, signs < 0]):
        missed = np.empty_like(labels)
        for fold, best in zip(folds, chosen, strict=True):
            penalties, z = scaled(features, fold)
            mine = fold.train[half[fold.train]]
            model = Ridge(alpha=penalties[best], solver="svd").fit(z[mine], labels[mine])
            missed[fold.test] = model.predict(z[fold.test]) - labels[fold.test]
        errors.append((missed**2).sum(0))
    first, second = np.split(np.array(errors), 2)
    found = [each["halves"]["r2"] for each in block["held_out"] if each["layer"] == "0"]
    return float(np.abs(np.array(found).T - 0.5 * np.log(first / second)).max())


def drawn(clips: int) -> tuple[np.ndarray, tuple[Fold, ...]]:
    """Labels (clip, target) and folds."""
    labels = np.random.default_rng(99).normal(size=(clips, TARGETS))
    return labels, splits.nested(np.arange(clips), outer=5, inner=4)


def check() -> str:
    """Gate on one layer of a few features, fewer and more than clips."""
    labels, folds = drawn(60)
    small = [layer(0, labels, 24), layer(1, labels, 96)]
    worst = max(halved(features, labels, folds) for features in small)
    if not worst <= 1e-9:
        raise SystemExit(f"gate: halves differ from refits by {worst:.1e}")
    return f"{agree(small, labels, folds)}; halves equal to refits to {worst:.0e}"


def main() -> None:
    """Gate, timings, ratio."""
    labels, folds = drawn(CLIPS)
    features = [layer(number, labels) for number in range(COMPARED)]
    print(check())
    print(agree(features, labels, folds))

    mine = seconds(lambda: ours(features, labels, folds), 3) / COMPARED
    loop = seconds(lambda: [refits(x, labels, folds) for x in features], 1) / COMPARED
    single = seconds(lambda: [leave_one_out(x, labels, folds) for x in features], 2) / COMPARED
    everything = [features[number % COMPARED] for number in range(LAYERS)]
    whole = seconds(lambda: ours(everything, labels, folds), 2)
    grid = {"penalties": PENALTIES, "scalings": ("feature",)}
    draws = {"permutations": 1000, "bootstraps": 10000}
    scored = seconds(lambda: probed(ridge, everything, labels, folds, **grid, **draws), 2)
    swept = seconds(lambda: probed(trained_sweep, features[:1], labels, folds, bootstraps=100), 1)
    print(f"per layer: physprobe {mine:.3f} s, Ridge refits {loop:.3f} s, sweep {swept:.2f} s")
    print(f"per layer: RidgeCV {single:.3f} s (leave-one-out inside, another selection)")
    print(f"{LAYERS} layers: physprobe {whole:.2f} s (target 2 s)")
    print(f"{LAYERS} layers, {draws}: physprobe {scored:.1f} s (target 40 s)")
    print(f"ratio to the trained sweep: {swept / mine:.0f}")
    print(f"ratio to RidgeCV: {single / mine:.1f}")
    print(f"ratio to Ridge refits: {loop / mine:.1f}")


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
