"""Counts: probes fitted to some of a system's training clips, more and more of them.

What is scored stays the same. By ``counts`` it is the clips that the system declares as held out,
and a label of the system says in which order training clips come, so that the first n are n drawn
at random, and what was trained on the first n can be scored at n. By ``shares`` whole groups, such
as trajectories with all their windows, are fitted to: those of a smaller share are among those of a
larger one. Groups are drawn by the method's seed, and the inner folds are cut anew among them; the
held-out clips are those that the system declares, or else all of them, fold by fold.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import Field, field_validator, model_validator

from physprobe.config.system import Name
from physprobe.fit.designs import _read
from physprobe.fit.section import Asked, Case, Design, MethodSpec
from physprobe.statistics import seeds, splits, targets
from physprobe.statistics.splits import Fold
from physprobe.store.inputs import Inputs
from physprobe.store.results import Schema

SCHEMA = Schema("counts", ("method", "target", "sample", "layer", "count"))
SHARES = Schema("shares", ("method", "target", "sample", "layer", "share", "groups", "count"))


class Spec(Design):
    """How many training clips are fitted, and which."""

    kind: Literal["counts"] = "counts"
    """A curve by the number of training clips, or of trajectories."""
    counts: tuple[int, ...] = ()
    """Numbers of training clips; ascending."""
    order: str = "rank"
    """Label by which training clips come one after the other, for ``counts``."""
    trained: dict[Name, int | float] = Field(default_factory=dict)
    """Encoders that were trained on so many clips, or on such a share, which are scored at that
    alone."""
    published: tuple[tuple[int, float], ...] = ()
    """Published scores, each with its number of training clips, or of groups, for the figure to set
    beside ours."""
    shares: tuple[Annotated[float, Field(gt=0, le=1)], ...] = ()
    """Shares of the training groups, in the place of ``counts``; ascending."""

    @field_validator("counts")
    @classmethod
    def _ascending(cls, counts: tuple[int, ...]) -> tuple[int, ...]:
        if counts and (counts[0] < 2 or not all(low < high for low, high in pairwise(counts))):
            raise ValueError(f"{', '.join(map(str, counts))}: expected to ascend, from 2 on")
        return counts

    @field_validator("shares")
    @classmethod
    def _larger(cls, shares: tuple[float, ...]) -> tuple[float, ...]:
        if not all(low < high for low, high in pairwise(shares)):
            raise ValueError(f"{', '.join(map(str, shares))}: expected to ascend")
        return shares

    @model_validator(mode="after")
    def _either(self) -> Self:
        if bool(self.counts) == bool(self.shares):
            raise ValueError("expected either counts of clips or shares of groups")
        if self.shares and self.order != "rank":
            raise ValueError("order: groups of shares are drawn by the seed; leave it out")
        return self

    def problems(self, config: Any, where: str, asked: Asked) -> Iterator[str]:
        """Whether there are probes of one system, and encoders are known."""
        yield from _read.single(where, asked)
        for name in asked.methods:
            if config.methods[name].ROLE != "probe":
                yield f"{where}.methods: {name} is no probe. Hint: leave it out."
        what = "counts" if self.counts else "shares"
        for name in self.trained:
            if name not in asked.names:
                yield (
                    f"{where}.design.trained: {name} is none of its encoders and controls,"
                    f" {', '.join(asked.names)}."
                )
            elif self.trained[name] not in (self.counts or self.shares):
                yield f"{where}.design.trained.{name}: {self.trained[name]} is none of the {what}."

    def cases(
        self,
        embeddings: Sequence[Path],
        simulation: Sequence[Path],
        method: str,
        member: int | None = None,
    ) -> Iterator[Case]:
        """A fit to each number of training clips, or to each share."""
        found = _read.one(embeddings, simulation, method, member)
        own = self.trained.get(embeddings[0].parent.stem)
        if self.shares:
            yield from _shares(found, self.shares if own is None else [own])
            return
        if len(found.folds) > 1:
            raise ValueError(
                f"{simulation[0].parent}: declares no split. Hint: a curve is scored on the same"
                " clips throughout."
            )
        rank = targets.label(found.labels, self.order)
        (fold,) = found.folds
        if self.counts[-1] > len(fold.train):
            raise ValueError(
                f"counts: {self.counts[-1]}, but {simulation[0].parent} has {len(fold.train)}"
                " training clips."
            )
        for count in self.counts if own is None else [int(own)]:
            first = fold.train[np.argsort(rank[fold.train], kind="stable")[:count]]
            part = replace(found, folds=(_of(found, fold, first),))
            yield _read.case(part, about={"count": count})

    def result_schema(self, spec: MethodSpec) -> Schema:
        """What kind of result comes of a method."""
        return SHARES if self.shares else SCHEMA

    def gathered(self, found: Sequence[tuple[Case, list[dict], dict]]) -> tuple[list[dict], dict]:
        """Scores of the chosen layer by number of clips or share, and what was chosen."""
        rows = [
            {**{key: value for key, value in row.items() if key != "part"}, **case.about}
            for case, scored, _ in found
            for row in scored
            if row["layer"] == "selected" and row.get("time") is None and row.get("part") is None
        ]
        choices = [
            {**choice, **case.about}
            for case, _, blocks in found
            for choice in blocks["predictions"]["choices"]
            if choice["layer"] == "selected"
        ]
        return rows, {"choices": choices}


def _shares(found: Inputs[MethodSpec], shares: Sequence[float]) -> Iterator[Case]:
    """A fit to each share of the groups of every fold's training clips."""
    names, member = np.unique(found.groups, return_inverse=True)
    place = seeds.rng("shares", found.spec.seed, len(names)).permutation(len(names))[member]
    for share in shares:
        folds, groups = [], []
        for fold in found.folds:
            there = np.unique(place[fold.train])
            kept = there[: max(1, round(share * len(there)))]
            if len(kept) < found.spec.inner:
                raise ValueError(
                    f"shares: {share:g} of {len(there)} training groups are {len(kept)}, and"
                    f" {found.spec.inner} inner folds need as many. Hint: a larger share, fewer"
                    " inner folds, or more clips."
                )
            groups.append(len(kept))
            some = fold.train[np.isin(place[fold.train], kept)]
            folds.append(fold if len(kept) == len(there) else _of(found, fold, some))
        about = {
            "share": share,
            "groups": _mean(groups),
            "count": _mean([len(fold.train) for fold in folds]),
        }
        yield _read.case(replace(found, folds=tuple(folds)), about=about)


def _of(found: Inputs[MethodSpec], fold: Fold, clips: np.ndarray) -> Fold:
    """A fold that is fitted to some of its training clips alone."""
    declared = np.full(len(found.groups), "neither")
    declared[clips] = "train"
    declared[fold.test] = "test"
    (part,) = splits.nested(
        found.groups, inner=found.spec.inner, seed=found.spec.seed, declared=declared
    )
    return part


def _mean(counts: Sequence[int]) -> int | float:
    """Mean over folds, whole where they agree."""
    return counts[0] if len(set(counts)) == 1 else float(np.mean(counts))
