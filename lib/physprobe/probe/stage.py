"""Probe: decode a system's labels from what an encoder returned, with interval and null."""

from collections.abc import Sequence
from pathlib import Path

from physprobe.core import job, results
from physprobe.core.inputs import Inputs, Layers, target


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
        {name: target(found.labels, name) for name in targets},
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


def _best(rows: Sequence[dict]) -> str:
    """Score of the first target's selected layer, in words."""
    for row in rows:
        if row.get("layer") == "selected" and row["metric"] == "r2" and row["value"] is not None:
            return (
                f"{row['target']} R2 {row['value']:.3f} [{row['ci_low']:.3f}, {row['ci_high']:.3f}]"
            )
    return "no score is defined"
