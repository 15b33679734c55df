"""Ridge: decode labels linearly, with everything that is chosen chosen inside the training clips.

    y = b + w . x,    w = argmin sum_i (y_i - b - w . x_i)^2 + lambda |w|^2

Scaling, lambda and (for ``layer: selected``) the layer are chosen by grouped inner folds; scores
are read on held-out clips only. R2 = 1 - SSE / SST pools the outer folds, and a target's columns,
with SST about the mean of the held-out labels: no constant, so no training mean, scores above 0.
``circular_mae``, of sines and cosines, is the mean absolute error of the angle that they give
[deg]: of the harmonic itself, so without knowledge 90 of each.
"""

from itertools import pairwise
from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field, field_validator

from physprobe.fit.methods._protocol import Protocol
from physprobe.fit.section import Given, Normalisation

if TYPE_CHECKING:
    from physprobe.fit.methods._selection import Solver


class Spec(Protocol):
    """Nested grouped ridge regression."""

    kind: Literal["ridge"] = "ridge"
    """Closed-form ridge with an unpenalised intercept."""
    penalties: tuple[float, ...] = Field(
        tuple(10.0**power for power in range(-6, 7)), min_length=13
    )
    """Grid of lambda, relative to the mean eigenvalue of the training Gram matrix; ascending."""
    scalings: tuple[Literal["feature", "none"], ...] = Field(("feature", "none"), min_length=1)
    """Scalings to choose from: each feature by its own deviation (z-scores), or all by a common one
    (centred alone). An unpenalised intercept makes centring the same as none."""

    @field_validator("penalties")
    @classmethod
    def _wide(cls, grid: tuple[float, ...]) -> tuple[float, ...]:
        ascending = all(low < high for low, high in pairwise(grid))
        # Rounded ends are no narrower grid.
        if not ascending or grid[0] <= 0 or grid[0] > 1.001e-6 or grid[-1] < 0.999e6:
            raise ValueError(
                "penalties must be positive, ascend, and reach from 1e-6 to 1e6 at least"
            )
        return grid

    def normalised(self, how: Normalisation) -> Self:
        """The same with one scaling alone; ``none`` is ``center``, as the intercept is free."""
        return self.model_copy(update={"scalings": ("feature" if how == "zscore" else "none",)})

    def solver(self, components: int | None) -> "Solver":
        """Closed-form ridge.

        The inner validation clips take part in the fit of components. Scaled to unit deviation, the
        smallest would look better on them than they are, and be chosen: these keep their scale.
        """
        from physprobe.fit.methods._ridge import Ridge

        return Ridge(self.penalties, ("none",) if components else self.scalings)


def fit(spec: Spec, given: Given) -> tuple[list[dict], dict]:
    """Decode every target from every layer; see :func:`physprobe.fit.probe.probe`."""
    from physprobe.fit import probe

    return probe.fit(spec, given)
