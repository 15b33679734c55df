"""Numbers: what probes of numbers share - labels with their null in, rows out."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from physprobe.fit.methods import _rows
from physprobe.fit.methods._selection import Tally
from physprobe.statistics import nulls
from physprobe.statistics.splits import Fold


def scored(
    spec: object,
    decode: Callable[[np.ndarray, Sequence[int]], list[Tally]],
    layers: Sequence[str],
    targets: Mapping[str, np.ndarray],
    folds: Sequence[Fold],
    times: Sequence[float] | None,
    groups: Sequence | np.ndarray | None,
    chosen_by: Callable,
    strata: Sequence | np.ndarray | None = None,
) -> tuple[list[dict], dict]:
    """Rows and predictions of a probe of numbers.

    Parameters
    ----------
    spec : probe's Spec
    decode : callable
        Fits labels (clip, draw, column), given the columns of each target; a tally per sample.
    layers, targets, folds, times, groups
        As the probe got them.
    chosen_by : callable
        As for :func:`_rows.collect`.
    strata : (clip,), optional
        As the probe got them.

    Returns
    -------
    rows : list of dict
    predictions : dict

    Raises
    ------
    ValueError
        If labels and folds disagree in size, or folds leak.
    """
    held, block = _rows.begun(targets, folds, groups)
    notes = {name: _rows.undefined(values, folds) for name, values in targets.items()}
    usable = [name for name, note in notes.items() if note is None]
    rows = [
        _rows.missing(name, sample, layer, note, len(held.clip))
        for name, note in notes.items()
        if note is not None
        for sample in spec.samples
        for layer in (*layers, "selected")
    ]
    if not usable:
        return rows, block
    columns = [np.asarray(targets[name], float).reshape(len(held.everyone), -1) for name in usable]
    truth, widths = np.concatenate(columns, axis=1), [part.shape[1] for part in columns]
    shuffled = truth[nulls.permutations(held.everyone, spec.permutations, spec.seed, strata)]
    labels = np.concatenate([truth[:, None], shuffled.transpose(1, 0, 2)], axis=1)
    named = dict(zip(usable, widths, strict=True))
    used = np.unique(np.concatenate([[*fold.train, *fold.test] for fold in folds]))
    arranged = [
        nulls.Arrangements.of_labels(part, held.everyone, strata, used)
        for part in np.split(labels, np.cumsum(widths)[:-1], axis=2)
    ]
    for tally in decode(labels, widths):
        if not tally.layers:
            rows += [_rows.missing(name, tally.sample, "selected", tally.note, len(held.clip))
                     for name in usable]  # fmt: skip
            continue
        own = layers if tally.names is None else tally.names
        found = _rows.collect(
            spec, tally, labels, named, arranged, own, folds, held, times, chosen_by
        )
        rows += found.rows
        block["held_out"] += found.held_out
        block["choices"] += found.choices
    return rows, block
