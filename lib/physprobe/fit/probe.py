"""Probe: labels of either type meet a solver, layer by layer and fold by fold.

Everything that is chosen is chosen inside the training clips of an outer fold by the solver, but
for the layer of ``layer: selected``: that whose choice has the smallest error over the inner folds.
"""

from collections.abc import Mapping, Sequence
from itertools import zip_longest

import numpy as np

from physprobe.fit.methods import _rows
from physprobe.fit.methods._protocol import Protocol
from physprobe.fit.methods._samples import Source
from physprobe.fit.methods._selection import Chosen, Labels, Solver, Tally
from physprobe.fit.section import Given, SpatialTokens
from physprobe.statistics import nulls
from physprobe.statistics import targets as labelled
from physprobe.statistics.splits import Fold

NO_LAYER = "the embedding keeps the spatial tokens of no layer"


def fit(spec: Protocol, given: Given) -> tuple[list[dict], dict]:
    """Rows and ``predictions`` of a probe.

    Raises
    ------
    ValueError
        If a target is no label of the system, or the kind can't do what is asked.
    """
    values = labelled.classes if spec.of_classes else labelled.values
    apart = spec.scored_apart
    rows, predictions = probe(
        spec,
        given.features,
        given.layers,
        {name: values(given.labels, name) for name in spec.targets},
        given.folds,
        times=given.times,
        groups=given.groups,
        strata=given.strata,
        parts=labelled.label(given.labels, apart) if apart else None,
        components=given.components,
        tokens=given.tokens,
    )
    return rows, {"predictions": predictions}


def probe(
    spec: Protocol,
    features: Sequence[np.ndarray],
    layers: Sequence[str],
    targets: Mapping[str, np.ndarray],
    folds: Sequence[Fold],
    *,
    times: Sequence[float] | None = None,
    groups: Sequence | np.ndarray | None = None,
    strata: np.ndarray | None = None,
    parts: Sequence | np.ndarray | None = None,
    components: int | None = None,
    tokens: Mapping[str, SpatialTokens] | None = None,
) -> tuple[list[dict], dict]:
    """Decode every target from every layer.

    Parameters
    ----------
    spec : Protocol
        Of the kind, which names the solver.
    features : sequence over layers of (clip, time, feature)
        Read one at a time, so a lazy array will do.
    layers : (layer,) of str
    targets : mapping of str to (clip,) or (clip, column)
        Numbers, or (clip,) classes by any name.
    folds : sequence of Fold
    times : (time,), optional
        Mean time of each token [s]; their numbers if not given.
    groups : (clip,), optional
        Clips that are bootstrapped and permuted together (of classes: among each other too); each
        on its own if not given.
    strata : (clip,), optional
        Clips that numbers are permuted among, for the null of a split that follows from labels.
    parts : (clip,), optional
        Label whose values are scored apart as well, of classes.
    components : int, optional
        Principal components, fitted on training clips, to use in place of the features; they
        keep their common scale.
    tokens : mapping of str to (clip, time, y, x, feature), optional
        Spatial tokens of the layers that keep them, each read when asked for.

    Returns
    -------
    rows : list of dict
        Scores per target, sample and layer (``selected`` too: the layer chosen inside the training
        clips). Of numbers ``r2`` with interval, null and p, ``mae`` with interval (mean over
        columns), ``circular_mae`` of sines and cosines, ``train_r2`` and ``train_mae``; ``r2`` per
        token time of the selected layer. Of classes ``accuracy``, ``auc`` and ``log_loss`` with
        interval, null and p (``null_q95`` is on the better side: of log loss, its 5th percentile),
        ``ece`` with interval, for two classes ``calibration_intercept`` and ``calibration_slope``,
        ``train_accuracy`` and ``train_log_loss``; the first three per token time of the selected
        layer. Where groups have clips of both of two classes ``relative_accuracy``, the share of
        them whose clips of the second class get more of its probability than those of the first,
        ties counted half. Last the scores of each part. Without permutations there is no null.
    predictions : dict
        ``clip``, ``fold``, ``group`` and ``truth`` of the held-out clips, and ``halves`` (split,
        clip), 1 or -1: in which half of all clips they are, 0 of groups that are not fitted to;
        ``choices``: what each outer fold chose; of classes ``classes`` of each target, and ``part``
        if they are scored apart. ``held_out``, per clip: of numbers prediction, squared and
        absolute error (mean over tokens; sum and mean over columns); of classes log-probabilities
        (class, as in ``classes``; of the mean over tokens), and mean over tokens of log loss and of
        being right. Of each target ``halves``: by metric, what fits to either half say; see
        ``half_samples.ratios``.

    Raises
    ------
    ValueError
        If labels, features and folds disagree in size, folds leak, no feature varies, or the kind
        can't do what is asked.
    """
    solver = spec.solver(components)
    sources = spec.sources(features, layers, folds, components, tokens or {})
    kind = spec.label_type
    held, block = _rows.begun(targets, folds, groups, spec.seed, strata)
    apart = None if parts is None else np.array(parts)
    asked = _rows.Asked(spec, folds, held, times, strata, apart, spec.z_mse)
    notes = {name: kind.undefined(np.asarray(values), folds) for name, values in targets.items()}
    usable = {name: targets[name] for name, note in notes.items() if note is None}
    block |= kind.about(usable, asked)
    rows = [
        _rows.missing(name, sample, layer, kind.METRIC, note, len(held.clip))
        for name, note in notes.items()
        if note is not None
        for sample in spec.samples
        for layer in (*layers, "selected")
    ]
    for labels in kind.of(usable, asked) if usable else ():
        for tally in tallies(solver, labels, sources, folds):
            if not tally.names:
                rows += [
                    _rows.missing(
                        name, tally.sample, "selected", kind.METRIC, NO_LAYER, len(held.clip)
                    )
                    for name in labels.targets
                ]
                continue
            found = labels.rows(tally, solver, asked)
            rows += found.rows
            block["held_out"] += found.held_out
            block["choices"] += found.choices
    for row in rows if solver.CAVEAT else ():
        if row["metric"] == kind.METRIC and row["value"] is not None:
            row["note"] = nulls.noted(solver.CAVEAT, row.get("note"))
    return rows, block


def tallies(
    solver: Solver[Labels, Chosen], labels: Labels, sources: Sequence[Source], folds: Sequence[Fold]
) -> list[Tally[Chosen]]:
    """Fit every layer, and choose among them, in every outer fold; a tally per sample."""
    found: list[Tally[Chosen]] = [Tally(source.sample, source.names, [], []) for source in sources]
    # samples take turns, so that what they have in common is read once
    for fits in zip_longest(*(solver.fits(source.parts(folds), labels) for source in sources)):
        for tally, fitted in zip(found, fits, strict=True):
            if fitted is not None:
                tally.add(fitted, len(folds), later=solver.LATER)
    return found
