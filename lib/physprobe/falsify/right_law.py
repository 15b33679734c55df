"""Claim: the law that a system obeys is read off its clips, without labels."""

from typing import Literal

from physprobe.falsify import _rates
from physprobe.falsify._claim import Claim, Judgement, Needs, judged, verdict
from physprobe.store.evidence import Evidence

FIGURES = ("confusion", "dispersion")


class Spec(Claim):
    """Share of clips with the right verdict on their law, each judged by itself.

    The interval is Wilson's. "cannot tell" is the right answer where no candidate is the law.
    """

    kind: Literal["right_law"] = "right_law"
    """Laws read off fields, videos or spatial tokens, of all of the study's systems."""
    margin: float = 0.5
    """Share that has to be right."""

    def needs(self) -> Needs:
        """What it is judged from."""
        return Needs(role="law", everywhere=True)


def judge(spec: Spec, evidence: Evidence, encoders: tuple[str, ...]) -> Judgement:
    """Judge the claim, with rates of right, wrong and false verdicts, and errors of parameters.

    The blocks hold the verdicts on whole systems, and dispersion relations.
    """
    found = {
        (system, source): evidence.at(system, spec.method).laws[source]
        for source in (*encoders, *evidence.controls)
        for system in evidence.simulations
    }
    rows = list(_rates.rows(found))
    return Judgement(
        {name: _line(spec, name, rows) for name in encoders}, rows, _rates.blocks(found)
    )


def _line(spec: Spec, source: str, rows: list[dict]) -> dict:
    about = {"encoder": source, "system": _rates.ALL, "sample": "clip"}
    own = {row["metric"]: row for row in rows if about.items() <= row.items()}
    right, wrong = own["right"], own["wrong"]
    return judged(
        spec,
        statistic=f"share of {right['n_clips']} clips whose law is named right",
        verdict=verdict(right["ci_low"], right["ci_high"], spec.margin),
        groups=right["n_clips"],
        note=f"{wrong['value']:.0%} named wrong",
        **{key: right[key] for key in ("value", "ci_low", "ci_high")},
    )
