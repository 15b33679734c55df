"""Plain: every clip of a system is held out in turn, or those that the system declares."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar, Literal

from physprobe.fit.designs import _grid, _read
from physprobe.fit.section import Case, Design


class Spec(Design):
    """Outer folds over the clips of one system."""

    SHARED: ClassVar = True
    WHOLE: ClassVar = True

    kind: Literal["plain"] = "plain"
    """Folds of one system's clips."""

    def cases(
        self,
        embeddings: Sequence[Path],
        simulation: Sequence[Path],
        method: str,
        member: int | None = None,
    ) -> Iterator[Case]:
        """One fit of all layers, or of a law to whole clips."""
        found = _read.one(embeddings, simulation, method, member)
        yield _grid.case(found) if found.spec.ROLE == "law" else _read.case(found)
