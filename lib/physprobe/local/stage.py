"""Local: decode labels from the token under the ball, from one far away, and patch by patch."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from physprobe.falsify._evidence import decoded
from physprobe.fit.methods.stage import decode
from physprobe.local import _places
from physprobe.statistics import scores
from physprobe.store import job, results, zarrs
from physprobe.store.inputs import Inputs

SCORES = ("r2", "mae", "circular_mae")


def run(
    *,
    embeddings: Path,
    simulation: Path,
    out: Path,
    spec: str,
    code: str = "by hand",
    threads: int = 1,
) -> None:
    """Probe an encoder's spatial tokens into ``{system}/local/{encoder}.json``.

    Parameters
    ----------
    embeddings : Path
        Root ``zarr.json`` of the embeddings, with the spatial tokens of the layer.
    simulation : Path
        Root ``zarr.json`` of a system whose scene knows where the ball is.
    out : Path
        The result.
    spec : str
        JSON of the entry: its ``layer`` and its ``probe``.
    code : str
        Fingerprint of the code.
    threads : int
        Threads of the linear algebra, which the caller has set; for the record.

    Raises
    ------
    ValueError
        If the embedding has no such tokens, or the system no ball.
    """
    entry = json.loads(spec)
    found = Inputs.read("probe", embeddings, simulation, json.dumps(entry["probe"]))
    tokens, film = _tokens(embeddings, found, entry["layer"]), _film(simulation, found)
    grid = tokens.shape[2:4]
    parts = _places.Parts(tokens, _places.under(film, _member(found), grid), found.spec.seed)
    scored, predictions = decode(found, parts, layers=parts.names)
    scored = [
        {**row, "layer": entry["layer"], "model": row["layer"]}
        for row in scored
        if row["layer"] != "selected" and row["metric"] in SCORES and row.get("time") is None
    ]
    rows = [row for row in scored if row["model"] in parts.CHOSEN]
    rows += _differences(found, predictions, entry["layer"])
    patches = [row for row in scored if row["model"] not in parts.CHOSEN and row["metric"] == "r2"]
    results.write(
        out,
        schema="local",
        spec=entry,
        rows=[{**row, "encoder": embeddings.parent.stem} for row in [*rows, *patches]],
        grid=list(grid),
        touched=_places.touched(film, grid).sum(0),
        label=found.source.attrs.get("label"),
        provenance=found.provenance(code, threads),
    )
    told = "; ".join(
        f"{row['target']} R2 {row['value']:.3f}"
        for row in rows
        if row["model"] == "under" and row["metric"] == "r2" and row["value"] is not None
    )
    job.done(f"{out.stem}: {grid[0]} x {grid[1]} patches, under the ball {told}")


def _tokens(path: Path, found: Inputs, layer: str) -> np.ndarray:
    name = f"tokens_{layer}"
    if name not in found.source:
        raise ValueError(
            f"{path} has no spatial tokens of layer {layer!r}."
            f" Hint: set tokens: [{layer}] in the encoder's config entry."
        )
    return zarrs.values(found.source, name)


def _film(path: Path, found: Inputs) -> np.ndarray:
    if found.system.attrs.get("field") != "scene":
        raise ValueError(f"{path}: no scene, so no ball to look for. Hint: take a system of balls.")
    return zarrs.values(found.system, "scene").astype(np.float64)


def _member(found: Inputs) -> np.ndarray:
    """Frames of each token: (time, frame) of bool."""
    seconds, source = found.system.time.values, found.source
    half = (seconds[1] - seconds[0]) / 2  # frames are inside their tokens by this much
    start, end = (source[name].values[:, None] for name in ("time_start", "time_end"))
    return (seconds > start - half) & (seconds < end - half)


def _differences(found: Inputs, predictions: Mapping, layer: str) -> Iterator[dict]:
    """R2 of the token under the ball less that of the others, paired by clip."""
    probe = {"predictions": predictions}
    for target in found.spec.targets:
        for sample in found.spec.samples:
            own = decoded(probe, target, sample, "under")
            for name in () if own is None else ("mean", "elsewhere", "far"):
                other = decoded(probe, target, sample, name)
                interval = scores.paired(
                    own.sums, other.sums, scores.r2_of, groups=predictions["group"],
                    draws=found.spec.bootstraps, seed=found.spec.seed,
                )  # fmt: skip
                ends = dict(zip(("value", "ci_low", "ci_high"), map(float, interval), strict=True))
                yield {
                    "target": target,
                    "sample": sample,
                    "layer": layer,
                    "model": "under",
                    "baseline": name,
                    "metric": "r2_difference",
                    "n_clips": len(own.sums),
                    **ends,
                }
