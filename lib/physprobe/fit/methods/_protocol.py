"""What all probes have in common: targets, samples, folds, and how sure a score has to be."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from physprobe.fit.section import Grouping, MethodSpec, SpatialTokens
from physprobe.statistics.splits import Fold

if TYPE_CHECKING:
    from physprobe.fit.methods._classes import Classes
    from physprobe.fit.methods._numbers import Numbers
    from physprobe.fit.methods._samples import Source
    from physprobe.fit.methods._selection import Solver

Sample = Literal["clip", "token", "temporal_last", "temporal_first", "temporal_diff"]


class Protocol(MethodSpec):
    """Fields of every probe's spec."""

    ROLE = "probe"

    targets: tuple[str, ...] = Field(("alpha", "log_alpha"), min_length=1)
    """Labels to decode; ``log_<label>`` is the logarithm of one, ``sincos_<label>`` sine and
    cosine of an angle, ``sincos2_`` and ``sincos3_`` its harmonics, ``vxy`` the pair vx and vy."""
    samples: tuple[Sample, ...] = Field(("clip", "token"), min_length=1)
    """``clip``: mean over time of each clip; ``token``: each token time as a row of its own;
    ``temporal_last``, ``temporal_first``: one token time; ``temporal_diff``: last less first."""
    grouping: Grouping = "clip"
    """Clips that are on one side of every fold, outer and inner: ``clip`` keeps the system's own
    groups together, or none; others those alike in it, such as ``direction``."""
    outer: int = Field(5, ge=2)
    """Outer folds; not used where the system declares its split."""
    inner: int = Field(4, ge=2)
    """Folds inside the training clips, on which every choice is made."""
    permutations: int = Field(200, ge=1)
    """Permutations of labels between clips for the null."""
    bootstraps: int = Field(2000, ge=100)
    """Bootstrap draws over clips for the intervals."""
    seed: int = Field(0, ge=0)
    """Seed of folds, permutations and draws."""
    z_mse: bool = False
    """Whether numbers also have the mean squared error of labels that are standardised by those of
    the training clips, the measure that is published of parameter recovery."""

    @model_validator(mode="after")
    def _standardised(self) -> Self:
        if self.z_mse and self.of_classes:
            raise ValueError("z_mse: only numbers have it; set readout: number, or leave it out")
        return self

    @property
    def folds_by(self) -> str:
        """Clips that are on one side of every fold; see ``splits.GROUPINGS``."""
        return self.grouping

    @property
    def label_type(self) -> "type[Numbers] | type[Classes]":
        """How its labels are permuted, and which rows come of them: numbers, or classes."""
        from physprobe.fit.methods._numbers import Numbers

        return Numbers

    def solver(self, components: int | None) -> "Solver":
        """What labels are fitted by.

        Parameters
        ----------
        components : int or None
            Principal components that take the place of the features, if any.

        Raises
        ------
        ValueError
            If it can't be fitted to components.
        """
        raise NotImplementedError

    def sources(
        self,
        features: Sequence[np.ndarray],
        layers: Sequence[str],
        folds: Sequence[Fold],
        components: int | None,
        tokens: Mapping[str, SpatialTokens],
    ) -> "list[Source]":
        """Its samples of every layer; by default, of the pooled tokens."""
        from physprobe.fit.methods import _samples

        return _samples.pooled(self.samples, features, layers, folds, components)
