"""Claim: a latent keeps a part of a linear world, or rather one part than another."""

from typing import Literal

import numpy as np
from pydantic import Field

from physprobe.falsify._claim import Claim, Needs, each, judged, measured, verdict
from physprobe.statistics import paired
from physprobe.store.evidence import Evidence


class Spec(Claim):
    """R2 of the target, at its lowest over some conditions; mean over draws.

    Less what it is compared with: another target of the same latent, or another encoder's R2 of the
    same target; or, ``at_most``, what is left to a bound, at its lowest.
    """

    kind: Literal["recovers"] = "recovers"
    """Parts of a state, read off condition by condition."""
    target: str
    """Part of the state."""
    at: tuple[float, ...] = Field(min_length=1)
    """Conditions, by the label that the method tells them by."""
    layer: str = ""
    """Layer that it is read from; the first by default."""
    lead: Literal[0, 1] = 0
    """Steps from the latent to the target."""
    less: str = ""
    """Part of the state whose R2 is taken off."""
    than: str = ""
    """Encoder or control of the study whose R2 is taken off."""
    at_most: float | None = None
    """Bound that R2 is claimed to stay below, in place of above."""

    def needs(self) -> Needs:
        """What it is judged from."""
        return Needs(role="recovery")


def line(spec: Spec, evidence: Evidence, encoder: str) -> dict:
    """Judge the claim for one encoder."""
    fits = evidence.recoveries
    other = spec.than or encoder
    lacking = [name for name in (encoder, other) if name not in fits]
    if lacking:
        return judged(spec, verdict="cannot tell", note=f"{lacking[0]} was not read")
    gaps, told = [], []
    for part in spec.at:
        own = fits.recovered(encoder, spec.target, part, layer=spec.layer, lead=spec.lead)
        if own is None:
            note = f"{spec.target} at {part:g} is not among what was read off {encoder}"
            return judged(spec, verdict="cannot tell", note=note)
        if spec.at_most is not None:
            gaps.append(_below(own, spec.at_most))
        elif spec.less or spec.than:
            # another encoder may have other layers: of it the first
            layer = "" if spec.than else spec.layer
            what = spec.less or spec.target
            rival = fits.recovered(other, what, part, layer=layer, lead=spec.lead)
            if rival is None:
                note = f"{what} is not among what was read off {other}"
                return judged(spec, verdict="cannot tell", note=note)
            gaps.append(paired.above(own, rival))
        else:
            gaps.append(own)
        told.append(f"{part:g}: {float(own.value):.3f}")
    lowest = paired.combined(gaps, lambda found: np.min(found, axis=0))
    columns = measured(spec, lowest, evidence.bootstraps)
    return judged(
        spec,
        statistic=_statistic(spec),
        best_control=spec.than or None,
        verdict=verdict(columns["ci_low"], columns["ci_high"], spec.margin),
        p=lowest.p(spec.margin, evidence.bootstraps),
        note="R2 at " + ", ".join(told),
        **columns,
    )


def _below(own: paired.Scored, bound: float) -> paired.Scored:
    """What is left to a bound."""
    return paired.combined((own,), lambda found: bound - found[0])


def _statistic(spec: Spec) -> str:
    """What is told, in words."""
    found = f"R2 of {spec.target}"
    if spec.at_most is not None:
        found = f"{spec.at_most:g} less {found}"
    elif spec.than or spec.less:
        found += f" less that of {spec.less or spec.than}"
    return found + (", lowest over conditions" if len(spec.at) > 1 else "")


judge = each(line)
