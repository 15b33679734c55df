"""What all claims have in common."""

from typing import ClassVar, Literal

from pydantic import Field

from physprobe.core.spec import Spec

NO_CONTROL = "the study has no control to beat"


class Claim(Spec):
    """A statement, declared with its test and threshold before anything is run."""

    P_OF: ClassVar[tuple[Literal["probe", "koopman", "head"], str] | None] = None
    """Which entry of a study its p comes from, and the field of it that counts the draws; None if
    it needs no p, or draws its own."""

    statement: str
    """What is claimed, in one sentence."""
    margin: float = 0.0
    """The statistic's 95 % interval has to lie above this."""
    encoders: tuple[str, ...] = Field(())
    """Encoders that it is claimed of; all of the study's if empty."""
    system: str = ""
    """System that it is claimed of, in a comparison; of all of them together if empty."""


def judged(claim: Claim, **found: object) -> dict:
    """One line of the claims table, every column there."""
    columns = (
        "statistic",
        "value",
        "ci_low",
        "ci_high",
        "null_q95",
        "p",
        "best_control",
        "verdict",
        "note",
    )
    return {
        "statement": claim.statement,
        "test": claim.kind,
        "margin": claim.margin,
        **{column: found.get(column) for column in columns},
    }
