"""Ridge: decode labels linearly, with everything that is chosen chosen inside the training clips.

    y = b + w . x,    w = argmin sum_i (y_i - b - w . x_i)^2 + lambda |w|^2

Scaling, lambda and (for ``layer: selected``) the layer are chosen by grouped inner folds; scores
are read on held-out clips only. R2 = 1 - SSE / SST pools the outer folds, and a target's columns,
with SST about the mean of the held-out labels: no constant, so no training mean, scores above 0.
``circular_mae``, of sines and cosines, is the mean absolute error of the angle that they give
[deg]: of the harmonic itself, so without knowledge 90 of each.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Literal, Self

import numpy as np
from pydantic import Field, field_validator

from physprobe.fit.methods._protocol import Normalisation, Protocol, fitted
from physprobe.fit.section import Given
from physprobe.statistics.splits import Fold


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


def probe(
    spec: Spec,
    features: Sequence[np.ndarray],
    layers: Sequence[str],
    targets: Mapping[str, np.ndarray],
    folds: Sequence[Fold],
    *,
    times: Sequence[float] | None = None,
    groups: Sequence | np.ndarray | None = None,
    strata: Sequence | np.ndarray | None = None,
    components: int | None = None,
) -> tuple[list[dict], dict]:
    """Decode every target from every layer.

    Parameters
    ----------
    spec : Spec
    features : sequence over layers of (clip, time, feature)
        Read one at a time, so a lazy array will do.
    layers : (layer,) of str
    targets : mapping of str to (clip,) or (clip, column)
    folds : sequence of Fold
    times : (time,), optional
        Mean time of each token [s]; their numbers if not given.
    groups : (clip,), optional
        Clips that are bootstrapped and permuted together; each on its own if not given.
    strata : (clip,), optional
        Clips that labels are permuted among, for the null of a split that follows from labels.
    components : int, optional
        Principal components, fitted on training clips, to use in place of the features; they
        keep their common scale.

    Returns
    -------
    rows : list of dict
        Scores: ``r2`` with interval, null and p, ``mae`` with interval (mean over columns),
        ``circular_mae`` of sines and cosines, ``train_r2`` and ``train_mae``, per target, sample
        and layer (``selected`` too: the layer chosen inside the training clips), and ``r2`` per
        token time of the selected layer.
    predictions : dict
        ``clip``, ``fold``, ``group`` and ``truth`` of the held-out clips; ``held_out``: prediction,
        squared and absolute error (mean over tokens; sum and mean over columns) per clip, and its
        ``influence`` on the errors of all through the fits;
        ``choices``: what each outer fold chose.

    Raises
    ------
    ValueError
        If labels, features and folds disagree in size, folds leak, or no feature varies.
    """
    from physprobe.fit.methods import _nested, _numbers, _rows

    if components:
        # The inner validation clips took part in the components' fit. Scaled to unit deviation, the
        # smallest components would look better on them than they are, and be chosen.
        spec = spec.model_copy(update={"scalings": ("none",)})

    def decode(labels: np.ndarray, widths: Sequence[int]) -> list:
        return _nested.decode(
            features,
            labels,
            widths,
            folds,
            samples=spec.samples,
            penalties=spec.penalties,
            scalings=spec.scalings,
            components=components,
        )

    return _numbers.scored(
        spec, decode, layers, targets, folds, times, groups, _rows.penalised, strata
    )


def fit(spec: Spec, given: Given) -> tuple[list[dict], dict]:
    """Decode every target from every layer; see :func:`probe`."""
    return fitted(probe, spec, given, strata=given.strata)
