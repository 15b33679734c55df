"""Attentive: what the probes that attend to a clip's tokens have in common."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from pydantic import Field, field_validator

from physprobe.fit.methods._either import Either
from physprobe.fit.section import SpatialTokens
from physprobe.statistics.splits import Fold

if TYPE_CHECKING:
    from physprobe.fit.methods._samples import Source
    from physprobe.fit.methods._selection import Solver
    from physprobe.fit.methods._trained import Model

Sample = Literal["time", "space_time", "space_last"]
SPATIAL = ("space_time", "space_last")


class Attentive(Either):
    """Fields of the spec of every probe that attends to tokens."""

    TRAINED: ClassVar[bool] = True
    samples: tuple[Sample, ...] = Field(("time",), min_length=1)  # type: ignore[assignment]
    """What is attended to. ``time``: a clip's token times, averaged over space, of every layer.
    Of layers that keep their spatial tokens (``tokens`` of the encoder), and of these alone,
    ``space_time``: all of them; ``space_last``: those of the last token time, as published."""
    cells: int | None = Field(None, ge=1)
    """Means over so many by so many cells of the image stand for spatial tokens; None: no means."""
    rates: tuple[float, ...] = Field(min_length=1)
    """Learning rates to choose from."""
    decays: tuple[float, ...] = Field(min_length=1)
    """Weight decays to choose from: each step takes rate x decay of the weights away."""
    epochs: tuple[int, ...] = Field(min_length=1)
    """Numbers of epochs to choose from, ascending; 0 predicts the training clips' mean."""
    permutations: int = Field(ge=0)
    """Permutations of labels for the null, each as dear as the labels themselves."""

    @field_validator("epochs")
    @classmethod
    def _ascending(cls, epochs: tuple[int, ...]) -> tuple[int, ...]:
        if list(epochs) != sorted(set(epochs)) or epochs[0] < 0 or epochs[-1] < 1:
            raise ValueError("epochs must ascend from 0 or more to at least 1")
        return epochs

    def trained(self) -> "tuple[Model, int | None]":
        """What is trained, and the most clips of a step; None: all training clips."""
        raise NotImplementedError

    def solver(self, components: int | None) -> "Solver":
        """Readouts trained under every setting, all of them in one program.

        Raises
        ------
        ValueError
            If components are asked for.
        """
        from physprobe.fit.methods import _trained

        if components:
            raise ValueError(
                f"{self.kind} takes features as they are."
                " Hint: probe components by ridge or logistic."
            )
        model, batch = self.trained()
        return _trained.Trained(model, self.rates, self.decays, self.epochs, batch, self.seed)

    def sources(
        self,
        features: Sequence[np.ndarray],
        layers: Sequence[str],
        folds: Sequence[Fold],
        components: int | None,
        tokens: Mapping[str, SpatialTokens],
    ) -> "list[Source]":
        """Token times of every layer, and spatial tokens of those that keep them."""
        from physprobe.fit.methods import _samples

        return [
            _samples.spatial(sample, tokens, self.cells)
            if sample in SPATIAL
            else _samples.pooled([sample], features, layers)[0]
            for sample in self.samples
        ]
