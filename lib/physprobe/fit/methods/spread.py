"""Spread: whether embeddings of different points are different, and which points are alike.

    effective_rank   exp(-sum p log p),  p the singular values of centred embeddings over their sum
    mean_cosine      between embeddings of different clips
    room             min(log2(effective_rank / 1.5), log2((1 - mean_cosine) / 0.01))
    collapsed        whether there is none: rank below 1.5, or cosine above 0.99

Rank alone doesn't tell: it knows no size, so what little is left of a constant embedding may be of
any rank; and the plane's own coordinates have a rank of no more than 2, the mixture's one of 1.97.
``room`` is 0 at the nearer bound, and 1 twice as far. Of all clips, at their first token; nothing
is fitted, so the unit of every interval is the member. ``similarity`` is drawn: cosines between
some clips, from the least first coordinate on, and points of a grid.

References
----------
Roy, Vetterli, "The effective rank", EUSIPCO 2007.
"""

from typing import Any, Literal

import numpy as np
from pydantic import Field

from physprobe.fit.methods._health import health
from physprobe.fit.methods._squares import PLOT, squares
from physprobe.fit.section import Given, MethodSpec

LEAST, MOST = 1.5, 0.99
"""Effective rank below which, and mean cosine above which, embeddings have collapsed."""
TINY = 1e-12


class Spec(MethodSpec):
    """What is kept to be drawn."""

    ROLE = "spread"
    ANYWHERE = True

    kind: Literal["spread"] = "spread"
    """Rank and cosines of embeddings."""
    references: int = Field(30, gt=0)
    """Clips whose cosines with a grid's points are kept."""
    cells: int = Field(32, gt=1)
    """Of the grid, along either side."""
    outer: int = Field(2, ge=2)
    """Not used: nothing is fitted."""
    inner: int = Field(2, ge=2)
    """Not used."""
    bootstraps: int = Field(2000, ge=100)
    """Not used: intervals are over members."""
    seed: int = Field(0, ge=0)
    """Not used."""


def fit(spec: Spec, given: Given) -> tuple[list[dict], dict]:
    """Rows, and ``similarity`` of the last layer, where the encoder can be run on any point."""
    rows = []
    for layer, features in zip(given.layers, given.features, strict=True):
        found = measured(np.asarray(features[:, 0], float))
        rows += [
            {"layer": layer, "part": None, "metric": m, "value": v, "n_clips": len(features)}
            for m, v in found.items()
        ]
    return rows, {"similarity": _similarity(spec, given)}


def measured(embeddings: np.ndarray) -> dict[str, float]:
    """Metrics of embeddings (row, feature); see the module."""
    deviation, rank = health(embeddings)
    cosine = mean_cosine(embeddings)
    room = min(np.log2(max(rank, TINY) / LEAST), np.log2(max(1 - cosine, TINY) / (1 - MOST)))
    return {
        "effective_rank": rank,
        "mean_cosine": cosine,
        "deviation": deviation,
        "room": float(room),
        "collapsed": float(room < 0),
    }


def mean_cosine(embeddings: np.ndarray) -> float:
    """Mean over pairs of different rows; a row of length 0 is at a right angle to all."""
    unit = _unit(embeddings)
    count, whole = len(unit), unit.sum(0)
    return float((whole @ whole - (unit**2).sum()) / (count * (count - 1)))


def _unit(embeddings: np.ndarray) -> np.ndarray:
    return embeddings / np.maximum(np.linalg.norm(embeddings, axis=-1, keepdims=True), TINY)


def _similarity(spec: Spec, given: Given) -> dict[str, Any]:
    """Cosines (reference, y, x) in hundredths, and where references are."""
    plane = given.plane
    if plane is None or plane.given is None or plane.output == "energy":
        return {}
    order = np.argsort(given.labels["x"], kind="stable")
    chosen = order[np.linspace(0, len(order) - 1, spec.references).round().astype(int)]
    points = np.stack([given.labels[name][chosen] for name in ("x", "y")], -1).astype(float)
    grid, _ = squares(*PLOT, spec.cells)
    at, there = (_unit(plane.given(each)[-1].astype(float)) for each in (points, grid))
    cosines = np.round(100 * at @ there.T).astype(int)
    density = plane.mixture.log_density(grid)
    shape = (spec.cells, spec.cells)
    return {
        "x": grid[: spec.cells, 0], "y": grid[:: spec.cells, 1],
        "reference": np.round(points, 3), "cosine": cosines.reshape(-1, *shape),
        "log_density": np.round(density, 1).reshape(shape),
    }  # fmt: skip
