"""Nested selection of layer, scaling and penalty by log loss, for true and permuted labels at once.

The counterpart of ``_nested`` for classes. A permuted label is one more column: all of them are
fitted together, and each goes through the whole selection that the true labels go through.

Inner folds go from the strongest penalty to weaker ones, each fit starting from the one before. A
column is done when two penalties in turn have not lowered its loss: labels that the features don't
hold, as permuted ones, never get to the penalties that are weak, slow, and of no use to them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from physprobe.fit.methods._selection import Classes, Tally, visits
from physprobe.statistics import logistic, orders, ridge, scores
from physprobe.statistics.splits import Fold

TIE = 1e-7  # of the log loss per row: fits that inner folds compare are no more exact
PATIENCE = 2


@dataclass(frozen=True)
class Fitted(Classes):
    """What was chosen in one outer fold, and what came of it; ``column`` is the last axis."""

    TIE = TIE

    penalty: np.ndarray
    """(column,) place in the grid."""
    scaling: np.ndarray
    """(column,) place among the scalings."""


def decode(
    features: Sequence[np.ndarray],
    labels: np.ndarray,
    classes: int,
    folds: Sequence[Fold],
    *,
    samples: Sequence[str],
    penalties: Sequence[float],
    scalings: Sequence[str],
    inner_times: int,
    components: int | None = None,
    groups: np.ndarray | None = None,
    parts: np.ndarray | None = None,
) -> list[Tally]:
    """Fit every layer, and choose among them, in every outer fold.

    Parameters
    ----------
    features : sequence over layers of (clip, time, feature)
        Read one at a time.
    labels : (clip, column) int
        Number of each clip's class: the true label first, then permuted ones.
    classes : int
    folds : sequence of Fold
    samples : sequence of "clip", "token"
        Mean over time of each clip, or each token time as a row with its clip's label.
    penalties, scalings : sequence
        Grids to choose from; penalties ascend.
    inner_times : int
        Token times of each clip, evenly spread, that inner folds choose on.
    components : int, optional
        Principal components, fitted on training clips, to use in place of the features.
    groups : (clip,), optional
        Clips whose order by probability is scored; each on its own if not given.
    parts : (part, clip) bool, optional
        Clips that are scored together; all of them if not given. Nothing is fitted apart.

    Returns
    -------
    list of Tally
        One per sample.
    """
    groups = np.arange(len(labels)) if groups is None else groups
    parts = np.ones((1, len(labels)), bool) if parts is None else parts
    tallies = [Tally(sample, [], [None] * len(folds)) for sample in samples]
    for number, place, tally, rows in visits(features, folds, tallies, components):
        fold = folds[place]
        shown = groups[fold.test], parts[:, fold.test]
        chosen = _Rows(rows, labels, classes, fold, penalties, inner_times, *shown)
        best = None
        for scaling, name in enumerate(scalings):
            best = chosen.fit(name, scaling, number).or_better(best)
        tally.layers[-1].append(best)
        tally.selected[place] = best.or_better(tally.selected[place])
    return tallies


class _Rows:
    """One layer's rows in one outer fold."""

    def __init__(
        self,
        rows: np.ndarray,
        labels: np.ndarray,
        classes: int,
        fold: Fold,
        penalties: Sequence[float],
        inner_times: int,
        groups: np.ndarray,
        parts: np.ndarray,
    ):
        self.groups, self.parts = groups, parts
        self.places, self.count = fold.train, len(labels)
        self.centred, self.blocks = ridge.centre(rows, fold), ridge.blocks_of(fold)
        self.train, self.test = labels[fold.train], labels[fold.test]
        self.classes, self.penalties = classes, np.asarray(penalties)
        times = rows.shape[1]
        spread = np.linspace(0, times - 1, min(inner_times, times))
        self.inner_times = np.unique(np.rint(spread).astype(int))

    def fit(self, name: str, scaling: int, layer: int) -> Fitted:
        """Choose a penalty inside the training clips; score the held-out clips."""
        scale = self.centred.scale(name)
        train, test = self.centred.train / scale, self.centred.test / scale
        clips, times, features = train.shape
        count = clips * times
        unit = np.einsum("ntf,ntf->", train, train) / min(count, features)
        if count <= features:
            turned = logistic.Basis(train.reshape(count, features))
            train, test = turned.rotated(train), turned.rotated(test)
        inner = self._crossval(train[:, self.inner_times], unit * len(self.inner_times) / times)
        place = self._best(inner)
        basis = logistic.Basis(train.reshape(count, -1))
        rows = np.repeat(self.train, times, axis=0)
        fitted = logistic.fit(basis, rows, self.classes, self.penalties[place] * unit)
        found = logistic.log_probabilities(_logits(basis, test, fitted), 2)
        own = logistic.log_probabilities(_logits(basis, train, fitted[..., :1]), 2)
        true = self.train[:, None, :1]
        return Fitted(
            inner=np.take_along_axis(inner, place[None], 0)[0],
            **scored(found, self.test, self.groups, self.parts),
            penalty=place,
            scaling=np.full_like(place, scaling),
            layer=np.full_like(place, layer),
            predicted=found[..., :1],
            train_loss=losses(own, true).mean((0, 1)),
            train_correct=right(own, true).mean((0, 1)),
            influence=self._influence(basis, test, fitted[..., 0], self.penalties[place[0]] * unit),
        )

    def _influence(
        self, basis: logistic.Basis, test: np.ndarray, fitted: np.ndarray, penalty: float
    ) -> np.ndarray:
        """What a weight on each clip does, through the true label's fit, to held-out accuracy."""
        times = test.shape[1]
        known, asked = np.repeat(self.train[:, 0], times), np.repeat(self.test[:, 0], times)
        coordinates = basis.coordinates(test).reshape(len(asked), -1)
        margin, slopes = margins(coordinates @ fitted, asked, self.classes)
        directions = np.einsum("nd,nk->dkn", coordinates, slopes)
        moved = logistic.reached(basis, known, self.classes, penalty, fitted, directions, times)
        found = np.zeros((self.count, 1))
        found[self.places, 0] = moved @ crossing(margin, moved) / times
        return found

    def _crossval(self, train: np.ndarray, unit: float) -> np.ndarray:
        """Log loss over all inner folds (penalty, column), mean over rows; inf if not needed."""
        clips, times, features = train.shape
        parts = []
        for block in self.blocks:
            rest = np.setdiff1d(np.arange(clips), block)
            basis = logistic.Basis(train[rest].reshape(-1, features))
            parts.append((basis, basis.coordinates(train[block]), rest, block))
        found = np.full((len(self.penalties), self.train.shape[1]), np.inf)
        going, starts = np.arange(self.train.shape[1]), [None] * len(parts)
        best, waited = np.full(len(going), np.inf), np.zeros(len(going), int)
        for place in reversed(range(len(self.penalties))):
            penalty = self.penalties[place] * unit
            total = np.zeros(len(going))
            for number, (basis, held, rest, block) in enumerate(parts):
                rows = np.repeat(self.train[np.ix_(rest, going)], times, axis=0)
                starts[number] = logistic.fit(
                    basis, rows, self.classes, penalty,
                    start=starts[number], tolerance=logistic.SELECTION,
                )  # fmt: skip
                logits = np.einsum("ntd,dkc->ntkc", held, starts[number], optimize=True)
                guess = logistic.log_probabilities(logits, 2)
                truth = self.train[np.ix_(block, going)]
                total += losses(guess, truth[:, None]).sum((0, 1))
            found[place, going] = total = total / (clips * times)
            lower = total < best - TIE
            best, waited = np.where(lower, total, best), np.where(lower, 0, waited + 1)
            left = waited < PATIENCE
            if not left.any():
                break
            going, best, waited = going[left], best[left], waited[left]
            starts = [start[..., left] for start in starts]
        return found

    @staticmethod
    def _best(inner: np.ndarray) -> np.ndarray:
        """Place of the smallest loss (column,), ties toward the larger penalty."""
        tied = inner <= inner.min(0) + TIE
        return len(inner) - 1 - tied[::-1].argmax(0)


