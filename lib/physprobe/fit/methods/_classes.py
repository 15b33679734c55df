"""Classes: labels that are classes, how they are permuted, and the rows that come of them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from physprobe.fit.methods import _class_rows, _class_scores
from physprobe.fit.methods._rows import Asked, Found
from physprobe.fit.methods._selection import OfClasses, Solver, Tally
from physprobe.statistics import nulls


@dataclass(frozen=True)
class Classes:
    """Classes of one target, true and permuted."""

    METRIC = "accuracy"
    undefined = staticmethod(_class_rows.undefined)

    values: np.ndarray
    """(clip, column) number of each clip's class, the true label first."""
    classes: int
    """How many there are."""
    groups: np.ndarray
    """(clip,) clips whose order by probability is scored."""
    parts: Mapping[str | None, np.ndarray]
    """Clips (clip,) that are scored together: all of them first, by the name None."""
    target: str = ""
    arranged: nulls.Arrangements | None = None
    """How they can be permuted."""
    halved: np.ndarray | None = None
    """(split, clip) 1 or -1, of all clips: halves that fits are redone on; none: of no split."""

    @property
    def halves(self) -> np.ndarray:
        """(split, clip) bool: whether a clip is in the first half."""
        none = np.zeros((0, len(self.values)), bool)
        return none if self.halved is None else self.halved > 0

    @classmethod
    def of(cls, targets: Mapping[str, np.ndarray], asked: Asked) -> Iterator["Classes"]:
        """Targets (clip,) by themselves, one after the other."""
        groups = asked.held.everyone
        parts: dict[str | None, np.ndarray] = {None: np.ones(len(groups), bool)}
        if asked.parts is not None:
            parts |= {str(value): asked.parts == value for value in np.unique(asked.parts)}
        for name, values in targets.items():
            classes, truth = np.unique(values, return_inverse=True)
            labels = _class_rows.shuffled(truth, groups, asked.spec.permutations, asked.spec.seed)
            arranged = nulls.Arrangements.of_classes(labels, groups, asked.used)
            halves = asked.held.halves
            yield cls(labels, len(classes), groups, parts, name, arranged, halves)

    @staticmethod
    def about(targets: Mapping[str, np.ndarray], asked: Asked) -> dict:
        """What predictions say of labels besides: names of classes, and what is scored apart."""
        apart = {} if asked.parts is None else {"part": asked.parts[asked.held.clip]}
        return {"classes": {name: np.unique(values) for name, values in targets.items()}, **apart}

    @property
    def targets(self) -> tuple[str, ...]:
        """Names of the targets: there is one."""
        return (self.target,)

    def sums(self, log_probabilities: np.ndarray, clips: np.ndarray) -> dict[str, np.ndarray]:
        """Sums over held-out clips (clip,), part by part: fields of ``_selection.OfClasses``."""
        parts = np.stack([part[clips] for part in self.parts.values()])
        return _class_scores.scored(
            log_probabilities, self.values[clips], self.groups[clips], parts
        )

    def rows(self, tally: Tally[OfClasses], solver: Solver, asked: Asked) -> Found:
        """Rows, predictions and choices of one sample."""
        assert self.arranged is not None, "made by `of`"
        return _class_rows.collect(
            asked.spec,
            self.target,
            tally,
            self.values,
            self.arranged,
            asked.folds,
            asked.held,
            asked.times,
            self.parts,
            solver,
        )
