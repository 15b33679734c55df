"""Claim: an embedding is more than a linear function of the pixels."""

from typing import Literal

import numpy as np

from physprobe.falsify._claim import Claim, Needs, judged
from physprobe.falsify._evidence import Evidence, verdict
from physprobe.statistics import paired


class Spec(Claim):
    """Variance of the embedding that no pixel control predicts linearly, 1 - R2 of the best one."""

    kind: Literal["beyond_pixels"] = "beyond_pixels"
    """Linear maps from every pixel control."""
    margin: float = 0.2
    """Share of the variance that has to be left over; the published rule asks for 0.2."""

    def needs(self) -> Needs:
        """What it is judged from."""
        return Needs(of_kinds=("pixels",))


def judge(spec: Spec, evidence: Evidence, encoder: str) -> dict:
    """Judge the claim for one encoder."""
    maps = {
        name: found
        for (owner, name, direction), found in evidence.maps.items()
        if owner == encoder and direction == "pixel_to_embed"
    }
    if not maps:
        return judged(spec, verdict="cannot tell", note="the study has no pixel control")
    left_over = paired.combined(tuple(maps.values()), lambda found: 1.0 - np.max(found, axis=0))
    interval = left_over.interval(evidence.bootstraps)
    return judged(
        spec,
        statistic="1 - R2 of the embedding from pixels",
        best_control=paired.best(maps),
        verdict=verdict(interval.low, interval.high, spec.margin),
        **interval.columns(),
    )
