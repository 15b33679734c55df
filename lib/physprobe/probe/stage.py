"""Probe: decode labels of one system, or of several, from what an encoder returned."""

from collections.abc import Sequence
from pathlib import Path

from physprobe.core import job, results, targets
from physprobe.probe import _stack


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
        Root ``zarr.json`` of the embeddings of each system; ``pooled`` is read layer by layer.
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
    found, features = _stack.read(embeddings, simulation, spec)
    names, values = found.spec.targets, getattr(found.kind, "target", targets.values)
    rows, predictions = found.kind.probe(
        found.spec,
        features,
        found.layers,
        {name: values(found.labels, name) for name in names},
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
        f"{out.stem}: {len(names)} targets from {len(found.layers)} layers, {len(found.groups)}"
        f" clips in {len(found.folds)} outer fold{'s' * (len(found.folds) > 1)}, {_best(rows)}"
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
