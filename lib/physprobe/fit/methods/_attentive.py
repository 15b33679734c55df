"""Attentive: what the probes that attend to a clip's tokens have in common."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import Field

from physprobe.fit.methods._descent import Descent
from physprobe.fit.section import SpatialTokens
from physprobe.statistics.splits import Fold

if TYPE_CHECKING:
    from physprobe.fit.methods._samples import Source

Sample = Literal["time", "space_time", "space_last"]
SPATIAL = ("space_time", "space_last")


class Attentive(Descent):
    """Fields of the spec of every probe that attends to tokens."""

    samples: tuple[Sample, ...] = Field(("time",), min_length=1)  # type: ignore[assignment]
    """What is attended to. ``time``: a clip's token times, averaged over space, of every layer.
    Of layers that keep their spatial tokens (``tokens`` of the encoder), and of these alone,
    ``space_time``: all of them; ``space_last``: those of the last token time, as published."""
    cells: int | None = Field(None, ge=1)
    """Means over so many by so many cells of the image stand for spatial tokens; None: no means."""

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
