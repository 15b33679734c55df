"""Probe: decode a system's labels from what an encoder returned, with interval and null."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from physprobe.core import job, results
from physprobe.core.inputs import Inputs, Layers


def run(
    *,
    embeddings: Path,
    simulation: Path,
    out: Path,
    spec: str,
    code: str = "by hand",
    threads: int = 1,
) -> None:
    """Probe one embedding store into ``probes/{encoder}.{probe}.json``.

    Parameters
    ----------
    embeddings : Path
        Root ``zarr.json`` of the embeddings; ``pooled`` is read layer by layer.
    simulation : Path
        Root ``zarr.json`` of the simulation: labels, and ``group`` and ``split`` if declared.
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
        If a target is no label of the system, or has no logarithm; if the stores' clips differ.
    """
    found = Inputs.read("probe", embeddings, simulation, spec)
    targets = found.spec.targets
    rows, predictions = found.kind.probe(
        found.spec,
        Layers(found.source),
        found.layers,
        {name: target(found.system, name) for name in targets},
        found.folds,
        times=found.times,
        groups=found.groups,
        components=found.source.attrs["spec"].get("components"),
    )
    results.write(
        out,
        schema="probe",
        spec=found.spec.dump(),
        rows=rows,
        predictions=predictions,
        provenance=found.provenance(code, threads),
    )
    job.done(
        f"{out.stem}: {len(targets)} targets from {len(found.layers)} layers, {len(found.groups)}"
        f" clips in {len(found.folds)} outer fold{'s' * (len(found.folds) > 1)}, {_best(rows)}"
    )


def target(system: object, name: str) -> np.ndarray:
    """Values (clip,) of a target: a label, or the natural logarithm of one.

    Raises
    ------
    ValueError
        If there is no such label, or it has no logarithm.
    """
    label = name if name in system else name.removeprefix("log_")
    if label not in system or system[label].dims != ("clip",):
        known = [found for found in system.variables if system[found].dims == ("clip",)]
        raise ValueError(f"target {name!r}: no such label. Hint: labels are {', '.join(known)}.")
    values = system[label].values.astype(np.float64)
    if label == name:
        return values
    if (values <= 0).any():
        raise ValueError(
            f"target {name!r}: {label} is {values.min():g} in clip {values.argmin()}, which has no"
            f" logarithm. Hint: ask for {label!r} itself."
        )
    return np.log(values)


def _best(rows: Sequence[dict]) -> str:
    """Score of the first target's selected layer, in words."""
    for row in rows:
        if row.get("layer") == "selected" and row["metric"] == "r2" and row["value"] is not None:
            return (
                f"{row['target']} R2 {row['value']:.3f} [{row['ci_low']:.3f}, {row['ci_high']:.3f}]"
            )
    return "no score is defined"
