"""kNN: a clip is what its nearest neighbours among the training clips are.

    class:   p(k | x) = (votes of k among the n nearest + 0.01) / (n + 0.01 classes)
    number:  y(x) = mean of the labels of the n nearest

The hundredth of a vote keeps the log loss finite. Number of neighbours, distance and (for ``layer:
selected``) layer are chosen by grouped inner folds, by the share of clips that are named wrong, or
of numbers by the squared error; scores are read on held-out clips only. Classes that have as many
votes share the clip. Euclidean distances are of features as they are; cosine ones go by their
direction alone. By ``weights: distance`` a neighbour counts as one over its distance, and those
that a clip coincides with count alone.

References
----------
Cover, Hart, "Nearest neighbor pattern classification", IEEE Trans. Inf. Theory 13 (1967);
Dudani, "The distance-weighted k-nearest-neighbor rule", IEEE Trans. Syst. Man Cybern. 6 (1976).
"""

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from physprobe.fit.methods._choices import Ascending
from physprobe.fit.methods._either import Either
from physprobe.fit.section import Given
from physprobe.statistics.neighbours import Distance

if TYPE_CHECKING:
    from physprobe.fit.methods._selection import Solver


class Spec(Either):
    """Nested grouped nearest neighbours."""

    kind: Literal["knn"] = "knn"
    """Nearest neighbours' majority, or their mean."""
    targets: tuple[str, ...] = Field(("equation",), min_length=1)
    """Labels with a few values each; ``equation`` is the kind of system that a clip shows. Or, by
    ``readout: number``, numbers."""
    readout: Literal["number", "class"] = "class"
    """What targets are: classes, named by most neighbours, or numbers, their mean."""
    neighbours: Annotated[tuple[Annotated[int, Field(gt=0)], ...], Ascending] = Field(
        (1, 3, 5, 9, 15), min_length=1
    )
    """Numbers of neighbours to choose from; ascending. Published ones are often 5."""
    distances: tuple[Distance, ...] = Field(("euclid", "cosine"), min_length=1)
    """Distances to choose from."""
    weights: Literal["uniform", "distance"] = "uniform"
    """Whether neighbours count alike, or by one over their distance."""

    def solver(self, components: int | None) -> "Solver":
        """Nearest neighbours; components are features like any others."""
        from physprobe.fit.methods._knn import Neighbours

        return Neighbours(self.neighbours, self.distances, self.weights)


def fit(spec: Spec, given: Given) -> tuple[list[dict], dict]:
    """Decode every target from every layer; see :func:`physprobe.fit.probe.probe`."""
    from physprobe.fit import probe

    return probe.fit(spec, given)
