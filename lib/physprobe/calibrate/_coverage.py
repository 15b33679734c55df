"""Coverage: how often a 95 % interval holds the truth, where the truth is known.

Data sets are drawn from a world again and again. The truth of a score is its mean over all of them:
what the whole procedure - training clips, choices and held-out clips drawn anew - has on average.
The difference of two encoders that are alike is 0. Of a published split the truth is what these
very fits score on a great many other clips.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from physprobe.calibrate import _battery
from physprobe.fit.designs import elsewhere
from physprobe.fit.methods import dmd, logistic, ridge, trained_sweep
from physprobe.fit.probe import probe
from physprobe.statistics import paired, splits
from physprobe.statistics.splits import Fold
from physprobe.store.fits import Decoded, decoded, forecast_skills

CLIPS, TIMES, DRAWS = 100, 10, 2000
APART = 2000  # clips that the score of a fit is read on, as good as all that there are
LOGISTIC = 128  # features: of more, logistic probes take too long here

Held = tuple[float, float, float, float]
"""Score, ends of its interval, and its truth: nan if that is the mean over data sets."""


def intervals(rng: np.random.Generator, *, worlds: str = "few") -> dict[str, Held]:
    """Every score of one data set of each world, ``one``, ``few`` or ``all``, with its interval."""
    found = dict(_dynamics(rng)) | dict(_pairs(rng)) | dict(_apart(rng)) | dict(_moved(rng))
    asked = {"one": _battery.FEW[:1], "few": _battery.FEW, "all": _battery.cells()}
    for cell in asked[worlds]:
        found |= dict(_scored(cell, rng))
    return found


def _scored(cell: _battery.Cell, rng: np.random.Generator) -> Iterator[tuple[str, Held]]:
    """Scores of one world: of one encoder, and of two that are alike."""
    drawn = cell.drawn(rng)
    folds = splits.nested(drawn.groups)
    common = {"targets": ("y",), "samples": ("clip",), "permutations": 1, "scalings": ("none",)}
    kinds: dict[str, ridge.Spec | logistic.Spec] = {"R2": ridge.Spec(**common)}
    if cell.features <= LOGISTIC:
        kinds["accuracy"] = logistic.Spec(**common)
    for score, spec in kinds.items():
        label = drawn.label if score == "R2" else (drawn.label > 0).astype(int)
        both = []
        for features in drawn.features:
            rows, block = probe(spec, [features], ["0"], {"y": label}, folds, groups=drawn.groups)
            both.append(_decoded(block))
        found = {row["metric"]: row for row in rows if row["layer"] == "selected"}
        for metric in ("r2", "mae") if score == "R2" else ("accuracy", "auc", "log_loss"):
            yield f"{WORDS.get(metric, metric)}, {cell.name}", _row(found[metric])
        value, low, high = map(float, paired.above(*both).interval(DRAWS))
        yield f"difference of {score}, {cell.name}", (value, low, high, 0.0)


WORDS = {"r2": "R2", "mae": "absolute error", "auc": "AUC", "log_loss": "log loss"}


def _decoded(predictions: dict) -> Decoded:
    """Score of the label, which is always defined here."""
    found = decoded({"predictions": predictions}, "y", "clip")
    assert found is not None
    return found


def _row(row: Mapping, truth: float = np.nan) -> Held:
    low, high = (np.nan if row[end] is None else row[end] for end in ("ci_low", "ci_high"))
    return row["value"], low, high, truth


def _pairs(rng: np.random.Generator) -> Iterator[tuple[str, Held]]:
    """Relative accuracy of pairs, one of each class, that look alike."""
    label, pair = np.arange(2 * CLIPS) % 2, np.arange(2 * CLIPS) // 2
    spec = logistic.Spec(targets=("y",), samples=("clip",), permutations=1, scalings=("none",))
    features = rng.normal(size=(2 * CLIPS, 1, 16)) + rng.normal(size=(CLIPS, 1, 16))[pair]
    features[:, 0, 0] += 0.8 * label
    rows, _ = probe(spec, [features], ["0"], {"y": label}, splits.nested(pair), groups=pair)
    (row,) = (r for r in rows if (r["metric"], r["layer"]) == ("relative_accuracy", "selected"))
    yield f"relative accuracy, {CLIPS} pairs", _row(row)


def _apart(rng: np.random.Generator) -> Iterator[tuple[str, Held]]:
    """Scores of single fits, as of published splits, on clips of their own."""
    size = 3 * CLIPS + APART
    direction = np.ones(16) / 4.0
    label = rng.normal(size=size)
    features = (label[:, None] * direction + rng.normal(size=(size, 16)))[:, None]
    # fitted to the lower labels, as a probe is that is tried elsewhere
    order = np.argsort(label[: 2 * CLIPS])
    train, rest = np.sort(order[:CLIPS]), np.arange(2 * CLIPS, size)
    folds = (_single(train, rest),)
    common = {"targets": ("y",), "samples": ("clip",)}
    kinds: dict[str, tuple[Callable, dict]] = {
        "ridge": (ridge.Spec, {"permutations": 1}),
        "a trained probe": (trained_sweep.Spec, {"rates": (1e-2,), "decays": (0.1,)}),
    }
    for name, (kind, more) in kinds.items():
        _, block = probe(kind(**common, **more), [features], ["0"], {"y": label}, folds)
        score = _decoded(block)
        value, low, high = map(float, score.of(np.arange(CLIPS)).interval(DRAWS))
        truth = float(score.of(np.arange(CLIPS, CLIPS + APART)).value)
        yield f"R2 of {name} on other clips", (value, low, high, truth)


def _moved(rng: np.random.Generator) -> Iterator[tuple[str, Held]]:
    """Probes that are fitted elsewhere: of one encoder, and of two that are alike."""
    features, clips = 32, np.arange(CLIPS)
    known = rng.normal(size=(CLIPS, 6))
    label = known[:, 0] + 0.3 * rng.normal(size=CLIPS)
    columns = np.outer(np.arange(1, 7), np.arange(features))
    spec = ridge.Spec(targets=("y",), samples=("clip",), permutations=1, scalings=("none",))
    folds = splits.nested(clips)
    inside, _ = elsewhere.within({"y": label}, {"y": (0.7, 1.0)})
    twice = {"groups": np.tile(clips, 2)}
    designs: dict[str, tuple[Sequence[Fold], dict, Sequence[float]]] = {
        "in another rendering": (tuple(elsewhere.crossed(folds, CLIPS)), twice, (0.4, 0.0)),
        "beyond a range": (
            (elsewhere.apart(folds, clips, inside, spec),), {"strata": inside.astype(int)}, (0.0,)
        ),
    }  # fmt: skip
    for name, (parted, about, turned) in designs.items():
        both = []
        for _ in range(2):
            seen = [np.tanh(known @ np.cos(columns + by) / 3) for by in turned]
            noisy = [part + 0.3 * rng.normal(size=part.shape) for part in seen]
            filmed, labels = np.concatenate(noisy)[:, None], np.tile(label, len(turned))
            rows, block = probe(spec, [filmed], ["0"], {"y": labels}, parted, **about)
            both.append(_decoded(block))
        row = next(r for r in rows if (r["metric"], r["layer"]) == ("r2", "selected"))
        yield f"R2 {name}", _row(row)
        value, low, high = map(float, paired.above(*both).interval(DRAWS))
        yield f"difference of R2 {name}", (value, low, high, 0.0)


def _single(train: np.ndarray, test: np.ndarray, inner: int = 4) -> Fold:
    """One published split."""
    cuts: Sequence[np.ndarray] = [train[part::inner] for part in range(inner)]
    return Fold(train, test, tuple((np.setdiff1d(train, cut), cut) for cut in cuts))


def _dynamics(rng: np.random.Generator) -> Iterator[tuple[str, Held]]:
    """Skill and spectral radius of linear dynamics that are linear and noisy."""
    states = _turning(CLIPS, TIMES, rng)
    row, radius, _ = _forecast(states, components=4, ranks=(4,))
    yield "skill of linear dynamics", _row(row)
    yield "spectral radius of linear dynamics", _row(radius)
    # few clips of many features: two encoders that see the same states, each with its own noise
    clips, features = 30, 128
    seen = _turning(clips, 16, rng) @ np.cos(np.outer(np.arange(1, 5), np.arange(features)))
    both = []
    for _ in range(2):
        row, _, blocks = _forecast(seen + rng.normal(size=seen.shape))
        found = forecast_skills(blocks, 1)
        assert found is not None
        both.append(found["persistence"])
    name = f"{clips} clips, {features} features"
    yield f"skill of linear dynamics, {name}", _row(row)
    value, low, high = map(float, paired.above(*both).interval(DRAWS))
    yield f"difference of skill, {name}", (value, low, high, 0.0)


def _turning(clips: int, times: int, rng: np.random.Generator) -> np.ndarray:
    """States (clip, time, 4): two turn and two fade, driven by noise."""
    angle = 0.4
    turn = 0.95 * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    states = np.empty((clips, times, 4))
    states[:, 0] = rng.normal(size=(clips, 4))
    for step in range(1, times):
        past = states[:, step - 1]
        moved = np.concatenate([past[:, :2] @ turn.T, 0.9 * past[:, 2:]], axis=1)
        states[:, step] = moved + 0.3 * rng.normal(size=past.shape)
    return states


def _forecast(features: np.ndarray, **asked: Any) -> tuple[dict, dict, dict]:
    """Rows of skill against persistence and of the spectral radius, and all blocks."""
    spec = dmd.Spec(
        horizons=(1,), orders=(1,), shuffles=1, bootstraps=DRAWS, spectra=500, **asked
    )  # fmt: skip
    clips, times, _ = features.shape
    rows, blocks = dmd.dynamics(
        spec, [features], {}, splits.nested(np.arange(clips)),
        layers=["final"], times=list(map(float, range(times))),
    )  # fmt: skip
    skill = next(r for r in rows if (r["metric"], r.get("baseline")) == ("skill", "persistence"))
    return skill, next(r for r in rows if r["metric"] == "spectral_radius"), blocks
