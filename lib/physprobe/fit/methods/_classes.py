"""Classes: what probes of classes share - labels with their null in, rows out."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from physprobe.fit.methods import _class_rows, _rows
from physprobe.fit.methods._selection import Tally
from physprobe.statistics import nulls
from physprobe.statistics.splits import Fold


def scored(
    spec: object,
    decode: Callable[[np.ndarray, int, np.ndarray, np.ndarray], list[Tally]],
    layers: Sequence[str],
    targets: Mapping[str, np.ndarray],
    folds: Sequence[Fold],
    times: Sequence[float] | None,
    groups: Sequence | np.ndarray | None,
    parts: Sequence | np.ndarray | None,
    chosen_by: Callable,
) -> tuple[list[dict], dict]:
    """Rows and predictions of a probe of classes.

    Parameters
    ----------
    spec : probe's Spec
    decode : callable
        Fits labels (clip, column), given the number of classes, the groups (clip,) and the clips
        (part, clip) that are scored together; a tally per sample.
    layers, targets, folds, times, groups, parts
        As the probe got them.
    chosen_by : callable
        As for :func:`_rows.collect`.

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
    rows, block["classes"], groups = [], {}, held.everyone
    masks = {None: np.ones(len(groups), bool)}
    if parts is not None:
        parts = np.asarray(parts)
        masks |= {str(value): parts == value for value in np.unique(parts)}
        block["part"] = parts[held.clip]
    for name, values in targets.items():

        def missing(sample: str, layer: str, note: str, name: str = name) -> dict:
            row = _rows.missing(name, sample, layer, note, len(held.clip))
            return row | {"metric": "accuracy"}

        note = _class_rows.undefined(np.asarray(values), folds)
        if note:
            rows += [
                missing(sample, layer, note)
                for sample in spec.samples
                for layer in (*layers, "selected")
            ]
            continue
        classes, truth = np.unique(values, return_inverse=True)
        block["classes"][name] = classes
        labels = _class_rows.shuffled(truth, groups, spec.permutations, spec.seed)
        used = np.unique(np.concatenate([[*fold.train, *fold.test] for fold in folds]))
        arranged = nulls.Arrangements.of_classes(labels, groups, used)
        for tally in decode(labels, len(classes), groups, np.stack(list(masks.values()))):
            if not tally.layers:
                rows.append(missing(tally.sample, "selected", tally.note))
                continue
            own = layers if tally.names is None else tally.names
            found = _class_rows.collect(
                spec, name, tally, labels, arranged, own, folds, held, times, masks, chosen_by
            )
            rows += found.rows
            block["held_out"] += found.held_out
            block["choices"] += found.choices
    return rows, block
