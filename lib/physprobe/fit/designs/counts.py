"""Counts: probes fitted to some of a system's training clips, more and more of them.

What is scored stays the same: the clips that the system declares as held out. A label of the system
says in which order clips come, so that the first n are n drawn at random, and what was trained on
the first n can be scored at n.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field, field_validator

from physprobe.config.system import Name
from physprobe.fit.designs import _read
from physprobe.fit.section import Asked, Case, Design, MethodSpec
from physprobe.statistics import splits, targets
from physprobe.store.results import Schema

SCHEMA = Schema("counts", ("method", "target", "sample", "layer", "count"))


class Spec(Design):
    """How many training clips are fitted, and which."""

    kind: Literal["counts"] = "counts"
    """A curve by the number of training clips."""
    counts: tuple[int, ...] = Field(min_length=1)
    """Numbers of training clips; ascending."""
    order: str = "rank"
    """Label by which training clips come one after the other."""
    trained: dict[Name, int] = Field(default_factory=dict)
    """Encoders that were trained on so many clips, which are scored at that number alone."""
    published: tuple[tuple[int, float], ...] = ()
    """Published scores, each with its number of training clips, for the figure to set beside ours.
    """

    @field_validator("counts")
    @classmethod
    def _ascending(cls, counts: tuple[int, ...]) -> tuple[int, ...]:
        if counts[0] < 2 or not all(low < high for low, high in pairwise(counts)):
            raise ValueError(f"{', '.join(map(str, counts))}: expected to ascend, from 2 on")
        return counts

    def problems(self, config: Any, where: str, asked: Asked) -> Iterator[str]:
        """Whether there are probes of one system, and encoders are known."""
        yield from _read.single(where, asked)
        for name in asked.methods:
            if config.methods[name].ROLE != "probe":
                yield f"{where}.methods: {name} is no probe. Hint: leave it out."
        for name in self.trained:
            if name not in asked.names:
                yield (
                    f"{where}.design.trained: {name} is none of its encoders and controls,"
                    f" {', '.join(asked.names)}."
                )
            elif self.trained[name] not in self.counts:
                yield f"{where}.design.trained.{name}: {self.trained[name]} is none of the counts."

    def cases(
        self,
        embeddings: Sequence[Path],
        simulation: Sequence[Path],
        method: str,
        member: int | None = None,
    ) -> Iterator[Case]:
        """A fit to each number of training clips."""
        found = _read.one(embeddings, simulation, method, member)
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
        own = self.trained.get(embeddings[0].parent.stem)
        for count in self.counts if own is None else [own]:
            declared = np.full(len(rank), "neither")
            declared[fold.train[np.argsort(rank[fold.train], kind="stable")[:count]]] = "train"
            declared[fold.test] = "test"
            folds = splits.nested(
                found.groups, inner=found.spec.inner, seed=found.spec.seed, declared=declared
            )
            yield _read.case(replace(found, folds=folds), about={"count": count})

    def result_schema(self, spec: MethodSpec) -> Schema:
        """What kind of result comes of a method."""
        return SCHEMA

    def gathered(self, found: Sequence[tuple[Case, list[dict], dict]]) -> tuple[list[dict], dict]:
        """Scores of the chosen layer by number of clips, and what was chosen."""
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
