"""Koopman: model the dynamics of an embedding, and score the model against what knows none."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np

from physprobe.core import job, kinds, results, splits, stores
from physprobe.core.spec import Spec


def run(
    *,
    embeddings: Path,
    simulation: Path,
    out: Path,
    spec: str,
    code: str = "by hand",
    threads: int = 1,
) -> None:
    """Model one embedding store into ``koopman/{encoder}.{model}.json``.

    Parameters
    ----------
    embeddings : Path
        Root ``zarr.json`` of the embeddings.
    simulation : Path
        Root ``zarr.json`` of the simulation: labels, and ``group`` and ``split`` if it has them.
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
        If the two stores hold different clips, or the embedding lacks what the model reads.
    """
    found = Inputs.read(embeddings, simulation, spec)
    rows, blocks = found.kind.fit(
        found.spec,
        found.features,
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
        provenance=job.provenance(
            code,
            {"embeddings": stores.digest(embeddings), "simulation": stores.digest(simulation)},
            encoder=found.attrs.get("label"),
            weights_hash=found.attrs.get("weights_hash"),
            causal=found.attrs.get("spec", {}).get("causal"),
            device="cpu",
            dtype="float64",
            threads=threads,
        ),
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
    embeddings, simulation, spec, code, threads
        As for :func:`run`, with a kind that has weights.
    out : Path
        The file; tensors as ``spatial_heat_head.weights`` names them.

    Raises
    ------
    ValueError
        If the kind has no weights, or as for :func:`run`.
    """
    from safetensors.numpy import save_file

    found = Inputs.read(embeddings, simulation, spec)
    if not hasattr(found.kind, "weights"):
        raise ValueError(
            f"{out}: kind {found.spec.kind!r} has no weights. Hint: spatial_heat_head has."
        )
    tensors = found.kind.weights(
        found.spec, found.features, found.labels, found.folds, found.groups
    )
    metadata = {
        "schema": "physprobe/spatial_head/1",
        "equation": "x[t+1] = x[t] + alpha K(x[t]); x = (token - mean) @ matrix of whitening",
        "layer": found.spec.layer,
        "label": found.spec.label,
        "label_unit": found.units.get(found.spec.label, "1"),
        "time_step_seconds": f"{np.diff(found.times).mean():.9g}",
        "clips": str(len(found.groups)),
        "encoder": str(found.attrs.get("label")),
        "weights_hash": str(found.attrs.get("weights_hash")),
        "embeddings": stores.digest(embeddings),
        "code": code,
        "spec": found.spec.canonical(),
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    temporary = out.with_name(f".{out.name}.{os.getpid()}")
    save_file(tensors, temporary, metadata)
    temporary.replace(out)
    channels = len(tensors["real.depthwise.weight"])
    job.done(f"{out.stem}: kernels of {channels} channels from {len(found.groups)} clips")


@dataclass(frozen=True)
class Inputs:
    """What the stores hold for one model."""

    kind: ModuleType
    spec: Spec
    features: "Layers | Tokens"
    layers: list[str]
    times: list[float]
    labels: dict[str, np.ndarray]
    units: dict[str, str]
    groups: np.ndarray
    folds: tuple[splits.Fold, ...]
    attrs: dict

    @classmethod
    def read(cls, embeddings: Path, simulation: Path, spec: str) -> "Inputs":
        """Open both stores and cut the clips into folds."""
        entry = json.loads(spec)
        kind = kinds.load("koopman", entry["kind"])
        spec_ = kind.Spec.model_validate(entry)
        source, system = stores.read(embeddings), stores.read(simulation)
        clips = system.sizes["clip"]
        if source.sizes["clip"] != clips:
            raise ValueError(
                f"{embeddings}: {source.sizes['clip']} clips, but {simulation} has {clips}."
                " Hint: embed the clips of this very simulation."
            )
        if kind.READS == "tokens" and f"tokens_{spec_.layer}" not in source:
            raise ValueError(
                f"{embeddings} has no spatial tokens of layer {spec_.layer!r}."
                f" Hint: set tokens: [{spec_.layer}] in the encoder's config entry."
            )
        known = {
            str(name): system[name]
            for name in system.variables
            if system[name].dims == ("clip",) and name not in ("clip", "group", "split")
        }
        values = {name: np.array(found.values.tolist()) for name, found in known.items()}
        groups, folds = splits.declared_by(
            system, outer=spec_.outer, inner=spec_.inner, seed=spec_.seed
        )
        return cls(
            kind,
            spec_,
            Layers(source) if kind.READS == "pooled" else Tokens(source, spec_.layer),
            [str(layer) for layer in source.layer.values],
            source.time.values.tolist(),
            values,
            {name: found.attrs.get("units", "1") for name, found in known.items()},
            groups,
            folds,
            source.attrs,
        )


class Layers:
    """Layers of an embedding store, each read when its turn comes."""

    def __init__(self, source: object):
        self.source = source

    def __iter__(self) -> Iterator[np.ndarray]:
        """Read layer after layer (clip, time, feature)."""
        for layer in range(self.source.sizes["layer"]):
            yield stores.values(self.source, "pooled", layer=layer)


class Tokens:
    """Spatial tokens (clip, time, y, x, feature) of one layer, read in slices of clips."""

    def __init__(self, source: object, layer: str):
        self.source, self.name = source, f"tokens_{layer}"
        self.shape = source[self.name].shape

    def __len__(self) -> int:
        """Count the clips."""
        return self.shape[0]

    def __getitem__(self, clips: slice) -> np.ndarray:
        """Read some clips."""
        return stores.values(self.source, self.name, clip=clips)


def _best(rows: list[dict]) -> str:
    """Skill one token ahead of the last layer's first model, in words."""
    for row in reversed(rows):
        first = row.get("order") in (None, 1) and row.get("model") in ("dmd", "real")
        against = row.get("baseline") == "persistence" and row.get("horizon") == 1
        if first and against and row["metric"] == "skill" and row.get("value") is not None:
            value, low, high = row["value"], row["ci_low"], row["ci_high"]
            return f"skill against persistence {value:.3f} [{low:.3f}, {high:.3f}]"
    return "no skill is defined"
