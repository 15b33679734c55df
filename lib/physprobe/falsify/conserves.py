"""Claim: the energy that is read off rolled latents stays as near as reading it can tell."""

from typing import Literal

from pydantic import Field

from physprobe.falsify._claim import Claim, Needs, each, judged, measured, verdict
from physprobe.statistics import paired
from physprobe.store.evidence import Evidence

FIGURES = ("rollouts",)


class Spec(Claim):
    """Drift of the energy along latents of frames that were seen, less that along rolled ones.

    What is seen conserves its energy, so what is read off it wanders by the reading alone: the null
    of the drift. 0 is as good as that; the margin says how much worse is near enough.
    """

    kind: Literal["conserves"] = "conserves"
    """Rollouts of the encoder's own predictor."""
    margin: float = -0.1
    """The statistic's 95 % interval has to lie above this [deviations of energy between clips]."""
    horizon: int = Field(16, ge=1)
    """Tokens ahead."""

    def needs(self) -> Needs:
        """What it is judged from."""
        return Needs(role="rollout")


def line(spec: Spec, evidence: Evidence, encoder: str) -> dict:
    """Judge the claim for one encoder."""
    what = f"drift_{spec.horizon}"
    fits = evidence.rollouts
    there = encoder in fits
    own, null = (
        fits.rolled(encoder, model, what) if there else None for model in ("predictor", "encoded")
    )
    if own is None or null is None:
        note = f"no drift of {encoder} at horizon {spec.horizon}, or it has no predictor"
        return judged(spec, verdict="cannot tell", note=note)
    gap = paired.above(null, own)
    columns = measured(spec, gap, evidence.bootstraps)
    return judged(
        spec,
        statistic=f"drift of energy {spec.horizon} tokens ahead, less than reading's own",
        verdict=verdict(columns["ci_low"], columns["ci_high"], spec.margin),
        p=gap.p(spec.margin, evidence.bootstraps),
        note=f"rolled {float(own.value):.2f}, seen {float(null.value):.2f}, in deviations between"
        " clips",
        **columns,
    )


judge = each(line)
