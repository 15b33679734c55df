"""kNN: neighbours of held-out clips, and what is chosen inside one fold's training clips.

A permuted label is one more column: neighbours are the same, and vote by its labels.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from physprobe.fit.methods import _class_rows
from physprobe.fit.methods._classes import Classes
from physprobe.fit.methods._selection import OfClasses, Solver
from physprobe.statistics import neighbours, ridge
from physprobe.statistics.splits import Fold

SPREAD = 0.01
"""Of a vote that every class has besides, which keeps the log loss finite."""
SPARE = 8
"""Times as many neighbours as vote are kept: as a rule enough of them lie in every half."""


@dataclass(frozen=True, kw_only=True)
class Fitted(OfClasses):
    """What was chosen in one outer fold, and what came of it; ``inner`` is the share of errors."""

    neighbours: np.ndarray
    """(column,) place among the numbers."""
    distance: np.ndarray
    """(column,) place among the distances."""


@dataclass(frozen=True)
class Neighbours(Solver[Classes, Fitted]):
    """Number of neighbours and distance, by the share of clips that inner folds name wrong."""

    counts: Sequence[int]
    """Ascending."""
    distances: Sequence[neighbours.Distance]

    def fit(self, rows: np.ndarray, labels: Classes, fold: Fold) -> Fitted:
        """Choose number and distance inside one fold's training clips; score its held-out ones.

        Raises
        ------
        ValueError
            If an inner fold has fewer rows than are to vote.
        """
        times = rows.shape[1]
        most, classes = self.counts[-1], labels.classes
        train = np.repeat(labels.values[fold.train], times, axis=0)
        points = rows[fold.train].astype(np.float32)
        held = rows[fold.test].astype(np.float32)
        blocks = ridge.blocks_of(fold)
        fewest = times * min(len(points) - len(block) for block in blocks)
        if most > fewest:
            raise ValueError(
                f"neighbours: {most}, but an inner fold has {fewest} to choose from. Hint: fewer of"
                " them, or more clips."
            )
        wrong = np.zeros((len(self.distances), len(self.counts), train.shape[1]))
        own = np.zeros((2, *wrong.shape[:2]))
        for which, distance in enumerate(self.distances):
            for block in blocks:
                rest = np.setdiff1d(np.arange(len(points)), block)
                voters = np.repeat(labels.values[fold.train[rest]], times, axis=0)
                near = neighbours.nearest(_flat(points[block]), _flat(points[rest]), most, distance)
                truth = np.repeat(labels.values[fold.train[block]], times, axis=0)
                for piece in neighbours.pieces(len(near)):
                    asked = truth[piece, None]
                    for place, votes in enumerate(
                        _votes(near[piece], voters, classes, self.counts)
                    ):
                        hit = _right(votes, asked)
                        wrong[which, place] += (1.0 - hit).sum(0)
                        told = _log(votes[..., :1], self.counts[place])[:, None]
                        loss = _class_rows.losses(told, asked[..., :1]).sum()
                        own[:, which, place] += loss, hit[:, 0].sum()
        wrong /= len(train)
        own /= len(train)
        # of choices that do as well the first distance, and the larger number, which is smoother
        flat = wrong[:, ::-1].reshape(-1, wrong.shape[-1])
        best = flat.argmin(0)
        which, place = best // len(self.counts), len(self.counts) - 1 - best % len(self.counts)
        predicted = np.empty((len(held) * times, classes, train.shape[1]))
        for distance in np.unique(which):
            near = neighbours.nearest(_flat(held), _flat(points), most, self.distances[distance])
            for number in np.unique(place[which == distance]):
                mine = np.flatnonzero((which == distance) & (place == number))
                for piece in neighbours.pieces(len(near)):
                    count = self.counts[number]
                    (votes,) = _votes(near[piece], train[:, mine], classes, [count])
                    predicted[piece, :, mine] = _log(votes, count)
        predicted = predicted.reshape(len(held), times, classes, -1)
        return Fitted(
            inner=flat.min(0),
            **labels.sums(predicted, fold.test),
            neighbours=place,
            distance=which,
            predicted=predicted[..., :1].copy(),
            # training clips are named by those of the other inner folds: each is its own nearest
            train_loss=own[0, which[:1], place[:1]],
            train_correct=own[1, which[:1], place[:1]],
            halved=self._halved(points, held, labels, fold, which[0], place[0]),
        )

    def chosen(self, fit: Fitted, column: int) -> dict:
        """What was chosen for a column."""
        place = fit.neighbours[column]
        return {
            "neighbours": self.counts[place],
            "distance": self.distances[fit.distance[column]],
            "inner_error": fit.inner[column],
            "edge_hit": bool(len(self.counts) > 1 and place == len(self.counts) - 1),
        }

    def _halved(
        self,
        points: np.ndarray,
        held: np.ndarray,
        labels: Classes,
        fold: Fold,
        which: int,
        place: int,
    ) -> np.ndarray:
        """Log-probabilities (split, half, clip, time, class, 1) by halves of the training clips."""
        times, classes, count = held.shape[1], labels.classes, self.counts[place]
        first = np.repeat(labels.halves[:, fold.train], times, axis=1)
        truth = np.repeat(labels.values[fold.train, :1], times, axis=0)
        query, index, distance = _flat(held), _flat(points), self.distances[which]
        spare = min(len(index), SPARE * count + 4 * SPARE)
        near = neighbours.nearest(query, index, spare, distance)
        found = np.full((len(first), 2, len(query), classes, 1), -np.log(classes))
        for split, inside in enumerate(first):
            for half, mine in enumerate((inside, ~inside)):
                if mine.sum() < count:
                    continue  # knows as much of the classes as nothing does
                there = mine[near]
                few = there.sum(1) < count
                order = np.argsort(~there, axis=1, kind="stable")[:, :count]
                own = np.take_along_axis(near, order, 1)
                if few.any():
                    kept = np.flatnonzero(mine)
                    own[few] = kept[neighbours.nearest(query[few], index[kept], count, distance)]
                (votes,) = _votes(own, truth, classes, [count])
                found[split, half] = _log(votes, count)
        return found.reshape(len(first), 2, len(held), times, classes, 1)


def _flat(rows: np.ndarray) -> np.ndarray:
    return rows.reshape(-1, rows.shape[-1])


def _votes(
    near: np.ndarray, labels: np.ndarray, classes: int, counts: Sequence[int]
) -> Iterator[np.ndarray]:
    """Votes (row, class, column) of so many of the nearest, ascending; each is changed by the next.

    Parameters
    ----------
    near : (row, neighbour)
        Nearest first.
    labels : (row of training, column)
    classes : int
    counts : sequence of int
    """
    votes = np.zeros((len(near), classes, labels.shape[1]), np.float32)
    names = np.arange(classes, dtype=np.int16)[:, None]
    labels = labels.astype(np.int16)
    for number in range(counts[-1]):
        votes += labels[near[:, number], None] == names
        if number + 1 in counts:
            yield votes


def _right(votes: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Share (row, column) of a row that is named right; classes with as many votes share it."""
    best = votes == votes.max(1, keepdims=True)
    return np.take_along_axis(best, truth, 1)[:, 0] / best.sum(1, dtype=np.float32)


def _log(votes: np.ndarray, count: int) -> np.ndarray:
    """Log-probabilities (row, class, column) of votes of so many neighbours."""
    return np.log((votes.astype(float) + SPREAD) / (count + SPREAD * votes.shape[1]))
