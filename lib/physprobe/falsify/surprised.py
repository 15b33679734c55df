"""Claim: impossible films surprise an encoder's own predictor more than possible ones."""

from collections.abc import Iterator, Sequence
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from physprobe.falsify._claim import Claim, Judgement, Needs, judged, measured, verdict
from physprobe.statistics import nulls, paired
from physprobe.statistics.paired import Scored
from physprobe.store.evidence import Evidence

FIGURES = ("surprised",)
CHANCE = 0.5
SCORE = ("value", "ci_low", "ci_high", "null_q95", "p", "n_clips", "note")


class Spec(Claim):
    """Share of pairs whose impossible film surprises more, less that of the best control.

    Controls are chance, what foresees nothing of the same windows, and the same with random
    weights. In neither direction may the share be at chance or below it: a liking for how films
    end would be right in the other one.
    """

    P_OF: ClassVar = "permutations"

    kind: Literal["surprised"] = "surprised"
    """Violation of expectation, by the encoder's own predictor."""
    part: str | None = None
    """Value of the method's ``by`` that is scored apart; all pairs if not given."""
    beyond: tuple[Literal["copy", "shuffled", "stranger"], ...] = Field(
        ("copy", "shuffled", "stranger"), min_length=1
    )
    """What it has to beat that foresees nothing; chance it has to beat anyway."""
    controls: tuple[str, ...] = ()
    """Controls that it has to beat, of those that have a predictor; all of the study's if empty."""

    def needs(self) -> Needs:
        """What it is judged from."""
        return Needs(role="surprise", part=self.part, named=self.controls)


def judge(spec: Spec, evidence: Evidence, encoders: tuple[str, ...]) -> Judgement:
    """Judge the claim, with the scores of controls, and of probes of the same label, beside it."""
    lines = {encoder: _line(spec, evidence, encoder) for encoder in encoders}
    return Judgement(lines, list(_rows(spec, evidence, encoders)))


def _line(spec: Spec, evidence: Evidence, encoder: str) -> dict:
    fits = evidence.surprises
    own = fits.surprised(encoder, "predictor", spec.part) if encoder in fits else None
    row = None if own is None else fits.row(encoder, **_asked("predictor", spec.part))
    if own is None or row is None:
        note = f"{encoder} has no predictor of masked tokens, or no pairs of {spec.part}"
        return judged(spec, verdict="cannot tell", note=note)
    others = _others(spec, evidence, encoder)

    def beyond(found: Sequence[np.ndarray]) -> np.ndarray:
        return np.asarray(found[0] - np.maximum(CHANCE, np.max(found[1:], axis=0)))

    gap = paired.combined((own, *others.values()), beyond)
    columns, best = measured(spec, gap, evidence.bootstraps), paired.best(others)
    if float(others[best].value) <= CHANCE:
        best = "chance"
    sides = {
        name: score
        for name in ("first", "second")
        if (score := fits.surprised(encoder, "predictor", spec.part, name)) is not None
    }
    word = verdict(columns["ci_low"], columns["ci_high"], spec.margin, row["p"])
    lower = min((float(side.value) for side in sides.values()), default=CHANCE)
    one_way = word == "supported" and lower <= CHANCE
    told = ", ".join(f"{name} {float(side.value):.3f}" for name, side in sides.items())
    return judged(
        spec,
        statistic="relative accuracy less that of the best control",
        best_control=best,
        verdict="cannot tell" if one_way else word,
        p=row["p"],
        null_q95=row["null_q95"],
        note=nulls.noted(
            f"{encoder} {row['value']:.3f} (directions: {told})",
            (best != "chance" and f"{best} {float(others[best].value):.3f}") or None,
            "right in one direction alone" if one_way else None,
        ),
        room=1.0 - max(CHANCE, float(others[paired.best(others)].value)),
        **columns,
    )


def _others(spec: Spec, evidence: Evidence, encoder: str) -> dict[str, Scored]:
    """What it has to beat, on the same pairs."""
    fits = evidence.surprises
    found: dict[str, Scored | None] = {}
    found |= {model: fits.surprised(encoder, model, spec.part) for model in spec.beyond}
    for name in spec.controls or evidence.controls:
        if name in fits:
            found[name] = fits.surprised(name, "predictor", spec.part)
    return {name: score for name, score in found.items() if score is not None}


def _asked(model: str, part: str | None) -> dict:
    about = {"model": model, "part": part, "context": "selected", "direction": None}
    return {**about, "metric": "relative_accuracy"}


def _rows(spec: Spec, evidence: Evidence, encoders: tuple[str, ...]) -> Iterator[dict]:
    """Relative accuracy by model and direction, and by probes of what is surprising."""
    fits = evidence.surprises
    target = ""
    for name in (*encoders, *(spec.controls or evidence.controls)):
        for row in fits.rows(name, part=spec.part, context="selected") if name in fits else ():
            target = row["target"]
            foresees = name in encoders or row["model"] == "predictor"
            if row["metric"] == "relative_accuracy" and foresees:
                about = {k: row.get(k) for k in ("target", "model", "part", "direction", "member")}
                told = {key: row.get(key) for key in SCORE}
                yield {"encoder": name, "metric": "relative_accuracy", **about, **told}
    where = {"target": target, "metric": "relative_accuracy", "layer": "selected"}
    for method, probes in evidence.each("probe").items():
        for name in encoders:
            found = probes.rows(name, **where, time=None, part=spec.part) if name in probes else ()
            for row in found:
                told = {key: row.get(key) for key in SCORE}
                about = {"model": method, "part": spec.part, "member": row.get("member")}
                yield {"encoder": name, "target": target, **about, "metric": row["metric"], **told}
