"""Descent: what the probes that are trained by gradient steps have in common."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from pydantic import Field, field_validator

from physprobe.fit.methods._either import Either
from physprobe.fit.section import SpatialTokens
from physprobe.statistics.splits import Fold

if TYPE_CHECKING:
    from physprobe.fit.methods._samples import Source
    from physprobe.fit.methods._selection import Solver
    from physprobe.fit.methods._trained import Model


class Descent(Either):
    """Fields of the spec of every probe that is trained by AdamW, chosen on inner folds."""

    TRAINED: ClassVar[bool] = True
    components: int | None = Field(None, ge=1)
    """Principal components of each fit's own training clips, z-scored, that stand for the features,
    so that probes of encoders of any width have as many parameters; None: the features themselves.
    What has fewer features is read by as many as it has."""
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

        Of a control that is components itself no more are read than it has.
        """
        from physprobe.fit.methods import _trained

        asked = [count for count in (self.components, components) if count]
        model, batch = self.trained()
        return _trained.Trained(
            model, self.rates, self.decays, self.epochs, batch, self.seed, min(asked, default=None)
        )

    def sources(
        self,
        features: Sequence[np.ndarray],
        layers: Sequence[str],
        folds: Sequence[Fold],
        components: int | None,
        tokens: Mapping[str, SpatialTokens],
    ) -> "list[Source]":
        """Samples of the pooled tokens; components follow when a fit has its own training clips."""
        return super().sources(features, layers, folds, None, tokens)
