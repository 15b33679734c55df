"""Results: JSON files of scores, one row per score, written whole or not at all."""

import hashlib
import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from physprobe.store import files

VERSION = 2
OUTSIDE = ("digest", "provenance")
"""What of a result its digest isn't of: two that say the same may come from different places."""
EVERYWHERE = ("system", "encoder", "member")
"""Dimensions that the rows of every result have."""
DIMENSIONS = {
    "system": "system whose clips the score is read on; `a+b`: of both together; `all`: of several",
    "encoder": "encoder or control; of a law also the `field` or the `video`",
    "member": "which of an entry's networks, where it has several: a seed, or a place;"
    " null: the mean over them",
    "claim": "claim that the score belongs to",
    "beyond": "what a claim has to beat: `controls` or `chance`",
    "test": "test, interval or solver that is calibrated",
    "method": "method that was fitted",
    "way": "how it was fitted, where it was in several ways",
    "folds": "`transferred`, or the system whose own clips were decoded, by ordinary folds",
    "target": "label that is decoded, or that a model is given",
    "sample": "`clip`: from its mean embedding; `token`: from each token time; or `system`",
    "layer": "blocks applied; `selected`: as chosen inside the training clips",
    "place": "part of the image: `under`, `elsewhere`, `far`, `mean`, or a patch `y,x`",
    "time": "time of the token [s]; of a trajectory, since its start",
    "part": "value of a label whose clips are scored apart",
    "stratum": "clips that the solver is stable for, or those that it isn't",
    "equation": "equation whose clips a shared model is scored on",
    "lead": "steps from a latent to what is read off it: 0, or 1 later",
    "context": "frames that are seen of a window's, such as `8/16`; `selected`: as chosen inside"
    " the training clips; `any`: all of them",
    "direction": "which of a scene's two pairs of films: `first` or `second`; null: both",
    "horizon": "tokens ahead",
    "order": "frames that a model of the dynamics, or a law, remembers",
    "model": "model of the dynamics or spatial head: `dmd`, `real`, or what stands in for one",
    "pixels": "pixel control that is mapped to the embedding, or from it",
    "law": "candidate among the laws",
    "verdict": "verdict on the law that clips obey",
    "quantity": "`decay` or `frequency`, as a function of the wavenumber",
    "decoy": "what obeys no law: shuffled or still frames, noise; `all` of them",
    "baseline": "what a skill or a gain is relative to",
    "share": "share of the training groups, such as trajectories, that a probe is fitted to",
    "groups": "how many groups those are; the mean over outer folds",
    "count": "training clips that a probe is fitted to, where there are several numbers of them;"
    " of laws, clips of other systems that a readout is learnt on",
    "periods": "periods per side of the waves that are read",
    "control": "control that the score is less; `best control` is found anew in every draw",
    "against": "the same probe at another `place`, or by ordinary `folds`, that it is paired with",
    "threshold": "level that counts as readable",
    "frames": "frames of the clips that a device is measured on",
    "backend": "implementation of attention that runs on it",
    "refined": "of what there is more as a fluid is solved again: `steps`, or cells of the `grid`",
    "times": "how many times as many, of the solution that is compared with that of the most",
    "trajectory": "number of the trajectory",
    "field": "field of a fluid, or `all` of them together",
}
"""What a row is of. Each means one thing in all results; null where it doesn't apply."""
SCORE = (
    "metric", "value", "ci_low", "ci_high", "estimand", "null_mean", "null_q95", "p", "n_clips",
    "lambda", "edge_hit", "note",
)  # fmt: skip
"""What a row says."""
EVIDENCE = ("interval", "null")
"""What a row's interval and null follow from, for means over members; nothing of it is written."""


