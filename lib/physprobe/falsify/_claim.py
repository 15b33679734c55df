"""What all claims have in common."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from pydantic import Field

from physprobe.config.spec import Spec
from physprobe.statistics import margins, nulls
from physprobe.statistics.bootstrap import Resampled
from physprobe.statistics.intervals import Interval
from physprobe.statistics.paired import Scored
from physprobe.store.evidence import Evidence

NO_CONTROL = "the study has no control to beat"
NO_INTERVAL = "no interval: too few clips are held out"


@dataclass(frozen=True)
class Needs:
    """What a claim is judged from: whether it will be there is checked before anything is run."""

    role: Literal[
        "probe", "state", "recovery", "energy", "spread", "rollout", "surprise", "decoder",
        "dynamics", "head", "law", "pixels",
    ] = "probe"  # fmt: skip
    """What fits it is judged from: those of methods of a role, or pixels beside the embeddings."""
    design: str | None = None
    """Design that the study has to have; none: any whose folds are of whole clips."""
    everywhere: bool = False
    """Whether it is of all of the study's systems; otherwise it names one, if there are several."""
    ordinary: bool = False
    """Whether it is judged beside one system's own embeddings, so from ordinary folds alone."""
    decoded: tuple[str | None, str] | None = None
    """Target, or None for whichever it has, and sample that the probe has to read."""
    metric: str = ""
    """Score that the probe has to have: R2, or one of classes; none: whichever it has."""
    part: str | None = None
    """Value of a label that the probe has to score apart."""
    controls: bool = False
    """Whether there has to be a control."""
    named: tuple[str, ...] = ()
    """Controls that have to be among the study's."""
    rivals: tuple[str, ...] = ()
    """Encoders, or controls, that have to be among the study's."""
    of_kinds: tuple[str, ...] = ()
    """Kinds of controls, of which there have to be some."""
    fewest: int = 1
    """How many networks they have together, at least; what is no network counts as one."""
    horizon: int | None = None
    """Tokens ahead that have to be forecast, by encoders that don't see them."""
    order: int = 1
    """Order in time that has to be fitted."""
    with_null: bool = False
    """Whether the horizon has to be one that is scored, with a null."""
    targets: tuple[str, ...] = ()
    """Targets that the design has to be aimed at."""
    against: str = ""
    """System that it is compared with, if it is with one."""
    published: str | None = None
    """Curve of others that it is drawn beside, if it is beside one."""


class Claim(Spec):
    """A statement, declared with its test and threshold before anything is run."""

    P_OF: ClassVar[str | None] = None
    """Field of the method's entry that counts the draws of its p; None if it needs no p, or draws
    its own."""

    P_BY: ClassVar[str] = ""
    """What its p rests on, for people, where it is no draws."""

    if TYPE_CHECKING:
        kind: str

    statement: str
    """What is claimed, in one sentence."""
    margin: float = 0.0
    """The statistic's 95 % interval has to lie above this."""
    encoders: tuple[str, ...] = Field(())
    """Encoders that it is claimed of; all of the study's if empty."""
    system: str = ""
    """System whose ordinary fits it is claimed of; of the study's own if empty."""
    method: str = ""
    """Entry of ``methods`` that it is judged by, where the study has several of its role."""

    def needs(self) -> Needs:
        """What it is judged from; a kind says what it needs beyond nothing."""
        return Needs()


@dataclass(frozen=True)
class Judgement:
    """What is said of one claim, and what it rests on."""

    lines: Mapping[str, dict]
    """Of each encoder one line of the claims table: :func:`judged`."""
    rows: list[dict] = field(default_factory=list)
    """Scores that it rests on, as rows of the result; those of the fits stay there."""
    blocks: Mapping[str, object] = field(default_factory=dict)
    """What its figures show besides."""


def each(line: Callable[..., dict]) -> Callable[..., Judgement]:
    """Judge encoders one by one, by a function of spec, evidence and encoder."""

    def judge(spec: Claim, evidence: Evidence, encoders: tuple[str, ...]) -> Judgement:
        return Judgement({encoder: line(spec, evidence, encoder) for encoder in encoders})

    return judge


