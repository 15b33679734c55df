"""Embed: run a frozen encoder over every clip and keep the pooled hidden states of each layer."""

from pathlib import Path

import numpy as np

from physprobe.config import kinds
from physprobe.store import log, zarrs

BLOCK = (
    16  # clips per file: large enough to write fast, small enough to lose little when a job dies
)


def run(
    *,
    clips: Path,
    out: Path,
    spec: str,
    simulation: list[Path] = (),
    code: str = "by hand",
    threads: int = 1,
    force: bool = False,
) -> None:
    """Embed the clips of a system into ``embeddings/{encoder}.zarr``.

    Parameters
    ----------
    clips : Path
        Root ``zarr.json`` of the clips.
    out : Path
        Root ``zarr.json`` of the store: ``pooled`` (clip, layer, time, feature), and
        ``tokens_<layer>`` (clip, time, y, x, feature) for the layers that the spec asks for.
    spec : str
        JSON of the encoder's spec.
    simulation : list of Path
        Root ``zarr.json`` of the simulation, for a control that reads it; encoders see clips alone.
    code : str
        Fingerprint of the code.
    threads : int
        Threads of the encoder.
    force : bool
        Write the store anew if it is finished.

    Raises
    ------
    ValueError
        If the clips don't fit the encoder, or an activation overflows: layer and clip are named; if
        the simulation is given to an encoder, not to a control that reads it, or is of other clips.
    FileExistsError
        If the store is finished and follows from something else, unless forced.
    """
    root = zarrs.place(out)
    family, spec_ = kinds.parse("embed", spec)
    entry = spec_.dump()
    source = zarrs.read(clips)
    count, frames, height, width, _ = source["video"].shape
    if getattr(spec_, "SEES_SIMULATION", False) != bool(simulation):
        raise ValueError(
            f"{entry['kind']}: {'needs no' if simulation else 'needs the'} simulation."
            " Hint: --simulation is for controls that read it; encoders see clips alone."
        )
    known = {"simulation": zarrs.joined(zarrs.read(simulation[0]), source)} if simulation else {}
    encoder = family.load(
        spec_, frames=frames, height=height, width=width, threads=threads, **known
    )
    tokens = len(encoder.spans)
    variables = {
        "pooled": zarrs.Variable(
            ("clip", "layer", "time", "feature"),
            (count, len(encoder.layers), tokens, encoder.features),
            encoder.dtype,
            inner=(1, tokens, encoder.features),
        )
    }
    for layer in getattr(spec_, "tokens", ()):
        variables[f"tokens_{layer}"] = zarrs.Variable(
            ("clip", "time", "y", "x", "feature"),
            (count, tokens, *encoder.grid, encoder.features),
            "float16",
        )
    with zarrs.create(
        out,
        variables=variables,
        coords=_coordinates(encoder, source.time.values, source["clip"].values),
        attrs={
            "schema": "physprobe/embedding/1",
            "encoder": root.stem,
            "spec": entry,
            "code": code,
            "clips": source.attrs["digest"],
            "simulation": source.attrs.get("simulation"),
            **encoder.provenance,
        },
        fingerprint={
            "code": code,
            "spec": entry,
            "clips": source.attrs["digest"],
            "encoder": encoder.provenance,
            **({"simulation": zarrs.digest(simulation[0])} if simulation else {}),
        },
        block=BLOCK,
        force=force,
    ) as store:
        blocks = [
            (zarrs.Lazy(source, "video", block), np.arange(block.start, block.stop))
            for block in store.missing
        ]
        embeddings = encoder.each(blocks)

        def compute(_: slice) -> dict[str, np.ndarray]:
            embedding = next(embeddings)
            found = {f"tokens_{layer}": value for layer, value in embedding.tokens.items()}
            return {"pooled": embedding.pooled, **found}

        store.fill(compute)
    log.done(
        f"{root} ({encoder.provenance['label']}):"
        f" {count} clips x {len(encoder.layers)} layers x {tokens} times"
        f" x {encoder.features} features,"
        f" {log.megabytes(root):.0f} MB"
    )


def _coordinates(encoder: object, seconds: np.ndarray, clips: np.ndarray) -> dict:
    spans = np.asarray(encoder.spans)
    step = seconds[1] - seconds[0]
    start, end = seconds[spans[:, 0]], seconds[spans[:, 1] - 1] + step
    return {
        "clip": (("clip",), clips, {}),
        "layer": (
            ("layer",),
            np.array(encoder.layers),
            {"long_name": "blocks applied; final = normed"},
        ),
        "time": (
            ("time",),
            (start + end - step) / 2,
            {"units": "s", "long_name": "mean time of the frames"},
        ),
        "time_start": (("time",), start, {"units": "s"}),
        "time_end": (("time",), end, {"units": "s"}),
    }
