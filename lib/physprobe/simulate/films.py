"""Films: what people have filmed, read from a folder; nothing is simulated.

A clip is a window of a film. What is kept of it is which frames of which film it shows, and the
film's checksum; the renderer of the same name decodes them. Times are those of the files, exactly;
what can't be read exactly is refused by name. See docs/own_films.md.

With ``labels``, every window has twins: played at 1, 2, 3 times its rate, backwards, upside down,
in all combinations, with the labels ``rate``, ``reversed`` and ``flipped``. All begin with the same
frame, or end with it, and are one group with their film.
"""

import hashlib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from physprobe.config.spec import Spec as Base
from physprobe.scenes.films import folder as films
from physprobe.scenes.films import rows, tables, windows
from physprobe.scenes.films.clips import SECONDS, Clip, Plan, groups, planned, states
from physprobe.scenes.films.film import Fault, checksum
from physprobe.store import job, log

FIELD, FIELD_UNIT = "films", "by quantity: " + ", ".join(rows.QUANTITIES)
GRID = False
UNITS: dict[str, str] = {}
TOGETHER = 64
SHOWN = 8

Seconds = Annotated[str, Field(pattern=rf"^{SECONDS.pattern}$")]
"""A time, such as ``0.5 s``."""


class Spec(Base):
    """Films: where they are, and which windows of them are clips."""

    kind: Literal["films"] = "films"
    """Films that people bring, from a folder or a table."""
    folder: str = Field(min_length=1)
    """Folder of films, all of which count; or a table of films, which then are those that count."""
    leave_out: tuple[str, ...] = ()
    """Films that don't count, by their names within the folder."""
    frames: int = Field(16, gt=1)
    """Frames of a clip."""
    stride: Annotated[int, Field(gt=0)] | Seconds = 1
    """From one frame of a clip to the next: frames of the film, or seconds such as 0.1 s."""
    step: Annotated[int, Field(gt=0)] | Seconds | None = None
    """From the start of a clip to that of the next; by default the next begins where it ends."""
    frame_rate: float | None = Field(None, gt=0)
    """Frames per second that films are shown at, the nearest frame each; by default their own."""
    fps: float | None = Field(None, gt=0)
    """Frames per second of images and arrays, which don't say."""
    pieces: int | None = Field(None, gt=0)
    """Contiguous parts that each film is cut into, each a group of its own; by default a film is
    one group, and a single one is cut into ten, or as many as there is room for."""
    gap: Annotated[int, Field(ge=0)] | Seconds | None = None
    """Left out between two pieces of a film, which would be alike where they meet: frames of the
    film, or seconds; by default as much as a clip reaches over."""
    labels: tuple[Literal["rate", "reversed", "flipped"], ...] = ()
    """Twins that are made of every window of films without labels of their own."""
    tracks: str | None = None
    """Table of what varies within films, if it isn't tracks.csv, .tsv, .jsonl or .parquet."""
    array: str | None = None
    """Array that holds the films, in files of several."""

    def listing(self) -> str:
        """Digest of the films' names, sizes and ends, and of the tables."""
        return films.digest(_listed(self))

    def content(self) -> str:
        """Digest of all films and tables.

        Raises
        ------
        ValueError
            If one can't be read; the message names all that can't.
        """
        found, _ = _checked(self)
        total = hashlib.sha256()
        for name, film in found.films.items():
            total.update(f"{name} {film.digest} ".encode())
        for path in found.listed.files:
            total.update(path.read_bytes())
        return total.hexdigest()[:16]


def label_units(spec: Spec) -> dict[str, str]:
    """Units of the labels that are numbers, by name."""
    found = _listed(spec)
    own = {"rate": "1"} if "rate" in spec.labels else {}
    numbers = {key: unit for key, unit in found.units.items() if _counts(found, key)}
    return {**(found.table.units if found.table else {}), **numbers, **own}


def label_classes(spec: Spec) -> tuple[str, ...]:
    """Labels to tell apart."""
    found = _listed(spec)
    words = [key for key in found.units if not _counts(found, key)]
    own = [name for name in spec.labels if name != "rate"]
    return (*(found.table.classes if found.table else ()), *words, *own)


