"""Mixture: points in the plane, of three normals whose density and score are known exactly.

    p(x) = sum_k w_k N(x; m_k, S_k)

A clip is one point, seen once. Its labels: the component that it was drawn from, log p at it, and
the score of the density that noise of deviation ``noise`` has smoothed.

References
----------
JointEmbeddingArchitecturesTutorial (CICS-Oleg), ``contrastive.py`` and others, whose weights, means
and covariances are the defaults; ``jepa_predict.py`` has other means, (0, 0), (5, 3.5), (-5, 7).
"""

from collections.abc import Mapping
from typing import Literal, Self

import numpy as np
from pydantic import Field, model_validator

from physprobe.config.spec import Spec as Base
from physprobe.simulate import _mixture
from physprobe.statistics import seeds

FIELD, FIELD_UNIT, GRID, GROUPED, TOGETHER = "points", "1", False, False, 1024
CLASSES = ("component",)
UNITS = {"log_density": "1", "score_x": "1", "score_y": "1"}

Pair = tuple[float, float]


class Spec(Base):
    """Components, and how many points."""

    kind: Literal["mixture"] = "mixture"
    """Points of a mixture of normals."""
    clips: int = Field(5000, gt=0)
    """Points."""
    weights: tuple[float, ...] = (0.40, 0.35, 0.25)
    """Of the components."""
    means: tuple[Pair, ...] = ((0, 0), (5, 5), (-5, 5))
    """Of the components."""
    covariances: tuple[tuple[Pair, Pair], ...] = (
        ((1, 0.8), (0.8, 1)), ((1, -0.6), (-0.6, 1)), ((0.5, 0), (0, 0.5)),
    )  # fmt: skip
    """Of the components."""
    noise: float = Field(1.0, ge=0)
    """Deviation of the noise that the score's density is smoothed by."""
    seed: int = Field(0, ge=0, lt=2**32)
    """Seed of the points."""

    @model_validator(mode="after")
    def _sound(self) -> Self:
        _mixture.mixture(self.weights, self.means, self.covariances)
        return self

    @property
    def frames(self) -> int:
        """A point is seen once."""
        return 1

    @property
    def mixture(self) -> _mixture.Mixture:
        """The mixture itself."""
        return _mixture.mixture(self.weights, self.means, self.covariances)


def draw(spec: Spec) -> dict[str, np.ndarray]:
    """Labels of every point.

    Returns
    -------
    dict of str to (clip,)
        ``component``, from first to last ``a``, ``b``, ...; ``log_density`` of the mixture [nats
        per unit area]; ``score_x``, ``score_y`` of the smoothed one; ``x``, ``y``, the point.
    """
    whole = spec.mixture
    points, component = whole.drawn(spec.clips, seeds.rng("mixture", spec.seed))
    score = whole.smoothed(spec.noise).score(points)
    return {
        "component": np.array([chr(ord("a") + number) for number in component]),
        "log_density": whole.log_density(points),
        "score_x": score[:, 0],
        "score_y": score[:, 1],
        "x": points[:, 0],
        "y": points[:, 1],
    }


def coords(spec: Spec) -> dict[str, np.ndarray]:
    """The one time, and names of the coordinates."""
    return {"time": np.zeros(1), "quantity": np.array(["x", "y"])}


def field(spec: Spec, labels: Mapping[str, float]) -> np.ndarray:
    """Point (time, quantity) float32, from its labels."""
    return np.array([[labels["x"], labels["y"]]], np.float32)


def check(spec: Spec, labels: Mapping[str, float], field: np.ndarray) -> None:
    """Let a point pass whose labels are what the mixture is there.

    Raises
    ------
    ValueError
        If log p is another; the message has both.
    """
    expected = spec.mixture.log_density(np.array([[labels["x"], labels["y"]]]))[0]
    if not abs(labels["log_density"] - expected) < 1e-9:
        raise ValueError(f"log density: {labels['log_density']:g}, expected {expected:g}")
