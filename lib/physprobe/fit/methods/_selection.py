"""Selection: what a solver chooses in an outer fold, and which of two choices is better."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import ClassVar, Generic, Self, TypeVar

import numpy as np

from physprobe.statistics.splits import Fold


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Base of what was chosen in one outer fold: a dataclass of arrays, ``column`` the last axis.

    The first columns are of true labels, the others of permuted ones.
    """

    TIE: ClassVar[float] = 0.0
    """Difference up to which two inner errors count as equal."""

    inner: np.ndarray
    """(column,) error over the inner folds: less is better."""
    layer: np.ndarray = field(default_factory=lambda: np.zeros(0, int))
    """(column,) place among the layers, once they are put beside each other."""

    def or_better(self, other: Self | None) -> Self:
        """Column by column, the one with the smaller inner error; this one if they are equal."""
        if other is None:
            return self
        better = other.inner < self.inner - self.TIE
        return type(self)(
            **{
                one.name: np.where(better[: mine.shape[-1]], theirs, mine)
                for one in fields(self)
                for mine, theirs in [(getattr(self, one.name), getattr(other, one.name))]
            }
        )


@dataclass(frozen=True, kw_only=True)
class OfNumbers(Choice):
    """What came of one outer fold's choice, of labels that are numbers.

    ``inner`` is the squared error of a column's whole target, in units of its spread. Predictions
    and training errors are kept for true labels only.
    """

    errors: np.ndarray
    """(time, column) squared errors summed over held-out clips."""
    grouped: np.ndarray
    """(column,) squared errors of the mean predictions of held-out groups, summed over these; of no
    column where every clip is its own group."""
    predicted: np.ndarray
    """(clip, time, true column) of the held-out clips."""
    train_squared: np.ndarray
    """(true column,) mean over training rows."""
    train_absolute: np.ndarray
    """(true column,) mean over training rows."""
    halved: np.ndarray
    """(split, half, clip, time, true column) what fits to half of the training clips predict of the
    held-out clips; of no split where that is not known."""


@dataclass(frozen=True, kw_only=True)
class OfClasses(Choice):
    """What came of one outer fold's choice, of labels that are classes.

    ``inner`` is the log loss, mean over rows. The first column is the true label; what is kept for
    it alone has a last axis of one.
    """

    loss: np.ndarray
    """(part, time, column) log loss summed over held-out clips of each part."""
    correct: np.ndarray
    """(part, time, column) number of held-out clips whose most probable class is theirs."""
    wins: np.ndarray
    """(part, time, one-against-rest, column) pairs of held-out clips in the right order."""
    pairs: np.ndarray
    """(part, one-against-rest, column) all pairs of held-out clips of which one is of the class."""
    ordered: np.ndarray
    """(part, time, column) groups in the right order, of two classes; see ``orders.contrasts``."""
    compared: np.ndarray
    """(part, column) groups that have clips of both classes."""
    predicted: np.ndarray
    """(clip, time, class, 1) log-probabilities of the held-out clips."""
    train_loss: np.ndarray
    """(1,) log loss, mean over training rows."""
    train_correct: np.ndarray
    """(1,) share of training rows whose most probable class is theirs."""
    halved: np.ndarray
    """(split, half, clip, time, class, 1) log-probabilities by fits to half of the training clips;
    of no split where that is not known."""


@dataclass(frozen=True)
class Part:
    """One layer of a sample in one outer fold: what a solver is fitted to."""

    rows: np.ndarray
    """(clip, row, feature)"""
    layer: int
    place: int
    """Number of the outer fold."""
    fold: Fold


Labels = TypeVar("Labels")
Chosen = TypeVar("Chosen", bound=Choice)


class Solver(Generic[Labels, Chosen]):
    """How labels of either type are fitted, and everything that is to be chosen is chosen."""

    LATER: ClassVar[bool] = False
    """Of layers whose inner errors are equal, whether the later is taken; else the earlier."""

    CAVEAT: ClassVar[str | None] = None
    """What is to be said of every score."""

    def fits(self, parts: Iterable[Part], labels: Labels) -> Iterator[Chosen]:
        """What each part chooses, in their order; by default, each is fitted by itself."""
        return (self.fit(part.rows, labels, part.fold) for part in parts)

    def fit(self, rows: np.ndarray, labels: Labels, fold: Fold) -> Chosen:
        """Choose inside the training clips of one fold; score its held-out clips.

        Parameters
        ----------
        rows : (clip, row, feature)
        labels : Numbers or Classes
            Those of the two that the solver knows.
        fold : Fold
        """
        raise NotImplementedError

    def chosen(self, fit: Chosen, column: int) -> dict:
        """What was chosen for a column, in plain types: ``edge_hit``, and ``lambda`` if any."""
        raise NotImplementedError


@dataclass
class Tally(Generic[Chosen]):
    """Everything fitted on one sample: ``layers[layer][fold]`` and ``selected[fold]``."""

    sample: str
    names: Sequence[str]
    """Layers that have such a sample."""
    layers: list[list[Chosen]]
    selected: list[Chosen]

    def add(self, found: Chosen, folds: int, *, later: bool) -> None:
        """Count what was fitted to the next fold, layer after layer."""
        if not self.layers or len(self.layers[-1]) == folds:
            self.layers.append([])
        place = len(self.layers[-1])
        found = replace(found, layer=np.full(len(found.inner), len(self.layers) - 1))
        self.layers[-1].append(found)
        if len(self.layers) == 1:
            self.selected.append(found)
            return
        best = self.selected[place]
        self.selected[place] = found.or_better(best) if later else best.or_better(found)


def together(values: np.ndarray, widths: Sequence[int]) -> np.ndarray:
    """Sums over the columns of each target, in the place of each: (..., draw x column)."""
    shape = values.shape
    sums = by_target(values.reshape(*shape[:-1], -1, sum(widths)), widths)
    return np.repeat(sums, widths, axis=-1).reshape(shape)


def by_target(values: np.ndarray, widths: Sequence[int]) -> np.ndarray:
    """Sums (..., target) over the columns of each target."""
    return np.add.reduceat(values, np.cumsum([0, *widths[:-1]]), axis=-1)
