"""Clips: which windows of a folder's films become clips, in which groups, and with which states."""

import re
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

import numpy as np

from physprobe.scenes.films import windows
from physprobe.scenes.films.film import Fault, Film
from physprobe.scenes.films.folder import Contents
from physprobe.scenes.films.tables import Table, Tracks
from physprobe.statistics import blocks

NEAR = 0.1  # of a frame: how far a track's time may be from that of its frame
PIECES = 10  # that a film is cut into at most, if there is only one
SECONDS = re.compile(r"(\d+(?:\.\d+)?) ?s")
ROUND = 0.1  # of a frame: how far seconds may be from a whole number of frames


class Asked(Protocol):
    """What an entry asks of films."""

    @property
    def folder(self) -> str:
        """Folder of films, or a table of them."""

    @property
    def frames(self) -> int:
        """Of a clip."""

    @property
    def stride(self) -> int | str:
        """From one frame of a clip to the next: frames, or seconds such as ``0.1 s``."""

    @property
    def step(self) -> int | str | None:
        """From the start of a clip to that of the next."""

    @property
    def frame_rate(self) -> float | None:
        """Frames per second that films are shown at."""

    @property
    def fps(self) -> float | None:
        """Frames per second of images and arrays."""

    @property
    def pieces(self) -> int | None:
        """Contiguous parts that a film is cut into."""

    @property
    def gap(self) -> int | str | None:
        """What is left out between two of them."""

    @property
    def labels(self) -> tuple[Literal["rate", "reversed", "flipped"], ...]:
        """Twins of every window."""


class Clip(NamedTuple):
    """A window of a film, as it is shown."""

    film: str
    row: int
    piece: int
    window: int
    twin: windows.Twin
    frames: tuple[int, ...]
    """Of the film."""
    until: int = 0
    """Frames that the film is to have, if it ends with this clip and nobody has decoded it."""


@dataclass(frozen=True)
class Plan:
    """Clips of a folder, and what was found out about their times."""

    clips: tuple[Clip, ...]
    step: float
    """From one frame of a clip to the next [s]."""
    shift: float
    """How far a frame lies off its time at most [s]."""
    pieces: int


