"""Ladder: how far every encoder is above every control, and scores of parts of the clips."""

from collections.abc import Iterator

import numpy as np

from physprobe.falsify._evidence import Evidence, against_best, told
from physprobe.statistics import scores

UNDEFINED = "the target is undefined"


def differences(evidence: Evidence, system: str | None = None) -> Iterator[dict]:
    """Each encoder's score less each control's and less the best one's, on the same clips.

    Yields
    ------
    dict
        Rows: ``r2_difference``, or ``accuracy_difference`` of a target that is a class. ``model``
        is the system, where there are several.
    """
    probe = next(iter(evidence.probes.values()))["spec"]
    for encoder in evidence.encoders:
        for target in probe["targets"]:
            for sample in probe["samples"]:
                about = {
                    "encoder": encoder, "target": target, "sample": sample, "layer": "selected",
                    "model": system,
                }  # fmt: skip
                yield from _of(evidence, encoder, target, sample, about)


def _of(evidence: Evidence, encoder: str, target: str, sample: str, about: dict) -> Iterator[dict]:
    own = evidence.decoded(encoder, target, sample)
    if own is None:
        yield {**about, "metric": "r2_difference", "note": UNDEFINED}
        return
    about = {**about, "metric": f"{own.metric}_difference", "n_clips": len(own.sums)}
    others = {
        name: found.sums
        for name in evidence.controls
        if (found := evidence.decoded(name, target, sample)) is not None
    }
    for name, sums in others.items():
        found = scores.paired(own.sums, sums, own.statistic, draws=evidence.bootstraps)
        yield {**about, "baseline": name, **told(found, UNDEFINED)}
    if others:
        found, best = against_best(own.sums, others, own.statistic, evidence.bootstraps)
        yield {**about, "baseline": "best control", "note": best, **told(found, UNDEFINED)}


def strata(evidence: Evidence, stable: np.ndarray) -> Iterator[dict]:
    """R2 on stable and on unstable held-out clips apart, where the solver can be unstable.

    Parameters
    ----------
    evidence : Evidence
    stable : (clip,) bool
    """
    for name in (*evidence.encoders, *evidence.controls):
        held = np.asarray(evidence.probes[name]["predictions"]["clip"])
        for target in ("alpha", "log_alpha"):
            for sample in ("clip", "token"):
                found = evidence.decoded(name, target, sample, fixed=True)
                if found is None:
                    continue
                about = {
                    "encoder": name, "target": target, "sample": sample, "layer": "selected",
                    "metric": "r2_stratum",
                }  # fmt: skip
                for note, chosen in (
                    ("stable clips", stable[held]),
                    ("unstable clips", ~stable[held]),
                ):
                    clips = int(chosen.sum())
                    line = {**about, "model": note, "n_clips": clips}
                    if clips < 3:
                        yield {**line, "note": f"{clips} held-out clips are too few"}
                        continue
                    score = scores.bootstrap(
                        found.sums[chosen], found.statistic, draws=evidence.bootstraps
                    )
                    yield {**line, **told(score, UNDEFINED)}
