"""Tables: what is said of films, as Hugging Face's VideoFolder has it, and tracks within them.

    metadata.csv, .tsv, .jsonl or .parquet   a row a film: file_name, and a column per label
    tracks.csv, ...                          a row a frame: file_name, frame or time, and states

Numbers become labels, with the unit that their head has (``alpha [px^2/s]``); text becomes classes.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from physprobe.scenes.films.film import Fault

if TYPE_CHECKING:
    import pandas as pd

ENDINGS = (".csv", ".tsv", ".jsonl", ".parquet")
FILE = "file_name"
RESERVED = ("group", "split", "start", "end", "fps")
TAKEN = {"clip", "time", "film", "window", "quantity", "files", "rate", "reversed", "flipped"}
SPLITS = ("train", "test", "neither")
HEAD = re.compile(r"(?P<name>[A-Za-z]\w*)(\s*\[(?P<unit>[^\]]*)\])?")
SHOWN = 3


@dataclass(frozen=True)
class Row:
    """A film, or a part of one, that a table names.

    Attributes
    ----------
    file : str
        Path within the folder.
    where : str
        Table and line.
    group, split : str, optional
    start, end : float, optional
        Part of the film [s].
    fps : float, optional
        Frames per second, whatever the file says.
    """

    file: str
    where: str
    group: str | None = None
    split: str | None = None
    start: float | None = None
    end: float | None = None
    fps: float | None = None


@dataclass(frozen=True)
class Table:
    """What a table says of each film.

    Attributes
    ----------
    rows : tuple of Row
    numbers : mapping of str to (row,) float64
        Labels that are numbers.
    units : mapping of str to str
        Their units.
    classes : mapping of str to (row,) str
        Labels that are text.
    """

    rows: tuple[Row, ...]
    numbers: dict[str, np.ndarray] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    classes: dict[str, np.ndarray] = field(default_factory=dict)


@dataclass(frozen=True)
class Tracks:
    """What varies within films.

    Attributes
    ----------
    units : mapping of str to str
        Of every state.
    places : mapping of str to (row,) float64
        Frames, or times [s], of each film, ascending.
    states : mapping of str to (row, state) float64
    by_frame : bool
        Whether those are frames.
    name : str
        Of the table.
    """

    units: dict[str, str]
    places: dict[str, np.ndarray]
    states: dict[str, np.ndarray]
    by_frame: bool
    name: str


def find(folder: Path, stem: str) -> list[Path]:
    """Tables of a name that lie in a folder."""
    return [path for ending in ENDINGS if (path := folder / f"{stem}{ending}").is_file()]


def read(path: Path) -> tuple[Table | None, list[Fault]]:
    """Table of films, and what is wrong with it."""
    frame, faults = _frame(path)
    if frame is None:
        return None, faults
    name, count = path.name, len(frame)
    heads, wrong = _heads(name, frame, (FILE, *RESERVED))
    faults += wrong
    if FILE not in heads:
        return None, [*faults, Fault(name, f"has no column {FILE}; it has {', '.join(frame)}")]
    line = _lines(path)
    numbers: dict[str, np.ndarray] = {}
    classes: dict[str, np.ndarray] = {}
    units: dict[str, str] = {}
    reserved: dict[str, Sequence] = {}
    for key, (column, unit) in heads.items():
        values = frame[column].tolist()
        if key == FILE or key in ("group", "split"):
            reserved[key] = [str(value).strip() for value in values]
            empty = [row for row, value in enumerate(reserved[key]) if not value]
            if empty:
                faults.append(Fault(name, f"{key} is empty in {_told(line, empty)}"))
        elif key in RESERVED:
            found, bad = _numbers(values, allow_empty=key != "fps")
            reserved[key] = [None if np.isnan(value) else float(value) for value in found]
            if bad:
                shown = values[bad[0]]
                faults.append(
                    Fault(name, f"{key} is {shown!r} in {_told(line, bad)}, expected a number")
                )
        else:
            faults += _label(name, key, unit, values, line, numbers, classes, units)
    if "split" in reserved:
        odd = [row for row, value in enumerate(reserved["split"]) if value not in SPLITS]
        if odd:
            shown = reserved["split"][odd[0]]
            faults.append(
                Fault(
                    name,
                    f"split is {shown!r} in {_told(line, odd)}, expected {', '.join(SPLITS)}",
                )
            )
    if not count:
        faults.append(Fault(name, "has no rows"))
    rows = tuple(
        Row(
            reserved[FILE][row],
            f"{name}, {line(row)}",
            **{key: reserved[key][row] for key in RESERVED if key in reserved},
        )
        for row in range(count)
    )
    faults += _doubled(rows)
    return Table(rows, numbers, units, classes), faults


def _label(
    name: str,
    key: str,
    unit: str | None,
    values: Sequence,
    line: "Lines",
    numbers: dict[str, np.ndarray],
    classes: dict[str, np.ndarray],
    units: dict[str, str],
) -> Iterator[Fault]:
    """Take in a column as label, or say what is wrong with it."""
    if key in TAKEN:
        yield Fault(name, f"label {key!r} is a name that is taken; call the column otherwise")
        return
    if any(value is None for value in values):
        lacking = [row for row, value in enumerate(values) if value is None]
        yield Fault(name, f"label {key} is missing in {_told(line, lacking)}")
        return
    if all(isinstance(value, bool | np.bool_) for value in values):
        values = [int(value) for value in values]
    found, bad = _numbers(values)
    words = [str(value).strip() for value in values]
    no_number = len(bad) == len(values) and not all(map(_odd, words))
    if no_number and unit is None and all(words):
        classes[key] = np.array(words)
        return
    if bad:
        shown = values[bad[0]]
        what = "empty" if not str(shown).strip() else f"{str(shown)!r}"
        yield Fault(
            name,
            f"label {key} is {what} in {_told(line, bad)}, expected a finite number as in"
            f" {len(values) - len(bad)} others",
        )
        return
    numbers[key] = found
    units[key] = unit or "1"


def _odd(value: object) -> bool:
    """Whether it is a number that isn't finite."""
    try:
        return not np.isfinite(float(str(value)))
    except ValueError:
        return False


