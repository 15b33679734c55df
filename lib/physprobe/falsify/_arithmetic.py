"""Arithmetic: what the published way to solve a ridge regression makes of the same features.

    (X'X + lambda I) w = X'y,    X standardised, with a column of ones;  y as it is

in float32, with lambda 0.01, or with the best of a grid that ends at 10. Pixels of smooth fields
are nearly collinear: X'X then spans more orders of magnitude than float32 has digits, and the
solution is rounding. The same equations in float64, and a grid that goes on, are beside it.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from physprobe.statistics import ridge, scores, splits
from physprobe.statistics.paired import Scored
from physprobe.statistics.splits import Fold

EQUAL = "the clips' labels are equal"
PUBLISHED = 1e-2
GRID = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0)
WIDE = tuple(10.0**power for power in range(-5, 7))
WAYS: dict[str, tuple[type[np.floating], tuple[float, ...]]] = {
    "float32, lambda 0.01": (np.float32, (PUBLISHED,)),
    "float64, lambda 0.01": (np.float64, (PUBLISHED,)),
    "float64, lambda up to 10": (np.float64, GRID),
    "float64, lambda up to 1e6": (np.float64, WIDE),
}
"""Precision, and penalties to choose from by folds inside the training clips."""


def rows(
    features: Mapping[str, np.ndarray],
    truth: np.ndarray,
    folds: Sequence[Fold],
    groups: np.ndarray,
    draws: int,
) -> Iterator[dict]:
    """R2 of one label by every way of solving.

    Parameters
    ----------
    features : mapping of str to (clip, time, feature)
        Of each encoder or control.
    truth : (clip,)
        Label.
    folds : sequence of Fold
    groups : (clip,)
        Clips that are drawn together.
    draws : int
        Bootstrap draws.

    Yields
    ------
    dict
        Rows: ``r2_arithmetic`` and ``train_r2_arithmetic`` per ``sample``; ``way`` says how,
        ``edge_hit`` whether any fold chose the largest penalty of several.
    """
    held = np.concatenate([fold.test for fold in folds])
    groups = splits.joined([groups[held]])
    for name, tokens in features.items():
        for sample, inputs in (("clip", tokens.mean(1, keepdims=True)), ("token", tokens)):
            for way, (precision, grid) in WAYS.items():
                found = [_one(inputs, truth, fold, precision, grid) for fold in folds]
                sums = scores.r2_sums(truth[held], np.concatenate([part[0] for part in found]))
                score = Scored(sums, scores.r2_of, groups).interval(draws).columns(EQUAL)
                chosen = [part[2] for part in found]
                about = {
                    "encoder": name, "target": "alpha", "sample": sample, "layer": "final",
                    "way": way, "n_clips": len(held),
                }  # fmt: skip
                yield {
                    **about, "metric": "r2_arithmetic", **score,
                    "lambda": float(np.median(chosen)),
                    "edge_hit": len(grid) > 1 and grid[-1] in chosen,
                }  # fmt: skip
                training = float(np.mean([part[1] for part in found]))
                note = None if np.isfinite(training) else EQUAL
                yield {**about, "metric": "train_r2_arithmetic", "value": training, "note": note}


def _one(
    inputs: np.ndarray,
    truth: np.ndarray,
    fold: Fold,
    precision: type[np.floating],
    grid: Sequence[float],
) -> tuple[np.ndarray, float, float]:
    """Squared error (clip,) of the held-out clips, R2 of the training rows, and the penalty."""
    train, label = inputs[fold.train], truth[fold.train]
    best = grid[0]
    if len(grid) > 1:
        errors = np.zeros(len(grid))
        for block in ridge.blocks_of(fold):
            rest = np.setdiff1d(np.arange(len(train)), block)
            for place, guess in enumerate(_solved(train[rest], label[rest], train[block], grid)):
                errors[place] += ((guess - label[block, None]) ** 2).sum()
        best = grid[int(errors.argmin())]
    own, held = (
        next(_solved(train, label, rows, (best,), precision)) for rows in (train, inputs[fold.test])
    )
    rows = np.repeat(label[:, None], train.shape[1], axis=1)
    fitted = float(scores.r2(rows.ravel(), own.ravel()))
    return ((held - truth[fold.test, None]) ** 2).mean(1), fitted, best


def _solved(
    train: np.ndarray,
    label: np.ndarray,
    held: np.ndarray,
    grid: Sequence[float],
    precision: type[np.floating] = np.float64,
) -> Iterator[np.ndarray]:
    """Predictions (clip, time) for held-out clips, penalty by penalty."""
    times, features = train.shape[1:]
    flat = train.reshape(-1, features)
    mean, spread = flat.mean(0), flat.std(0) + 1e-6

    def standardised(clips: np.ndarray) -> np.ndarray:
        scaled = ((clips.reshape(-1, features) - mean) / spread).astype(precision)
        return np.concatenate([scaled, np.ones((len(scaled), 1), precision)], axis=1)

    inputs, target = standardised(train), np.repeat(label, times).astype(precision)
    others = standardised(held)
    gram, moment = inputs.T @ inputs, inputs.T @ target
    unit = np.eye(len(gram), dtype=precision)
    unit[-1, -1] = 0.0
    for penalty in grid:
        weights = np.linalg.solve(gram + precision(penalty) * unit, moment)
        yield (others @ weights).astype(float).reshape(len(held), times)
