"""Discover: read the governing law off a system's field, its video, or an encoder's tokens."""

from pathlib import Path

import numpy as np
from xarray import Dataset

from physprobe.config import kinds
from physprobe.store import inputs, job, log, results, zarrs
from physprobe.store.results import Schema

SCHEMA = Schema(
    "discovery",
    ("target", "sample", "order", "law", "verdict", "quantity", "decoy", "baseline"),
)


def run(
    *,
    simulation: Path,
    source: Path,
    out: Path,
    spec: str,
    code: str = "by hand",
    threads: int = 1,
) -> None:
    """Find the law that the clips of a system obey into ``discovery/{source}.json``.

    Parameters
    ----------
    simulation : Path
        Root ``zarr.json`` of the simulation: whether the square has walls, its size, and the labels
        that estimates are compared with in the end.
    source : Path
        Root ``zarr.json`` of what is read: the simulation again, the clips, or embeddings with
        spatial tokens.
    out : Path
        The result.
    spec : str
        JSON of the spec.
    code : str
        Fingerprint of the code.
    threads : int
        Threads of the linear algebra, which the caller has set; for the record.

    Raises
    ------
    ValueError
        If the two stores hold different clips, or the source has no grid of tokens.
    """
    kind, spec_ = kinds.parse("discover", spec)
    system = zarrs.read(simulation)
    found = zarrs.joined(inputs.of_first_member(zarrs.read(source)), system)
    field = Clips(found, spec_.layer, spec_.clips)
    kept = slice(0, len(field))
    times = found.time.values
    simulated = system.attrs["spec"]["kind"]
    rows, blocks = kind.discover(
        spec_,
        field,
        periodic=not kinds.load("simulate", simulated).WALLS,
        scale=kind.Scale(
            cell=system.sizes["x"] / field[0].shape[2], frame=float(np.diff(times).mean())
        ),
        centre=spec_.centred and field.name.startswith("tokens"),
        truth={
            str(name): system[name].values[kept].astype(float)
            for name in system.variables
            if system[name].dims == ("clip",) and system[name].dtype.kind == "f"
        },
        system=simulated,
    )
    results.write(
        out,
        schema=SCHEMA,
        of={"system": simulation.absolute().parents[1].name, "encoder": out.stem},
        spec=spec_.dump(),
        rows=rows,
        provenance=job.provenance(
            code,
            {"simulation": system.attrs["digest"], "source": found.attrs["digest"]},
            encoder=found.attrs.get("label"),
            weights_hash=found.attrs.get("weights_hash"),
            read=field.name,
            device="cpu",
            dtype="float64",
            threads=threads,
        ),
        **blocks,
    )
    verdict = blocks["verdict"]
    why = f": {verdict['reason']}" if verdict["reason"] else f" by {verdict['law']}"
    log.done(f"{out.stem}: {len(field)} clips, {field.name}; {verdict['verdict']}{why}")


class Clips:
    """Clips (time, y, x, feature) of a store, each read when asked for.

    Parameters
    ----------
    source : Dataset
        A simulation, clips, or embeddings.
    layer : str
        Layer of an embedding.
    most : int
        Clips that are read.

    Raises
    ------
    ValueError
        If embeddings have no spatial tokens of the layer.
    """

    def __init__(self, source: Dataset, layer: str, most: int):
        self.source, self.most = source, most
        pixels = source.attrs.get("spec", {}).get("kind") == "pixels"
        if "field" in source.attrs:
            self.name = source.attrs["field"]
        elif "video" in source:
            self.name = "video"
        elif f"tokens_{layer}" in source:
            self.name = f"tokens_{layer}"
        elif pixels and source.attrs["spec"]["tubelet_frames"] == "mean":
            self.name = "pooled"
        else:
            raise ValueError(
                f"the source has no spatial tokens of layer {layer!r}."
                f" Hint: set tokens: [{layer}] in the encoder's config entry."
            )

    def __len__(self) -> int:
        """Count the clips."""
        return min(self.source.sizes["clip"], self.most)

    def __getitem__(self, clip: int) -> np.ndarray:
        """Read one clip."""
        if not 0 <= clip < len(self):
            raise IndexError(clip)
        values = zarrs.values(self.source, self.name, clip=clip)
        if self.name == "pooled":
            size = self.source.attrs["spec"]["size"]
            return values[0].reshape(values.shape[1], size, size, -1)
        return values if values.ndim == 4 else values[..., None]
