"""Claim: spatial tokens move as the head says that a label drives them."""

from typing import ClassVar, Literal

from physprobe.falsify._claim import Claim, Needs, each, judged, verdict
from physprobe.statistics.nulls import undefined_p
from physprobe.store.evidence import Evidence


class Spec(Claim):
    """Skill of the head with each clip's own label, less that without it: the least of three."""

    P_OF: ClassVar = "permutations"

    kind: Literal["conditioned"] = "conditioned"
    """Against a label of another clip, the same tried on its own clips, and none at all."""
    family: Literal["free", "zero_sum"] = "free"
    """Any kernel, or one whose weights sum to zero as a Laplacian's do."""

    def needs(self) -> Needs:
        """What it is judged from."""
        return Needs(role="head")


def line(spec: Spec, evidence: Evidence, encoder: str) -> dict:
    """Judge the claim for one encoder."""
    if encoder not in evidence.heads:
        return judged(spec, verdict="cannot tell", note=f"{encoder} keeps no spatial tokens")
    model = "real" if spec.family == "free" else f"real_{spec.family}"
    rows = evidence.heads.rows(encoder, metric="skill_difference", model=model)
    if not rows or any(row["value"] is None for row in rows):
        notes = (row.get("note") for row in rows if row["value"] is None)
        note = next((note for note in notes if note), "the tokens do not change")
        return judged(spec, verdict="cannot tell", note=note)
    least = min(rows, key=lambda row: row["value" if row["ci_low"] is None else "ci_low"])
    return judged(
        spec,
        statistic="one-step skill with the clip's own label, less that without it",
        value=least["value"],
        ci_low=least["ci_low"],
        ci_high=least["ci_high"],
        null_q95=least["null_q95"],
        p=least["p"],
        groups=least.get("n_clips"),
        best_control=least["baseline"],
        verdict=verdict(least["ci_low"], least["ci_high"], spec.margin, least["p"]),
        note=undefined_p(least),
    )


judge = each(line)