def state_units(spec: Spec) -> dict[str, str]:
    """Units of what the tracks tell of every frame."""
    moving = _listed(spec).tracks
    return moving.units if moving else {}


def problems(spec: Spec) -> Iterator[str]:
    """What is wrong with folder and tables; films are not opened for it."""
    found = _listed(spec)
    faults = [*found.faults, *_unlike(spec, found)]
    if faults:
        yield _some(spec, faults)


def draw(spec: Spec) -> dict[str, np.ndarray]:
    """Labels of every clip.

    Parameters
    ----------
    spec : Spec

    Returns
    -------
    dict of str to (clip,)
        ``film``, its name, ``window``, which of the film's, and ``group``; ``split``, if the table
        has it; labels of the table, and those of the twins.

    Raises
    ------
    ValueError
        If a film or table can't be used, or gives no clip; the message names all that can't.
    """
    _checked.cache_clear()
    found, plan = _checked(spec)
    table = found.listed.table
    labels: dict[str, np.ndarray] = {
        "film": np.array([clip.film for clip in plan.clips]),
        "window": np.array([clip.window for clip in plan.clips]),
        "group": groups(plan, table),
    }
    if table:
        at = [clip.row for clip in plan.clips]
        if table.rows[0].split is not None:
            labels["split"] = np.array([table.rows[row].split for row in at])
        labels |= {key: values[at] for key, values in (table.numbers | table.classes).items()}
    for key in found.listed.units:
        labels[key] = np.array([found.listed.labels[clip.film][key] for clip in plan.clips])
    for name in spec.labels:
        labels[name] = np.array([int(getattr(clip.twin, name)) for clip in plan.clips])
    return labels


def coords(spec: Spec) -> dict[str, np.ndarray]:
    """Times [s] of the frames from the first on, and names of what is kept of each."""
    return {
        "time": np.arange(spec.frames) * _checked(spec)[1].step,
        "quantity": np.array(rows.QUANTITIES),
    }


