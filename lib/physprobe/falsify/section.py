"""Falsify's contract: what every kind of claim offers, and what it may leave out."""

from abc import abstractmethod
from typing import Protocol

from physprobe.falsify._claim import Claim, Judgement
from physprobe.store.evidence import Evidence


class Kind(Protocol):
    """A kind of claim: a statement with a test, judged from a study's fits and their controls.

    A module is one by having these names.
    """

    Spec: type[Claim]
    """Fields of the claim's entry; ``needs`` says what it is judged from."""
    FIGURES: tuple[str, ...] = ()
    """Kinds of figures that show its rows; the first one, where a study names a figure of it."""

    @staticmethod
    @abstractmethod
    def judge(spec: Claim, evidence: Evidence, encoders: tuple[str, ...]) -> Judgement:
        """A line of the claims table for each encoder, and the scores that it rests on."""
