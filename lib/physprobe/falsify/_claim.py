"""What all claims have in common."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from physprobe.config.spec import Spec
from physprobe.statistics import nulls

NO_CONTROL = "the study has no control to beat"
NO_INTERVAL = "no interval: too few clips are held out"


@dataclass(frozen=True)
class Needs:
    """What a claim is judged from: whether it will be there is checked before anything is run."""

    decoded: tuple[str, str] | None = None
    """Target and sample that the probe has to read."""
    controls: bool = False
    """Whether there has to be a control."""
    named: tuple[str, ...] = ()
    """Controls that have to be among the study's."""
    of_kinds: tuple[str, ...] = ()
    """Kinds of controls, of which there has to be one."""
    horizon: int | None = None
    """Tokens ahead that have to be forecast, by encoders that don't see them."""
    order: int = 1
    """Order in time that has to be fitted."""
    with_null: bool = False
    """Whether the horizon has to be one that is scored, with a null."""
    tokens: bool = False
    """Whether the study needs a head, and the encoders spatial tokens."""


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

    def needs(self) -> Needs:
        """What it is judged from; a kind says what it needs beyond nothing."""
        return Needs()


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