def margins(logits: np.ndarray, truth: np.ndarray, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """True class's logit less the best other (row,), above 0 where right; slopes (row, logit)."""
    rows = np.arange(len(logits))
    if classes == 2:
        sign = 2.0 * truth[:, None] - 1.0
        return (sign * logits)[:, 0], sign
    others = logits.copy()
    others[rows, truth] = -np.inf
    best = others.argmax(1)
    slopes = np.zeros_like(logits)
    slopes[rows, truth], slopes[rows, best] = 1.0, -1.0
    return logits[rows, truth] - logits[rows, best], slopes


def crossing(margin: np.ndarray, moved: np.ndarray) -> np.ndarray:
    """Slope of each row's being right by its margin (row,), a step that is smoothed.

    In sum the slopes are the density of margins at 0. They are smoothed as densities are, by
    Silverman's rule, and by what margins vary through the fits: so much a draw moves them.

    Parameters
    ----------
    margin : (row,)
    moved : (training clip, row)
        How far a weight on each clip moves each margin.
    """
    spread = 1.06 * margin.std() * len(margin) ** -0.2
    width = np.sqrt(spread**2 + (moved**2).sum(0)) + np.finfo(float).tiny
    return np.exp(-0.5 * (margin / width) ** 2) / (width * np.sqrt(2 * np.pi))


def scored(
    log_probabilities: np.ndarray, truth: np.ndarray, groups: np.ndarray, parts: np.ndarray
) -> dict[str, np.ndarray]:
    """Sums over each part of the held-out clips: fields of ``_selection.Classes``.

    Parameters
    ----------
    log_probabilities : (clip, time, class, column)
    truth : (clip, column) int
    groups : (clip,)
    parts : (part, clip) bool
    """
    kept = []
    for part in parts:
        mine, asked = log_probabilities[part], truth[part]
        wins, pairs = orderings(mine, asked)
        ordered, compared = orders.contrasted(mine, asked, groups[part])
        kept.append(
            {
                "loss": losses(mine, asked[:, None]).sum(0),
                "correct": right(mine, asked[:, None]).sum(0),
                "wins": wins,
                "pairs": pairs,
                "ordered": ordered.sum(0),
                "compared": compared.sum(0),
            }
        )
    return {name: np.stack([part[name] for part in kept]) for name in kept[0]}


def losses(log_probabilities: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Log loss (clip, time, column) from (clip, time, class, column) and numbers of classes."""
    truth = np.broadcast_to(truth, np.delete(log_probabilities.shape, 2))
    return -np.take_along_axis(log_probabilities, truth[:, :, None], 2)[:, :, 0]


def right(log_probabilities: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Whether the most probable class is the true one (clip, time, column); those tied share."""
    best = log_probabilities >= log_probabilities.max(2, keepdims=True) - scores.TIED
    truth = np.broadcast_to(truth, np.delete(log_probabilities.shape, 2))
    return np.take_along_axis(best, truth[:, :, None], 2)[:, :, 0] / best.sum(2)


def orderings(log_probabilities: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of clips in the right order, of one class and another: AUC is their share.

    Parameters
    ----------
    log_probabilities : (clip, time, class, column)
    truth : (clip, column) int

    Returns
    -------
    wins : (time, one-against-rest, column)
        Clips at the same token time are compared; a tie counts half.
    pairs : (one-against-rest, column)
    """
    marks = orders.ranked(log_probabilities)
    order = marks.argsort(0, kind="stable")
    ranks = np.empty(marks.shape)
    numbers = np.arange(1.0, len(marks) + 1).reshape(-1, 1, 1, 1)
    np.put_along_axis(ranks, order, numbers, 0)
    backwards = np.empty(marks.shape)
    np.put_along_axis(backwards, marks[::-1].argsort(0, kind="stable"), numbers, 0)
    ranks = 0.5 * (ranks + backwards[::-1])  # ties share their mean rank
    member = truth[:, None] == orders.numbers_of(log_probabilities.shape[2])[:, None]
    inside = member.sum(0)
    wins = np.einsum("ntac,nac->tac", ranks, member.astype(float)) - inside * (inside + 1) / 2
    return wins, inside * (len(truth) - inside)


def _logits(basis: logistic.Basis, rows: np.ndarray, fitted: np.ndarray) -> np.ndarray:
    """Logits (clip, time, logit, column)."""
    return np.einsum("ntd,dkc->ntkc", basis.coordinates(rows), fitted, optimize=True)
