"""kNN: neighbours of held-out clips, and what is chosen inside one fold's training clips."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from physprobe.fit.methods import _votes
from physprobe.fit.methods._classes import Classes
from physprobe.fit.methods._numbers import Numbers
from physprobe.fit.methods._selection import Solver
from physprobe.fit.methods._votes import FittedClasses, FittedNumbers, Votes
from physprobe.statistics import neighbours, ridge
from physprobe.statistics.splits import Fold

SPARE = 8
"""Times as many neighbours as vote are kept: as a rule enough of them lie in every half."""

Weights = Literal["uniform", "distance"]


@dataclass(frozen=True)
class Neighbours(Solver[Numbers | Classes, FittedNumbers | FittedClasses]):
    """Number of neighbours and distance, by the errors of inner folds.

    Of classes that is the share of clips that are named wrong, of numbers the squared error.
    """

    counts: Sequence[int]
    """Ascending."""
    distances: Sequence[neighbours.Distance]
    weights: Weights = "uniform"
    """Whether neighbours count alike, or by one over their distance."""

    def fit(
        self, rows: np.ndarray, labels: Numbers | Classes, fold: Fold
    ) -> FittedNumbers | FittedClasses:
        """Choose number and distance inside one fold's training clips; score its held-out ones.

        Raises
        ------
        ValueError
            If an inner fold has fewer rows than are to vote.
        """
        votes, times, most = _votes.of(labels), rows.shape[1], self.counts[-1]
        known = np.repeat(votes.columns[fold.train], times, axis=0)
        points = rows[fold.train].astype(np.float32)
        held = rows[fold.test].astype(np.float32)
        blocks = ridge.blocks_of(fold)
        fewest = times * min(len(points) - len(block) for block in blocks)
        if most > fewest:
            raise ValueError(
                f"neighbours: {most}, but an inner fold has {fewest} to choose from. Hint: fewer of"
                " them, or more clips."
            )
        wrong = np.zeros((len(self.distances), len(self.counts), known.shape[1]))
        own = np.zeros((2, *wrong.shape[:2], votes.true))
        for which, distance in enumerate(self.distances):
            for block in blocks:
                rest = np.setdiff1d(np.arange(len(points)), block)
                voters = np.repeat(votes.columns[fold.train[rest]], times, axis=0)
                truth = np.repeat(votes.columns[fold.train[block]], times, axis=0)
                near, away = self._near(_flat(points[block]), _flat(points[rest]), distance)
                for piece in neighbours.pieces(len(near)):
                    weights = None if away is None else _weights(away[piece])
                    heard = votes.heard(near[piece], weights, voters, self.counts)
                    for place, (count, said) in enumerate(zip(self.counts, heard, strict=True)):
                        wrong[which, place] += votes.errors(said, truth[piece])
                        own[:, which, place] += votes.own(said, truth[piece], count)
        wrong /= votes.unit(fold, times)
        # of choices that do as well the first distance, and the larger number, which is smoother
        flat = wrong[:, ::-1].reshape(-1, wrong.shape[-1])
        best = flat.argmin(0)
        which, place = best // len(self.counts), len(self.counts) - 1 - best % len(self.counts)
        nothing = votes.nothing(fold)
        predicted = np.empty((len(held) * times, *nothing.shape[:-1], known.shape[1]))
        for distance in np.unique(which):
            near, away = self._near(_flat(held), _flat(points), self.distances[distance])
            for number in np.unique(place[which == distance]):
                mine = np.flatnonzero((which == distance) & (place == number))
                for piece in neighbours.pieces(len(near)):
                    count = self.counts[number]
                    weights = None if away is None else _weights(away[piece])
                    (said,) = votes.heard(near[piece], weights, known[:, mine], [count])
                    predicted[piece, ..., mine] = votes.predictions(said, count)
        true = np.arange(votes.true)
        return votes.fitted(
            fold,
            flat.min(0),
            predicted.reshape(len(held), times, *predicted.shape[1:]),
            # training clips are read by those of the other inner folds: each is its own nearest
            own[:, which[true], place[true], true],
            self._halved(points, held, labels, votes, fold, which[true], place[true]),
            place,
            which,
        )

    def chosen(self, fit: FittedNumbers | FittedClasses, column: int) -> dict:
        """What was chosen for a column."""
        place = fit.neighbours[column]
        return {
            "neighbours": self.counts[place],
            "distance": self.distances[fit.distance[column]],
            **fit.told(column),
            "edge_hit": bool(len(self.counts) > 1 and place == len(self.counts) - 1),
        }

    def _near(
        self,
        query: np.ndarray,
        index: np.ndarray,
        distance: neighbours.Distance,
        count: int | None = None,
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Places (row, neighbour) of so many of the nearest, by default the most that are to vote.

        And how far they are, where that counts.
        """
        near = neighbours.nearest(query, index, count or self.counts[-1], distance)
        if self.weights == "uniform":
            return near, None
        away = neighbours.distances(query, index, near, distance)
        order = np.argsort(away, axis=1, kind="stable")
        return np.take_along_axis(near, order, 1), np.take_along_axis(away, order, 1)

    def _halved(
        self,
        points: np.ndarray,
        held: np.ndarray,
        labels: Numbers | Classes,
        votes: Votes,
        fold: Fold,
        which: np.ndarray,
        place: np.ndarray,
    ) -> np.ndarray:
        """Predictions (split, half, clip, time, ..., true column) by halves of the training clips.

        With what was chosen for each column.
        """
        times, nothing = held.shape[1], votes.nothing(fold)
        first = np.repeat(labels.halves[:, fold.train], times, axis=1)
        known = np.repeat(votes.columns[fold.train], times, axis=0)
        query, index = _flat(held), _flat(points)
        found = np.empty((len(first), 2, len(query), *nothing.shape))
        found[:] = nothing
        for one, number in dict.fromkeys(zip(which.tolist(), place.tolist(), strict=True)):
            if not len(first):
                break
            distance, count = self.distances[one], self.counts[number]
            mine = np.flatnonzero((which == one) & (place == number))
            spare = min(len(index), SPARE * count + 4 * SPARE)
            near, away = self._near(query, index, distance, spare)
            for split, inside in enumerate(first):
                for half, kept in enumerate((inside, ~inside)):
                    if kept.sum() < count:
                        continue  # knows as much of the labels as nothing does
                    there = kept[near]
                    few = there.sum(1) < count
                    order = np.argsort(~there, axis=1, kind="stable")[:, :count]
                    own = np.take_along_axis(near, order, 1)
                    far = None if away is None else np.take_along_axis(away, order, 1)
                    if few.any():
                        again = np.flatnonzero(kept)
                        nearest, beyond = self._near(query[few], index[again], distance, count)
                        own[few] = again[nearest]
                        if far is not None:
                            far[few] = beyond
                    weights = None if far is None else _weights(far)
                    (said,) = votes.heard(own, weights, known[:, mine], [count])
                    found[split, half][..., mine] = votes.predictions(said, count)
        return found.reshape(len(first), 2, len(held), times, *nothing.shape)


def _flat(rows: np.ndarray) -> np.ndarray:
    return rows.reshape(-1, rows.shape[-1])


def _weights(away: np.ndarray) -> np.ndarray:
    """One over distances (row, neighbour), nearest first; those that a row coincides with alone."""
    with np.errstate(divide="ignore"):
        return np.where(away[:, :1] > 0, 1.0 / away, away == 0)