def planned(asked: Asked, found: Contents) -> tuple[Plan | None, list[Fault]]:
    """Clips of the films that can be used, and why others give none.

    Parameters
    ----------
    asked : Asked
        Which windows are clips.
    found : Contents
        The films.

    Returns
    -------
    (Plan, list of Fault)
        None for the plan if no film, or what is asked of them, can be used.
    """
    table = found.listed.table
    named = list(enumerate(table.rows)) if table else [(0, None)] * len(found.listed.sources)
    names = (
        [row.file for _, row in named if row] if table else [s.name for s in found.listed.sources]
    )
    parts = [
        (name, number, row)
        for name, (number, row) in zip(names, named, strict=True)
        if name in found.films
    ]
    wrong: list[Fault] = []
    lines: list[tuple[str, int, windows.Timeline]] = []
    for name, number, row in parts:
        line = windows.timeline(found.films[name], row, asked.fps, asked.frame_rate)
        if isinstance(line, str):
            wrong.append(Fault(name, line))
        else:
            lines.append((name, number, line))
    if not lines:
        return None, wrong
    rate = float(np.median([line.rate for _, _, line in lines]))
    try:
        stride = _count("stride", asked.stride, rate)
        twins = windows.twins(asked.labels)
        span = (asked.frames - 1) * stride * max(twin.rate for twin in twins) + 1
        whole = asked.frames * stride * max(twin.rate for twin in twins)
        step = whole if asked.step is None else _count("step", asked.step, rate)
        gap = span if asked.gap is None else _count("gap", asked.gap, rate)
    except ValueError as error:
        return None, [*wrong, Fault(asked.folder, str(error))]
    wrong += windows.alike({name: line.rate for name, _, line in lines}, span)
    alike = {_group(table, name, number) for name, number, _ in lines}
    pieces = asked.pieces or 1
    if asked.pieces is None and len(alike) == 1:
        most = ((len(line.frames) + gap) // (span + gap) for _, _, line in lines)
        pieces = max(1, min(PIECES, *most))
    clips: list[Clip] = []
    windows_of: dict[str, int] = {}
    for name, number, line in lines:
        length = len(line.frames)
        room = list(windows.starts(length, span=span, step=step, pieces=pieces, gap=gap))
        if len({piece for piece, _ in room}) < pieces:
            part = f"each of its {pieces} pieces, {gap} apart," if pieces > 1 else "it"
            wrong.append(
                Fault(
                    name,
                    f"has {length} frames at {line.rate:.4g} a second, and {part} needs"
                    f" {span} for a clip of {asked.frames} frames, {stride} apart"
                    + f" at up to {max(twin.rate for twin in twins)} times the rate"
                    * bool(asked.labels),
                )
            )
        for piece, start in room:
            window = windows_of.setdefault(name, 0)
            windows_of[name] += 1
            for twin in twins:
                at = start + np.arange(asked.frames) * stride * twin.rate
                shown = line.frames[at[::-1] if twin.reversed else at]
                clips.append(Clip(name, number, piece, window, twin, tuple(shown.tolist())))
    last = {clip.film: number for number, clip in enumerate(clips)}
    for name, number in last.items():
        film = found.films[name]
        clips[number] = clips[number]._replace(until=0 if film.decoded else film.count)
    shift = max(
        max(line.shift for _, _, line in lines),
        max(abs(span / line.rate - span / rate) for _, _, line in lines),
    )
    return Plan(tuple(clips), stride / rate, shift, pieces), wrong


def _count(name: str, value: int | str, rate: float) -> int:
    """Frames that a number of them, or a time, stands for.

    Raises
    ------
    ValueError
        If a time is no whole number of frames.
    """
    if isinstance(value, int):
        return value
    seconds = float(SECONDS.fullmatch(value)[1])  # type: ignore[index]  # its pattern is checked
    found = seconds * rate
    if round(found) < 1 or abs(found - round(found)) > ROUND:
        near = sorted({max(1, int(found)), int(found) + 1})
        raise ValueError(
            f"{name} of {value} is {found:.3g} frames at {rate:.4g} a second; a whole number is"
            f" {' or '.join(f'{n / rate:.4g} s' for n in near)}"
        )
    return round(found)


def _group(table: Table | None, name: str, number: int) -> str:
    """Group of a film by name: what its table says, or itself."""
    if table and table.rows[number].group is not None:
        return f"group {table.rows[number].group}"
    return name


def groups(plan: Plan, table: Table | None) -> np.ndarray:
    """Group (clip,) of each clip, numbered as they come; parts of films as `blocks` has them."""
    names = [(_group(table, clip.film, clip.row), clip.piece) for clip in plan.clips]
    first = blocks.SERIES if plan.pieces > 1 else 0
    order = {name: number for number, name in enumerate(dict.fromkeys(names), first)}
    return np.array([order[name] for name in names])


def states(moving: Tracks, film: Film, clip: Clip) -> np.ndarray:
    """States (time, state) of one clip.

    Raises
    ------
    ValueError
        If the tracks lack a frame.
    """
    places = moving.places[clip.film]
    frames = np.array(clip.frames)
    if moving.by_frame:
        wanted, near = frames.astype(float), 0.0
    elif film.times is None:
        raise ValueError(
            f"{clip.film}: doesn't say when its frames are, and {moving.name} tells times. Hint:"
            " give the column frame."
        )
    else:
        wanted, near = film.times[frames], NEAR / (film.rate or 1.0)
    after = np.clip(np.searchsorted(places, wanted), 1, max(1, len(places) - 1))
    after = np.minimum(after, len(places) - 1)
    before = np.maximum(after - 1, 0)
    nearest = np.where(
        np.abs(places[before] - wanted) <= np.abs(places[after] - wanted), before, after
    )
    if (far := np.abs(places[nearest] - wanted) > near).any():
        raise ValueError(
            f"{clip.film}: {moving.name} has no row for {int(far.sum())} of {len(frames)} frames"
            f" of window {clip.window}, first for frame {int(frames[far][0])}. Hint: give every"
            " frame a row, or `start` and `end` to the film in the table of films."
        )
    return moving.states[clip.film][nearest]
