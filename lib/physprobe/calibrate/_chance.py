"""Chance: the R2 that each way of choosing gets out of features that know nothing.

The published sweep takes the best of its settings on the very fold that it reports. Beside it stand
one of these settings alone, which chooses nothing but the epoch, and nested ridge.
"""

from types import ModuleType
from typing import Any

import numpy as np

from physprobe.fit.methods import ridge, trained_sweep
from physprobe.fit.probe import probe
from physprobe.statistics import splits

LABELS = 5
SIZES = {"1024 features of 392 clips": (392, 1024), "40 features of 60 clips": (60, 40)}
WAYS: dict[str, tuple[ModuleType, dict[str, Any]]] = {
    "nested ridge": (ridge, {"permutations": 1}),
    "one trained setting": (trained_sweep, {"rates": (1e-3,), "decays": (0.1,)}),
    "published sweep": (trained_sweep, {}),
}


def levels(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """R2 (label,) of every way and size in one draw of noise."""
    scored = {}
    for size, (clips, features) in SIZES.items():
        noise = [rng.normal(size=(clips, 1, features))]
        targets = {str(number): rng.normal(size=clips) for number in range(LABELS)}
        folds = splits.nested(np.arange(clips))
        for way, (kind, settings) in WAYS.items():
            spec = kind.Spec(targets=tuple(targets), samples=("clip",), bootstraps=100, **settings)
            rows, _ = probe(spec, noise, ["0"], targets, folds)
            found = [r["value"] for r in rows if (r["metric"], r["layer"]) == ("r2", "0")]
            scored[f"{way}, {size}"] = np.array(found)
    return scored
