"""Together: clips of several systems in one fit, as if they were those of one."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from physprobe.config import kinds
from physprobe.fit.designs import _read, _stack
from physprobe.fit.section import Asked, Case, Design, MethodSpec
from physprobe.store.inputs import Inputs, Layers, equations

if TYPE_CHECKING:
    from xarray import Dataset


class Spec(Design):
    """Outer folds over the clips of several systems, which have ``equation`` as a label.

    The labels that all systems have remain, and ``equation``: as the clips' own label says, or the
    kind of system that they show. Their ``group`` pairs clips between them: those of one initial
    condition. It may be lacking only where the systems declare their split.
    """

    BESIDE: ClassVar = ("dynamics",)

    kind: Literal["together"] = "together"
    """Folds of several systems' clips."""

    def problems(self, config: Any, where: str, asked: Asked) -> Iterator[str]:
        """Whether there are several systems, and probes tell their equations apart."""
        if len(asked.filmed) < 2:
            yield f"{where}: one system, expected several. Hint: the design plain takes one."
        for name in asked.filmed:
            kind = config.systems[name].simulate.kind
            if not kinds.load("simulate", kind).GROUPED:
                yield (
                    f"{where}: clips of {name}, of kind {kind}, have no group, so no"
                    " counterparts in other systems. Hint: take systems that number their initial"
                    " conditions."
                )
        for name in asked.methods:
            method = config.methods[name]
            if method.ROLE == "probe" and method.targets != ("equation",):
                yield (
                    f"{where}.methods: {name} has to tell equations apart."
                    f" Hint: set methods.{name}.targets: [equation]."
                )
            if method.ROLE in ("head", "law"):
                yield f"{where}.methods: {name} takes one system. Hint: leave it out."

    def cases(
        self,
        embeddings: Sequence[Path],
        simulation: Sequence[Path],
        method: str,
        member: int | None = None,
    ) -> Iterator[Case]:
        """One fit of all layers to all clips."""
        parts = _stack.read(embeddings, simulation, method, member)
        if len(parts) == 1:
            raise ValueError("one system, expected several. Hint: the design `plain` takes one.")
        first = parts[0]
        if first.spec.ROLE == "head":
            raise ValueError(
                f"{first.spec.kind} takes one system, but {len(parts)} are given."
                " Hint: dmd takes several."
            )
        system = _system(parts, simulation)
        groups, folds = first.spec.cut(system)
        digests = _stack.digests(parts)
        stacked = replace(first, system=system, groups=groups, folds=folds, digests=digests)
        features = _stack.Stacked([Layers(part.source) for part in parts])
        yield _read.case(stacked, features, tokens=features.tokens)

    def system(self, names: Sequence[str]) -> str:
        """All of them: each has its clips scored."""
        return "+".join(names)


def _system(parts: Sequence[Inputs[MethodSpec]], simulation: Sequence[Path]) -> "Dataset":
    """Common labels of all clips, ``equation``, ``group``, and ``split`` if declared."""
    from xarray import Dataset

    for path, part in zip(simulation, parts, strict=True):
        if not {"group", "split"} & set(part.system.variables):
            raise ValueError(
                f"{path} has no group, so its clips have no counterparts. Hint: take systems that"
                " number their initial conditions."
            )
    names = [
        name
        for name in (*parts[0].labels, "group", "split")
        if all(name in part.system for part in parts)
    ]
    found = {
        name: np.concatenate([np.array(part.system[name].values.tolist()) for part in parts])
        for name in names
    }
    found["equation"] = np.concatenate([equations(part.system) for part in parts])
    return Dataset({name: ("clip", values) for name, values in found.items()})
