"""Claim: encoders that have one thing in common know more than their twins that have another.

    c = mean over pairs (a, b), mean over targets of  s(a) - s(b)

with scores s on the same held-out clips: the main effect of one factor of a factorial design, such
as the objective, averaged over the levels of another, such as the architecture. Of two pairs the
difference of their differences, the interaction, is told besides.

References
----------
Fisher 1935, The Design of Experiments; Wu, Hamada 2009, Experiments, ch. 4.
"""

from collections.abc import Iterator
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, model_validator

from physprobe.falsify import _ladder, _random
from physprobe.falsify._claim import Claim, Judgement, Needs, judged, knowing, measured, verdict
from physprobe.statistics import paired
from physprobe.statistics.paired import Scored
from physprobe.store.evidence import Evidence

FIGURES = ("contrast",)
DIFFERENCE, INTERACTION = "r2_contrast", "r2_interaction"
"""Metrics of R2 less that of the twin, and of the first pair's difference less the second's."""


class Spec(Claim):
    """R2 of the first of each pair less that of its second, mean over pairs and targets."""

    kind: Literal["contrast"] = "contrast"
    """Pairs of encoders that differ in one factor."""
    pairs: tuple[tuple[str, str], ...] = Field(min_length=1)
    """Encoders, or controls, of the study: each first, and the twin that it has to beat."""
    targets: Annotated[tuple[str, ...], Field(min_length=1)]
    """Labels that R2 is averaged over, each as much as any other."""
    sample: str = "clip"
    """One of the probe's samples."""

    @model_validator(mode="after")
    def _distinct(self) -> "Spec":
        for first, second in self.pairs:
            if first == second:
                raise ValueError(f"pairs: {first} is put against itself")
        return self

    def needs(self) -> Needs:
        """What it is judged from."""
        return Needs(
            decoded=(None, self.sample), metric="r2", targets=self.targets, rivals=self.named
        )

    @property
    def named(self) -> tuple[str, ...]:
        """All of the pairs' encoders, each once."""
        return tuple(dict.fromkeys(name for pair in self.pairs for name in pair))


def judge(spec: Spec, evidence: Evidence, encoders: tuple[str, ...]) -> Judgement:
    """Judge the claim once, of the firsts together, with R2 of each encoder and each difference."""
    title = " + ".join(dict.fromkeys(first for first, _ in spec.pairs))
    found = {target: evidence.decoded(spec.named, target, spec.sample) for target in spec.targets}
    if lacking := [f"{t} of {n}" for t, own in found.items() for n in spec.named if n not in own]:
        note = f"{lacking[0]} is undefined"
        return Judgement({title: judged(spec, verdict="cannot tell", note=note)})
    rows = list(_rows(spec, evidence, found, title))
    whole = measured(spec, _mean([_mean(own) for own in _gaps(spec, found)]), evidence.bootstraps)
    told = [
        f"{row['encoder']} less {row['control']} {row['value']:+.3f}"
        for row in rows
        if row["metric"] == DIFFERENCE and row["target"] == "mean" and row["encoder"] != title
    ]
    told += [
        f"difference of the two {row['value']:+.3f} [{row['ci_low']:.3f}, {row['ci_high']:.3f}]"
        for row in rows
        if row["metric"] == INTERACTION and row["ci_low"] is not None
    ]
    networks = [n for n in map(evidence.networks, spec.named) if n]
    firsts = _mean([scored[first] for first, _ in spec.pairs for scored in found.values()])
    line = judged(
        spec,
        statistic=f"R2 less that of the twin, mean over {_count(spec.pairs, 'pair')} and"
        f" {_count(spec.targets, 'target')}",
        verdict=verdict(whole["ci_low"], whole["ci_high"], spec.margin),
        note="; ".join(told),
        **whole,
    )
    line = knowing(line, "R2", firsts.interval(evidence.bootstraps).columns())
    if networks:
        line["about"] = f"networks of these kinds, of each of which {min(networks)} were tried"
    return Judgement({title: line}, rows)


def _gaps(spec: Spec, found: dict[str, dict]) -> list[list[Scored]]:
    """Differences (pair)(target) of scores by target and encoder."""
    return [
        [paired.above(scored[first], scored[second]) for scored in found.values()]
        for first, second in spec.pairs
    ]


def _rows(spec: Spec, evidence: Evidence, found: dict[str, dict], title: str) -> Iterator[dict]:
    """R2 of every encoder and member; differences by pair and target, and their means."""
    draws, gaps = evidence.bootstraps, _gaps(spec, found)
    for place, (target, scored) in enumerate(found.items()):
        about = {"target": target, "sample": spec.sample, "layer": "selected"}
        for name in evidence.ceilings:
            yield from _ladder.ceiling(evidence, name, target, spec.sample)
        for name in spec.named:
            yield {**about, "encoder": name, **scored[name].row("r2", draws)}
            yield from _random.of_members(evidence.probes[name], target, spec.sample)
        for pair, own in zip(spec.pairs, gaps, strict=True):
            yield _row(about, *pair, own[place], draws)
        yield _row(about, title, None, _mean([own[place] for own in gaps]), draws)
    about = {"target": "mean", "sample": spec.sample, "layer": "selected"}
    means = [_mean(own) for own in gaps]
    for pair, mean in zip(spec.pairs, means, strict=True):
        yield _row(about, *pair, mean, draws)
    yield _row(about, title, None, _mean(means), draws)
    if len(means) == 2:
        apart = paired.combined(means, lambda each: each[0] - each[1])
        yield {**_row(about, title, None, apart, draws), "metric": INTERACTION}


def _row(about: dict, encoder: str, control: str | None, found: Scored, draws: int) -> dict:
    return {**about, "encoder": encoder, "control": control, **found.row(DIFFERENCE, draws)}


def _mean(parts: list[Scored]) -> Scored:
    return paired.combined(parts, lambda found: np.mean(found, axis=0))


def _count(things: tuple, word: str) -> str:
    return f"{len(things)} {word}{'s' * (len(things) > 1)}"