@dataclass(frozen=True)
class Schema:
    """A kind of result: its name, and the dimensions that its rows have besides `EVERYWHERE`.

    Raises
    ------
    ValueError
        If a dimension isn't one of :data:`DIMENSIONS`.
    """

    name: str
    dimensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse dimensions that mean nothing."""
        unknown = set(self.dimensions) - set(DIMENSIONS)
        if unknown:
            raise ValueError(f"Schema {self.name}: no dimension {', '.join(sorted(unknown))}.")

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of its rows, in the order of :data:`DIMENSIONS`."""
        own = (*EVERYWHERE, *self.dimensions)
        return (*(name for name in DIMENSIONS if name in own), *SCORE)

    def row(self, **score: object) -> dict:
        """One score with every column; what is not given is null, and evidence is left out.

        Raises
        ------
        ValueError
            If a column is unknown, or a value is missing without a note that says why.
        """
        unknown = set(score) - set(self.columns) - set(EVIDENCE)
        if unknown:
            names = ", ".join(sorted(unknown))
            raise ValueError(f"A row of schema {self.name} has no column {names}.")
        complete = {column: plain(score.get(column)) for column in self.columns}
        if complete["value"] is None and not complete["note"]:
            raise ValueError(f"An undefined score needs a note: {complete}.")
        return complete


def plain(value: object) -> Any:
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
    schema: Schema,
    spec: Mapping,
    rows: Iterable[Mapping],
    provenance: Mapping,
    of: Mapping[str, str] = MappingProxyType({}),
    **blocks: object,
) -> None:
    """Write a result.

    Parameters
    ----------
    out : Path
        The JSON file.
    schema : Schema
    of : mapping
        Dimensions that all rows agree in, such as ``system`` and ``encoder``; the head of the
        result names them too. What a row says itself comes first.
    spec : mapping
        The validated config entry that it follows from.
    rows : iterable of mapping
        Scores; see :meth:`Schema.row`.
    provenance : mapping
        Code, inputs, versions, device; nothing that differs between two identical runs.
    **blocks
        Further named content, for instance predictions.
    """
    content = {
        "schema": f"physprobe/{schema.name}/{VERSION}",
        **plain(of),
        "spec": plain(spec),
        "rows": [schema.row(**{**of, **score}) for score in rows],
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

    Of an encoder with several members ``rows`` are those of the mean over members, as if it were
    one; each member's own are with its blocks, in ``members``.

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
    expected = f"physprobe/{schema}/{VERSION}" if schema else "physprobe/..."
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
    return by_member(whole)


def by_member(result: dict) -> dict:
    """A result as it was written, each member's rows taken to its blocks."""
    if "members" not in result:
        return result
    found: dict[int | None, list[dict]] = {}
    for row in result["rows"]:
        found.setdefault(row["member"], []).append(row)
    members = [{**each, "rows": found.get(each["member"], [])} for each in result["members"]]
    return {**result, "rows": found.get(None, []), "members": members}


def _digest(content: Mapping) -> str:
    """Digest of JSON's own types, whatever the order of their names."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class Found(dict[str, dict]):
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


def _named(paths: Iterable[Path], schema: str | None, name: Callable[[Path], Any]) -> "Found":
    named: dict[Any, Path] = {}
    for path in paths:
        other = named.setdefault(name(path), path)
        if other != path:
            raise ValueError(
                f"{path}: a second result of {name(path)!r} beside {other}. Hint: give each once."
            )
    return Found({key: read(path, schema) for key, path in named.items()})


def sort(result: Mapping) -> str:
    """What kind of result it is: the name of its schema."""
    return result["schema"].split("/")[1]


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


def half_ratios(block: Mapping, metric: str, part: str | None = None) -> np.ndarray | None:
    """What fits to halves of the clips say of a score (split,); none if none were made.

    Of all held-out clips, or of a part that is scored apart; see ``half_samples.ratios``.
    """
    about = block.get("halves", {}) if part is None else block["halves_of_parts"].get(part, {})
    found = about.get(metric, ())
    return np.asarray(found, float) if len(found) else None
