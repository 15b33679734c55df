"""Recovery: which of the parts of a linear world a latent keeps, condition by condition.

    y = b + w . z[t],    w = argmin sum (y - b - w . z[t])^2    over training clips of one condition

Every combination of the system's conditions is read by itself, by least squares with an intercept,
from each layer to each target, at the same step (``lead`` 0) and one later (1). R2 is pooled over a
target's dimensions, steps and held-out clips, about the held-out means, and averaged over draws:

    R2 = 1 - sum over dimensions and steps of squared errors / the same about the means

So the unit of every interval is the draw: a world of its own, with a network of its own. Of the
first layer ``effective_rank`` is told, and the share of networks that have ``collapsed``: of rank
below 1.5, or of deviation below 0.01. Where an encoder predicts distributions (layers ``predicted``
and ``log_variance``) of targets that are such (``target``, ``target_log_variance``), ``coverage``
is the share of targets one step ahead within 1.96 predicted deviations, 0.95 if they are right, and
``error_over_deviation`` the root mean square of errors over predicted deviations, 1 if they are.

References
----------
The read-out is that of JointEmbeddingArchitecturesTutorial, ``tv_noise.py``, for all alike; Roy,
Vetterli, "The effective rank", EUSIPCO 2007.
"""

from typing import Literal

import numpy as np
from pydantic import Field

from physprobe.config.system import Name
from physprobe.fit.methods import _health
from physprobe.fit.section import Given, MethodSpec
from physprobe.statistics import bootstrap, conditions, scores

FLAT, THIN = 0.01, 1.5
"""Deviation and effective rank below which a latent has collapsed."""
WITHIN = 1.959964
LEADS = (0, 1)
VARIANCES = ("predicted", "log_variance", "target", "target_log_variance")
READ = ("latent", "predicted", "signal")
"""Layers that targets are read from."""


class Spec(MethodSpec):
    """What is read, and what conditions are told by."""

    ROLE = "recovery"

    kind: Literal["recovery"] = "recovery"
    """Least squares of parts of the state, condition by condition."""
    targets: dict[Name, tuple[str, ...]] = Field(min_length=1)  # type: ignore[assignment]
    """Parts of the state by name, each of one or several of the system's states."""
    by: str = "sigma"
    """Label that tells conditions of one draw apart, such as ``distractor_autocorrelation``."""
    shown: float | None = None
    """Condition of which held-out steps of the first draw are kept, to be drawn; none if it is none
    of the system's."""
    draw: str = "draw"
    """Label of what was drawn anew: the unit of intervals."""
    outer: int = Field(5, ge=2)
    """Outer folds; not used: the system declares its split."""
    inner: int = Field(2, ge=2)
    """Inner folds; nothing is chosen on them."""
    bootstraps: int = Field(2000, ge=100)
    """Bootstrap draws for the intervals."""
    seed: int = Field(0, ge=0)
    """Seed of the draws."""


def fit(spec: Spec, given: Given) -> tuple[list[dict], dict]:
    """Rows, and ``recovery``: every draw's own scores.

    Raises
    ------
    ValueError
        If a target's states or the labels are none of the system's, it declares no split, or a
        draw has not every condition once.
    """
    lacking = [n for names in spec.targets.values() for n in names if n not in given.states]
    lacking += [n for n in (spec.by, spec.draw) if n not in given.labels]
    if lacking:
        known = ", ".join((*given.states, *given.labels))
        raise ValueError(f"{lacking[0]}: neither state nor label. Hint: the system's are {known}.")
    if len(given.folds) != 1:
        raise ValueError(f"{len(given.folds)} folds; recovery reads a system that declares a split")
    found = conditions.numbered(given.labels, (spec.by, spec.draw))
    parts, draws = (np.unique(found.table[:, n]) for n in range(2))
    if len(found.table) != len(parts) * len(draws):
        raise ValueError(f"{spec.by}: not every {spec.draw} has every one of its values")
    states = {
        name: np.stack([given.states[n] for n in names], -1) for name, names in spec.targets.items()
    }
    told: dict[tuple, list[float]] = {}
    series: dict[str, np.ndarray] = {}
    layers = {name: np.asarray(given.features[n]) for n, name in enumerate(given.layers)}
    for number in range(len(found.table)):
        mine = found.of == number
        train = np.intersect1d(np.flatnonzero(mine), given.folds[0].train)
        test = np.intersect1d(np.flatnonzero(mine), given.folds[0].test)
        if not len(train) or not len(test):
            raise ValueError(f"{spec.by} {found.table[number, 0]:g}: no clip on one of the sides")
        scored, read = _of_condition(layers, states, train, test)
        for key, value in scored:
            told.setdefault(key, []).append(value)
        if found.table[number].tolist() == [spec.shown, draws[0]]:
            series = read
    rows, blocks = [], []
    for key, values in told.items():
        target, layer, lead, metric = key
        about = {"target": target, "layer": layer, "lead": lead, "metric": metric}
        each = np.reshape(values, (len(parts), len(draws)))
        blocks.append({**about, "value": each})
        for part, own in zip(parts, each, strict=True):
            interval = bootstrap.interval(
                np.stack([own, np.ones_like(own)], -1), scores.mean_of, draws=spec.bootstraps,
                seed=spec.seed,
            )  # fmt: skip
            note = f"deviation between {len(own)} draws {own.std(ddof=min(1, len(own) - 1)):.3g}"
            row = {**about, "part": float(part), "n_clips": len(given.folds[0].test)}
            rows.append({**row, **interval.row(), "note": note})
    return rows, {
        "recovery": {"by": spec.by, "part": parts, "draw": draws.astype(int), "scores": blocks},
        "series": series,
    }