def tracks(path: Path) -> tuple[Tracks | None, list[Fault]]:
    """Table of tracks, and what is wrong with it."""
    frame, faults = _frame(path)
    if frame is None:
        return None, faults
    name, line = path.name, _lines(path)
    heads, wrong = _heads(name, frame, (FILE, "frame", "time"))
    faults += wrong
    axes = [key for key in ("frame", "time") if key in heads]
    if FILE not in heads or len(axes) != 1:
        told = f"needs the columns {FILE}, and frame or time, but has {', '.join(frame)}"
        return None, [*faults, Fault(name, told)]
    (axis,) = axes
    columns: dict[str, np.ndarray] = {}
    for key, (column, _) in heads.items():
        if key == FILE:
            continue
        values, bad = _numbers(frame[column].tolist())
        if axis == "frame" and key == axis:
            bad = bad or [int(r) for r in np.flatnonzero((values % 1 != 0) | (values < 0))]
        if bad:
            shown = frame[column].tolist()[bad[0]]
            faults.append(
                Fault(name, f"{key} is {shown!r} in {_told(line, bad)}, expected a finite number")
            )
        if key in TAKEN - {"time"}:
            faults.append(Fault(name, f"state {key!r} is a name that is taken; call it otherwise"))
        columns[key] = values
    if faults:
        return None, faults
    names = np.array([str(value).strip() for value in frame[heads[FILE][0]]])
    states = [key for key in columns if key != axis]
    if not states:
        return None, [Fault(name, f"has no state beside {FILE} and {axis}")]
    places: dict[str, np.ndarray] = {}
    told_of: dict[str, np.ndarray] = {}
    for film in dict.fromkeys(names.tolist()):
        rows = np.flatnonzero(names == film)
        rows = rows[np.argsort(columns[axis][rows], kind="stable")]
        at = columns[axis][rows]
        if (same := np.flatnonzero(np.diff(at) == 0)).size:
            told = f"has {axis} {at[same[0]]:g} of {film} twice ({same.size} are doubled)"
            faults.append(Fault(name, told))
        places[film] = at
        told_of[film] = np.stack([columns[key][rows] for key in states], axis=1)
    units = {key: heads[key][1] or "1" for key in states}
    return Tracks(units, places, told_of, axis == "frame", name), faults


