"""Selection: what probes of numbers and of classes share when they choose among nested fits."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import ClassVar, Self

import numpy as np

from physprobe.core import ridge
from physprobe.core.splits import Fold


class Choice:
    """Base of what was chosen in one outer fold: a dataclass of arrays, ``column`` the last axis.

    Its ``inner`` (column,) is the error over the inner folds, of which less is better.
    """

    TIE: ClassVar[float]
    """Difference up to which two errors count as equal."""

    def or_better(self, other: Self | None) -> Self:
        """Column by column, the one with the smaller inner error; this one if they are equal."""
        if other is None:
            return self
        better = other.inner < self.inner - self.TIE
        return type(self)(
            *(
                np.where(better[: mine.shape[-1]], theirs, mine)
                for mine, theirs in (
                    (getattr(self, field.name), getattr(other, field.name))
                    for field in fields(self)
                )
            )
        )


@dataclass
class Tally:
    """Everything fitted on one sample: ``layers[layer][fold]`` and ``selected[fold]``."""

    sample: str
    layers: list[list[Choice]]
    selected: list[Choice | None]


def visits(
    features: Sequence[np.ndarray],
    folds: Sequence[Fold],
    tallies: Sequence[Tally],
    components: int | None,
) -> Iterator[tuple[int, int, Tally, np.ndarray]]:
    """Everything that is to be fitted: layer, fold, tally, and rows (clip, time, feature).

    Layers are read one at a time, and each tally gets a list for what is fitted to each.
    """
    for number, layer in enumerate(features):
        tokens = np.asarray(layer, dtype=np.float64)
        for tally in tallies:
            tally.layers.append([])
        for place, fold in enumerate(folds):
            inputs = ridge.principal(tokens, fold.train, components) if components else tokens
            for tally in tallies:
                yield number, place, tally, rows_of(inputs, tally.sample)


def rows_of(tokens: np.ndarray, sample: str) -> np.ndarray:
    """Rows (clip, row, feature) that a probe is fitted to.

    Parameters
    ----------
    tokens : (clip, time, feature)
    sample : str
        "token": each token time, with its clip's label; and with one row per clip "clip", the mean
        over time, "temporal_last", "temporal_first", and "temporal_diff", the last less the first.

    Raises
    ------
    ValueError
        If a difference is asked of a single token time.
    """
    match sample:
        case "token":
            return tokens
        case "clip":
            return tokens.mean(1, keepdims=True)
        case "temporal_last":
            return tokens[:, -1:]
        case "temporal_first":
            return tokens[:, :1]
        case "temporal_diff" if tokens.shape[1] > 1:
            return tokens[:, -1:] - tokens[:, :1]
    raise ValueError(
        f"sample {sample!r} of {tokens.shape[1]} token times can't be had. Hint: a difference needs"
        " two times."
    )