def solved(
    spec: Spec, labels: Mapping[str, np.ndarray]
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Which frames clips show (clip, time, quantity), and their states (clip, time)."""
    found, _ = _checked(spec)
    places = {source.name: number for number, source in enumerate(found.listed.sources)}
    chosen = _clips(spec, labels)
    fields = [
        rows.described(
            rows.Rows(
                places[clip.film],
                np.array(clip.frames),
                clip.twin.flipped,
                checksum(found.films[clip.film].digest),
                clip.until,
            )
        )
        for clip in chosen
    ]
    moving = found.listed.tracks
    if moving is None:
        return np.stack(fields), {}
    told = np.stack([states(moving, found.films[clip.film], clip) for clip in chosen])
    return np.stack(fields), {name: told[..., n] for n, name in enumerate(moving.units)}


def field(spec: Spec, labels: Mapping[str, Any]) -> np.ndarray:
    """Which frames a clip shows (time, quantity)."""
    return solved(spec, {name: np.array([value]) for name, value in labels.items()})[0][0]


def check(spec: Spec, labels: Mapping[str, object], field: np.ndarray) -> None:
    """Let only clips pass whose frames are in order, or in reverse.

    Raises
    ------
    ValueError
        If a frame is shown twice, or they go back and forth.
    """
    frames = rows.read(field).frames
    steps = np.diff(frames)
    if not ((steps > 0).all() or (steps < 0).all()):
        raise ValueError(
            f"{labels['film']}: frames {frames.tolist()} neither ascend nor descend."
            " Hint: a smaller frame_rate shows no frame twice."
        )


def about(spec: Spec) -> dict[str, object]:
    """What was found out about the films, for the store."""
    found, plan = _checked(spec)
    return {
        "films": {
            name: {
                "digest": film.digest,
                "frames": film.count,
                "frames_per_second": film.rate,
                "size": list(film.size),
                "notes": list(film.notes),
            }
            for name, film in found.films.items()
        },
        "largest_shift": plan.shift,
        "pieces": plan.pieces,
        "unread": list(found.listed.unread),
    }


def faults(spec: Spec, windows: bool = True) -> tuple[films.Contents, list[Fault]]:
    """All that is wrong, of folder, tables and films, decoded to their ends; and what films are.

    Parameters
    ----------
    spec : Spec
    windows : bool
        Whether films have to give clips, as the spec asks for them.
    """
    found = _read(spec, whole=True)
    wrong = planned(spec, found)[1] if windows else []
    return found, [*found.faults, *_unlike(spec, found.listed), *wrong]


def _listed(spec: Spec) -> films.Listed:
    return films.listed(spec.folder, spec.leave_out, spec.array, spec.tracks)


def _counts(found: films.Listed, key: str) -> bool:
    """Whether a label that arrays bring is a number."""
    return all(not isinstance(each[key], str) for each in found.labels.values() if key in each)


def _unlike(spec: Spec, found: films.Listed) -> Iterator[Fault]:
    """Labels that would be wrong of twins, or that not all films have."""
    named = [*found.units]
    if found.table:
        named += [*found.table.units, *found.table.classes]
    named += found.tracks.units if found.tracks else ()
    if spec.labels and named:
        yield Fault(
            spec.folder,
            f"has {', '.join(named)}, which twins of `labels: [{', '.join(spec.labels)}]` don't"
            " share; leave out the one or the other",
        )
    for key in found.units:
        lacking = [s.name for s in found.sources if key not in found.labels.get(s.name, {})]
        if lacking:
            yield Fault(lacking[0], f"has no label {key}, which other films have")
    for key in sorted({key for key in named if named.count(key) > 1} | {*named} & tables.TAKEN):
        yield Fault(spec.folder, f"label {key!r} is there twice, or a name that is taken")


def said(folder: str, fault: Fault) -> str:
    """A fault and its file, where that isn't the folder itself, which is named already."""
    return fault.what if str(fault.file) == folder else f"{fault.file}: {fault.what}"


def _some(spec: Spec, faults: list[Fault]) -> str:
    lines = [said(spec.folder, fault) for fault in faults]
    more = f"; and {len(lines) - SHOWN} more" * (len(lines) > SHOWN)
    return (
        f"{spec.folder}: {'; '.join(lines[:SHOWN])}{more}."
        f" Hint: python -m physprobe films check {spec.folder} lists all;"
        " `leave_out` leaves out films by name."
    )


def _read(spec: Spec, whole: bool = False) -> films.Contents:
    """Folder and films; all of them decoded, if they are asked for as a whole."""
    return films.read(_listed(spec), spec.array, job.current().threads, whole)


@lru_cache(maxsize=4)
def _checked(spec: Spec) -> tuple[films.Contents, Plan]:
    """The same, and its clips, if all of it can be used; read once, until clips are drawn anew.

    Raises
    ------
    ValueError
        If something can't.
    """
    found = _read(spec)
    plan, wrong = planned(spec, found)
    told = [*found.faults, *_unlike(spec, found.listed), *wrong]
    if told or plan is None:
        raise ValueError(_some(spec, told))
    log.info(
        "%s: %d films, %d frames; %d films were decoded to tell; frames lie %.1f ms off their times"
        " at most",
        spec.folder,
        len(found.films),
        sum(film.count for film in found.films.values()),
        sum(film.decoded for film in found.films.values()),
        1e3 * plan.shift,
    )
    return found, plan


def _clips(spec: Spec, labels: Mapping[str, np.ndarray]) -> list[Clip]:
    """Clips that have these labels."""
    _, plan = _checked(spec)
    known = {(clip.film, clip.window, *map(int, clip.twin)): clip for clip in plan.clips}
    found = []
    for number in range(len(labels["film"])):
        own: dict[str, int] = {name: int(labels[name][number]) for name in spec.labels}
        twin = [own.get(name, 1 if name == "rate" else 0) for name in windows.Twin._fields]
        found.append(known[str(labels["film"][number]), int(labels["window"][number]), *twin])
    return found
