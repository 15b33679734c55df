"""Claim: a predictor's forecast stays valid for longer than others' do."""

from typing import Literal

from pydantic import Field

from physprobe.falsify._claim import Claim, Needs, each, judged, measured, verdict
from physprobe.statistics import paired
from physprobe.store.evidence import Evidence

FIGURES = ("rollouts",)
MEASURES = {"lyapunov": "valid_lyapunov_times", "seconds": "valid_time"}
UNITS = {"lyapunov": "Lyapunov times", "seconds": "s"}


class Spec(Claim):
    """Valid time of the encoder's own predictor, less the longest of other models', clip by clip.

    The others are models of the same latents, which see the same starts; two that know more, a
    network of true states and the true equation from the state that is read off; or the own
    predictor of another encoder.
    """

    kind: Literal["lasts"] = "lasts"
    """Rollouts of the encoder's own predictor."""
    unit: Literal["lyapunov", "seconds"] = "lyapunov"
    """What valid times are counted in."""
    beyond: tuple[
        Literal["persistence", "order_1", "order_2", "order_3", "state_mlp", "equation"], ...
    ] = Field(("persistence", "order_1", "order_2", "order_3"), min_length=1)
    """Models that it has to outlast; those that are fitted count."""
    than: str = ""
    """Encoder or control of the study whose own predictor it has to outlast instead."""

    def needs(self) -> Needs:
        """What it is judged from."""
        return Needs(role="rollout", rivals=(self.than,) if self.than else ())


def line(spec: Spec, evidence: Evidence, encoder: str) -> dict:
    """Judge the claim for one encoder."""
    fits, what = evidence.rollouts, MEASURES[spec.unit]
    own = fits.rolled(encoder, "predictor", what) if encoder in fits else None
    if own is None:
        note = f"{encoder} has no predictor, or its clips no time in {UNITS[spec.unit]}"
        return judged(spec, verdict="cannot tell", note=note)
    asked = {spec.than: (spec.than, "predictor")} if spec.than else {}
    asked = asked or {model: (encoder, model) for model in spec.beyond}
    found = {name: fits.rolled(*of, what) for name, of in asked.items() if of[0] in fits}
    others = {name: one for name, one in found.items() if one is not None}
    if not others:
        return judged(spec, verdict="cannot tell", note=f"no rollouts of {', '.join(asked)}")
    gap, best = paired.above(own, *others.values()), paired.best(others)
    columns = measured(spec, gap, evidence.bootstraps)
    return judged(
        spec,
        statistic=f"valid time [{UNITS[spec.unit]}] less that of"
        f" {spec.than or 'the best other model'}",
        best_control=best,
        verdict=verdict(columns["ci_low"], columns["ci_high"], spec.margin),
        p=gap.p(spec.margin, evidence.bootstraps),
        note=f"{encoder} {float(own.value):.2f}, {best} {float(others[best].value):.2f}",
        **columns,
    )


judge = each(line)
