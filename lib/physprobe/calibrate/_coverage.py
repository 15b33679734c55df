"""Coverage: how often a 95 % interval holds the truth, where the truth is known.

Features and labels are planted. The truth of a score is its value on two thousand further
clips, by the same fitted models: that is what the interval is about.
"""

from collections.abc import Iterator

import numpy as np

from physprobe.core import scores, splits
from physprobe.falsify._evidence import decoded
from physprobe.koopman import dmd
from physprobe.probe import ridge

CLIPS, FURTHER, FEATURES = 200, 2000, 16


def held(rng: np.random.Generator) -> dict[str, bool]:
    """Which of all intervals hold their truth in one draw."""
    return {**dict(_ridge(rng)), **dict(_dmd(rng))}


def _folds() -> tuple[tuple[splits.Fold, ...], tuple[splits.Fold, ...]]:
    """Folds of the clips, and the same training clips with further ones to test on."""
    folds = splits.nested(np.arange(CLIPS))
    further = np.array_split(np.arange(CLIPS, CLIPS + FURTHER), len(folds))
    beyond = [splits.Fold(f.train, more, f.inner) for f, more in zip(folds, further, strict=True)]
    return folds, tuple(beyond)


def _ridge(rng: np.random.Generator) -> Iterator[tuple[str, bool]]:
    """R2 of a probe, and its difference to that of a control that sees less."""
    label = rng.normal(size=CLIPS + FURTHER)
    weights = rng.normal(size=FEATURES) / np.sqrt(FEATURES)
    sums = {}
    for name, noise in (("encoder", 0.7), ("control", 1.5)):
        errors = noise * rng.normal(size=(CLIPS + FURTHER, FEATURES))
        features = (label[:, None] * weights + errors)[:, None]
        for where, folds in zip(("own", "further"), _folds(), strict=True):
            spec = ridge.Spec(
                targets=("y",), samples=("clip",), permutations=1, bootstraps=100,
                scalings=("none",),
            )  # fmt: skip
            _, predictions = ridge.probe(spec, [features], ["0"], {"y": label}, folds)
            probe = {"predictions": predictions}
            sums[name, where] = decoded(probe, "y", "clip").sums
    truth = {key: scores.r2_of(value.sum(0)) for key, value in sums.items()}
    _, low, high = scores.bootstrap(sums["encoder", "own"], scores.r2_of)
    yield "R2 of a ridge probe", bool(low <= truth["encoder", "further"] <= high)
    _, low, high = scores.paired(sums["encoder", "own"], sums["control", "own"], scores.r2_of)
    gap = truth["encoder", "further"] - truth["control", "further"]
    yield "difference of two probes' R2", bool(low <= gap <= high)


def _dmd(rng: np.random.Generator) -> Iterator[tuple[str, bool]]:
    """Skill of linear dynamics that are linear and noisy."""
    times = 10
    angle = rng.uniform(0.2, 0.6)
    turn = 0.95 * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    states = np.empty((CLIPS + FURTHER, times, 4))
    states[:, 0] = rng.normal(size=(CLIPS + FURTHER, 4))
    for step in range(1, times):
        past = states[:, step - 1]
        moved = np.concatenate([past[:, :2] @ turn.T, 0.9 * past[:, 2:]], axis=1)
        states[:, step] = moved + 0.3 * rng.normal(size=past.shape)
    found = []
    for folds, bootstraps in zip(_folds(), (2000, 100), strict=True):
        spec = dmd.Spec(
            components=4, ranks=(4,), horizons=(1,), orders=(1,), shuffles=1,
            bootstraps=bootstraps, spectra=100,
        )  # fmt: skip
        rows, _ = dmd.fit(
            spec, [states], {}, folds, layers=["final"], times=np.arange(times, dtype=float)
        )
        found.append(
            next(
                row
                for row in rows
                if (row["metric"], row.get("baseline")) == ("skill", "persistence")
            )
        )
    own, further = found
    yield "skill of linear dynamics", bool(own["ci_low"] <= further["value"] <= own["ci_high"])
