"""Claim: a score rises with the depth of an encoder's layers."""

from typing import Literal

import numpy as np

from physprobe.falsify import _onset
from physprobe.falsify._claim import Claim, Needs, each, judged, measured, verdict
from physprobe.falsify._curve import Curve
from physprobe.falsify._measure import WORDS
from physprobe.statistics.paired import Scored
from physprobe.store.evidence import Evidence


class Spec(Claim):
    """Slope of the score over the depth, from the patch embedding, 0, to the last block, 1.

        slope = sum_l (d_l - mean d) s_l / sum_l (d_l - mean d)^2

    of the scores s of all blocks at depths d, on the same held-out clips: what a straight line
    gains from the first layer to the last. The final LayerNorm is no block and left out.
    """

    kind: Literal["monotone"] = "monotone"
    """Probes of every layer."""
    target: str
    """One of the probe's targets."""
    sample: str = "clip"
    """One of the probe's samples."""
    metric: Literal["r2", "accuracy", "auc", "relative_accuracy"] = "r2"
    """R2 of a number; of classes accuracy, AUC, or the share of groups in the right order."""

    def needs(self) -> Needs:
        """What it is judged from."""
        return Needs(role="probe", decoded=(self.target, self.sample), metric=self.metric)


def line(spec: Spec, evidence: Evidence, encoder: str) -> dict:
    """Judge the claim for one encoder."""
    probe = evidence.probes[encoder]
    curve = Curve(encoder, probe, spec.target, spec.sample, spec.metric)
    blocks = [layer for layer in curve.layers if layer.isdecimal()]
    if not curve.defined or len(blocks) < 2:
        why = f"{spec.target} is undefined" if not curve.defined else "fewer than two blocks"
        return judged(spec, verdict="cannot tell", note=f"{encoder}: {why}")
    found = slope(curve.measure(*blocks), np.array(_onset.depths(blocks), float))
    columns = measured(spec, found, **curve.draws)
    return judged(
        spec,
        statistic=f"{WORDS[spec.metric]} of {spec.target} gained from the first layer to the last",
        verdict=verdict(columns["ci_low"], columns["ci_high"], spec.margin),
        note=f"{len(blocks)} layers",
        **columns,
    )


judge = each(line)


def slope(curve: Scored, depths: np.ndarray) -> Scored:
    """Least-squares slope of scores (layer,) over depths (layer,), on the same clips."""
    away = depths - depths.mean()
    weights = away / (away**2).sum()

    def gained(totals: np.ndarray) -> np.ndarray:
        return np.tensordot(weights, curve.statistic(totals), axes=1)

    return Scored(curve.sums, gained, curve.groups, curve.members, curve.halves)
