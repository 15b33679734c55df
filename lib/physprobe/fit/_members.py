"""Members: from the fits to each of an encoder's networks to the result of all of them.

Every method and design is fitted to one network at a time; here their rows become those of the
mean score, and their blocks a mean beside which each member's own are kept.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from physprobe.statistics import bootstrap, nulls
from physprobe.store.results import EVIDENCE, SCORE

Fitted = tuple[list[dict], dict]
"""Rows and blocks of one fit."""
SAID = (*SCORE, *EVIDENCE)
OUTER = {"ci_low": np.min, "ci_high": np.max}
"""Ends of intervals in blocks, which no draws come with: those that hold every member's."""


def gathered(found: Mapping[int | None, Fitted], name: str) -> Fitted:
    """Rows and blocks of an encoder's result.

    Parameters
    ----------
    found : mapping of int to (rows, blocks)
        By member, in order; of a single one, or of an encoder without, nothing changes.
    name : str
        Of the encoder.

    Returns
    -------
    rows : list of dict
        Of the mean over members first, ``member`` null; then each member's own.
    blocks : dict
        As of one member, but the mean over them; ``members`` holds each one's own.
    """
    fits = list(found.values())
    if len(fits) == 1:
        return fits[0]
    rows = mean_rows([rows for rows, _ in fits], name)
    for member, (own, _) in found.items():
        rows += [{**row, "member": member} for row in own]
    each = {member: blocks for member, (_, blocks) in found.items()}
    mean = _mean(list(each.values()))
    predictions = {member: blocks.get("predictions", {}) for member, blocks in each.items()}
    for place, parts in ((mean, each), (mean.get("predictions", {}), predictions)):
        if "choices" in place:  # choices have no mean: all of them are told
            place["choices"] = [
                {**choice, "member": member}
                for member, part in parts.items()
                for choice in part["choices"]
            ]
    return rows, {**mean, "members": [{"member": m, **part} for m, part in each.items()]}


def mean_rows(parts: Sequence[Sequence[dict]], name: str) -> list[dict]:
    """Rows of the mean over members.

    Where a score has an interval from a bootstrap over clips, that of the mean draws clips and
    members; where it has none, or another kind, there is none either, and the note says how far
    members reach. p is that of the mean score; see ``nulls.mean_of_members``.

    Parameters
    ----------
    parts : (member,) of lists of dict
    name : str
        Of the encoder.
    """
    alike: dict[tuple, list[dict]] = {}
    for rows in parts:
        for row in rows:
            about = {k: v for k, v in row.items() if k not in SAID and v is not None}
            alike.setdefault((row["metric"], *sorted(about.items())), []).append(row)
    return [_mean_row(rows, len(parts), name) for rows in alike.values()]


def _mean_row(rows: Sequence[dict], members: int, name: str) -> dict:
    """Row of the mean of one score."""
    first = rows[0]
    penalties = [row["lambda"] for row in rows if row.get("lambda") is not None]
    said = {row.get("note") for row in rows}
    note = said.pop() if len(said) == 1 else None  # what is not said of all isn't said of the mean
    found = {key: value for key, value in first.items() if key not in SAID} | {
        "metric": first["metric"],
        "n_clips": first.get("n_clips"),
        "lambda": sorted(penalties)[(len(penalties) - 1) // 2] if penalties else None,
        "edge_hit": any(row.get("edge_hit") for row in rows) if "edge_hit" in first else None,
    }
    values = [row["value"] for row in rows if row.get("value") is not None]
    if len(values) < members or not np.isfinite(values).all():
        why = "; ".join(dict.fromkeys(row["note"] for row in rows if row.get("note")))
        lacking = f"undefined for some of {members} members"
        return {**found, "value": None, "note": nulls.noted(note or lacking, None if note else why)}
    spread = f"members from {min(values):.4g} to {max(values):.4g}"
    found["value"] = float(np.mean(values))
    if all("interval" in row for row in rows):
        interval = bootstrap.mean_of_members([row["interval"] for row in rows], name)
        found |= interval.within(first["metric"]).columns()
        found["estimand"] = first.get("estimand")
    told = {}
    if all("null" in row for row in rows):
        told = nulls.mean_of_members(found["value"], [row["null"] for row in rows])
        note = note if note != told.get("note") else None
    return {**found, **told, "note": nulls.noted(note, told.get("note"), spread)}


def _mean(parts: Sequence[Any], name: str = "") -> Any:
    """Mean of what members' blocks hold under a name; null where there is none.

    What is the same for all of them stays as it is; words that differ, and lists of different
    lengths, have no mean.
    """
    first = parts[0]
    if all(isinstance(part, Mapping) for part in parts):
        shared = [key for key in first if all(key in part for part in parts)]
        return {key: _mean([part[key] for part in parts], key) for key in shared}
    if all(isinstance(part, np.ndarray | list | tuple) for part in parts):
        if len({np.shape(part)[:1] for part in parts}) > 1:
            return None
        arrays = [part for part in parts if isinstance(part, np.ndarray)]
        if len(arrays) == len(parts) and first.dtype.kind in "biuf":
            return _of_numbers(np.stack(arrays), name) if _same_shape(arrays) else None
        return [_mean(each, name) for each in zip(*parts, strict=True)]
    if any(part is None for part in parts):
        return None
    if all(isinstance(part, bool | int | float | np.number | np.bool_) for part in parts):
        return _of_numbers(np.array(parts), name).tolist()
    return first if all(part == first for part in parts) else None


def _same_shape(arrays: Sequence[np.ndarray]) -> bool:
    return len({array.shape for array in arrays}) == 1


def _of_numbers(values: np.ndarray, name: str) -> np.ndarray:
    """Of numbers (member, ...): their mean, the outer one of ends, whether any is true."""
    if values.dtype.kind == "b":
        return np.asarray(values.any(0))
    if (values == values[:1]).all():
        return values[0]
    return OUTER[name](values, axis=0) if name in OUTER else values.mean(0)
