"""Claim: a label is linearly decodable from an encoder, better than from every control."""

from typing import ClassVar, Literal

from physprobe.falsify._claim import (
    NO_CONTROL,
    Claim,
    Needs,
    each,
    judged,
    knowing,
    measured,
    verdict,
)
from physprobe.statistics import nulls, paired
from physprobe.statistics.nulls import undefined_p
from physprobe.store.evidence import Evidence


class Spec(Claim):
    """Score of the encoder less that of its best control, on the same held-out clips.

    R2 of a label that is a number, accuracy of one that is a class. Chance is 0 of R2, and of
    accuracy the share of the most frequent class; the score itself has to lie above it.
    """

    P_OF: ClassVar = "permutations"

    kind: Literal["decodable"] = "decodable"
    """Probes of the encoder and of every control."""
    target: str = "log_alpha"
    """Label, or state, that is decoded."""
    sample: Literal["clip", "token", "state"] = "clip"
    """A label from the clip's mean embedding, or from each token time; or a state at each."""
    beyond: Literal["controls", "chance"] = "controls"
    """What it has to beat: the controls, or shuffled labels alone (as the published claim did)."""
    controls: tuple[str, ...] = ()
    """Controls that it has to beat; all of the study's if empty."""
    rivals: tuple[str, ...] = ()
    """Encoders of the study that it has to beat besides."""

    def needs(self) -> Needs:
        """What it is judged from."""
        return Needs(
            role="state" if self.sample == "state" else "probe",
            decoded=(self.target, self.sample),
            controls=self.beyond == "controls",
            named=self.controls,
            rivals=self.rivals,
        )


def line(spec: Spec, evidence: Evidence, encoder: str) -> dict:
    """Judge the claim for one encoder."""
    if spec.sample == "state":
        evidence = evidence.in_time
    own = evidence.probes.decoded(encoder, spec.target, spec.sample)
    if own is None:
        return judged(spec, verdict="cannot tell", note=f"{spec.target} is undefined for {encoder}")
    row = evidence.probes.defined(encoder, spec.target, spec.sample, own.metric)
    lacking = undefined_p(row)
    what = f"{own.name} of {spec.target}"
    if spec.beyond == "chance":
        value, low, high, q95 = (
            None if row[key] is None else row[key] - own.chance
            for key in ("value", "ci_low", "ci_high", "null_q95")
        )
        columns = measured(spec, own, evidence.bootstraps, above=own.chance)
        return judged(
            spec,
            statistic=f"{what} less chance, {own.chance:.3f}" if own.chance else what,
            value=value,
            ci_low=low,
            ci_high=high,
            null_q95=q95,
            p=row["p"],
            verdict=verdict(low, high, spec.margin, row["p"]),
            note=lacking,
            room=1.0 - own.chance,
            **{key: columns.get(key) for key in ("p_margin", "groups", "narrowed")},
        )
    named = (*(spec.controls or evidence.controls), *spec.rivals)
    others = evidence.decoded(named, spec.target, spec.sample)
    if not others:
        note = f"{spec.target} is undefined for all controls" if named else NO_CONTROL
        return judged(spec, verdict="cannot tell", note=note)
    gap, best = paired.above(own, *others.values()), paired.best(others)
    columns = measured(spec, gap, evidence.bootstraps)
    found = judged(
        spec,
        statistic=f"{what} less that of the best control",
        best_control=best,
        verdict=verdict(columns["ci_low"], columns["ci_high"], spec.margin, row["p"]),
        p=gap.p(spec.margin, evidence.bootstraps),
        room=1.0 - float(others[best].value),
        note=nulls.noted(
            f"{encoder} {row['value']:.3f}, {best} {others[best].value:.3f}",
            lacking or f"{own.name} itself has p = {row['p']:.2g}",
        ),
        **columns,
    )
    return knowing(found, own.name, row, own.chance)


judge = each(line)
