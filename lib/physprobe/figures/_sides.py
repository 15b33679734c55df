"""Sides: from systems side by side to what each figure draws, one tidy DataFrame per figure."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd

from physprobe.figures import _frames
from physprobe.figures._frames import SCORE, TIMES, about
from physprobe.store import inputs
from physprobe.store.evidence import Evidence

TARGET = "equation"
SAMPLES = ("clip", "token")


def separation(study: Evidence) -> pd.DataFrame:
    """Accuracy of every encoder and control, and where held-out clips lie."""
    return pd.DataFrame(_separation(study))


def _separation(study: Evidence) -> Iterator[dict]:
    for name in study.scored:
        own = about(study, name)
        for sample in SAMPLES:
            found = study.probes.probe(name, TARGET, sample, "accuracy")
            if found and found["value"] is not None:
                score = {column: found.get(column) for column in SCORE}
                yield {**own, "item": "accuracy", "sample": sample, **score}
        held_out = study.probes.held_out(name, TARGET, "clip")
        predictions = study.probes[name]["predictions"]
        classes = predictions["classes"].get(TARGET, [])
        if held_out is None or len(classes) != 2:
            continue
        odds = np.asarray(held_out["log_probability"], float) @ [-1.0, 1.0]
        for clip, truth, value in zip(
            predictions["clip"], predictions["truth"][TARGET], odds, strict=True
        ):
            yield {**own, "item": "clip", "clip": clip, "equation": truth, "value": value}


def parameters(study: Evidence) -> pd.DataFrame:
    """R2 of every label of every system, from the clip's mean embedding."""
    return pd.DataFrame(_parameters(study))


def _parameters(study: Evidence) -> Iterator[dict]:
    for system, side in study.sides.items():
        for target in next(iter(side.probes.values()))["spec"]["targets"]:
            for name in side.scored:
                found = side.probes.probe(name, target, "clip")
                if not found or found["value"] is None:
                    continue
                score = {column: found.get(column) for column in SCORE}
                own = {"system": study.equation(system), "target": target}
                yield {**about(side, name), **own, **score}


def orders(study: Evidence) -> pd.DataFrame:
    """Skill of every order against persistence, of each system and of all together."""
    return pd.DataFrame(_orders(study))


def _orders(study: Evidence) -> Iterator[dict]:
    sides = {study.equation(name): study.at(name) for name in study.together}
    for system, side in {**sides, "all together": study}.items():
        # an encoder, and what it has to be better than
        names = [*side.encoders, *side.of_kind("pixels")]
        shown = _frames.skill(replace(side, encoders=tuple(names), controls=()))
        if len(shown):
            shown = shown[shown["baseline"] == "persistence"]
            roles = {name: about(side, name)["role"] for name in names}
            yield from (
                shown.assign(system=system, role=shown["encoder"].map(roles)).to_dict("records")
            )


def counterparts(study: Evidence) -> pd.DataFrame:
    """Frames of clips that start alike, one of each system."""
    names = study.together
    groups = [inputs.counterparts(study.simulations[system]) for system in names]
    shared = set(groups[0].tolist()).intersection(*(part.tolist() for part in groups[1:]))
    if not shared:
        return pd.DataFrame()
    start, seconds = min(shared), study.clips[names[0]].time.values
    times = np.unique(np.linspace(0, len(seconds) - 1, TIMES).round().astype(int))
    found = []
    for place, system in enumerate(names):
        clip = int(np.flatnonzero(groups[place] == start)[0])
        images = _frames.pictured(study.clips[system], clip)
        told = study.equation(system)
        found += [
            {"system": told, "place": place, "clip": clip, "note": f"{told}, clip {clip}",
             "time": float(seconds[time]), "image": images[time],
             **_frames.described(study.clips[system])}
            for time in times
        ]  # fmt: skip
    return pd.DataFrame(found)
