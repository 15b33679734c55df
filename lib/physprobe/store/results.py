"""Results: JSON files of scores, one row per score, written whole or not at all."""

import hashlib
import json
import math
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from physprobe.store import files

SCHEMA = 1
OUTSIDE = ("digest", "provenance")
"""What of a result its digest isn't of: two that say the same may come from different places."""
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
        Code, inputs, versions, device; nothing that differs between two identical runs.
    **blocks
        Further named content, for instance predictions.
    """
    content = {
        "schema": f"physprobe/{schema}/{SCHEMA}",
        "spec": plain(spec),
        "rows": [row(**score) for score in rows],
        **{name: plain(block) for name, block in blocks.items()},
    }
    origin = plain(provenance)
    whole = {
        "schema": content["schema"],
        "digest": _digest(content),
        **content,
        "provenance": {**origin, "digest": _digest(origin)},
    }
    files.write_text(out, json.dumps(whole, indent=1, allow_nan=False))


def read(path: Path, schema: str | None = None) -> dict:
    """Content of a result that is what was written.

    Parameters
    ----------
    path : Path
    schema : str, optional
        What kind of result it has to be.

    Raises
    ------
    OSError
        If it isn't there or can't be read.
    ValueError
        If it is cut, changed since it was written, or another kind of result.
    """
    whole = files.read_json(path)
    found = str(whole.get("schema")) if isinstance(whole, dict) else "no mapping"
    expected = f"physprobe/{schema}/{SCHEMA}" if schema else "physprobe/..."
    if not (found == expected if schema else found.startswith("physprobe/")):
        raise ValueError(
            f"{path}: schema is {found}, expected {expected}. Hint: is it the file that was meant?"
        )
    content = {name: block for name, block in whole.items() if name not in OUTSIDE}
    origin = whole.get("provenance")
    origin = dict(origin) if isinstance(origin, dict) else {}
    for what, part, expected in (
        ("provenance", origin, origin.pop("digest", None)),
        ("content", content, whole.get("digest")),
    ):
        if _digest(part) != expected:
            raise ValueError(
                f"{path}: its {what} is not what was written: digest {_digest(part)}, expected"
                f" {expected}. {files.anew(path)}"
            )
    return whole


def _digest(content: Mapping) -> str:
    """Digest of JSON's own types, whatever the order of their names."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class Found(dict):
    """Results by name; asking for one that isn't there says so."""

    def __missing__(self, name: str) -> dict:
        """Refuse.

        Raises
        ------
        ValueError
            Always.
        """
        there = ", ".join(map(str, self)) or "none"
        raise ValueError(
            f"no result of {name!r} was given, but of: {there}."
            " Hint: give the results of every encoder and control of the entry."
        )


def by_name(paths: Iterable[Path], schema: str | None = None) -> dict[str, dict]:
    """Contents of results ``{encoder}.{entry}.json`` by encoder.

    Raises
    ------
    ValueError
        If two are of one encoder, or as for :func:`read`.
    """
    return _named(paths, schema, lambda path: path.name.split(".")[0])


def by_place(paths: Iterable[Path], schema: str | None = None) -> dict[tuple[str, ...], dict]:
    """Contents of results by the last three parts of their paths.

    Raises
    ------
    ValueError
        As for :func:`by_name`.
    """
    return _named(paths, schema, lambda path: Path(path).absolute().parts[-3:])


def _named(paths: Iterable[Path], schema: str | None, name: Callable[[Path], Any]) -> "Found":
    named: dict[Any, Path] = {}
    for path in paths:
        other = named.setdefault(name(path), path)
        if other != path:
            raise ValueError(
                f"{path}: a second result of {name(path)!r} beside {other}. Hint: give each once."
            )
    return Found({key: read(path, schema) for key, path in named.items()})


def by_folder(paths: Iterable[Path], schema: str | None = None) -> dict[str, dict[str, dict]]:
    """Contents of results ``{folder}/.../{encoder}.{entry}.json`` by folder and encoder.

    Raises
    ------
    ValueError
        As for :func:`by_name`.
    """
    found: dict[str, list[Path]] = {}
    for path in paths:
        found.setdefault(Path(path).absolute().parents[1].name, []).append(path)
    return Found({folder: by_name(inside, schema) for folder, inside in found.items()})


def first(found: Mapping[str, dict]) -> dict:
    """First of several results.

    Raises
    ------
    ValueError
        If there is none.
    """
    for result in found.values():
        return result
    raise ValueError("no result was given. Hint: give one of each encoder and control.")


def digests(paths: Iterable[Path]) -> dict[str, str]:
    """Digest of the content of results that were read, by the last three parts of their paths."""
    return {str(Path(*path.parts[-3:])): files.read_json(path)["digest"] for path in paths}


def held_out(block: Mapping, score: str, fixed: bool = False) -> np.ndarray:
    """Score of each held-out clip (clip,) of a block of predictions: its error, or whether right.

    With it goes what the clip's weight does, through the fits, to the scores of the others: sums of
    both vary from draw to draw as the score would if all fits were redone, and are the same in
    total. Where some clips are scored by themselves, fits are to be taken as fixed.
    """
    own = np.asarray(block[score], float)
    return own if fixed else own + np.asarray(block.get("influence", 0.0), float)
