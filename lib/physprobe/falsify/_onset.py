"""Onset: the first layer whose score reaches a level, with an interval from a simultaneous band.

    onset       first layer with score >= level
    earliest    first layer where the band's upper edge reaches it
    latest      first layer where its lower edge does

Wherever in the band the true curve runs, its own onset is between the two: a 95 % band of the whole
curve gives a 95 % interval of the onset, with nothing else assumed. A dip after the onset doesn't
count; neither does a layer after it that is higher by chance. What encoders of different sizes have
in common is the depth of a layer: the part of all blocks that are applied.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from physprobe.statistics.intervals import Interval


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

    def rows(self, layers: list[str]) -> dict[str, dict]:
        """Columns of a result's rows: by place in ``""``, by depth in ``_depth``; both in words."""
        places, parts = range(len(layers)), depths(layers)
        return {
            "": self._row(places, [f"layer {layer}" for layer in layers], layers),
            "_depth": self._row(parts, *([f"{word}{part:.2f}" for part in parts]
                                         for word in ("depth ", ""))),
        }  # fmt: skip

    def _row(self, values: Sequence, here: list[str], ends: list[str]) -> dict:
        found = (self.place, self.earliest, self.latest)
        value, low, high = (None if place is None else values[place] for place in found)
        told = "not reached" if self.place is None else here[self.place]
        if self.earliest is not None:
            last = "not certain" if self.latest is None else ends[self.latest]
            told += f" [{ends[self.earliest]}, {last}]"
        elif self.place is not None:
            told += " [no band]"
        return {"value": value, "ci_low": low, "ci_high": high, "note": told}


def depths(layers: list[str]) -> list[float | None]:
    """Blocks applied out of all, 0 to 1, of an encoder's layers; ``final`` follows on all of them.

    None of what has no blocks, such as pixels.
    """
    blocks = max((int(layer) for layer in layers if layer.isdecimal()), default=0)
    if not blocks:
        return [None] * len(layers)
    return [1.0 if layer == "final" else int(layer) / blocks for layer in layers]


def _first(reached: np.ndarray) -> int | None:
    return int(reached.argmax()) if reached.any() else None
