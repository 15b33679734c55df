"""Claim: an embedding is more than a linear function of the pixels."""

from typing import Literal

import numpy as np

from physprobe.falsify._claim import Claim, Needs, judged
from physprobe.falsify._evidence import Evidence, verdict
from physprobe.statistics import scores


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
        name: sums
        for (owner, name, direction), sums in evidence.pixel_sums.items()
        if owner == encoder and direction == "pixel_to_embed"
    }
    if not maps:
        return judged(spec, verdict="cannot tell", note="the study has no pixel control")

    def left_over(totals: np.ndarray) -> np.ndarray:
        return 1.0 - np.max(
            [scores.skill_of(part) for part in np.split(totals, len(maps), axis=-1)], axis=0
        )

    value, low, high = scores.bootstrap(
        np.concatenate(list(maps.values()), axis=-1), left_over, draws=evidence.bootstraps
    )
    best = max(maps, key=lambda name: float(scores.skill_of(maps[name].sum(0))))
    return judged(
        spec,
        statistic="1 - R2 of the embedding from pixels",
        value=float(value),
        ci_low=float(low),
        ci_high=float(high),
        best_control=best,
        verdict=verdict(float(low), float(high), spec.margin),
    )
