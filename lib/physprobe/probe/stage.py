"""Probe: decode a system's labels from what an encoder returned, with interval and null."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from physprobe.core import job, kinds, results, splits, stores


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
    entry = json.loads(spec)
    kind = kinds.load("probe", entry["kind"])
    spec_ = kind.Spec.model_validate(entry)
    source, system = stores.read(embeddings), stores.read(simulation)
    clips = system.sizes["clip"]
    if source.sizes["clip"] != clips:
        raise ValueError(
            f"{embeddings}: {source.sizes['clip']} clips, but {simulation} has {clips}."
            " Hint: embed the clips of this very simulation."
        )
    groups, folds = splits.declared_by(
        system, outer=spec_.outer, inner=spec_.inner, seed=spec_.seed
    )
    layers = [str(layer) for layer in source.layer.values]
    rows, predictions = kind.probe(
        spec_,
        Layers(source, len(layers)),
        layers,
        {name: target(system, name) for name in spec_.targets},
        folds,
        times=source.time.values.tolist(),
        groups=groups,
        components=source.attrs["spec"].get("components"),
    )
    results.write(
        out,
        schema="probe",
        spec=spec_.dump(),
        rows=rows,
        predictions=predictions,
        provenance=job.provenance(
            code,
            {"embeddings": stores.digest(embeddings), "simulation": stores.digest(simulation)},
            encoder=source.attrs.get("label"),
            weights_hash=source.attrs.get("weights_hash"),
            device="cpu",
            dtype="float64",
            threads=threads,
        ),
    )
    job.done(
        f"{out.stem}: {len(spec_.targets)} targets from {len(layers)} layers, {clips} clips in"
        f" {len(folds)} outer fold{'s' * (len(folds) > 1)}, {_best(rows)}"
    )


class Layers(Sequence):
    """Layers of an embedding store, each read when it is asked for."""

    def __init__(self, source: object, count: int):
        self.source, self.count = source, count

    def __len__(self) -> int:
        """Count the layers."""
        return self.count

    def __getitem__(self, layer: int) -> np.ndarray:
        """Read one layer's features (clip, time, feature), float64."""
        if not 0 <= layer < self.count:
            raise IndexError(layer)
        return stores.values(self.source, "pooled", layer=layer).astype(np.float64)

    def __iter__(self) -> Iterator[np.ndarray]:
        """Read layer after layer."""
        return (self[layer] for layer in range(self.count))


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
