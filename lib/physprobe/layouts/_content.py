"""Content: what a study's result says besides its scores, in the same words for every study."""

import numpy as np
from xarray import Dataset

from physprobe.drawing import palette
from physprobe.layouts import _metrics
from physprobe.layouts.section import Result
from physprobe.store import zarrs
from physprobe.store.evidence import Evidence

EXPLODED = 1.01  # the initial maximum is 1, and no heat equation exceeds it


def heading(content: dict) -> str:
    """What a study's sheet is headed with; random weights are named there."""
    text = f"{content['study']}: {content['setup']['n_total']} clips"
    if content["untrained"]:
        encoder = content["setup"]["encoder"]
        text += f"; {encoder} is untrained (random weights): every score of it is a null"
    return text


def protocol(study: Evidence, first: str, total: int) -> dict:
    """How many clips there are, how they are split, and how many draws scores rest on."""
    block, protocol = study.probes[first]["predictions"], study.probes[first]["spec"]
    folds = len(set(block["fold"]))
    held = round(len(block["clip"]) / folds)
    return {
        "encoder": first,
        "n_total": total,
        "n_train": total - held,
        "n_test": held,
        "n_held_out": len(block["clip"]),
        "outer_folds": folds,
        "permutations": protocol["permutations"],
        "bootstraps": protocol["bootstraps"],
        "shuffles": study.koopman[first]["spec"]["shuffles"],
    }


def published_setup(study: Evidence, first: str) -> dict:
    """What the published comparisons say of themselves besides."""
    protocol, held = study.probes[first]["spec"], study.probes[first]["predictions"]
    return {
        "seed": protocol["seed"],
        "test_ratio": 1 / len(set(held["fold"])),
        "ridge_lambda": protocol.get("penalties"),
        "koopman_latent_dim": study.koopman[first]["published"]["latent_dim"],
    }


def told(study: Evidence, name: str, blocks: dict) -> dict:
    """An encoder's or a control's own block, with what it is."""
    label = study.labels[name]
    return {"label": label, "untrained": palette.random(label), **blocks[name]}


def artefact(study: Evidence, judged: Result, system: Dataset) -> dict | None:
    """Stable and unstable clips apart, where the solver can be unstable."""
    if not {"stable", "alpha"} <= set(system.variables):
        return None
    stable = np.asarray(system["stable"].values, bool)
    name = system.attrs["field"]
    last = (zarrs.values(system, name, clip=clip, time=-1) for clip in range(len(stable)))
    exploded = np.array([np.abs(field).max() > EXPLODED for field in last])
    return _metrics.artefact(study, judged, stable, exploded)
