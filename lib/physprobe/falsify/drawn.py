"""Claim: what is drawn from an encoder's latents is nearer to the frames than what others draw."""

from typing import Literal

import numpy as np
from pydantic import Field

from physprobe.falsify._claim import Claim, Needs, each, judged, measured, verdict
from physprobe.statistics import paired
from physprobe.store.evidence import Evidence


class Spec(Claim):
    """Skill of a decoder's frames against the best of others, 1 - SSE / SSE, on the same clips.

    Of frames that were seen, or of those that the encoder's own predictor forecasts. The others are
    told no latent, but for ``equation``: see the methods ``decoder`` and ``rollout``.
    """

    kind: Literal["drawn"] = "drawn"
    """Frames that a decoder draws from frozen latents."""
    horizon: int | None = Field(None, ge=1)
    """Tokens ahead that are forecast; none: frames that were seen."""
    beyond: tuple[Literal["mean_image", "copy_last", "dmd", "state_mlp", "equation"], ...] = Field(
        ("mean_image", "copy_last"), min_length=1
    )
    """What it has to be nearer than; those that are there count, of seen frames the mean image."""

    def needs(self) -> Needs:
        """What it is judged from."""
        return Needs(role="decoder")


def line(spec: Spec, evidence: Evidence, encoder: str) -> dict:
    """Judge the claim for one encoder."""
    fits = evidence.decoders
    asked = {
        name: fits.drawn(encoder, name, spec.horizon) if encoder in fits else None
        for name in spec.beyond
    }
    found = {name: one for name, one in asked.items() if one is not None}
    when = f"{spec.horizon} tokens ahead" if spec.horizon else "of frames that were seen"
    if not found:
        note = (
            f"nothing of {encoder} is drawn {when}, or none of {', '.join(spec.beyond)} beside it"
        )
        return judged(spec, verdict="cannot tell", note=note)
    least = paired.combined([*found.values()], lambda skills: np.min(skills, axis=0))
    columns = measured(spec, least, evidence.bootstraps)
    best = min(found, key=lambda name: float(found[name].value))
    told = ", ".join(f"{float(one.value):.3f} against {name}" for name, one in found.items())
    return judged(
        spec,
        statistic=f"skill of pixels {when} against the best of others",
        best_control=best,
        verdict=verdict(columns["ci_low"], columns["ci_high"], spec.margin),
        p=least.p(spec.margin, evidence.bootstraps),
        note=told,
        **columns,
    )


judge = each(line)
