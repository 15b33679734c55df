"""Random: what a trained encoder knows beyond the same architecture with random weights.

For every declared target, R2 of the trained encoder less the mean R2 of several random ones, on the
same held-out clips; and the mean over all targets of all systems. Clips of one group are drawn
together, and those of one number in all systems that have as many: where systems share initial
conditions, they are not independent.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from physprobe.statistics import paired, splits
from physprobe.statistics.paired import Scored
from physprobe.store.fits import decoded, only

DIFFERENCE = "r2_above_random"
"""Metric of R2 less the mean of the random ones'."""


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
        Rows of a result: ``r2`` of each encoder and its members, ``r2_above_random`` of each target
        and, with target ``mean``, of all of them.

    Raises
    ------
    ValueError
        If a target is undefined.
    """
    for system, results in probes.items():
        for target in results[encoder]["spec"]["targets"]:
            found = {name: _ordered(system, results[name], target) for name in (encoder, *random)}
            about = {"target": target, "sample": "clip", "layer": "selected", "system": system}
            for name, own in found.items():
                yield {**about, "encoder": name, **own.row("r2", draws)}
                yield from of_members(results[name], target)
            yield {
                **about, "encoder": encoder, "control": "random",
                **paired.above_mean(*found.values()).row(DIFFERENCE, draws),
            }  # fmt: skip
    yield {
        "system": "all", "encoder": encoder, "target": "mean", "sample": "clip",
        "layer": "selected", "control": "random",
        **mean(probes, encoder, random).row(DIFFERENCE, draws),
    }  # fmt: skip


def mean(
    probes: Mapping[str, Mapping[str, dict]], encoder: str, random: tuple[str, ...] = ()
) -> Scored:
    """Mean over all targets of all systems of R2, less the mean of the random ones' if any."""
    found = [
        [_ordered(system, results[name], target) for name in (encoder, *random)]
        for system, results in probes.items()
        for target in results[encoder]["spec"]["targets"]
    ]
    return _mean([paired.above_mean(*each) if random else each[0] for each in found])


def _mean(differences: Sequence[Scored]) -> Scored:
    """Mean of scores; of systems that have as many clips, those of one number drawn together."""
    alike: dict[tuple, list[Scored]] = {}
    for found in differences:
        halves = () if found.halves is None else found.halves.signs.tolist()
        alike.setdefault((len(found.groups), str(halves)), []).append(found)
    parts = []
    for every in alike.values():
        groups = splits.joined([found.groups for found in every])
        joined = [replace(found, groups=groups) for found in every]
        parts.append(paired.combined(joined, lambda found: np.mean(found, axis=0)))
    if len(parts) == 1:
        return parts[0]
    shares = [len(every) / len(differences) for every in alike.values()]
    return paired.combined(
        paired.apart(parts),
        lambda found: np.einsum("s,s...->...", shares, np.stack(found)),
    )


def of_members(result: Mapping, target: str, sample: str = "clip") -> Iterator[dict]:
    """R2 of each of an encoder's members, where it has several."""
    where = {"target": target, "sample": sample, "layer": "selected", "metric": "r2"}
    kept = (*where, "system", "encoder", "member", "value", "ci_low", "ci_high", "n_clips", "note")
    for part in result.get("members", ()):
        found = only(result, **where, time=None, part=None, member=part["member"])
        yield {key: found[key] for key in kept}


def _ordered(system: str, result: Mapping, target: str) -> Scored:
    found = decoded(result, target, "clip")
    if found is None:
        raise ValueError(f"{system}: the target {target} is undefined.")
    return found.of(np.argsort(result["predictions"]["clip"]))
