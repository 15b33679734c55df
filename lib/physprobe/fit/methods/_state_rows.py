"""From states that are fitted to rows: R2 with interval and null, held-out errors, choices."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from physprobe.fit.methods._rows import begun, choice_note
from physprobe.fit.section import MethodSpec
from physprobe.statistics import nulls, scores
from physprobe.statistics import states as regression
from physprobe.statistics.splits import Fold

Regression = Callable[[np.ndarray, np.ndarray, Sequence[Fold]], regression.Fitted]
"""From features (clip, time, feature) and states (clip, time, column) to what folds predict."""


@dataclass(frozen=True)
class Fitted:
    """One target read off one layer, true states first and then each permutation of clips."""

    errors: np.ndarray
    """(draw, clip) squared, summed over times and columns; nan of clips that are not held out."""
    inner: np.ndarray
    """(fold, draw) error over the inner folds."""


def decode(
    spec: MethodSpec,
    regress: Regression,
    features: Callable[[int], np.ndarray],
    layers: Sequence[str],
    states: Mapping[str, np.ndarray],
    folds: Sequence[Fold],
    groups: np.ndarray | None,
) -> tuple[list[dict], dict]:
    """Decode states from every layer, and from the one that the inner folds choose.

    Parameters
    ----------
    spec : MethodSpec
    regress : callable
    features : callable
        From a layer's number to (clip, time, feature).
    layers : (layer,) of str
    states : mapping of str to (clip, time, column)
    folds : sequence of Fold
    groups : (clip,), optional
        Clips that are drawn and permuted together.

    Returns
    -------
    rows, blocks
        ``r2`` of each target and layer; ``predictions`` as of other probes, with ``truth``
        (clip, time x column), and squared errors summed over both.
    """
    flat = {name: values.reshape(len(values), -1) for name, values in states.items()}
    held, block = begun(flat, folds, groups)
    clips = np.arange(len(next(iter(flat.values()))))
    everyone = clips if groups is None else groups
    orders = np.vstack([clips, nulls.permutations(everyone, spec.permutations, spec.seed)])
    fits = [
        _fitted(regress, features(place), states, folds, orders) for place in range(len(layers))
    ]
    rows: list[dict] = []
    for name, values in flat.items():
        each = {layer: found[name] for layer, found in zip(layers, fits, strict=True)}
        best = np.stack([found.inner for found in each.values()]).argmin(0)
        each["selected"] = _selected(list(each.values()), best, folds)
        drawn = values[orders][:, held.clip]
        arranged = nulls.Arrangements.of_labels(values[orders].transpose(1, 0, 2), everyone)
        for layer, found in each.items():
            about = {"target": name, "sample": spec.samples[0], "layer": layer}
            chosen = [
                {"chosen_layer": layers[p] if layer == "selected" else layer} for p in best[:, 0]
            ]
            errors = found.errors[:, held.clip]
            spread = ((drawn - drawn.mean(1, keepdims=True)) ** 2).sum((1, 2))
            score = 1.0 - errors.sum(1) / np.where(spread > 0, spread, np.nan)
            interval = scores.bootstrap(
                scores.pooled_r2_sums(values[held.clip], errors[0]),
                scores.r2_of,
                groups=held.groups,
                draws=spec.bootstraps,
                seed=spec.seed,
            )
            null = arranged.row(score[0], score[1:])
            note = choice_note(chosen) if layer == "selected" else None
            rows.append(
                {
                    **about, "metric": "r2", "n_clips": len(held.clip), **interval.row(), **null,
                    "note": nulls.noted(null.get("note"), note),
                }
            )  # fmt: skip
            block["held_out"].append({**about, "squared_error": errors[0]})
            block["choices"] += [{**about, "fold": f, **one} for f, one in enumerate(chosen)]
    return rows, {"predictions": block}


def _fitted(
    regress: Regression,
    features: np.ndarray,
    states: Mapping[str, np.ndarray],
    folds: Sequence[Fold],
    orders: np.ndarray,
) -> dict[str, Fitted]:
    """All targets in one regression, every permutation of clips beside the truth."""
    columns = [values[orders].transpose(1, 2, 0, 3) for values in states.values()]
    shape = columns[0].shape[:2]
    whole = np.concatenate([part.reshape(*shape, -1) for part in columns], axis=-1)
    found = regress(features, whole, folds)
    squared = (found.predicted - whole) ** 2
    ends = np.cumsum([part.shape[2] * part.shape[3] for part in columns])[:-1]
    parts = zip(np.split(squared, ends, -1), np.split(found.inner, ends, -1), strict=True)
    draws = len(orders)
    return {
        name: Fitted(
            error.reshape(*shape, draws, -1).sum((1, 3)).T,
            inner.reshape(len(folds), draws, -1).sum(-1),
        )
        for name, (error, inner) in zip(states, parts, strict=True)
    }


def _selected(each: Sequence[Fitted], best: np.ndarray, folds: Sequence[Fold]) -> Fitted:
    """What every fold and draw predicts from the layer (fold, draw) that it has chosen."""
    errors = np.full_like(each[0].errors, np.nan)
    stacked, draws = np.stack([found.errors for found in each]), np.arange(best.shape[1])
    for fold, places in zip(folds, best, strict=True):
        errors[:, fold.test] = stacked[places, draws][:, fold.test]
    return Fitted(errors, np.stack([found.inner for found in each]).min(0))
