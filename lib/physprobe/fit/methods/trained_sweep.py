"""Trained sweep: the published probe, 20 settings of Adam, chosen on the fold that is reported.

    min mean (y - b - w . x)^2,    full batches; epoch and setting are best for the held-out fold

Kept to measure what its selection adds: on noise the best of 20 settings is above any one of them,
and from a few features the luckiest labels score above 0, where nested ridge leaves them below. No
inner fold is used. R2 pools the outer folds as for ``ridge``; the published mean over folds follows
from ``held_out``.

References
----------
Solver, grid and early stopping of PEZ-Reproduction (arXiv 2602.07050), ``step3_probe.py``; written
anew. Its penalty is added to the gradient before the moments (Adam with L2, no AdamW), intercept
included. Kingma, Ba, "Adam: A method for stochastic optimization", ICLR 2015.
"""

from collections.abc import Mapping, Sequence
from itertools import product
from typing import ClassVar, Literal, Self

import numpy as np
from pydantic import Field

from physprobe.fit.methods._protocol import Normalisation, Protocol, fitted
from physprobe.fit.section import Given
from physprobe.statistics.splits import Fold


class Spec(Protocol):
    """Linear maps trained under many settings, the best taken on the reported fold."""

    TRAINED: ClassVar[bool] = True
    kind: Literal["trained_sweep"] = "trained_sweep"
    """The published selection, which is none: for comparison only."""
    rates: tuple[float, ...] = Field((1e-4, 3e-4, 1e-3, 3e-3, 5e-3), min_length=1)
    """Learning rates."""
    decays: tuple[float, ...] = Field((0.01, 0.1, 0.4, 0.8), min_length=1)
    """L2 penalties, added to the gradient."""
    normalisation: Normalisation = "zscore"
    """Of features and labels, by the training rows."""
    epochs: int = Field(400, ge=1)
    """Most epochs, each a step on all training rows."""
    patience: int = Field(40, ge=1)
    """Epochs without a lower error on the held-out fold after which a setting stops."""
    permutations: int = Field(0, ge=0)
    """Permutations of labels for the null, each as dear as the labels themselves."""

    def normalised(self, how: Normalisation) -> Self:
        """The same under one normalisation."""
        return self.model_copy(update={"normalisation": how})


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
) -> tuple[list[dict], dict]:
    """Decode every target from every layer, as published.

    Parameters
    ----------
    spec : Spec
    features : sequence over layers of (clip, time, feature)
    layers : (layer,) of str
    targets : mapping of str to (clip,) or (clip, column)
    folds : sequence of Fold
    times : (time,), optional
        Mean time of each token [s]; their numbers if not given.
    groups : (clip,), optional
        Clips that are bootstrapped and permuted together; each on its own if not given.
    components : int, optional
        Not supported.

    Returns
    -------
    rows : list of dict
        As of ``ridge``; their ``note`` says what was chosen where.
    predictions : dict
        As of ``ridge``; ``choices``: learning rate, decay and epoch.

    Raises
    ------
    ValueError
        If labels, features and folds disagree in size, folds leak, or components are asked for.
    """
    from physprobe.fit.methods import _numbers, _sweep

    if components:
        raise ValueError(
            "trained_sweep takes features as they are. Hint: probe components by ridge."
        )
    settings = list(product(spec.rates, spec.decays))

    def decode(labels: np.ndarray, widths: Sequence[int]) -> list:
        return _sweep.decode(
            features,
            labels,
            widths,
            folds,
            samples=spec.samples,
            settings=settings,
            normalisation=spec.normalisation,
            epochs=spec.epochs,
            patience=spec.patience,
            seed=spec.seed,
        )

    def chosen(spec: Spec, fit: _sweep.Fitted, column: int) -> dict:
        rate, decay = settings[fit.setting[column]]
        return {
            "learning_rate": rate,
            "weight_decay": decay,
            "epoch": fit.epoch[column],
            "inner_r2": None,
            "edge_hit": rate in (min(spec.rates), max(spec.rates))
            or decay in (min(spec.decays), max(spec.decays)),
        }

    rows, block = _numbers.scored(spec, decode, layers, targets, folds, times, groups, chosen)
    note = "setting and epoch chosen on the fold that is reported"
    for row in rows:
        if row["metric"] == "r2" and row["value"] is not None:
            row["note"] = "; ".join(part for part in (note, row.get("note")) if part)
    return rows, block


def fit(spec: Spec, given: Given) -> tuple[list[dict], dict]:
    """Decode every target from every layer; see :func:`probe`."""
    return fitted(probe, spec, given)