def _frame(path: Path) -> tuple["pd.DataFrame | None", list[Fault]]:
    """Table as it stands, text as text."""
    import pandas as pd

    plain = {"dtype": str, "keep_default_na": False, "skip_blank_lines": True}
    try:
        match path.suffix.lower():
            case ".csv" | ".tsv" as ending:
                mark = "\t" if ending == ".tsv" else ","
                with path.open(encoding="utf-8-sig", newline="") as file:
                    head = next(_csv(file, mark), [])
                twice = sorted({column for column in head if head.count(column) > 1})
                if twice:
                    return None, [Fault(path.name, f"has the column {twice[0]!r} twice")]
                frame = pd.read_csv(path, sep=mark, encoding="utf-8-sig", **plain)
                if not isinstance(frame.index, pd.RangeIndex):
                    return None, [Fault(path.name, "has rows of more cells than its head")]
            case ".jsonl":
                lines = path.read_text(encoding="utf-8").splitlines()
                rows = [json.loads(line) for line in lines if line.strip()]
                if not all(isinstance(row, dict) for row in rows):
                    return None, [Fault(path.name, "has lines that are no JSON objects")]
                heads = dict.fromkeys(key for row in rows for key in row)
                cells = [[row.get(key) for key in heads] for row in rows]
                frame = pd.DataFrame(cells, columns=list(heads), dtype=object)
            case ".parquet":
                try:
                    frame = pd.read_parquet(path)
                except ImportError:
                    hint = "needs pyarrow. Hint: pip install 'physprobe[films]'"
                    return None, [Fault(path.name, hint)]
            case other:
                known = ", ".join(ENDINGS)
                return None, [Fault(path.name, f"is a table of ending {other!r}, not {known}")]
    except (ValueError, OSError) as error:
        told = " ".join(str(error).split()) or "it is empty"
        return None, [Fault(path.name, f"can't be read as a table: {told}")]
    return frame, []


def _csv(file: object, mark: str) -> Iterator[list[str]]:
    import csv

    return csv.reader(file, delimiter=mark)  # type: ignore[arg-type]


def _heads(
    name: str, frame: "pd.DataFrame", known: Sequence[str]
) -> tuple[dict[str, tuple[str, str | None]], list[Fault]]:
    """Column and unit by name."""
    found: dict[str, tuple[str, str | None]] = {}
    faults = []
    for column in frame.columns:
        parts = HEAD.fullmatch(str(column).strip())
        if parts is None:
            told = f"column {column!r} is no name; expected letters, digits and _, and [unit]"
            faults.append(Fault(name, told))
        elif parts["name"] in found:
            faults.append(Fault(name, f"has two columns {parts['name']!r}"))
        else:
            found[parts["name"]] = column, parts["unit"]
    return found, faults


def _numbers(values: Sequence, allow_empty: bool = False) -> tuple[np.ndarray, list[int]]:
    """Values as numbers, and rows that hold none, or none that is finite."""
    found, bad = np.full(len(values), np.nan), []
    for row, value in enumerate(values):
        text = "" if value is None else str(value).strip()
        if not text and allow_empty:
            continue
        try:
            found[row] = float(text)
        except ValueError:
            bad.append(row)
            continue
        if not np.isfinite(found[row]):
            bad.append(row)
    return found, bad


class Lines:
    """Lines of a table by row, as an editor counts them."""

    def __init__(self, first: int):
        self.first = first

    def __call__(self, row: int) -> str:
        """Name of a row's line."""
        return f"line {row + self.first}" if self.first else f"row {row + 1}"


def _lines(path: Path) -> Lines:
    return Lines({".csv": 2, ".tsv": 2, ".jsonl": 1}.get(path.suffix.lower(), 0))


def _told(line: Lines, rows: Sequence[int]) -> str:
    more = f" and {len(rows) - SHOWN} more" * (len(rows) > SHOWN)
    return ", ".join(line(row) for row in rows[:SHOWN]) + more


def _doubled(rows: Sequence[Row]) -> Iterator[Fault]:
    """Rows that name the same part of a film twice, and files of two groups."""
    by_file: dict[str, list[Row]] = {}
    for row in rows:
        by_file.setdefault(row.file, []).append(row)
    for file, same in by_file.items():
        for key in ("group", "split", "fps"):
            told = {getattr(row, key) for row in same}
            if len(told) > 1:
                yield Fault(file, f"has {len(told)} values of {key}, expected one a film")
        parts = sorted(same, key=lambda row: (row.start or 0.0, row.end or np.inf))
        for row in parts:
            if (row.start or 0.0) < 0 or (row.end is not None and row.end <= (row.start or 0.0)):
                yield Fault(
                    row.where,
                    f"{file} goes from {row.start or 0:g} s to {row.end:g} s"
                    if row.end is not None
                    else f"{file} starts at {row.start:g} s",
                )
        for one, other in pairwise(parts):
            if (one.end if one.end is not None else np.inf) > (other.start or 0.0):
                yield Fault(other.where, f"{file} is there twice: also in {one.where}")
    groups: dict[str, set] = {}
    for row in rows:
        if row.group is not None and row.split is not None:
            groups.setdefault(row.group, set()).add(row.split)
    for group, splits in groups.items():
        if len(splits) > 1:
            yield Fault(rows[0].where.split(",")[0], f"group {group!r} is in {len(splits)} splits")
