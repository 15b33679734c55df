"""Nulls: what a score is held against when labels, signs or times change places, and its p.

    p = (1 + #{draws that score as much}) / (1 + draws),    never below 1 / arrangements

Draws are uniform over all admissible arrangements, that of the data included, and a tie speaks
against the data: so a test at 5 % rejects noise in 5 % of cases at most, however few arrangements
there are. A draw scores as much if it is not lower by more than rounding (``TIE``), or if it is as
good by construction: one that leaves every label in its place, or all of them mirrored, is fitted
as well, and which of two equal scores is rounded up says nothing. A draw whose score is undefined
counts as one that scores as much. If the arrangement of the data is the only one, no draw can say
anything: then there is no null and no p, with a note.

References
----------
Phipson, Smyth, "Permutation p-values should never be zero", Stat. Appl. Genet. Mol. Biol. 9 (2010);
Hemerik, Goeman, "Exact testing with random permutations", TEST 27 (2018).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import exp, lgamma, log

import numpy as np

from physprobe.statistics import seeds

TIE, ROUNDING = 1e-9, 1e-14
"""Scores are equal that differ by no more: in units of the largest, and whatever their unit."""
LEVEL = 0.05
"""What p has to be below where a verdict needs one."""
FEWEST = 20
"""Draws from which on p can be below the level."""
IMPOSSIBLE = "no permutation is possible"


@dataclass(frozen=True)
class Arrangements:
    """How many arrangements of something there are, and which of those drawn change nothing."""

    count: float
    """Different ones, that of the data included."""
    what: str
    """What is arranged, and why there is one alone if so."""
    same: np.ndarray | None = None
    """(draw,) whether a draw is as good as the data by construction; None: none of them."""

    @property
    def none(self) -> str | None:
        """Why there is no null; None if there is one."""
        return f"{IMPOSSIBLE}: {self.what}" if self.count <= 1 else None

    def columns(self, observed: float, null: np.ndarray, better: float = 1.0) -> dict:
        """Columns of a row: ``null_mean``, ``null_q95`` and ``p``, or a note that says why not.

        Parameters
        ----------
        observed : float
        null : (draw,)
            Nothing comes of no draws, or of an undefined score.
        better : 1 or -1
            Which way a score is better; ``null_q95`` is on the better side.
        """
        if not len(null) or not np.isfinite(observed):
            return {}
        if self.none:
            return {"note": self.none}
        known = null[np.isfinite(null)]
        if not len(known):
            return {"note": "no permutation has a score"}
        found = {
            "null_mean": known.mean(),
            "null_q95": better * np.quantile(better * known, 0.95),
            "p": permutation_p(better * observed, better * null, self.count, self.same),
        }
        if self.count * LEVEL <= 1:
            found["note"] = f"p is at least 1/{self.count:.0f}: {self.what}"
        return found

    def row(self, observed: float, null: np.ndarray, better: float = 1.0) -> dict:
        """Columns, and what they follow from as ``null``, for a mean over members."""
        return self.columns(observed, null, better) | {"null": Null(self, null, better)}

    @classmethod
    def of_labels(
        cls,
        labels: np.ndarray,
        groups: np.ndarray,
        strata: np.ndarray | None = None,
        clips: np.ndarray | None = None,
        *,
        turned: bool = True,
    ) -> "Arrangements":
        """Of labels that whole groups of the same size exchange.

        Parameters
        ----------
        labels : (clip, 1 + draw, column)
            True ones first; all columns are scored together.
        groups : (clip,)
        strata : (clip,), optional
            Groups change places within a stratum only.
        clips : (clip,) int, optional
            Those that are fitted or scored; all if not given.
        turned : bool
            Whether labels that are mirrored about their mean, or columns that are turned about it,
            are decoded as well: so they are by any map with an intercept.
        """
        rooms, alike = _rooms(groups, strata), 0.0
        for blocks in rooms:
            alike += _orders(labels[blocks, 0].reshape(len(blocks), -1))
        own = labels if clips is None else labels[clips]
        same = (own[:, 1:] == own[:, :1]).all((0, 2))
        if turned:
            same |= _turned(own - own.mean(0))
        return cls(_count(alike), _told(rooms, _count(alike), strata is not None), same)

    @classmethod
    def of_classes(
        cls, labels: np.ndarray, groups: np.ndarray, clips: np.ndarray | None = None
    ) -> "Arrangements":
        """Of classes that clips of a group exchange, and whole groups of the same size.

        Parameters
        ----------
        labels : (clip, 1 + draw) int
            True ones first. Which class is called which is the same to every score.
        groups : (clip,)
        clips : (clip,) int, optional
            Those that are fitted or scored; all if not given.
        """
        rooms, alike = _rooms(groups, None), 0.0
        for blocks in rooms:
            kinds = np.sort(labels[blocks, 0], axis=1)
            alike += _orders(kinds) + sum(_orders(block[:, None]) for block in kinds)
        own = labels if clips is None else labels[clips]
        named = np.stack([_renamed(column) for column in own.T])
        return cls(
            _count(alike), _told(rooms, _count(alike), False), (named[1:] == named[0]).all(1)
        )

    @classmethod
    def of_signs(cls, differences: np.ndarray) -> "Arrangements":
        """Of signs of differences (group,) between two models."""
        moving = int(np.count_nonzero(differences))
        what = f"signs of {moving} groups" if moving else "the two models differ in no group"
        return cls(_count(moving * log(2.0)), what)

    @classmethod
    def of_times(cls, clips: int, times: int) -> "Arrangements":
        """Of the times of each clip."""
        return cls(_count(clips * lgamma(times + 1)), f"orders of {times} times in {clips} clips")


@dataclass(frozen=True)
class Null:
    """What a row's null columns follow from; rows are compared by those columns."""

    arranged: Arrangements = field(compare=False)
    draws: np.ndarray = field(compare=False)
    """(draw,)"""
    better: float = field(default=1.0, compare=False)
    """1 or -1: which way a score is better."""


