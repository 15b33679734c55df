"""Claim: a trained encoder knows more than its architecture does with random weights.

For every target of all of a study's systems, R2 of the trained encoder less the mean R2 of the
random ones, on the same held-out clips; and the mean over all targets of all systems.
"""

from typing import Literal

from pydantic import Field

from physprobe.falsify import _random
from physprobe.falsify._claim import Claim, Judgement, Needs, judged, knowing, measured, verdict
from physprobe.store.evidence import Evidence

FIGURES = ("above_random",)
RANDOM = ("untrained",)
"""Kinds of controls that have random weights."""
FEWEST = 5
"""Draws of random weights that a mean needs."""


class Spec(Claim):
    """Mean difference over all targets of all systems; no single target may lose much."""

    kind: Literal["above_random"] = "above_random"
    """Controls of kind ``untrained`` are the random ones."""
    loss: float = Field(0.05, ge=0)
    """Largest loss of R2 that any single target may have."""

    def needs(self) -> Needs:
        """What it is judged from."""
        return Needs(
            everywhere=True, decoded=(None, "clip"), metric="r2",
            controls=True, of_kinds=RANDOM, fewest=FEWEST,
        )  # fmt: skip


def judge(spec: Spec, evidence: Evidence, encoders: tuple[str, ...]) -> Judgement:
    """Judge the claim, with R2 of the encoders and of random weights on every target."""
    probes = {place: evidence.at(place, spec.method).probes for place in evidence.simulations}
    random, draws = tuple(evidence.of_kind(*RANDOM)), evidence.bootstraps
    rows = {name: list(_random.rows(probes, name, random, draws)) for name in encoders}
    twins = sum(len(evidence.specs[name].get("seeds", (0,))) for name in random)
    lines = {}
    for name, found in rows.items():
        line = _line(spec, found, twins, measured(spec, _random.mean(probes, name, random), draws))
        lines[name] = knowing(line, "R2", _random.mean(probes, name).interval(draws).columns())
    return Judgement(lines, [row for found in rows.values() for row in found])


def _line(spec: Spec, rows: list[dict], twins: int, mean: dict) -> dict:
    found = [row for row in rows if row["metric"] == _random.DIFFERENCE]
    *targets, _ = found
    worst = min(targets, key=lambda row: row["value"])
    holds = worst["value"] >= -spec.loss
    told = f"worst {worst['system']} {worst['target']} {worst['value']:+.3f}"
    word = verdict(mean["ci_low"], mean["ci_high"], spec.margin)
    return judged(
        spec,
        statistic=f"R2 less the mean of {twins} draws of random weights,"
        f" mean over {len(targets)} targets",
        verdict=word if holds else "refuted",
        note=told if holds else f"{told}, below -{spec.loss:g}",
        **mean,
    )
