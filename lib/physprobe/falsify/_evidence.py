"""Evidence: the results of one study, by encoder and control, as the claims read them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from physprobe.statistics import nulls
from physprobe.statistics.paired import Scored
from physprobe.store.fits import Decoded, Fits


@dataclass(frozen=True)
class Evidence:
    """Results of a study's encoders and controls."""

    encoders: tuple[str, ...]
    controls: tuple[str, ...]
    labels: Mapping[str, str]
    """What each embedding is, for people; random weights say ``untrained``."""
    probes: Fits = field(default_factory=Fits)
    koopman: Fits = field(default_factory=Fits)
    heads: Fits = field(default_factory=Fits)
    specs: Mapping[str, Mapping] = field(default_factory=dict)
    """Entry of the config that each embedding was made by: its kind, and what it is."""
    pixels: tuple[dict, ...] = ()
    """Rows of the linear maps between pixels and encoders; see ``_pixels``."""
    maps: Mapping[tuple[str, str, str], Scored] = field(default_factory=dict)
    """R2 of those maps by encoder, pixel control and direction."""
    bootstraps: int = 2000
    systems: Mapping[str, "Evidence"] = field(default_factory=dict)
    """Of a comparison: the evidence of each of its systems."""

    def of(self, system: str) -> "Evidence":
        """Evidence of one system of a comparison, which knows the others too; all if unnamed."""
        return replace(self.systems[system], systems=self.systems) if system else self

    def decoded(self, names: tuple[str, ...], target: str, sample: str) -> dict[str, Decoded]:
        """How well probes decode a target, of those for which it is defined."""
        found = {name: self.probes.decoded(name, target, sample) for name in names}
        return {name: score for name, score in found.items() if score is not None}

    def shuffled_null(self, name: str, horizon: int) -> dict:
        """95th percentile and p of skill against persistence, or a note; of time-shuffled fits."""
        *_, layer = self.koopman[name]["forecast"]
        where = {"metric": "skill", "order": 1, "baseline": "persistence", "horizon": horizon}
        row = self.koopman.row(name, layer=layer, **where)
        null = {key: row[key] if row else None for key in ("null_q95", "p")}
        return null | {"note": undefined_p(row)}


def verdict(low: float | None, high: float | None, margin: float, p: float | None = 0.0) -> str:
    """Supported if the whole interval is above the margin and p below 0.05, refuted if below.

    A p that is undefined (None) supports nothing; a claim that needs none gives none. Without an
    interval (None or nan) nothing can be told.
    """
    if low is None or high is None or not np.isfinite([low, high]).all():
        return "cannot tell"
    if low > margin and p is not None and p < nulls.LEVEL:
        return "supported"
    return "refuted" if high <= margin else "cannot tell"


def undefined_p(row: Mapping | None) -> str | None:
    """Why a row has no p; None if it has one."""
    if row is None:
        return "no score has a p"
    if row["p"] is not None:
        return None
    told = [part for part in (row.get("note") or "").split("; ") if part.startswith("no permut")]
    return "p is undefined: " + (told[0] if told else "there are no permutations")
