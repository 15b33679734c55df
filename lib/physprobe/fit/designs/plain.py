"""Plain: every clip of a system is held out in turn, or those that the system declares."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from physprobe.fit.designs import _read
from physprobe.fit.section import Case, Design


class Spec(Design):
    """Outer folds over the clips of one system."""

    kind: Literal["plain"] = "plain"
    """Folds of one system's clips."""

    def cases(
        self,
        embeddings: Sequence[Path],
        simulation: Sequence[Path],
        method: str,
        member: int | None = None,
    ) -> Iterator[Case]:
        """One fit of all layers."""
        yield _read.case(_read.one(embeddings, simulation, method, member))
