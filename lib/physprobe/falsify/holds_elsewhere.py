"""Claim: what a probe has learnt holds on clips unlike those that it was fitted on."""

from dataclasses import replace
from typing import ClassVar, Literal

from physprobe.falsify import _transfer, decodable
from physprobe.falsify._claim import Judgement, Needs
from physprobe.store import results
from physprobe.store.evidence import Evidence

FIGURES = ("transfer",)


class Spec(decodable.Spec):
    """Score where the probe was transferred, less that of the best control transferred alike.

    The score is about the mean of the very clips that are scored.
    """

    P_OF: ClassVar = "permutations"

    kind: Literal["holds_elsewhere"] = "holds_elsewhere"  # type: ignore[assignment]  # another
    """Probes fitted on other clips, in another rendering or outside of a range."""

    def needs(self) -> Needs:
        """What it is judged from."""
        return replace(super().needs(), design="elsewhere")


def judge(spec: Spec, evidence: Evidence, encoders: tuple[str, ...]) -> Judgement:
    """Judge the claim, with the target's scores beside those of ordinary folds on the same clips.

    The blocks say which clips were fitted and scored, and how far the labels spread there.
    """
    names = (*encoders, *evidence.controls, *evidence.ceilings)
    moved = {name: evidence.probes[name] for name in names}
    first = moved[encoders[0]]
    ordinary = {system: evidence.at(system, spec.method).probes for system in first["systems"]}
    asked = (spec.target, spec.sample)
    return Judgement(
        {name: decodable.line(spec, evidence, name) for name in encoders},
        list(_transfer.rows(moved, ordinary, encoders, evidence.controls, *asked)),
        {
            "ceilings": list(evidence.ceilings),
            "fitted_on": first["systems"][-1],
            "scored_on": first["systems"][0],
            "region": first["setting"]["region"],
            "training_clips": first["setting"]["training_clips"],
            "spread": _transfer.spread(first, results.first(ordinary)[encoders[0]], spec.target),
        },
    )
