"""Transfer: clips to fit on and clips to score on that differ in their rendering or their range."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from physprobe.statistics import splits
from physprobe.statistics.splits import Fold
from physprobe.store import stack
from physprobe.store.inputs import Inputs, Layers

Region = Mapping[str, tuple[float, float]]
"""Range of every label, from quantile to quantile."""


@dataclass(frozen=True)
class Transfer:
    """What a probe is fitted and scored on."""

    inputs: Inputs
    """With folds that train on one part of the clips only, and hold out clips of another."""
    features: Sequence[np.ndarray]
    """Over layers, (clip, time, feature)."""
    strata: np.ndarray | None
    """(clip,) clips that labels are permuted among; None if all are alike."""
    edges: dict[str, tuple[float, float]]
    """Range of every label of the region, in its unit."""


def read(
    embeddings: Sequence[Path], simulation: Sequence[Path], spec: str, region: Region
) -> Transfer:
    """Features, labels and folds that part training from held-out clips by more than chance.

    Of two renderings, ordinary folds hold out clips of the first and train on the second's clips of
    the other numbers: nothing of a held-out clip is known from the other rendering. A region is one
    outer fold: its clips are held out, and no clip of their groups is trained on.

    Parameters
    ----------
    embeddings, simulation : sequence of Path
        Root ``zarr.json`` of the stores: of one system, or of the rendering that is scored and of
        that which is trained on.
    spec : str
        JSON of the probe's spec.
    region : mapping of str to (float, float)
        Range of every label between quantiles over all clips; empty for all of them.

    Raises
    ------
    ValueError
        If the two renderings show different clips, or nothing is left to train or to score on.
    """
    if len(embeddings) != len(simulation) or len(embeddings) not in (1, 2):
        raise ValueError(
            f"{len(embeddings)} embeddings and {len(simulation)} simulations. Hint: give one of"
            " each, or two: of the rendering that is scored first, then of that which is fitted."
        )
    first = Inputs.read("probe", embeddings[0], simulation[0], spec)
    others = zip(embeddings[1:], simulation[1:], strict=True)
    parts = [first, *(Inputs.read("probe", *paths, spec, like=first.system) for paths in others)]
    if first.spec.kind != "ridge":
        raise ValueError(f"probe {first.spec.kind!r}: only ridge probes are transferred.")
    inside, edges = within(first.labels, region)
    folds, strata = first.folds, None
    if region:
        folds = (apart(first.folds, first.groups, inside, first.spec),)
        strata = np.isin(first.groups, first.groups[inside])
    if len(parts) == 1:
        return Transfer(replace(first, folds=folds), Layers(first.source), strata, edges)
    stack.check(parts, embeddings)
    _same_clips(parts, simulation)
    clips = len(first.groups)
    both = replace(
        first,
        system=first.system.isel(clip=np.tile(np.arange(clips), 2)),
        groups=np.tile(first.groups, 2),
        folds=tuple(crossed(folds, clips)),
        digests=stack.digests(parts),
    )
    features = stack.Stacked([Layers(part.source) for part in parts])
    return Transfer(both, features, None if strata is None else np.tile(strata, 2), edges)


def within(
    labels: Mapping[str, np.ndarray], region: Region
) -> tuple[np.ndarray, dict[str, tuple[float, float]]]:
    """Which clips (clip,) are inside a region, and its edges; both ends belong to it.

    Raises
    ------
    ValueError
        If there is no such label.
    """
    inside, edges = np.ones(len(next(iter(labels.values()))), bool), {}
    for name, quantiles in region.items():
        if name not in labels:
            raise ValueError(f"region: no label {name!r}. Hint: labels are {', '.join(labels)}.")
        low, high = np.quantile(labels[name].astype(float), quantiles)
        edges[name] = (float(low), float(high))
        inside &= (labels[name] >= low) & (labels[name] <= high)
    return inside, edges


def apart(folds: Sequence[Fold], groups: np.ndarray, inside: np.ndarray, protocol: object) -> Fold:
    """One fold that holds out what is inside a region and trains on what is outside.

    Parameters
    ----------
    folds : sequence of Fold
        Ordinary ones: what none of them holds out is not held out here either.
    groups : (clip,)
    inside : (clip,) of bool
    protocol : probe's Spec
        Number of inner folds, and seed.

    Raises
    ------
    ValueError
        If the region is empty, or leaves nothing to train on.
    """
    test = inside & np.isin(np.arange(len(groups)), np.concatenate([f.test for f in folds]))
    train = np.isin(np.arange(len(groups)), np.concatenate([f.train for f in folds]))
    train &= ~np.isin(groups, groups[inside])
    if not test.any() or not train.any():
        raise ValueError(
            f"region: {test.sum()} clips to hold out and {train.sum()} to train on, of"
            f" {len(groups)}. Hint: choose ranges that some clips are inside of, and some outside."
        )
    declared = np.select([test, train], ["test", "train"], "neither")
    (fold,) = splits.nested(groups, inner=protocol.inner, seed=protocol.seed, declared=declared)
    return fold


def crossed(folds: Sequence[Fold], clips: int) -> Iterator[Fold]:
    """Folds of two renderings, one after the other: trained on the second, held out of the first.

    Parameters
    ----------
    folds : sequence of Fold
        Of one rendering.
    clips : int
        Clips of one rendering.
    """
    for fold in folds:
        inner = tuple((train + clips, validation + clips) for train, validation in fold.inner)
        yield Fold(fold.train + clips, fold.test, inner)


def _same_clips(parts: Sequence[Inputs], simulation: Sequence[Path]) -> None:
    first, second = (part.labels | {"group": part.groups} for part in parts)
    different = [
        name
        for name in {**first, **second}
        if name not in first or name not in second or not np.array_equal(first[name], second[name])
    ]
    if different:
        raise ValueError(
            f"{simulation[1]}: {different[0]} is not that of {simulation[0]}. Hint: film one"
            " simulation twice: two systems with the same `simulate` and another `render`."
        )