def _of_condition(
    layers: dict[str, np.ndarray],
    states: dict[str, np.ndarray],
    train: np.ndarray,
    test: np.ndarray,
) -> tuple[list[tuple[tuple, float]], dict[str, np.ndarray]]:
    """Scores of one condition by target, layer, lead and metric; and the first target's steps.

    Those are its truth (clip, time, dimension) one step later, and what the first layer tells.
    """
    told: list[tuple[tuple, float]] = []
    series: dict[str, np.ndarray] = {}
    for layer, features in layers.items():
        if layer not in READ:
            continue
        scale = _rows(features[train]).std(0).max() or 1.0
        sides = [_with_one(features[clips, :-1], scale) for clips in (train, test)]
        for lead in LEADS:
            ends = slice(lead, None if lead else -1)
            for target, values in states.items():
                truth = [_rows(values[clips, ends]) for clips in (train, test)]
                weights = np.linalg.lstsq(sides[0], truth[0], rcond=None)[0]
                read = sides[1] @ weights
                error = ((read - truth[1]) ** 2).sum()
                if lead and not series:
                    shape = (len(test), -1, truth[1].shape[1])
                    series = {"truth": truth[1].reshape(shape), "read": read.reshape(shape)}
                spread = ((truth[1] - truth[1].mean(0)) ** 2).sum()
                told.append(((target, layer, lead, "r2"), float(1 - error / spread)))
    first = next(iter(layers))
    deviation, rank = _health.health(_rows(layers[first][train]))
    collapsed = float(deviation < FLAT or rank < THIN)
    told += [
        ((None, first, None, "effective_rank"), rank),
        ((None, first, None, "deviation"), deviation),
        ((None, first, None, "collapsed"), collapsed),
    ]
    if all(name in layers for name in VARIANCES):
        coverage, ratio = calibration(*(layers[name][test] for name in VARIANCES))
        told += [
            ((None, "predicted", 1, "coverage"), coverage),
            ((None, "predicted", 1, "error_over_deviation"), ratio),
        ]
    return told, series


def calibration(
    predicted: np.ndarray, log_variance: np.ndarray, target: np.ndarray, own: np.ndarray
) -> tuple[float, float]:
    """Share of targets within 1.96 predicted deviations, and errors over deviations.

    Parameters
    ----------
    predicted, log_variance : (clip, time, feature)
        Normal distributions of the target one step later.
    target, own : (clip, time, feature)
        Mean and log-variance of the target, which is normal itself.
    """
    from scipy.special import ndtr

    size = np.exp(log_variance[:, :-1].astype(float) / 2)
    off = (target[:, 1:].astype(float) - predicted[:, :-1]) / size
    noise = np.exp(own[:, 1:].astype(float) / 2) / size
    ends = ((sign * WITHIN - off) / noise for sign in (1, -1))
    high, low = (ndtr(end) for end in ends)
    return float((high - low).mean()), float(np.sqrt((off**2 + noise**2).mean()))


def _rows(values: np.ndarray) -> np.ndarray:
    return np.asarray(values, float).reshape(-1, values.shape[-1])


def _with_one(values: np.ndarray, scale: float) -> np.ndarray:
    """Rows (row, feature + 1) in units of a scale, with a column of ones."""
    rows = _rows(values) / scale
    return np.concatenate([rows, np.ones((len(rows), 1))], 1)
