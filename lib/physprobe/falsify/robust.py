"""Claim: a statement holds whichever way it is fitted, of all that one could defend."""

from typing import Literal

from pydantic import Field

from physprobe.falsify import _support
from physprobe.falsify._claim import NO_CONTROL, Claim, Judgement, Needs, judged
from physprobe.store.evidence import Evidence

FIGURES = ("specifications",)


class Spec(Claim):
    """Share of all specifications that support the statement.

    Supported if that share is at least ``share``, refuted if it is no more than the rest. Shares
    have no interval: specifications are read on the same clips, and most differ in little.
    """

    kind: Literal["robust"] = "robust"
    """Probes fitted in every defensible way."""
    targets: tuple[str, ...] = Field(min_length=1)
    """Forms of the label that it may be decoded in, such as ``sincos_direction``; an axis too."""
    beyond: Literal["controls", "chance"] = "controls"
    """What it has to beat: the best control in the same specification, or nothing (and shuffled
    labels, where the solver has them)."""
    margin: float = 0.0
    """The whole 95 % interval of the difference, or of R2, has to lie above this."""
    share: float = Field(0.9, gt=0.5, le=1)
    """Share of the specifications that has to support it."""

    def needs(self) -> Needs:
        """What it is judged from."""
        return Needs(
            role="probe",
            design="every_way",
            controls=self.beyond == "controls",
            targets=self.targets,
        )


def judge(spec: Spec, evidence: Evidence, encoders: tuple[str, ...]) -> Judgement:
    """Judge the claim, with the shares by verdict, and every specification with its own."""
    asked = (spec.targets, spec.beyond, spec.margin)
    found = {name: list(_support.specifications(evidence, name, *asked)) for name in encoders}
    return Judgement(
        {name: _line(spec, lines) for name, lines in found.items()},
        [row for lines in found.values() for row in _support.rows(lines, spec.beyond)],
        {"specifications": [line for lines in found.values() for line in lines]},
    )


def _line(spec: Spec, lines: list[dict]) -> dict:
    defined = [line for line in lines if line["verdict"] != "undefined"]
    words = [line["verdict"] for line in defined]
    if not words:
        return judged(spec, verdict="cannot tell", note="no specification is defined")
    if spec.beyond == "controls" and not any(line["control"] for line in defined):
        return judged(spec, verdict="cannot tell", note=NO_CONTROL)
    supporting = words.count("supported")
    share, rest = supporting / len(words), (len(words) - supporting) / len(words)
    word = "supported" if share >= spec.share else "cannot tell"
    counts = {word: words.count(word) for word in _support.VERDICTS}
    return judged(
        spec,
        statistic=f"share of {len(words)} specifications that support it",
        value=share,
        verdict="refuted" if rest >= spec.share else word,
        note=", ".join(f"{count} {word}" for word, count in counts.items()),
    ) | {"margin": spec.share}  # of the statistic; that of the specifications is the claim's own
