"""Gate: what a trained encoder knows beyond the same architecture with random weights.

For every declared target, R2 of the trained encoder less the mean R2 of several random ones, on the
same held-out clips; and the mean over all targets of all systems. Clips of one number are drawn
together in every system: where systems share initial conditions, they are not independent.
"""

from collections.abc import Iterator, Mapping
from functools import partial

import numpy as np

from physprobe.falsify._evidence import decoded
from physprobe.statistics import scores


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
        ``mean``, of all of them. ``model`` is the system.

    Raises
    ------
    ValueError
        If a target is undefined, or systems differ in their clips.
    """
    stacked, above = [], partial(_above_random, count=1 + len(random))
    for system, results in probes.items():
        for target in results[encoder]["spec"]["targets"]:
            sums = [_ordered(system, results[name], target) for name in (encoder, *random)]
            about = {"target": target, "sample": "clip", "layer": "selected", "model": system}
            for name, own in zip((encoder, *random), sums, strict=True):
                interval = scores.bootstrap(own, scores.r2_of, draws=draws)
                yield {**about, "encoder": name, "metric": "r2", **_said(interval, len(own))}
            stacked.append(np.concatenate(sums, axis=-1))
            interval = scores.bootstrap(stacked[-1], above, draws=draws)
            yield {
                **about, "encoder": encoder, "metric": "r2_difference", "baseline": "random",
                **_said(interval, len(own)),
            }  # fmt: skip
    if len({len(sums) for sums in stacked}) > 1:
        raise ValueError("The gate's systems have different numbers of clips.")
    every = np.concatenate(stacked, axis=-1)
    cuts = np.cumsum([sums.shape[-1] for sums in stacked])[:-1]

    def mean(totals: np.ndarray) -> np.ndarray:
        return np.mean([above(part) for part in np.split(totals, cuts, axis=-1)], axis=0)

    yield {
        "encoder": encoder, "target": "mean", "sample": "clip", "layer": "selected",
        "metric": "r2_difference", "baseline": "random",
        **_said(scores.bootstrap(every, mean, draws=draws), len(every)),
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
        f" {mean['ci_high']:+.3f}]{'' if above else ', not above 0'}; worst {worst['model']}"
        f" {worst['target']} {worst['value']:+.3f}{'' if holds else f', below -{margin:g}'}"
    )
    return above and holds, why


def _above_random(totals: np.ndarray, count: int) -> np.ndarray:
    first, *others = np.split(totals, count, axis=-1)
    return scores.r2_of(first) - np.mean([scores.r2_of(other) for other in others], axis=0)


def _ordered(system: str, result: Mapping, target: str) -> np.ndarray:
    found = decoded(result, target, "clip")
    if found is None:
        raise ValueError(f"{system}: the target {target} is undefined.")
    return found.sums[np.argsort(result["predictions"]["clip"])]


def _said(interval: scores.Interval, clips: int) -> dict:
    value, low, high = (float(part) for part in interval)
    return {"value": value, "ci_low": low, "ci_high": high, "n_clips": clips}
