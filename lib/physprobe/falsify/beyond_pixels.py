"""Claim: an embedding is more than a linear function of the pixels."""

from collections.abc import Mapping
from typing import Literal

import numpy as np

from physprobe.falsify import _pixels
from physprobe.falsify._claim import Claim, Judgement, Needs, judged, measured, verdict
from physprobe.statistics import paired
from physprobe.statistics.paired import Scored
from physprobe.store.evidence import Evidence


class Spec(Claim):
    """Variance of the embedding that no pixel control predicts linearly, 1 - R2 of the best one."""

    kind: Literal["beyond_pixels"] = "beyond_pixels"
    """Linear maps from every pixel control."""
    margin: float = 0.2
    """Share of the variance that has to be left over; the published rule asks for 0.2."""

    def needs(self) -> Needs:
        """What it is judged from."""
        return Needs(role="pixels", ordinary=True, controls=True, of_kinds=("pixels",))


def judge(spec: Spec, evidence: Evidence, encoders: tuple[str, ...]) -> Judgement:
    """Judge the claim, with linear maps both ways between every pixel control and every encoder."""
    pixels = {name: evidence.features(name) for name in evidence.pixels}
    embedded = {name: evidence.features(name) for name in encoders}
    groups, folds = evidence.folds
    rows, maps = _pixels.cross(pixels, embedded, folds, groups, evidence.bootstraps)
    lines = {}
    for encoder in encoders:
        own = {
            name: found
            for (owner, name, direction), found in maps.items()
            if owner == encoder and direction == "pixel_to_embed"
        }
        lines[encoder] = line(spec, own, evidence.bootstraps)
    return Judgement(lines, rows)


def line(spec: Spec, maps: Mapping[str, Scored], draws: int) -> dict:
    """Judge the claim from R2 of the maps from each pixel control to one encoder."""
    if not maps:
        return judged(spec, verdict="cannot tell", note="the study has no pixel control")
    left_over = paired.combined(tuple(maps.values()), lambda found: 1.0 - np.max(found, axis=0))
    columns = measured(spec, left_over, draws)
    return judged(
        spec,
        statistic="1 - R2 of the embedding from pixels",
        best_control=paired.best(maps),
        verdict=verdict(columns["ci_low"], columns["ci_high"], spec.margin),
        **columns,
    )
