"""Groups: which groups of stored clips a recipe is trained on, and which judge it."""

import numpy as np

from physprobe.statistics import seeds

INNER = 3
"""Folds of training groups, on which the penalty of the probe that judges is chosen."""


def parted(
    groups: np.ndarray, split: np.ndarray | None, part: float
) -> tuple[np.ndarray, np.ndarray]:
    """Places of clips that are trained on, and of those of groups that are held out.

    Parameters
    ----------
    groups : (clip,)
    split : (clip,) of str, optional
        Clips of "test" are neither.
    part : float
        Of the groups that is held out.

    Raises
    ------
    ValueError
        If there are fewer groups than the probe needs.
    """
    free = np.ones(len(groups), bool) if split is None else split != "test"
    names = np.unique(groups[free])
    count = max(2, round(part * len(names)))
    if len(names) - count < 2 * INNER:
        raise ValueError(
            f"{len(names)} groups of clips to train on are too few: {count} judge, and"
            f" {2 * INNER} more are needed. Hint: more trajectories."
        )
    chosen = seeds.rng("groups that judge", len(names)).permutation(names)[:count]
    judges = np.isin(groups, chosen)
    return np.flatnonzero(free & ~judges), np.flatnonzero(free & judges)


def first(groups: np.ndarray, train: np.ndarray, share: float, seed: int) -> np.ndarray:
    """Places of the training clips of a share of their groups.

    Groups come in an order that a seed draws: those of a smaller share are among those of a larger
    one.

    Parameters
    ----------
    groups : (clip,)
    train : (train,)
        Places of all training clips.
    share : float
        Of their groups.
    seed : int
        Of the order.

    Raises
    ------
    ValueError
        If the probe that judges needs more groups than are left.
    """
    names = np.unique(groups[train])
    count = round(share * len(names))
    if count < 2 * INNER:
        raise ValueError(
            f"share: {share:g} of {len(names)} training groups are {count}; {2 * INNER} are needed."
            " Hint: a larger share, or more trajectories."
        )
    kept = seeds.rng("groups that are trained on", len(names), seed).permutation(names)[:count]
    return train[np.isin(groups[train], kept)]
