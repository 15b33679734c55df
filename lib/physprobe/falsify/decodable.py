"""Claim: a label is linearly decodable from an encoder, better than from every control."""

from typing import Literal

import numpy as np

from physprobe.falsify._claim import Claim, judged
from physprobe.falsify._evidence import Evidence, against_best, verdict


class Spec(Claim):
    """Score of the encoder less that of its best control, on the same held-out clips.

    R2 of a label that is a number, accuracy of one that is a class.
    """

    kind: Literal["decodable"] = "decodable"
    """Probes of the encoder and of every control."""
    target: str = "log_alpha"
    """Label that is decoded."""
    sample: Literal["clip", "token"] = "clip"
    """From the clip's mean embedding, or from each token time."""
    beyond: Literal["controls", "chance"] = "controls"
    """What it has to beat: the controls, or shuffled labels alone (as the published claim did)."""
    controls: tuple[str, ...] = ()
    """Controls that it has to beat; all of the study's if empty."""


def judge(spec: Spec, evidence: Evidence, encoder: str) -> dict:
    """Judge the claim for one encoder."""
    own = evidence.decoded(encoder, spec.target, spec.sample)
    if own is None:
        return judged(spec, verdict="cannot tell", note=f"{spec.target} is undefined for {encoder}")
    row = evidence.probe(encoder, spec.target, spec.sample, own.metric)
    null = {"null_q95": row["null_q95"], "p": row["p"]}
    what = f"{own.name} of {spec.target}"
    others = {
        name: found.sums
        for name in spec.controls or evidence.controls
        if (found := evidence.decoded(name, spec.target, spec.sample)) is not None
    }
    if spec.beyond == "chance" or not others:
        return judged(
            spec,
            statistic=what,
            value=row["value"],
            ci_low=row["ci_low"],
            ci_high=row["ci_high"],
            verdict=verdict(row["ci_low"], row["ci_high"], spec.margin, row["p"]),
            **null,
        )
    interval, best = against_best(own.sums, others, own.statistic, evidence.bootstraps)
    best_score = float(own.statistic(others[best].sum(0)))
    value, low, high = (float(np.asarray(part)) for part in interval)
    return judged(
        spec,
        statistic=f"{what} less that of the best control",
        value=value,
        ci_low=low,
        ci_high=high,
        best_control=best,
        verdict=verdict(low, high, spec.margin, row["p"]),
        note=f"{encoder} {row['value']:.3f}, {best} {best_score:.3f}",
        **null,
    )
