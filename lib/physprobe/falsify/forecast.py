"""Claim: an encoder's dynamics can be forecast linearly, beyond baselines or controls."""

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

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
from physprobe.statistics import paired
from physprobe.store.evidence import Evidence


class Spec(Claim):
    """Skill at one horizon against the best baseline, or less the best control's skill."""

    P_OF: ClassVar = "shuffles"

    kind: Literal["forecast"] = "forecast"
    """First-order linear dynamics of the last layer."""
    horizon: int = Field(4, ge=1)
    """Tokens ahead."""
    beyond: Literal["baselines", "controls"] = "baselines"
    """Persistence, means and the time-shuffled fit; or the same skill of every control."""

    def needs(self) -> Needs:
        """What it is judged from."""
        return Needs(
            role="dynamics",
            horizon=self.horizon,
            controls=self.beyond == "controls",
            with_null=True,
        )


def line(spec: Spec, evidence: Evidence, encoder: str) -> dict:
    """Judge the claim for one encoder."""
    skills = evidence.koopman.skills(encoder, spec.horizon)
    if skills is None:
        return judged(
            spec, verdict="cannot tell", note=f"no forecast of {encoder} at horizon {spec.horizon}"
        )
    if spec.beyond == "baselines":
        least = paired.combined(tuple(skills.values()), lambda found: np.min(found, axis=0))
        measures = measured(spec, least, evidence.bootstraps)
        best = min(skills, key=lambda name: float(skills[name].value))
        columns = evidence.shuffled_null(encoder, spec.horizon)
        p, room = columns["p"], 1.0
        statistic = f"skill at horizon {spec.horizon} against the best baseline"
    else:
        others = {
            name: found["persistence"]
            for name in evidence.controls
            if (found := evidence.koopman.skills(name, spec.horizon)) is not None
        }
        if not others:
            return judged(spec, verdict="cannot tell", note=NO_CONTROL)
        gap, best = paired.above(skills["persistence"], *others.values()), paired.best(others)
        measures = measured(spec, gap, evidence.bootstraps)
        statistic = f"skill at horizon {spec.horizon} against persistence, less the best control's"
        null = evidence.shuffled_null(encoder, spec.horizon)
        p, room = null["p"], 1.0 - float(others[best].value)
        columns = {
            "p": gap.p(spec.margin, evidence.bootstraps),
            "note": null["note"] or f"skill itself has p = {p:.2g}",
        }
    found = judged(
        spec,
        statistic=statistic,
        best_control=best,
        verdict=verdict(measures["ci_low"], measures["ci_high"], spec.margin, p),
        room=room,
        **columns | measures,
    )
    return knowing(found, "skill", skills["persistence"].interval(evidence.bootstraps).columns())


judge = each(line)
