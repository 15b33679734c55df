"""Probe: decode labels of one system, or of several, from what an encoder returned."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from physprobe.probe import _transfer
from physprobe.statistics import targets
from physprobe.store import job, results, stack
from physprobe.store.inputs import Inputs


def run(
    *,
    embeddings: list[Path],
    simulation: list[Path],
    out: Path,
    spec: str,
    code: str = "by hand",
    threads: int = 1,
) -> None:
    """Probe one encoder's embeddings into ``probes/{encoder}.{probe}.json``.

    Parameters
    ----------
    embeddings : list of Path
        Root ``zarr.json`` of the embeddings of each system; ``pooled`` is read layer by layer, and
        for a probe that attends over space the ``tokens`` of those layers that keep them.
    simulation : list of Path
        Root ``zarr.json`` of each system's simulation: labels, and ``group`` and ``split`` if
        declared. Several systems are taken together, with ``equation`` as a label.
    out : Path
        The result.
    spec : str
        JSON of the probe's spec.
    code : str
        Fingerprint of the code.
    threads : int
        Threads of the linear algebra, which the caller has set; for the record.

    Raises
    ------
    ValueError
        If a target is no label of the system, or has no logarithm; if the stores' clips differ, or
        those of several systems don't go together.
    """
    found, features = stack.read("probe", embeddings, simulation, spec)
    rows, predictions = decode(found, features)
    _write(out, found, rows, predictions, code, threads)


def transfer(
    *,
    embeddings: list[Path],
    simulation: list[Path],
    out: Path,
    spec: str,
    region: str = "{}",
    code: str = "by hand",
    threads: int = 1,
) -> None:
    """Probe held-out clips of another kind into ``transfers/{transfer}/{encoder}.{probe}.json``.

    Parameters
    ----------
    embeddings : list of Path
        Root ``zarr.json`` of a system's embeddings; or of two, that which is scored and that which
        is trained on: the same simulation in another rendering.
    simulation : list of Path
        Root ``zarr.json`` of the simulation of each.
    out : Path
        The result.
    spec : str
        JSON of the probe's spec.
    region : str
        JSON of quantile ranges of labels; clips inside all of them are held out together.
    code : str
        Fingerprint of the code.
    threads : int
        Threads of the linear algebra, which the caller has set; for the record.

    Raises
    ------
    ValueError
        If a target or a label of the region is none of the system, the two renderings show
        different clips, or nothing is left to train or to score on.
    """
    ranges = json.loads(region)
    moved = _transfer.read(embeddings, simulation, spec, ranges)
    found = moved.inputs
    rows, predictions = decode(found, moved.features, strata=moved.strata)
    order = np.argsort(np.concatenate([fold.test for fold in found.folds]))
    predictions["group"] = found.groups[predictions["clip"]]
    predictions["training_mean"] = {
        name: np.concatenate(
            [
                np.broadcast_to(values[fold.train].mean(0), values[fold.test].shape)
                for fold in found.folds
            ]
        )[order]
        for name, values in _targets(found).items()
    }
    setting = {
        "region": {
            name: {"quantiles": ranges[name], "low": low, "high": high, "units": found.units[name]}
            for name, (low, high) in moved.edges.items()
        },
        "training_clips": [len(fold.train) for fold in found.folds],
        "label": found.source.attrs.get("label"),
    }
    _write(out, found, rows, predictions, code, threads, setting=setting)


def _targets(found: Inputs) -> dict[str, np.ndarray]:
    values = targets.classes if found.spec.of_classes else targets.values
    return {name: values(found.labels, name) for name in found.spec.targets}


def decode(
    found: Inputs,
    features: Sequence[np.ndarray],
    layers: Sequence[str] | None = None,
    **more: object,
) -> tuple[list[dict], dict]:
    """Rows and predictions of the probe that the inputs name.

    Parameters
    ----------
    found : Inputs
    features : sequence over layers of (clip, time, feature)
    layers : (layer,), optional
        Their names; those of the embedding if not given.
    **more
        Further arguments of the kind.

    Raises
    ------
    ValueError
        If a target is no label of the system, or the kind can't do what is asked.
    """
    if by := getattr(found.spec, "by", None):
        more["parts"] = targets.label(found.labels, by)
    if getattr(found.spec, "spatial", False):
        more["tokens"] = features.tokens
    return found.kind.probe(
        found.spec,
        features,
        layers or found.layers,
        _targets(found),
        found.folds,
        times=found.times,
        groups=found.groups,
        components=found.source.attrs["spec"].get("components"),
        **more,
    )


def _write(
    out: Path,
    found: Inputs,
    rows: list[dict],
    predictions: dict,
    code: str,
    threads: int,
    **blocks: object,
) -> None:
    results.write(
        out,
        schema="probe",
        spec=found.spec.dump(),
        rows=rows,
        predictions=predictions,
        **blocks,
        provenance=found.provenance(code, threads),
    )
    folds = f"{len(found.folds)} outer fold{'s' * (len(found.folds) > 1)}"
    job.done(
        f"{out.stem}: {len(found.spec.targets)} targets from {len(found.layers)} layers,"
        f" {len(found.groups)} clips in {folds}, {_best(rows)}"
    )


def _best(rows: Sequence[dict]) -> str:
    """Score of the first target's selected layer, in words."""
    named = {"r2": "R2", "accuracy": "accuracy"}
    for row in rows:
        if row.get("layer") == "selected" and row["metric"] in named and row["value"] is not None:
            return (
                f"{row['target']} {named[row['metric']]} {row['value']:.3f}"
                f" [{row['ci_low']:.3f}, {row['ci_high']:.3f}]"
            )
    return "no score is defined"
