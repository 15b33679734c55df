"""A small synthetic study: results as the stages write them, scores planted."""

from pathlib import Path

import numpy as np
import pytest

from physprobe.core import results, scores

CLIPS, FRAMES, SIDE = 60, 16, 32
ENCODERS = ("small", "small_causal")
CONTROLS = ("brightness", "pixels_gray16", "untrained")
LAYERS = {"brightness": ("statistics",), "pixels_gray16": ("pixels",)}
DEEP = ("0", "1", "2", "final")
NOISE = {"small": 0.5, "small_causal": 0.7, "brightness": 0.9, "pixels_gray16": 0.4, "untrained": 1.1}
STUDY = {
    "system": "heat",
    "encoders": list(ENCODERS),
    "controls": list(CONTROLS),
    "probe": "ridge",
    "koopman": "dmd",
    "head": "spatial_heat_head",
    "claims": {},
}


def label(name: str) -> str:
    random = name in (*ENCODERS, "untrained")
    return f"untrained, 128 wide, seed 0 ({name})" if random else name


def probe(name: str, truth: np.ndarray) -> dict:
    """A probe's result for alpha: true value plus noise, layer by layer and selected."""
    rng = np.random.default_rng(len(name))
    rows, held_out = [], []
    layers = LAYERS.get(name, DEEP)
    for sample in ("clip", "token"):
        for depth, layer in enumerate((*layers, "selected")):
            noise = NOISE[name] * (1 + 0.2 * (len(layers) - depth if layer != "selected" else 0))
            value = truth + rng.normal(0, noise * (1.2 if sample == "token" else 1), CLIPS)
            squared = (value - truth) ** 2
            about = {"target": "alpha", "sample": sample, "layer": layer}
            r2 = scores.bootstrap(scores.r2_sums(truth, squared), scores.r2_of, draws=200)
            low, high = float(r2.low), float(r2.high)
            rows += [
                {
                    **about, "metric": "r2", "value": float(r2.value), "ci_low": low,
                    "ci_high": high, "null_mean": -0.02, "null_q95": 0.03, "p": 1 / 201,
                    "n_clips": CLIPS, "lambda": 0.01, "edge_hit": False,
                },
                {
                    **about, "metric": "mae", "value": float(np.abs(value - truth).mean()),
                    "ci_low": 0.1, "ci_high": 0.9, "n_clips": CLIPS,
                },
                {**about, "metric": "train_r2", "value": 0.99},
                {**about, "metric": "train_mae", "value": 0.05},
            ]  # fmt: skip
            held_out.append({**about, "prediction": value, "squared_error": squared})
    return {
        "rows": rows,
        "predictions": {
            "clip": np.arange(CLIPS),
            "fold": np.arange(CLIPS) % 5,
            "truth": {"alpha": truth},
            "held_out": held_out,
            "choices": [],
        },
        "spec": {"kind": "ridge", "permutations": 200, "bootstraps": 200, "outer": 5},
    }
