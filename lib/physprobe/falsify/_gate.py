"""Gate: what a trained encoder knows beyond the same architecture with random weights.

For every declared target, R2 of the trained encoder less the mean R2 of several random ones, on the
same held-out clips; and the mean over all targets of all systems. Clips of one group are drawn
together, and those of one number in every system: where systems share initial conditions, they are
not independent.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from physprobe.statistics import paired, splits
from physprobe.statistics.paired import Scored
from physprobe.store.fits import decoded


def rows(
    probes: Mapping[str, Mapping[str, dict]], encoder: str, random: tuple[str, ...], draws: int
) -> Iterator[dict]:
    """Scores of every encoder on every target, differences, and their mean.

    Parameters
    ----------
    probes : mapping of str to mapping of str to dict
        Probe results by system and encoder.
    encoder : str
        The trained one.
    random : tuple of str
        Its twins with random weights.
    draws : int
        Bootstrap draws.

    Yields
    ------
    dict
        Rows of a result: ``r2`` of each encoder, ``r2_difference`` of each target and, with target
        ``mean``, of all of them.

    Raises
    ------
    ValueError
        If a target is undefined, or systems differ in their clips.
    """
    differences = []
    for system, results in probes.items():
        for target in results[encoder]["spec"]["targets"]:
            found = {name: _ordered(system, results[name], target) for name in (encoder, *random)}
            about = {"target": target, "sample": "clip", "layer": "selected", "system": system}
            for name, own in found.items():
                yield {**about, "encoder": name, "metric": "r2", **_said(own, draws)}
            differences.append(paired.above_mean(*found.values()))
            yield {
                **about, "encoder": encoder, "metric": "r2_difference", "control": "random",
                **_said(differences[-1], draws),
            }  # fmt: skip
    if len({len(found.groups) for found in differences}) > 1:
        raise ValueError("The gate's systems have different numbers of clips.")
    groups = splits.joined([found.groups for found in differences])
    every = [replace(found, groups=groups) for found in differences]
    mean = paired.combined(every, lambda found: np.mean(found, axis=0))
    yield {
        "system": "all", "encoder": encoder, "target": "mean", "sample": "clip",
        "layer": "selected", "metric": "r2_difference", "control": "random",
        **_said(mean, draws),
    }  # fmt: skip


def passed(found: list[dict], margin: float) -> tuple[bool, str]:
    """Whether the gate is passed, and why or why not.

    The interval of the mean has to lie above 0, and no target may lose more than the margin.
    """
    differences = [row for row in found if row["metric"] == "r2_difference"]
    *targets, mean = differences
    worst = min(targets, key=lambda row: row["value"])
    above = mean["ci_low"] > 0
    holds = worst["value"] >= -margin
    why = (
        f"mean over {len(targets)} targets {mean['value']:+.3f} [{mean['ci_low']:+.3f},"
        f" {mean['ci_high']:+.3f}]{'' if above else ', not above 0'}; worst {worst['system']}"
        f" {worst['target']} {worst['value']:+.3f}{'' if holds else f', below -{margin:g}'}"
    )
    return above and holds, why


def _ordered(system: str, result: Mapping, target: str) -> Scored:
    found = decoded(result, target, "clip")
    if found is None:
        raise ValueError(f"{system}: the target {target} is undefined.")
    return found.of(np.argsort(result["predictions"]["clip"]))


def _said(found: Scored, draws: int) -> dict:
    return {**found.interval(draws).columns(), "n_clips": len(found.groups)}
