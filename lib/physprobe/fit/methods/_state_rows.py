"""From states that are fitted to rows: R2 with interval and null, held-out errors, choices."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from pydantic import Field

from physprobe.fit.methods._rows import begun, choice_note
from physprobe.fit.section import Given, MethodSpec
from physprobe.statistics import bootstrap, nulls, scores, targets
from physprobe.statistics.splits import Fold


class StateSpec(MethodSpec):
    """What probes of states that vary in time have in common."""

    ROLE = "state"

    targets: tuple[str, ...] = Field(min_length=1)
    """States to decode, or labels, which stay the same; ``sincos_<state>`` is sine and cosine of an
    angle, and ``log_<state>`` its logarithm."""
    samples: tuple[Literal["state"], ...] = ("state",)
    """Its one sample: each token of each clip, with the state that it ends with."""
    skip: int = Field(0, ge=0)
    """Tokens at the start of a clip that are left out: those whose encoder lacks frames still."""
    outer: int = Field(5, ge=2)
    """Outer folds; not used where the system declares its split."""
    inner: int = Field(4, ge=2)
    """Folds inside the training clips, on which everything is chosen."""
    permutations: int = Field(200, ge=1)
    """Permutations of whole clips for the null."""
    bootstraps: int = Field(2000, ge=100)
    """Bootstrap draws over clips for the intervals."""
    seed: int = Field(0, ge=0)
    """Seed of folds, permutations and draws, and of first weights where there are some."""


@dataclass(frozen=True)
class Fitted:
    """One target read off one layer, true states first and then each permutation of clips."""

    errors: np.ndarray
    """(draw, clip) squared, summed over times and columns; nan of clips that are not held out."""
    inner: np.ndarray
    """(fold, draw) error over the inner folds."""


class Predicted(NamedTuple):
    """What the folds of a split predict of one target."""

    states: np.ndarray
    """(clip, time, draw, column); nan of clips that no fold holds out."""
    inner: np.ndarray
    """(fold, draw) error over the inner folds, of the choice."""


Regression = Callable[
    [np.ndarray, Mapping[str, np.ndarray], Sequence[Fold]], Mapping[str, Predicted]
]
"""From features (clip, time, feature) and states (clip, time, draw, column) to predictions."""


def fit(spec: StateSpec, given: Given, regress: Regression) -> tuple[list[dict], dict]:
    """Rows and blocks of states, or labels, that are decoded from every layer; see :func:`decode`.

    Raises
    ------
    ValueError
        If a target is neither a state nor a label of the system, or all tokens are left out.
    """
    shape = given.features[0].shape[:2]
    known = {
        name: np.broadcast_to(np.reshape(v, (-1, 1)), shape) for name, v in given.labels.items()
    }
    known |= given.states
    if spec.skip >= shape[1]:
        raise ValueError(
            f"skip: {spec.skip} leaves none of {shape[1]} token times. Hint: a smaller one."
        )
    found = {}
    for target in spec.targets:
        own = targets.labels_of(target, known) or (target,)
        flat = {name: known[name].ravel() for name in own if name in known} or known
        found[target] = targets.values(flat, target).reshape(*shape, -1)[:, spec.skip :]
    return decode(
        spec,
        regress,
        lambda layer: np.asarray(given.features[layer], float)[:, spec.skip :],
        given.layers,
        found,
        given.folds,
        given.groups,
    )


def decode(
    spec: StateSpec,
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
    spec : StateSpec
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
            interval = bootstrap.interval(
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
    """All targets at once, every permutation of clips beside the truth."""
    asked = {name: values[orders].transpose(1, 2, 0, 3) for name, values in states.items()}
    found = regress(features, asked, folds)
    return {
        name: Fitted(((found[name].states - values) ** 2).sum((1, 3)).T, found[name].inner)
        for name, values in asked.items()
    }


def _selected(each: Sequence[Fitted], best: np.ndarray, folds: Sequence[Fold]) -> Fitted:
    """What every fold and draw predicts from the layer (fold, draw) that it has chosen."""
    errors = np.full_like(each[0].errors, np.nan)
    stacked, draws = np.stack([found.errors for found in each]), np.arange(best.shape[1])
    for fold, places in zip(folds, best, strict=True):
        errors[:, fold.test] = stacked[places, draws][:, fold.test]
    return Fitted(errors, np.stack([found.inner for found in each]).min(0))
