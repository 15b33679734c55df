"""Claim: an encoder's dynamics can be forecast linearly, beyond baselines or controls."""

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from physprobe.falsify._claim import NO_CONTROL, Claim, Needs, judged
from physprobe.falsify._evidence import Evidence, against_best, p_against_best, verdict
from physprobe.statistics import scores


class Spec(Claim):
    """Skill at one horizon against the best baseline, or less the best control's skill."""

    P_OF: ClassVar = ("koopman", "shuffles")

    kind: Literal["forecast"] = "forecast"
    """First-order linear dynamics of the last layer."""
    horizon: int = Field(4, ge=1)
    """Tokens ahead."""
    beyond: Literal["baselines", "controls"] = "baselines"
    """Persistence, means and the time-shuffled fit; or the same skill of every control."""

    def needs(self) -> Needs:
        """What it is judged from."""
        return Needs(horizon=self.horizon, controls=self.beyond == "controls", with_null=True)


def judge(spec: Spec, evidence: Evidence, encoder: str) -> dict:
    """Judge the claim for one encoder."""
    errors = evidence.forecast_errors(encoder, spec.horizon)
    if errors is None:
        return judged(
            spec, verdict="cannot tell", note=f"no forecast of {encoder} at horizon {spec.horizon}"
        )
    if spec.beyond == "baselines":
        baselines = {name: error for name, error in errors.items() if name != "model"}
        sums = np.stack([errors["model"], *baselines.values()], axis=-1)
        value, low, high = scores.bootstrap(
            sums,
            lambda totals: 1 - totals[..., 0] / totals[..., 1:].min(-1),
            draws=evidence.bootstraps,
        )
        best = min(baselines, key=lambda name: baselines[name].sum())
        columns = evidence.shuffled_null(encoder, spec.horizon)
        p = columns["p"]
        statistic = f"skill at horizon {spec.horizon} against the best baseline"
    else:
        own = _skill_sums(errors)
        others = {
            name: _skill_sums(found)
            for name in evidence.controls
            if (found := evidence.forecast_errors(name, spec.horizon)) is not None
        }
        if not others:
            return judged(spec, verdict="cannot tell", note=NO_CONTROL)
        (value, low, high), best = against_best(own, others, scores.skill_of, evidence.bootstraps)
        statistic = f"skill at horizon {spec.horizon} against persistence, less the best control's"
        null = evidence.shuffled_null(encoder, spec.horizon)
        p = null["p"]
        columns = {
            "p": p_against_best(own, others, scores.skill_of, evidence.bootstraps, spec.margin),
            "note": null["note"] or f"skill itself has p = {p:.2g}",
        }
    return judged(
        spec,
        statistic=statistic,
        value=float(value),
        ci_low=float(low),
        ci_high=float(high),
        best_control=best,
        verdict=verdict(float(low), float(high), spec.margin, p),
        **columns,
    )


def _skill_sums(errors: dict[str, np.ndarray]) -> np.ndarray:
    return np.stack([errors["model"], errors["persistence"]], axis=-1)
