"""Results: JSON files of scores, one row per score, written whole or not at all."""

import hashlib
import json
import math
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

SCHEMA = 1
COLUMNS = (
    "encoder", "target", "sample", "layer", "time", "horizon", "order", "model", "baseline",
    "metric", "value", "ci_low", "ci_high", "null_mean", "null_q95", "p", "n_clips", "lambda",
    "edge_hit", "note",
)  # fmt: skip


def row(**score: object) -> dict:
    """One score with every column of :data:`COLUMNS`; what is not given is null.

    Raises
    ------
    ValueError
        If a column is unknown, or a value is missing without a note that says why.
    """
    unknown = set(score) - set(COLUMNS)
    if unknown:
        raise ValueError(f"A row has no column {', '.join(sorted(unknown))}.")
    complete = {column: plain(score.get(column)) for column in COLUMNS}
    if complete["value"] is None and not complete["note"]:
        raise ValueError(f"An undefined score needs a note: {complete}.")
    return complete


def plain(value: object) -> object:
    """Value in JSON's own types, floats to nine digits; NaN and infinity become null."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, float | np.floating):
        return float(f"{value:.9g}") if math.isfinite(value) else None
    if isinstance(value, np.integer):
        return int(value)
    return value


def write(
    out: Path,
    *,
    schema: str,
    spec: Mapping,
    rows: Iterable[Mapping],
    provenance: Mapping,
    **blocks: object,
) -> None:
    """Write a result.

    Parameters
    ----------
    out : Path
        The JSON file.
    schema : str
        What kind of result it is, for instance ``probe``.
    spec : mapping
        The validated config entry that it follows from.
    rows : iterable of mapping
        Scores; see :func:`row`.
    provenance : mapping
        Code, inputs, versions, device, seconds.
    **blocks
        Further named content, for instance predictions.
    """
    content = {
        "schema": f"physprobe/{schema}/{SCHEMA}",
        "spec": plain(spec),
        "rows": [row(**score) for score in rows],
        **{name: plain(block) for name, block in blocks.items()},
        "provenance": plain(provenance),
    }
    write_text(out, json.dumps(content, indent=1, allow_nan=False))


def write_text(out: Path, text: str) -> None:
    """Write a text file by temp file and rename."""
    write_bytes(out, (text if text.endswith("\n") else text + "\n").encode())


def write_bytes(out: Path, content: bytes) -> None:
    """Write a file by temp file and rename."""
    out.parent.mkdir(parents=True, exist_ok=True)
    temporary = out.with_name(f".{out.name}.{os.getpid()}")
    temporary.write_bytes(content)
    temporary.replace(out)


def read(path: Path) -> dict:
    """Content of a result."""
    return json.loads(Path(path).read_text())


def by_name(paths: Iterable[Path]) -> dict[str, dict]:
    """Contents of results ``{encoder}.{entry}.json`` by encoder."""
    return {path.name.split(".")[0]: read(path) for path in paths}


def by_folder(paths: Iterable[Path]) -> dict[str, dict[str, dict]]:
    """Contents of results ``{folder}/.../{encoder}.{entry}.json`` by folder and encoder."""
    found: dict[str, list[Path]] = {}
    for path in paths:
        found.setdefault(path.parents[1].name, []).append(path)
    return {folder: by_name(files) for folder, files in found.items()}


def digest(path: Path) -> str:
    """Digest of a result's bytes."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:16]


def held_out(block: Mapping, score: str, fixed: bool = False) -> np.ndarray:
    """Score of each held-out clip (clip,) of a block of predictions: its error, or whether right.

    With it goes what the clip's weight does, through the fits, to the scores of the others: sums of
    both vary from draw to draw as the score would if all fits were redone, and are the same in
    total. Where some clips are scored by themselves, fits are to be taken as fixed.
    """
    own = np.asarray(block[score], float)
    return own if fixed else own + np.asarray(block.get("influence", 0.0), float)
