"""Ladder: how far every encoder is above every control, and scores of parts of the clips."""

from collections.abc import Iterator
from itertools import product

import numpy as np

from physprobe.statistics import paired
from physprobe.store.evidence import Evidence

UNDEFINED = "the target is undefined"


def differences(evidence: Evidence) -> Iterator[dict]:
    """Each encoder's score less each control's and less the best one's, on the same clips.

    Yields
    ------
    dict
        Rows: ``r2_difference``, or ``accuracy_difference`` of a target that is a class.
    """
    probe = next(iter(evidence.probes.values()))["spec"]
    for encoder in evidence.encoders:
        for target in probe["targets"]:
            for sample in probe["samples"]:
                about = {"encoder": encoder, "target": target, "sample": sample}
                about["layer"] = "selected"
                yield from _of(evidence, encoder, target, sample, about)


def _of(evidence: Evidence, encoder: str, target: str, sample: str, about: dict) -> Iterator[dict]:
    own = evidence.probes.decoded(encoder, target, sample)
    if own is None:
        yield {**about, "metric": "r2_difference", "note": UNDEFINED}
        return
    draws, metric = evidence.bootstraps, f"{own.metric}_difference"
    others = evidence.decoded(evidence.controls, target, sample)
    for name, other in others.items():
        yield {**about, "control": name, **paired.above(own, other).row(metric, draws, UNDEFINED)}
    if others:
        found = paired.above(own, *others.values()).row(metric, draws, UNDEFINED)
        yield {**about, "control": "best control", "note": paired.best(others), **found}


def ceilings(evidence: Evidence) -> Iterator[dict]:
    """What one tells who knows the equation: scores that no encoder passes by physics alone.

    Yields
    ------
    dict
        Rows: ``r2_ceiling``, and ``r2_above_ceiling``, each encoder's score less it, on the same
        clips; or ``accuracy_ceiling`` and so on of a target that is a class.
    """
    probe = next(iter(evidence.probes.values()))["spec"]
    for name, target, sample in product(evidence.ceilings, probe["targets"], probe["samples"]):
        yield from ceiling(evidence, name, target, sample)
        both = evidence.decoded((name, *evidence.encoders), target, sample)
        top = both.pop(name, None)
        if top is None:
            continue
        for encoder, own in both.items():
            about = {"encoder": encoder, "target": target, "sample": sample, "layer": "selected"}
            gap, metric = paired.above(own, top), f"{own.metric}_above_ceiling"
            yield {**about, "control": name, **gap.row(metric, evidence.bootstraps, UNDEFINED)}


def ceiling(evidence: Evidence, name: str, target: str, sample: str) -> Iterator[dict]:
    """Row of one ceiling; none where the target is undefined."""
    found = evidence.probes.decoded(name, target, sample)
    if found is not None:
        about = {"encoder": name, "target": target, "sample": sample, "layer": "selected"}
        yield about | found.row(f"{found.metric}_ceiling", evidence.bootstraps, UNDEFINED)


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
                found = evidence.probes.decoded(name, target, sample, fixed=True)
                if found is None:
                    continue
                about = {"encoder": name, "target": target, "sample": sample, "layer": "selected"}
                for stratum, chosen in (
                    ("stable clips", stable[held]),
                    ("unstable clips", ~stable[held]),
                ):
                    clips = int(chosen.sum())
                    line = {**about, "stratum": stratum}
                    if clips < 3:
                        few = f"{clips} held-out clips are too few"
                        yield {**line, "metric": "r2_stratum", "n_clips": clips, "note": few}
                        continue
                    score = found.of(chosen)
                    yield line | score.row("r2_stratum", evidence.bootstraps, UNDEFINED)
