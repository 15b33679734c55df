"""Splits by clip, or by a declared coarser group: the same group is never on both sides."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from physprobe.statistics import blocks, seeds

if TYPE_CHECKING:
    from xarray import Dataset


GROUPINGS = {
    "clip": (),
    "direction": ("direction",),
    "magnitude": ("magnitude",),
    "condition": ("direction", "magnitude"),
    "position": ("position",),
    "spatial_sector": ("spatial_sector",),
    "spatial_cluster": ("spatial_cluster",),
    "pixel_region": ("pixel_region",),
    "direction_spatial_sector": ("direction", "spatial_sector"),
    "magnitude_spatial_sector": ("magnitude", "spatial_sector"),
}
"""What folds keep together: parts of which a system's label ``<part>_id`` tells the number."""


HALVES = 12
"""Splits into halves, on which fits are redone for the intervals of their scores."""


@dataclass(frozen=True)
class Fold:
    """One outer fold and the folds inside its training clips, as indices of clips."""

    train: np.ndarray
    """(clip,) training clips, sorted."""
    test: np.ndarray
    """(clip,) held-out clips, sorted."""
    inner: tuple[tuple[np.ndarray, np.ndarray], ...]
    """(train, validation) pairs; the validation parts partition ``train``."""


def nested(
    groups: Sequence | np.ndarray,
    *,
    outer: int = 5,
    inner: int = 4,
    seed: int = 0,
    declared: Sequence[str] | np.ndarray | None = None,
) -> tuple[Fold, ...]:
    """Outer folds to report on, each with inner folds to choose hyper-parameters on.

    Parameters
    ----------
    groups : (clip,)
        Group of each clip: pair, initial condition, scene; its own index if clips are independent.
    outer, inner : int
        Numbers of folds.
    seed : int
        Same seed, same folds.
    declared : (clip,) of "train", "test" or "neither", optional
        A published split: one outer fold, as declared.

    Returns
    -------
    tuple of Fold

    Raises
    ------
    ValueError
        If there are fewer groups than folds, or a declared group is on both sides.
    """
    groups = np.asarray(groups)
    if declared is None:
        clips = np.arange(len(groups))
        cuts = _partition(groups, clips, outer, "outer", seed)
    else:
        cuts = [_published(np.asarray(declared), len(groups))]
    folds = []
    for number, (train, test) in enumerate(cuts):
        within = _partition(groups, train, inner, f"inner {number}", seed)
        folds.append(Fold(train, test, tuple(within)))
    check(folds, groups)
    return tuple(folds)


def declared_by(
    system: "Dataset", *, outer: int, inner: int, seed: int, grouping: str = "clip"
) -> tuple[np.ndarray, tuple[Fold, ...]]:
    """Groups and folds of a simulation, as its variables ``group`` and ``split`` say, if any.

    A coarser grouping keeps more clips on one side of every fold. The clips remain the independent
    ones: intervals and nulls go by the groups that are returned, whatever the folds keep together.

    Parameters
    ----------
    system : Dataset
        Simulation store; without ``group`` every clip is its own, without ``split`` all are held
        out in turn.
    outer, inner, seed : int
        As for :func:`nested`.
    grouping : str
        One of :data:`GROUPINGS`: clips that are alike in it are on one side of every fold.

    Returns
    -------
    groups : ndarray
        (clip,) group of each clip.
    folds : tuple of Fold

    Raises
    ------
    ValueError
        If the simulation has no such labels, or they part clips of one declared group.
    """

    def values(name: str) -> np.ndarray | None:
        # stores keep text as variable-length strings, which numpy's set functions don't take
        return np.array(system[name].values.tolist()) if name in system else None

    groups = values("group")
    if groups is None:
        groups = np.arange(system.sizes["clip"])
    kept = _together(values, grouping) if GROUPINGS[grouping] else groups
    folds = nested(kept, outer=outer, inner=inner, seed=seed, declared=values("split"))
    check(folds, groups)
    return groups, folds


def _together(values: Callable[[str], np.ndarray | None], grouping: str) -> np.ndarray:
    """(clip,) number of each combination of a grouping's labels."""
    found = []
    for name in (f"{part}_id" for part in GROUPINGS[grouping]):
        value = values(name)
        if value is None:
            raise ValueError(
                f"grouping {grouping!r}: the system has no label {name}. Hint: `clip` needs none."
            )
        found.append(value)
    return np.unique(np.stack(found), axis=1, return_inverse=True)[1].ravel()


