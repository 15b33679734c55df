"""Coverage: how often a 95 % interval holds the truth, where the truth is known.

One world is planted, and data sets are drawn from it again and again. The truth of a score is its
mean over all of them: what the whole procedure - training clips, choices and held-out clips drawn
anew - has on average.
"""

from collections.abc import Iterator

import numpy as np

from physprobe.fit.methods import dmd, logistic, ridge
from physprobe.fit.probe import probe
from physprobe.statistics import paired, splits
from physprobe.statistics.scores import Interval
from physprobe.store.fits import Decoded, decoded

CLIPS, TIMES, DRAWS = 200, 4, 2000
WIDTHS = {"few": 16, "many": 128}
NOISE = {"encoder": 1.0, "control": 2.0}  # per feature, where the label has a deviation of 1


def intervals(rng: np.random.Generator) -> dict[str, Interval]:
    """Every score of one data set, with its interval."""
    return {**dict(_ridge(rng)), **dict(_logistic(rng)), **dict(_dmd(rng))}


def _features(rng: np.random.Generator, signal: np.ndarray, width: int, noise: float) -> np.ndarray:
    """Features (clip, time, feature) that hold a signal (clip,) in one direction, and noise."""
    direction = np.random.default_rng(width).normal(size=width) / np.sqrt(width)
    mean = signal[:, None] * direction + noise * rng.normal(size=(CLIPS, width))
    return mean[:, None] + noise * rng.normal(size=(CLIPS, TIMES, width))


def _scored(sums: dict[str, Decoded], name: str) -> Iterator[tuple[str, Interval]]:
    """A score with its interval, and its difference to that of a control that sees less."""
    encoder, control = sums["encoder"], sums["control"]
    yield name, encoder.interval(DRAWS)
    yield f"difference of {name}", paired.above(encoder, control).interval(DRAWS)


def _ridge(rng: np.random.Generator) -> Iterator[tuple[str, Interval]]:
    label, folds = rng.normal(size=CLIPS), splits.nested(np.arange(CLIPS))
    for many, width in WIDTHS.items():
        for sample in ("clip", "token"):
            spec = ridge.Spec(
                targets=("y",), samples=(sample,), permutations=1, bootstraps=100,
                scalings=("none",),
            )  # fmt: skip
            found = {}
            for name, noise in NOISE.items():
                features = _features(rng, label, width, noise)
                _, block = probe(spec, [features], ["0"], {"y": label}, folds)
                found[name] = decoded({"predictions": block}, "y", sample)
            yield from _scored(found, f"R2, each {sample}, {many} features")


def _logistic(rng: np.random.Generator) -> Iterator[tuple[str, Interval]]:
    label, folds = rng.integers(0, 2, CLIPS), splits.nested(np.arange(CLIPS))
    for many, width in WIDTHS.items():
        spec = logistic.Spec(
            targets=("y",), samples=("clip",), permutations=1, bootstraps=100, scalings=("none",)
        )
        found = {}
        for name, noise in NOISE.items():
            features = _features(rng, 2.0 * label - 1.0, width, noise)
            _, block = probe(spec, [features], ["0"], {"y": label}, folds)
            found[name] = decoded({"predictions": block}, "y", "clip")
        yield from _scored(found, f"accuracy, {many} features")


def _dmd(rng: np.random.Generator) -> Iterator[tuple[str, Interval]]:
    """Skill of linear dynamics that are linear and noisy."""
    times, angle = 10, 0.4
    turn = 0.95 * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    states = np.empty((CLIPS, times, 4))
    states[:, 0] = rng.normal(size=(CLIPS, 4))
    for step in range(1, times):
        past = states[:, step - 1]
        moved = np.concatenate([past[:, :2] @ turn.T, 0.9 * past[:, 2:]], axis=1)
        states[:, step] = moved + 0.3 * rng.normal(size=past.shape)
    spec = dmd.Spec(
        components=4, ranks=(4,), horizons=(1,), orders=(1,), shuffles=1, bootstraps=2000,
        spectra=100,
    )  # fmt: skip
    folds = splits.nested(np.arange(CLIPS))
    rows, _ = dmd.dynamics(
        spec, [states], {}, folds, layers=["final"], times=np.arange(times, dtype=float)
    )
    row = next(r for r in rows if (r["metric"], r.get("baseline")) == ("skill", "persistence"))
    yield "skill of linear dynamics", Interval(row["value"], row["ci_low"], row["ci_high"])
