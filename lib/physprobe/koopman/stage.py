"""Koopman: model the dynamics of an embedding, and score the model against what knows none."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from xarray import Dataset

from physprobe.store import files, job, results, stack, zarrs
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
    """Model one encoder's embeddings into ``koopman/{encoder}.{model}.json``.

    Parameters
    ----------
    embeddings : list of Path
        Root ``zarr.json`` of the embeddings of each system.
    simulation : list of Path
        Root ``zarr.json`` of each system's simulation: labels, and ``group`` and ``split`` if it
        has them. Several systems share one model, whose errors are told apart by ``equation``.
    out : Path
        The result.
    spec : str
        JSON of the model's spec.
    code : str
        Fingerprint of the code.
    threads : int
        Threads of the linear algebra, which the caller has set; for the record.

    Raises
    ------
    ValueError
        If the stores' clips differ, those of several systems don't go together, or an embedding
        lacks what the model reads.
    """
    found, pooled = stack.read("koopman", embeddings, simulation, spec)
    if len(embeddings) > 1 and found.kind.READS != "pooled":
        raise ValueError(
            f"{out}: {found.spec.kind} takes one system, but {len(embeddings)} are given."
            " Hint: dmd takes several."
        )
    rows, blocks = found.kind.fit(
        found.spec,
        _features(found, pooled),
        found.labels,
        found.folds,
        layers=found.layers,
        times=found.times,
        groups=found.groups,
    )
    results.write(
        out,
        schema="koopman",
        spec=found.spec.dump(),
        rows=rows,
        provenance=found.provenance(code, threads),
        **blocks,
    )
    job.done(f"{out.stem}: {len(found.groups)} clips in {len(found.folds)} folds, {_best(rows)}")


def head(
    *,
    embeddings: Path,
    simulation: Path,
    out: Path,
    spec: str,
    code: str = "by hand",
    threads: int = 1,
) -> None:
    """Fit the spatial head on every clip into a safetensors file.

    Parameters
    ----------
    embeddings, simulation : Path
        Root ``zarr.json`` of either store.
    spec, code, threads
        As for :func:`run`, with a kind that has weights.
    out : Path
        The file; tensors as ``spatial_heat_head.weights`` names them.

    Raises
    ------
    ValueError
        If the kind has no weights, or as for :func:`run`.
    """
    found, pooled = stack.read("koopman", [embeddings], [simulation], spec)
    if not hasattr(found.kind, "weights"):
        raise ValueError(
            f"{out}: kind {found.spec.kind!r} has no weights. Hint: spatial_heat_head has."
        )
    tensors = found.kind.weights(
        found.spec, _features(found, pooled), found.labels, found.folds, found.groups
    )
    metadata = {
        "schema": "physprobe/spatial_head/1",
        "equation": "x[t+1] = x[t] + alpha K(x[t]); x = (token - mean) @ matrix of whitening",
        "layer": found.spec.layer,
        "label": found.spec.label,
        "label_unit": found.units.get(found.spec.label, "1"),
        "time_step_seconds": f"{np.diff(found.times).mean():.9g}",
        "clips": str(len(found.groups)),
        "encoder": str(found.source.attrs.get("label")),
        "weights_hash": str(found.source.attrs.get("weights_hash")),
        "embeddings": found.digests["embeddings"],
        "code": code,
        "spec": found.spec.canonical(),
    }
    files.write_tensors(out, tensors, metadata)
    channels = len(tensors["real.depthwise.weight"])
    job.done(f"{out.stem}: kernels of {channels} channels from {len(found.groups)} clips")


def _features(found: Inputs, pooled: Sequence[np.ndarray]) -> "Sequence[np.ndarray] | Tokens":
    """What the kind reads."""
    if found.kind.READS == "pooled":
        return pooled
    layer = found.spec.layer
    if f"tokens_{layer}" not in found.source:
        raise ValueError(
            f"the embedding has no spatial tokens of layer {layer!r}."
            f" Hint: set tokens: [{layer}] in the encoder's config entry."
        )
    return Tokens(found.source, layer)


class Tokens:
    """Spatial tokens (clip, time, y, x, feature) of one layer, read in slices of clips."""

    def __init__(self, source: Dataset, layer: str):
        self.source, self.name = source, f"tokens_{layer}"
        self.shape = source[self.name].shape

    def __len__(self) -> int:
        """Count the clips."""
        return self.shape[0]

    def __getitem__(self, clips: slice) -> np.ndarray:
        """Read some clips."""
        return zarrs.values(self.source, self.name, clip=clips)


def _best(rows: list[dict]) -> str:
    """Skill one token ahead of the last layer's first model, in words."""
    for row in reversed(rows):
        first = row.get("order") in (None, 1) and row.get("model") in ("dmd", "real")
        against = row.get("baseline") == "persistence" and row.get("horizon") == 1
        if first and against and row["metric"] == "skill" and row.get("value") is not None:
            value, low, high = row["value"], row["ci_low"], row["ci_high"]
            return f"skill against persistence {value:.3f} [{low:.3f}, {high:.3f}]"
    return "no skill is defined"