def halves(groups: Sequence | np.ndarray, seed: int = 0, count: int = HALVES) -> np.ndarray:
    """Splits of clips into halves, whole groups at a time.

    Parameters
    ----------
    groups : (clip,)
    seed : int
        Same seed and groups, same splits: what they say of several scores is paired.
    count : int
        Number of splits.

    Returns
    -------
    (split, clip) int
        1 in the first half, -1 in the second.
    """
    names, member = np.unique(groups, return_inverse=True)
    rng = seeds.rng("halves", "splits", seed, len(names))
    order = np.argsort(rng.random((count, len(names))), axis=1)
    return np.where(order < len(names) // 2, 1, -1)[:, member.ravel()]


def joined(groupings: Sequence[np.ndarray]) -> np.ndarray:
    """Groups (clip,), numbered as they come, that part none of several groupings', each (clip,).

    Parts of one film, if all have them alike, keep their numbers.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    alike = all(np.array_equal(part, groupings[0]) for part in groupings)
    if alike and blocks.ordered(groupings[0]) is not None:
        return groupings[0]
    members = [np.unique(part, return_inverse=True)[1].ravel() for part in groupings]
    clips = len(members[0])
    first = np.cumsum([clips, *(member.max() + 1 for member in members)])
    nodes = np.concatenate([m + start for m, start in zip(members, first[:-1], strict=True)])
    links = np.tile(np.arange(clips), len(members)), nodes
    graph = coo_array((np.ones(len(nodes)), links), shape=(first[-1], first[-1]))
    return connected_components(graph, directed=False)[1][:clips]


def check(folds: Sequence[Fold], groups: Sequence | np.ndarray) -> None:
    """Refuse folds that leak.

    Raises
    ------
    ValueError
        If a group is on both sides of a fold, a clip is held out twice, or the inner folds are
        not a partition of the training clips.
    """
    groups = np.asarray(groups)
    for number, fold in enumerate(folds):
        for name, (train, test) in {
            f"outer fold {number}": (fold.train, fold.test),
            **{f"fold {number}, inner fold {i}": cut for i, cut in enumerate(fold.inner)},
        }.items():
            both = np.intersect1d(groups[train], groups[test])
            if len(both):
                raise ValueError(
                    f"{name}: groups {both[:5].tolist()} are on both sides ({len(both)} in all). "
                    "Hint: split by group, so that no twin of a test clip is trained on."
                )
        validated = np.concatenate([validation for _, validation in fold.inner])
        if not np.array_equal(np.sort(validated), np.sort(fold.train)):
            raise ValueError(
                f"outer fold {number}: its inner validation parts must partition its training "
                f"clips; got {len(validated)} of {len(fold.train)}. Hint: build it with `nested`."
            )
    held = np.concatenate([fold.test for fold in folds])
    if len(np.unique(held)) != len(held):
        raise ValueError("a clip is held out by two outer folds. Hint: build them with `nested`.")


def _partition(
    groups: np.ndarray, clips: np.ndarray, folds: int, purpose: str, seed: int
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Cut clips into folds of nearly equal size, whole groups at a time."""
    names, member, sizes = np.unique(groups[clips], return_inverse=True, return_counts=True)
    if not 2 <= folds <= len(names):
        raise ValueError(
            f"{purpose} folds: {folds} asked of {len(names)} groups in {len(clips)} clips; expected"
            f" 2 to {len(names)}. Hint: fewer folds, or more clips."
        )
    shuffled = seeds.rng("splits", purpose, seed).permutation(len(names))
    fold_of = np.empty(len(names), int)
    filled = np.zeros(folds, int)
    # Largest groups first: what is left then evens the folds out.
    for group in shuffled[np.argsort(-sizes[shuffled], kind="stable")]:
        fold_of[group] = filled.argmin()
        filled[fold_of[group]] += sizes[group]
    held = fold_of[member]
    return [(clips[held != fold], clips[held == fold]) for fold in range(folds)]


def _published(declared: np.ndarray, clips: int) -> tuple[np.ndarray, np.ndarray]:
    """Training and held-out clips of a declared split."""
    if declared.shape != (clips,) or not np.isin(declared, ("train", "test", "neither")).all():
        found = np.unique(declared).tolist()
        raise ValueError(
            f"declared split: expected 'train' or 'test', or 'neither', for each of {clips} clips,"
            f" got {declared.size} entries out of {found}. Hint: see the simulation's `split`."
        )
    train, test = np.flatnonzero(declared == "train"), np.flatnonzero(declared == "test")
    if not len(train) or not len(test):
        raise ValueError(
            f"declared split: {len(train)} train and {len(test)} test clips. Hint: need both."
        )
    return train, test
