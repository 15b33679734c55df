"""kNN: a clip is of the class that most of its nearest neighbours among the training clips are of.

    p(k | x) = (votes of k among the n nearest + 0.01) / (n + 0.01 classes)

The hundredth of a vote keeps the log loss finite. Number of neighbours, distance
and (for ``layer: selected``) layer are chosen by grouped inner folds, by the share of clips that
are named wrong; scores are read on held-out clips only. Classes that have as many votes share the
clip. Euclidean distances are of features as they are; cosine ones go by their direction alone.

References
----------
Cover, Hart, "Nearest neighbor pattern classification", IEEE Trans. Inf. Theory 13 (1967).
"""

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from physprobe.fit.methods._choices import Ascending
from physprobe.fit.methods._protocol import Protocol
from physprobe.fit.section import Given
from physprobe.statistics.neighbours import Distance

if TYPE_CHECKING:
    from physprobe.fit.methods._selection import Solver


class Spec(Protocol):
    """Nested grouped nearest neighbours."""

    kind: Literal["knn"] = "knn"
    """Nearest neighbours' majority."""
    targets: tuple[str, ...] = Field(("equation",), min_length=1)
    """Labels with a few values each; ``equation`` is the kind of system that a clip shows."""
    neighbours: Annotated[tuple[Annotated[int, Field(gt=0)], ...], Ascending] = Field(
        (1, 3, 5, 9, 15), min_length=1
    )
    """Numbers of neighbours to choose from; ascending. Published ones are often 5."""
    distances: tuple[Distance, ...] = Field(("euclid", "cosine"), min_length=1)
    """Distances to choose from."""
    by: str | None = None
    """Label whose values are scored apart as well; one fit serves all."""

    @property
    def of_classes(self) -> bool:
        """Whether targets are classes, not numbers."""
        return True

    @property
    def scored_apart(self) -> str | None:
        """Label whose values are scored apart as well, if any."""
        return self.by

    @property
    def label_type(self) -> type:
        """Classes."""
        from physprobe.fit.methods._classes import Classes

        return Classes

    def solver(self, components: int | None) -> "Solver":
        """Nearest neighbours; components are features like any others."""
        from physprobe.fit.methods._knn import Neighbours

        return Neighbours(self.neighbours, self.distances)


def fit(spec: Spec, given: Given) -> tuple[list[dict], dict]:
    """Decode every target from every layer; see :func:`physprobe.fit.probe.probe`."""
    from physprobe.fit import probe

    return probe.fit(spec, given)