def mean_of_members(observed: float, parts: Sequence[Null]) -> dict:
    """Null columns of the mean of the scores of an encoder's members.

    Draw by draw all members are given the same arrangement, of labels or signs, so the mean of
    their scores in it is a draw of the mean score: p is that of the mean score itself, as exact as
    those of the members. Where members were given draws of different numbers there is no such
    mean, and no p. The smallest number of arrangements bounds p.

    Parameters
    ----------
    observed : float
        Mean score.
    parts : sequence of Null
        Of each member.
    """
    if len({part.draws.shape for part in parts}) > 1:
        return {"note": "no null: members have draws of different numbers"}
    fewest = min((part.arranged for part in parts), key=lambda arranged: arranged.count)
    return fewest.columns(observed, np.mean([part.draws for part in parts], 0), parts[0].better)


def permutations(
    groups: Sequence | np.ndarray,
    draws: int,
    seed: int,
    strata: Sequence | np.ndarray | None = None,
) -> np.ndarray:
    """Rearrangements of labels between clips for the null.

    Whole groups change places with groups of the same size, so that what clips of one group share
    stays shared; a group of its own per clip gives plain permutations of clips.

    Parameters
    ----------
    groups : (clip,)
    draws : int
    seed : int
    strata : (clip,), optional
        Groups change places within a stratum only, as they have to where the split itself follows
        from labels: clips of a region of labels, and those outside it.

    Returns
    -------
    (draw, clip) int
        Clip whose label each clip gets.

    Raises
    ------
    ValueError
        If clips of one group are of several strata.
    """
    rng = seeds.rng("permutation", seed, len(groups))
    source = np.empty((draws, len(groups)), int)
    for alike in _rooms(groups, strata):
        for draw in range(draws):
            source[draw, alike] = alike[rng.permutation(len(alike))]
    return source


