"""Paired: how far a score is above others that are read on the same clips.

An encoder against its controls, and all else of this kind. Clips of one group are drawn together,
and the best of several others is found anew in every draw, so that choosing it costs what it
should.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from physprobe.statistics import scores
from physprobe.statistics.scores import Interval, Statistic

Combine = Callable[[Sequence[np.ndarray]], np.ndarray]
"""From several scores, each (...), to one (...)."""


@dataclass(frozen=True)
class Scored:
    """A score, and the clips that it is read on."""

    sums: np.ndarray
    """(..., clip, part) what the score follows from."""
    statistic: Statistic
    """From totals (..., part) to the score."""
    groups: np.ndarray
    """(clip,) clips that are drawn together."""
    shared: bool = False
    """Whether the sums are the clips' weights themselves: the same for every score."""

    @property
    def value(self) -> np.ndarray:
        """The score itself."""
        return self.statistic(self.sums.sum(-2))

    def interval(self, draws: int, seed: int = 0) -> Interval:
        """Score with its 95 % interval."""
        return scores.bootstrap(
            self.sums, self.statistic, groups=self.groups, draws=draws, seed=seed
        )

    def p(self, at: float, draws: int, seed: int = 0) -> float:
        """Two-sided p of one score against a value, by the draws of its interval."""
        return scores.bootstrap_p(
            self.sums, self.statistic, at, groups=self.groups, draws=draws, seed=seed
        )


def combined(parts: Sequence[Scored], combine: Combine) -> Scored:
    """Several scores on the same clips as one.

    Raises
    ------
    ValueError
        If they are read on different clips.
    """
    first = parts[0]
    if not all(np.array_equal(part.groups, first.groups) for part in parts):
        raise ValueError("Scores of different clips can't be compared clip by clip.")
    sums, ends = first.sums, None
    if not first.shared:
        shape = first.sums.shape[:-1]
        sides = [np.broadcast_to(part.sums, (*shape, part.sums.shape[-1])) for part in parts]
        sums, ends = np.concatenate(sides, -1), np.cumsum([s.shape[-1] for s in sides])[:-1]

    def score(totals: np.ndarray) -> np.ndarray:
        each = [totals] * len(parts) if ends is None else np.split(totals, ends, axis=-1)
        return combine([p.statistic(own) for p, own in zip(parts, each, strict=True)])

    return Scored(sums, score, first.groups, first.shared)


def above(own: Scored, *others: Scored) -> Scored:
    """A score less the best of others."""
    return combined((own, *others), lambda found: found[0] - np.max(found[1:], axis=0))


def above_mean(own: Scored, *others: Scored) -> Scored:
    """A score less the mean of others."""
    return combined((own, *others), lambda found: found[0] - np.mean(found[1:], axis=0))


def best(others: Mapping[str, Scored]) -> str:
    """Name of the highest score; of equal ones the first."""
    return max(others, key=lambda name: float(others[name].value))
