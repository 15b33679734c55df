"""Logistic: tell classes apart linearly, with everything that is chosen chosen inside training.

    p(k | x) proportional to exp(b_k + w_k . x),    min -sum log p(y_i | x_i) + lambda/2 |w|^2

The protocol is that of ``ridge``, with log loss in place of squared error: scaling, lambda and (for
``layer: selected``) the layer are chosen by grouped inner folds; scores are read on held-out clips
only. The target ``equation`` is a system's own label, or, where a probe is given several, the kind
that a clip shows; any label with a few values will do. The null permutes labels within groups, and
between whole groups: clips that share an initial condition then tell nothing but their law.

Accuracy, log loss and expected calibration error (10 bins of the most probable class's probability)
are means over rows. AUC compares clips of one outer fold at the same token time; with more than two
classes it is the mean of each against the rest. Intercept and slope of the calibration are those of
a logistic regression of the truth on the predicted log-odds.

References
----------
Guo et al., "On calibration of modern neural networks", ICML 2017;
Hand, Till, "A simple generalisation of the area under the ROC curve", Machine Learning 45 (2001).
"""

from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from pydantic import Field, field_validator

from physprobe.fit.methods._protocol import Protocol
from physprobe.fit.section import Given

if TYPE_CHECKING:
    from physprobe.fit.methods._selection import Solver


class Spec(Protocol):
    """Nested grouped logistic regression."""

    kind: Literal["logistic"] = "logistic"
    """Logistic regression of classes, L2 penalty, with an unpenalised intercept."""
    targets: tuple[str, ...] = Field(("equation",), min_length=1)
    """Labels with a few values each; ``equation`` is the kind of system that a clip shows."""
    penalties: tuple[float, ...] = Field(tuple(10.0**power for power in range(-5, 4)), min_length=5)
    """Grid of lambda, relative to the mean eigenvalue of the training Gram matrix; ascending."""
    scalings: tuple[Literal["feature", "none"], ...] = Field(("feature", "none"), min_length=1)
    """Scalings to choose from: each feature by its own deviation, or all by a common one."""
    by: str | None = None
    """Label whose values are scored apart as well, such as ``principle``; one fit serves all."""
    inner_times: int = Field(4, ge=1)
    """Token times of each clip, evenly spread, on which inner folds choose; the fit uses all."""

    @property
    def of_classes(self) -> bool:
        """Whether targets are classes, not numbers."""
        return True

    @property
    def scored_apart(self) -> str | None:
        """Label whose values are scored apart as well, if any."""
        return self.by

    @field_validator("penalties")
    @classmethod
    def _wide(cls, grid: tuple[float, ...]) -> tuple[float, ...]:
        ascending = all(low < high for low, high in pairwise(grid))
        if not ascending or grid[0] <= 0 or grid[0] > 1.001e-4 or grid[-1] < 0.999e2:
            raise ValueError(
                "penalties must be positive, ascend, and reach from 1e-4 to 1e2 at least"
            )
        return grid

    @property
    def label_type(self) -> type:
        """Classes."""
        from physprobe.fit.methods._classes import Classes

        return Classes

    def solver(self, components: int | None) -> "Solver":
        """Penalised logistic regression; components keep their common scale, as for ridge."""
        from physprobe.fit.methods._logistic import Logistic

        return Logistic(
            self.penalties, ("none",) if components else self.scalings, self.inner_times
        )


def fit(spec: Spec, given: Given) -> tuple[list[dict], dict]:
    """Decode every target from every layer; see :func:`physprobe.fit.probe.probe`."""
    from physprobe.fit import probe

    return probe.fit(spec, given)
