"""Export: an embedding, or a simulation of a fluid, as files that other people's scripts read."""

import json
from pathlib import Path

import numpy as np

from physprobe.store import _well, files, log, zarrs
from physprobe.store.inputs import of_first_member


def run(
    *, out: Path, embeddings: Path | None = None, simulation: Path | None = None, name: str = ""
) -> None:
    """Write an embedding as Physics-Probe-VJEPA2's files, or a simulation of a fluid as The Well's.

    Of an embedding every clip gets four: ``sim_0000/per_frame.npy`` (time, feature) float32,
    ``per_frame_norm.npy`` the same with rows of unit length, ``tokens_spatial_fp16.npy`` (time, y,
    x, feature) float16, ``embed_meta.json``. Of an encoder with several members they are of the
    first. Of a simulation they are ``data/{train,valid,test}/<name>.hdf5``, every clip a
    trajectory, ``stats.yaml`` of the training files and ``<name>.yaml``.

    Parameters
    ----------
    out : Path
        Folder that gets the files.
    embeddings : Path, optional
        An embedding store with the spatial tokens of layer ``final``.
    simulation : Path, optional
        In its place a simulation store of a fluid.
    name : str, optional
        Of the data set, of a simulation; by default its folder's.

    Raises
    ------
    ValueError
        If the store is no embedding, or has no spatial tokens of layer ``final``; if it is no
        simulation of a fluid, or the folder has files of another one.
    """
    if (embeddings is None) == (simulation is None):
        raise ValueError("export: expected one of --embeddings and --simulation.")
    if simulation is not None:
        _well.write(simulation, out, name)
    elif embeddings is not None:
        _tokens(embeddings, out)


def _tokens(embeddings: Path, out: Path) -> None:
    """Write an embedding; see :func:`run`."""
    source = of_first_member(zarrs.read(embeddings))
    if "pooled" not in source:
        raise ValueError(
            f"{embeddings} is no embedding: it holds {', '.join(map(str, source.data_vars))}."
            " Hint: give one of results/{system}/embeddings/."
        )
    if "tokens_final" not in source:
        raise ValueError(
            f"{embeddings} has no spatial tokens."
            " Hint: set tokens: [final] in the encoder's config entry."
        )
    layer = int(np.flatnonzero(source.layer.values == "final")[0])
    _, time, height, width, features = source["tokens_final"].shape
    names = ["per_frame.npy", "per_frame_norm.npy", "tokens_spatial_fp16.npy"]
    meta = {
        "hf_repo": source.attrs["hf_repo"],
        "device": source.attrs["device"],
        "temporal_tokens": time,
        "token_grid_h": height,
        "token_grid_w": width,
        "token_dim": features,
        "per_frame_dim": features,
        "saved_files": [*names, "embed_meta.json"],
    }
    for clip in range(source.sizes["clip"]):
        folder = out / f"sim_{clip:04d}"
        frames = zarrs.values(source, "pooled", clip=clip, layer=layer).astype(np.float32)
        unit = frames / np.linalg.norm(frames, axis=1, keepdims=True)
        tokens = zarrs.values(source, "tokens_final", clip=clip)
        for name, array in zip(names, (frames, unit, tokens), strict=True):
            with files.replacing(folder / name) as temporary, temporary.open("wb") as file:
                np.save(file, array)
        files.write_text(folder / "embed_meta.json", json.dumps(meta, indent=2))
    log.done(f"{out}: {source.sizes['clip']} clips")
