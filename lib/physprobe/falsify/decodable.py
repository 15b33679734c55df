"""Claim: a label is linearly decodable from an encoder, better than from every control."""

from typing import Literal

import numpy as np

from physprobe.core import scores
from physprobe.falsify._claim import Claim, judged
from physprobe.falsify._evidence import Evidence, against_best, verdict


class Spec(Claim):
    """R2 of the encoder less that of its best control, on the same held-out clips."""

    kind: Literal["decodable"] = "decodable"
    """Probes of the encoder and of every control."""
    target: str = "log_alpha"
    """Label that is decoded."""
    sample: Literal["clip", "token"] = "clip"
    """From the clip's mean embedding, or from each token time."""
    beyond: Literal["controls", "chance"] = "controls"
    """What it has to beat: every control, or shuffled labels alone (as the published claim did)."""


def judge(spec: Spec, evidence: Evidence, encoder: str) -> dict:
    """Judge the claim for one encoder."""
    own = evidence.decoded(encoder, spec.target, spec.sample)
    row = evidence.probe(encoder, spec.target, spec.sample)
    if own is None or row is None:
        return judged(spec, verdict="cannot tell", note=f"{spec.target} is undefined for {encoder}")
    null = {"null_q95": row["null_q95"], "p": row["p"]}
    others = {name: evidence.decoded(name, spec.target, spec.sample) for name in evidence.controls}
    others = {name: sums for name, sums in others.items() if sums is not None}
    if spec.beyond == "chance" or not others:
        return judged(
            spec,
            statistic=f"R2 of {spec.target}",
            value=row["value"],
            ci_low=row["ci_low"],
            ci_high=row["ci_high"],
            verdict=verdict(row["ci_low"], row["ci_high"], spec.margin, row["p"]),
            **null,
        )
    interval, best = against_best(own, others, scores.r2_of, evidence.bootstraps)
    best_r2 = float(scores.r2_of(others[best].sum(0)))
    value, low, high = (float(np.asarray(part)) for part in interval)
    return judged(
        spec,
        statistic=f"R2 of {spec.target} less that of the best control",
        value=value,
        ci_low=low,
        ci_high=high,
        best_control=best,
        verdict=verdict(low, high, spec.margin, row["p"]),
        note=f"{encoder} {row['value']:.3f}, {best} {best_r2:.3f}",
        **null,
    )
