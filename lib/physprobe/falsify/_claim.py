"""What all claims have in common."""

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from physprobe.core import nulls
from physprobe.core.spec import Spec

NO_CONTROL = "the study has no control to beat"
NO_INTERVAL = "no interval: too few clips are held out"


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
    known = {key: value for key, value in found.items() if not _undefined(value)}
    if "value" in known and "ci_low" not in known:
        known["note"] = nulls.noted(known.get("note"), NO_INTERVAL)
    return {
        "statement": claim.statement,
        "test": claim.kind,
        "margin": claim.margin,
        **{column: known.get(column) for column in columns},
    }


def _undefined(value: object) -> bool:
    return value is None or (isinstance(value, float) and not np.isfinite(value))
