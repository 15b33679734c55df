"""Numbers: labels that are numbers, how they are permuted, and the rows that come of them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from physprobe.fit.methods import _further, _rows
from physprobe.fit.methods._rows import Asked, Found
from physprobe.fit.methods._selection import OfNumbers, Solver, Tally
from physprobe.statistics import nulls, resampling


@dataclass(frozen=True)
class Numbers:
    """Numbers of several targets, side by side, true and permuted."""

    METRIC = "r2"
    undefined = staticmethod(_rows.undefined)

    values: np.ndarray
    """(clip, draw, column), the true labels first."""
    widths: Mapping[str, int]
    """Columns of each target, one target after the other."""
    arranged: Mapping[str, nulls.Arrangements] = field(default_factory=dict)
    """How those of each target can be permuted."""
    halved: np.ndarray | None = None
    """(split, clip) 1 or -1, of all clips: halves that fits are redone on; none: of no split."""
    groups: np.ndarray | None = None
    """(clip,) clips whose predictions are averaged for a score by group; none: of no clips."""
    rendered: bool = False
    """Whether clips are scored in another rendering than that which is fitted to."""

    @property
    def halves(self) -> np.ndarray:
        """(split, clip) bool: whether a clip is in the first half."""
        none = np.zeros((0, len(self.values)), bool)
        return none if self.halved is None else self.halved > 0

    @classmethod
    def of(cls, targets: Mapping[str, np.ndarray], asked: Asked) -> Iterator["Numbers"]:
        """All targets, (clip,) or (clip, column), which are fitted at once."""
        groups = asked.held.everyone
        columns = {
            name: np.asarray(values, float).reshape(len(groups), -1)
            for name, values in targets.items()
        }
        truth = np.concatenate(list(columns.values()), axis=1)
        order = nulls.permutations(groups, asked.spec.permutations, asked.spec.seed, asked.strata)
        labels = np.concatenate([truth[:, None], truth[order].transpose(1, 0, 2)], axis=1)
        widths = {name: part.shape[1] for name, part in columns.items()}
        parts = np.split(labels, np.cumsum(list(widths.values()))[:-1], axis=2)
        yield cls(
            labels,
            widths,
            {
                name: nulls.Arrangements.of_labels(part, groups, asked.strata, asked.used)
                for name, part in zip(widths, parts, strict=True)
            },
            asked.held.halves,
            groups,
            asked.held.rendered,
        )

    def grouped(self, residual: np.ndarray, clips: np.ndarray) -> np.ndarray:
        """Squared errors (column,) of groups' mean predictions; see ``_selection.OfNumbers``.

        Parameters
        ----------
        residual : (clip, time, column)
            Predictions less labels, of held-out clips.
        clips : (clip,)
            Those clips.
        """
        if self.groups is None or len(np.unique(self.groups)) == len(self.groups):
            return np.zeros(0)
        groups = self.groups[clips]
        _, sizes = np.unique(groups, return_counts=True)
        return ((resampling.by_group(residual.mean(1), groups) / sizes[:, None]) ** 2).sum(0)

    @staticmethod
    def about(targets: Mapping[str, np.ndarray], asked: Asked) -> dict:
        """What predictions say of labels besides."""
        return {}

    @property
    def targets(self) -> tuple[str, ...]:
        """Names of the targets."""
        return tuple(self.widths)

    def rows(self, tally: Tally[OfNumbers], solver: Solver, asked: Asked) -> Found:
        """Rows, predictions and choices of one sample."""
        arranged = list(self.arranged.values())
        found = _rows.collect(
            asked.spec,
            tally,
            self.values,
            self.widths,
            arranged,
            asked.folds,
            asked.held,
            asked.times,
            solver,
        )
        found.rows += _further.rows(self.values, self.widths, arranged, tally, solver, asked)
        return found
