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

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Literal

import numpy as np
from pydantic import Field, field_validator

from physprobe.fit.methods._protocol import Protocol, fitted
from physprobe.fit.section import Given
from physprobe.statistics.splits import Fold


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


def probe(
    spec: Spec,
    features: Sequence[np.ndarray],
    layers: Sequence[str],
    targets: Mapping[str, np.ndarray],
    folds: Sequence[Fold],
    *,
    times: Sequence[float] | None = None,
    groups: Sequence | np.ndarray | None = None,
    components: int | None = None,
    parts: Sequence | np.ndarray | None = None,
) -> tuple[list[dict], dict]:
    """Tell the classes of every target apart, from every layer.

    Parameters
    ----------
    spec : Spec
    features : sequence over layers of (clip, time, feature)
        Read one at a time, so a lazy array will do.
    layers : (layer,) of str
    targets : mapping of str to (clip,)
        Classes by any name or number.
    folds : sequence of Fold
    times : (time,), optional
        Mean time of each token [s]; their numbers if not given.
    groups : (clip,), optional
        Clips that are bootstrapped together and permuted among each other; each on its own if not
        given.
    components : int, optional
        Principal components, fitted on training clips, to use in place of the features; they
        keep their common scale.
    parts : (clip,), optional
        Label whose values are scored apart as well.

    Returns
    -------
    rows : list of dict
        Scores per target, sample and layer (``selected`` too: the layer chosen inside the training
        clips): ``accuracy``, ``auc`` and ``log_loss`` with interval, null and p (``null_q95`` is on
        the better side: of log loss, its 5th percentile), ``ece`` with interval, for two classes
        ``calibration_intercept`` and ``calibration_slope``, ``train_accuracy`` and
        ``train_log_loss``; the first three per token time of the selected layer. Where groups have
        clips of both of two classes ``relative_accuracy``, the share of them whose clips of the
        second class get more of its probability than those of the first, ties counted half. Last
        the scores of each part, named by ``model``.
    predictions : dict
        ``clip``, ``fold``, ``group`` and ``truth`` of the held-out clips, ``part`` if they are
        scored apart; ``classes`` of each target; ``held_out``: per clip its log-probabilities
        (class, as in ``classes``; of the mean over tokens), and mean over tokens of log loss and
        of being right; ``choices``: what each outer fold chose.

    Raises
    ------
    ValueError
        If labels, features and folds disagree in size, folds leak, or no feature varies.
    """
    from physprobe.fit.methods import _class_rows, _classes, _classify

    # As for ridge: scaled to unit deviation, the smallest components would be chosen unduly.
    scalings = ("none",) if components else spec.scalings
    spec = spec.model_copy(update={"scalings": scalings})

    def decode(labels: np.ndarray, classes: int, groups: np.ndarray, parts: np.ndarray) -> list:
        return _classify.decode(
            features,
            labels,
            classes,
            folds,
            samples=spec.samples,
            penalties=spec.penalties,
            scalings=spec.scalings,
            inner_times=spec.inner_times,
            components=components,
            groups=groups,
            parts=parts,
        )

    return _classes.scored(
        spec, decode, layers, targets, folds, times, groups, parts, _class_rows.penalised
    )


def fit(spec: Spec, given: Given) -> tuple[list[dict], dict]:
    """Tell the classes of every target apart; see :func:`probe`."""
    return fitted(probe, spec, given)
