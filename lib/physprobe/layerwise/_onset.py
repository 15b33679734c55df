"""Onset: the first layer whose score reaches a level, with an interval from a simultaneous band.

    onset       first layer with score >= level
    earliest    first layer where the band's upper edge reaches it
    latest      first layer where its lower edge does

Wherever in the band the true curve runs, its own onset is between the two: a 95 % band of the whole
curve gives a 95 % interval of the onset, with nothing else assumed. A dip after the onset doesn't
count; neither does a layer after it that is higher by chance.
"""

from dataclasses import dataclass

import numpy as np

from physprobe.core.scores import Interval


@dataclass(frozen=True)
class Onset:
    """Places among the layers; None: at no layer."""

    place: int | None
    earliest: int | None
    latest: int | None

    @classmethod
    def of(cls, curve: Interval, level: float) -> "Onset":
        """Onset of a curve with its band, each (layer,)."""
        return cls(*(_first(edge >= level) for edge in (curve.value, curve.high, curve.low)))

    def row(self, layers: list[str]) -> dict:
        """Columns of a result's row: places, and in words which layers these are."""
        return {
            "value": self.place,
            "ci_low": self.earliest,
            "ci_high": self.latest,
            "note": self.told(layers),
        }

    def told(self, layers: list[str]) -> str:
        """In words; ``layer 8 [7, 9]``."""
        here = "not reached" if self.place is None else f"layer {layers[self.place]}"
        if self.earliest is None:
            return here if self.place is None else f"{here} [no band]"
        last = "not certain" if self.latest is None else layers[self.latest]
        return f"{here} [{layers[self.earliest]}, {last}]"


def _first(reached: np.ndarray) -> int | None:
    return int(reached.argmax()) if reached.any() else None