def permutation_p(
    observed: np.ndarray | float,
    null: np.ndarray,
    arrangements: float = np.inf,
    same: np.ndarray | None = None,
) -> np.ndarray:
    """One-sided p of scores (...), see above.

    Parameters
    ----------
    observed : (...)
    null : (draw, ...)
    arrangements : float
        How many different ones there are.
    same : (draw,) bool, optional
        Draws that are as good as the data by construction.
    """
    known = np.where(np.isfinite(null), np.abs(null), 0.0)
    scale = np.maximum(np.abs(observed), known.max(0, initial=0.0))
    as_much = ~(null < observed - TIE * scale - ROUNDING)
    if same is not None:
        as_much |= same.reshape(-1, *[1] * (as_much.ndim - 1))
    return np.maximum((1 + as_much.sum(0)) / (1 + len(null)), 1.0 / arrangements)


def noted(*notes: str | None) -> str | None:
    """Notes as one; None if there are none."""
    return "; ".join(note for note in notes if note) or None


def _rooms(groups: Sequence | np.ndarray, strata: Sequence | np.ndarray | None) -> list[np.ndarray]:
    """Clips (group, clip of it) of groups that change places with each other."""
    _, member, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    blocks = np.split(np.argsort(member, kind="stable"), np.cumsum(sizes)[:-1])
    _, stratum = np.unique(np.zeros(len(member)) if strata is None else strata, return_inverse=True)
    if any(np.ptp(stratum[block]) for block in blocks):
        raise ValueError("strata: clips of one group are of several strata. Hint: keep them whole.")
    kinds = [(len(block), stratum[block[0]]) for block in blocks]
    return [
        np.array([block for block, own in zip(blocks, kinds, strict=True) if own == kind])
        for kind in sorted(set(kinds))
    ]


def too_few(where: str, name: str, found: int) -> str:
    """What to say of a null with too few draws."""
    return (
        f"{where}: needs p below {LEVEL}, which {name}: {found} can't bring."
        f" Hint: set it to {FEWEST} or more."
    )


def undefined_p(row: Mapping | None) -> str | None:
    """Why a row has no p; None if it has one."""
    if row is None:
        return "no score has a p"
    if row["p"] is not None:
        return None
    told = [part for part in (row.get("note") or "").split("; ") if part.startswith("no permut")]
    return "p is undefined: " + (told[0] if told else "there are no permutations")


def _orders(rows: np.ndarray) -> float:
    """Logarithm of the number of different orders of rows (row, column), some of them equal."""
    _, alike = np.unique(rows, axis=0, return_counts=True)
    return lgamma(len(rows) + 1) - sum(lgamma(count + 1) for count in alike.tolist())


def _count(logarithm: float) -> float:
    """Count from its logarithm, whole where that makes a difference; infinite if out of reach."""
    if logarithm > 700.0:
        return np.inf
    return float(round(exp(logarithm))) if logarithm < 30.0 else exp(logarithm)


def _told(rooms: Iterable[np.ndarray], count: float, parted: bool) -> str:
    """How many arrangements of labels there are, in words, and why there is but one if so."""
    sizes = [len(room) for room in rooms]
    if count > 1:
        return f"{count:.0f} arrangements of labels between {sum(sizes)} groups"
    where = " on the same side" if parted else ""
    if max(sizes) == 1:
        return f"of {sum(sizes)} groups no two{where} are of the same size"
    return f"groups of the same size{where} have the same labels"


def _turned(labels: np.ndarray) -> np.ndarray:
    """Which draws (draw,) of labels (clip, 1 + draw, column) are the first one, turned about 0."""
    length = (labels**2).sum(-1)
    near = TIE * length[:, 0].max()
    same = np.abs(length[:, 1:] - length[:, :1]).max(0) <= near
    for draw in np.flatnonzero(same):
        first, other = labels[:, 0], labels[:, 1 + draw]
        same[draw] = np.allclose(other @ other.T, first @ first.T, 0.0, near)
    return same


def _renamed(classes: np.ndarray) -> np.ndarray:
    """Classes (clip,) by the order in which they turn up."""
    _, first, number = np.unique(classes, return_index=True, return_inverse=True)
    return first[number]
