"""Nested grouped logistic regression: all labels fitted together, against a loop of scikit-learn's.

Two equations of 100 initial conditions, 512 features, 200 permuted labels beside the true one; 5
outer and 4 inner folds choose among 9 penalties; one core. The loop refits everything, so it runs
on the true label and a permuted one alone; ours runs on the same two, and then on all of them. The
gate comes first: the same penalties chosen, held-out probabilities equal to 1e-6 to those of a last
refit that is solved to the end, which the loop's solver, fast as it is, doesn't do.
"""

import time
from collections.abc import Callable

import numpy as np
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from physprobe.fit.methods import _class_rows, _logistic, _samples
from physprobe.fit.methods._classes import Classes
from physprobe.fit.probe import tallies
from physprobe.statistics import splits
from physprobe.statistics.splits import Fold

CLIPS, FEATURES, FEW = 200, 512, 24
PENALTIES = tuple(10.0**power for power in range(-5, 4))
PERMUTATIONS, COMPARED = 200, 2
GROUPS, TRUTH = np.arange(CLIPS) // 2, np.arange(CLIPS) % 2


def layer(labels: np.ndarray, features: int = FEATURES) -> np.ndarray:
    """Features (clip, 1, feature) that hold the label in noise with a decaying spectrum."""
    rng = np.random.default_rng(1)
    spread = np.arange(1, features + 1) ** -0.7
    noise = rng.normal(size=(CLIPS, features)) * spread @ rng.normal(size=(features, features))
    return (noise + 0.12 * labels[:, None] * rng.normal(size=features))[:, None]


def scaled(features: np.ndarray, fold: Fold) -> tuple[float, np.ndarray]:
    """Unit of the penalty, and features z-scored by the training clips."""
    train = features[fold.train, 0]
    z = (features[:, 0] - train.mean(0)) / train.std(0)
    return (z[fold.train] ** 2).sum() / min(train.shape), z


def refits(features: np.ndarray, labels: np.ndarray, folds: tuple[Fold, ...]) -> np.ndarray:
    """Penalties (fold, label) by refitting everything, label after label, and the last fits."""
    chosen = []
    for fold in folds:
        unit, z = scaled(features, fold)
        best = []
        for label in labels.T:
            losses = np.full(len(PENALTIES), np.inf)
            for place in reversed(range(len(PENALTIES))):
                losses[place] = 0.0
                for rest, held in fold.inner:
                    model = _fit(z[rest], label[rest], PENALTIES[place] * unit)
                    guess = model.decision_function(z[held])
                    losses[place] += np.logaddexp(0, np.where(label[held], -guess, guess)).sum()
                if losses.argmin() >= place + _logistic.PATIENCE:
                    break  # as ours does
            best.append(losses.argmin())
            model = _fit(z[fold.train], label[fold.train], PENALTIES[best[-1]] * unit)
            model.predict_proba(z[fold.test])
        chosen.append(best)
    return np.array(chosen)


def _fit(rows: np.ndarray, label: np.ndarray, penalty: float, **how: object) -> LogisticRegression:
    how = {"tol": 1e-6, "max_iter": 10000, **how}
    return LogisticRegression(C=1 / penalty, **how).fit(rows, label)


def ours(features: np.ndarray, labels: np.ndarray, folds: tuple[Fold, ...]) -> list:
    """Everything fitted, per fold."""
    solver = _logistic.Logistic(PENALTIES, ["feature"], inner_times=1)
    asked = Classes(labels, 2, np.arange(CLIPS), {None: np.ones(CLIPS, bool)})
    (tally,) = tallies(solver, asked, _samples.pooled(["clip"], [features], ["0"]), folds)
    return tally.layers[0]


def seconds(work: Callable[[], object], times: int) -> tuple[float, object]:
    """Least processor time of several runs [s], and what came out: other jobs don't count."""
    taken = []
    for _ in range(times):
        start = time.process_time()
        found = work()
        taken.append(time.process_time() - start)
    return min(taken), found


def agree(features: np.ndarray, folds: tuple[Fold, ...], fits: list, chosen: np.ndarray) -> str:
    """Gate: penalties of explicit refits, and probabilities of a fit that is solved to the end."""
    if not np.array_equal(chosen, [fit.penalty for fit in fits]):
        raise SystemExit("gate: other penalties chosen than by explicit refits")
    worst = 0.0
    for fold, fit in zip(folds, fits, strict=True):
        unit, z = scaled(features, fold)
        penalty = PENALTIES[fit.penalty[0]] * unit
        peer = _fit(z[fold.train], TRUTH[fold.train], penalty, tol=1e-12, solver="newton-cholesky")
        probability = peer.predict_proba(z[fold.test])[:, 1]
        worst = max(worst, np.abs(np.exp(fit.predicted[:, 0, 1, 0]) - probability).max())
    if not worst <= 1e-6:
        raise SystemExit(f"gate: probabilities differ by {worst:.1e}")
    right = sum(fit.correct[0, 0, 0] for fit in fits) / CLIPS
    return f"gate: same penalties, probabilities equal to {worst:.0e} (accuracy {right:.2f})"


def check() -> str:
    """Gate on a few features."""
    labels = _class_rows.shuffled(TRUTH, GROUPS, PERMUTATIONS, seed=0)[:, :COMPARED]
    features, folds = layer(TRUTH, FEW), splits.nested(GROUPS, outer=5, inner=4)
    return agree(features, folds, ours(features, labels, folds), refits(features, labels, folds))


def main() -> None:
    """Gate, timings, ratio."""
    labels = _class_rows.shuffled(TRUTH, GROUPS, PERMUTATIONS, seed=0)
    few, features = labels[:, :COMPARED], layer(TRUTH)
    folds = splits.nested(GROUPS, outer=5, inner=4)
    loop, chosen = seconds(lambda: refits(features, few, folds), 1)
    mine, fits = seconds(lambda: ours(features, few, folds), 2)
    print(agree(features, folds, fits, chosen))
    whole, _ = seconds(lambda: ours(features, labels, folds), 1)
    print(f"{COMPARED} labels: physprobe {mine:.2f} s, LogisticRegression {loop:.2f} s")
    print(f"{labels.shape[1]} labels: physprobe {whole:.2f} s")
    print(f"ratio on the same {COMPARED} labels: {loop / mine:.1f}")
    print(f"ratio per label: {loop / COMPARED / (whole / labels.shape[1]):.0f}")


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