COLUMNS = (
    "statistic",
    "value",
    "ci_low",
    "ci_high",
    "null_q95",
    "p",
    "best_control",
    "verdict",
    "p_margin",
    "groups",
    "narrowed",
    "room",
)


def judged(claim: Claim, *, note: str | None = None, **found: object) -> dict:
    """One line of the claims table, every column there.

    Parameters
    ----------
    claim : Claim
    note : str, optional
    **found
        Columns. ``p_margin``, two-sided, of the margin: read off the interval if it isn't given;
        ``groups``: how many the interval is over, of clips, or of whatever is drawn;
        ``narrowed``: share of its variance that more of them would narrow, 1 by default; ``room``:
        how far a perfect score would be above the best control.
    """
    known = {key: value for key, value in found.items() if not _undefined(value)}
    if "value" in known and "ci_low" in found and "ci_low" not in known:
        note = nulls.noted(note, NO_INTERVAL)
    if "p_margin" not in known and {"value", "ci_low", "ci_high"} <= set(known):
        value, low, high = (float(known[key]) for key in ("value", "ci_low", "ci_high"))  # type: ignore[arg-type]
        known["p_margin"] = margins.p(value, low, high, claim.margin, known.get("groups", np.inf))  # type: ignore[arg-type]
    return {
        "statement": claim.statement,
        "test": claim.kind,
        "margin": claim.margin,
        **{column: known.get(column) for column in COLUMNS},
        "note": note,
    }


def measured(claim: Claim, found: Scored, draws: int, *, seed: int = 0, above: float = 0.0) -> dict:
    """Columns of a claim's score: value, interval, p of its margin, and what that rests on.

    Parameters
    ----------
    claim : Claim
    found : Scored
    draws, seed : int
        Of the bootstrap.
    above : float
        Subtracted from the score.
    """
    interval = found.interval(draws, seed)
    columns = interval.columns()
    if columns["value"] is None:
        return columns
    columns |= {key: columns[key] - above for key in ("value", "ci_low", "ci_high")}
    ends = columns["value"], columns["ci_low"], columns["ci_high"]
    drawn, groups = None, len(np.unique(found.groups))
    if isinstance(interval, Resampled):
        drawn, groups = interval.drawn - above, int(interval.units)
    return columns | {
        "p_margin": margins.p(*ends, claim.margin, groups, drawn),
        "groups": groups,
        "narrowed": _narrowed(found, interval, draws, seed),
    }


def _narrowed(found: Scored, interval: Interval, draws: int, seed: int) -> float:
    """Share of an interval's variance that doesn't come of members."""
    if not found.members:
        return 1.0
    _, low, high = found.still.interval(draws, seed)
    return float(np.clip(((high - low) / (interval.high - interval.low)) ** 2, 0.0, 1.0))


def _undefined(value: object) -> bool:
    return value is None or (isinstance(value, float) and not np.isfinite(value))


def verdict(
    low: float | np.ndarray | None,
    high: float | np.ndarray | None,
    margin: float,
    p: float | None = 0.0,
) -> str:
    """Supported if the whole interval is above the margin and p below 0.05, refuted if below.

    A p that is undefined (None) supports nothing; a claim that needs none gives none. Without an
    interval (None or nan) nothing can be told.
    """
    if low is None or high is None or not (np.isfinite(low) and np.isfinite(high)):
        return "cannot tell"
    if low > margin and p is not None and p < nulls.LEVEL:
        return "supported"
    return "refuted" if high <= margin else "cannot tell"


def knowing(line: dict, name: str, score: Mapping, chance: float = 0.0) -> dict:
    """A line; where the score itself is not above chance, a difference of scores supports nothing.

    To be less bad than a control, or than a twin, there is no knowledge.

    Parameters
    ----------
    line : dict
        With ``verdict`` and ``note``.
    name : str
        Of the score.
    score : mapping
        The score itself: ``ci_low``, None if it has no interval.
    chance : float
        The score without knowledge.
    """
    low = score["ci_low"]
    if line["verdict"] != "supported" or (low is not None and low > chance):
        return line
    note = nulls.noted(line["note"], f"{name} itself is not above {chance:.3g}")
    return line | {"verdict": "cannot tell", "note": note}
