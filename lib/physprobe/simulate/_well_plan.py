"""Clips of The Well's files: which files count, which of their windows are clips, on what points.

All that is wrong with files, and with what is asked of them, is found here; fields are not read.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, NamedTuple, Self

import numpy as np
from pydantic import Field, model_validator

from physprobe.config import problems as words
from physprobe.config.spec import Spec
from physprobe.scenes.films.film import Fault, Faulty
from physprobe.scenes.well import file as files
from physprobe.scenes.well import folder, grid
from physprobe.scenes.well.file import Header
from physprobe.simulate import _well_published
from physprobe.statistics import seeds
from physprobe.store import log

SHOWN = 8
OUT = "out"
APART = 1e-4  # of a cell: how far points of two files may differ
TAKEN = {
    "channel", "clip", "file", "group", "split", "start", "t0", "time", "trajectory", "x", "y",
}  # fmt: skip
"""Labels and dimensions of ours, which no scalar may be called."""
EXPORTED = {"group", "t0"}
"""Scalars of windows that were exported as trajectories of their own: they are what they were."""


class Windows(Spec):
    """Where files are, and which of their windows are clips."""

    folder: str = Field(min_length=1)
    """Folder of files at any depth, such as that which holds data/train; or one file. Those in
    folders train and test are fitted and scored."""
    leave_out: tuple[str, ...] = ()
    """Files that don't count, by their paths within the folder."""
    fields: tuple[str, ...] | None = Field(None, min_length=1)
    """Fields or channels by name, such as velocity or velocity_x; by default all."""
    trajectories: int | None = Field(None, gt=0)
    """Trajectories of each file, the first ones; by default all."""
    frames: int = Field(16, gt=1)
    """Frames of a clip."""
    stride: int = Field(1, gt=0)
    """Stored frames from one frame of a clip to the next."""
    start: int = Field(0, ge=0)
    """Stored frame from which on windows begin."""
    windows: int | None = Field(None, gt=0)
    """Clips of each trajectory, which begin at random and may overlap; by default one."""
    step: int | None = Field(None, gt=0)
    """In place of those every window, so many stored frames from one to the next."""
    resample: bool = True
    """Whether fields on Chebyshev's points are evaluated on even cells. An even grid stays."""
    coarsen: int = Field(1, gt=0)
    """Cells along a side of the squares that are averaged into one."""
    valid: Literal["out", "train", "test"] = "out"
    """What files in folders valid are for: nothing, fitted, or scored."""
    protocol: Literal["published"] | None = None
    """Windows, crops and labels of arXiv 2603.13227 for its three systems, in place of fields,
    stride, start, windows, step, resample, coarsen and valid. For comparison only: the points
    of a Chebyshev grid are taken for even ones, the crop of the shear flow is not periodic, what is
    scored are files that the encoders were chosen by, and labels are on scales which hide small
    values. All in `simulate/_well_published.py`."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.windows and self.step:
            raise ValueError("windows and step: found both; expected one of them")
        if self.coarsen > 1 and not self.resample:
            raise ValueError(
                "coarsen: blocks of an uneven grid have no mean over space; expected resample: true"
            )
        if self.protocol:
            fixed = ("fields", "stride", "start", "windows", "step", "resample", "coarsen", "valid")
            fields = type(self).model_fields
            if own := [n for n in fixed if getattr(self, n) != fields[n].default]:
                raise ValueError(f"protocol: says what {', '.join(own)} is; expected one of them")
        return self

    @property
    def room(self) -> int:
        """Stored frames that a window needs; as published a second one has to fit behind it."""
        return 2 * self.frames if self.protocol else (self.frames - 1) * self.stride + 1


class Clip(NamedTuple):
    """A window of a trajectory."""

    file: str
    trajectory: int
    start: int


@dataclass(frozen=True, eq=False)
class Plan:
    """Clips of a folder, and how their frames get their final form."""

    listed: folder.Listed
    clips: tuple[Clip, ...]
    channels: tuple[str, ...]
    y: dict[str, grid.Axis]
    """By file."""
    x: dict[str, grid.Axis]

    @property
    def first(self) -> Header:
        """A file that speaks for all."""
        return next(iter(self.listed.headers.values()))


def listed(spec: Windows) -> folder.Listed:
    """Files whose clips are asked for, the rest left out."""
    found = folder.listed(spec.folder, spec.leave_out)
    kept = {name for name in found.paths if side(spec, found.splits[name]) != OUT}
    told = [fault for fault in found.faults if fault.file not in found.paths.keys() - kept]
    if found.paths and not kept:
        told.append(Fault(spec.folder, "holds files in folders that are left out alone"))
    return folder.Listed(
        found.root,
        {name: path for name, path in found.paths.items() if name in kept},
        {name: header for name, header in found.headers.items() if name in kept},
        {name: found.splits[name] for name in kept},
        tuple(told),
    )


def side(spec: Windows, split: str | None) -> str:
    """What files of a split are for: train, test, out, or "" where they lie in none."""
    if spec.protocol:
        return {"train": "train", "valid": "test", "test": OUT, None: ""}[split]
    return spec.valid if split == "valid" else split or ""


def told(spec: Windows, found: list[Fault]) -> str:
    """One message of all that is wrong, or of the first of it."""
    lines = [
        fault.what if fault.file in ("", spec.folder) else f"{fault.file}: {fault.what}"
        for fault in found
    ]
    more = f"; and {len(lines) - SHOWN} more" * (len(lines) > SHOWN)
    return (
        f"{spec.folder}: {'; '.join(lines[:SHOWN])}{more}."
        f" Hint: python -m physprobe well check {spec.folder} lists all;"
        " `leave_out` leaves out files by name."
    )


def plan(spec: Windows) -> Plan:
    """Clips of the files, if all of it can be used.

    Raises
    ------
    ValueError
        If something can't.
    """
    found = listed(spec)
    laid, wrong = (None, []) if found.faults else planned(spec)
    if laid is None or wrong:
        raise ValueError(told(spec, [*found.faults, *wrong]))
    return laid


def planned(spec: Windows) -> tuple[Plan | None, list[Fault]]:
    """Clips of files that have no faults of their own, and why there are none."""
    found = listed(spec)
    return _laid(spec, tuple((n, files.seen(path)) for n, path in found.paths.items()))


@lru_cache(maxsize=8)
def _laid(spec: Windows, seen: tuple) -> tuple[Plan | None, list[Fault]]:
    """Clips of files without faults, and why there are none; the same while files stay."""
    found = listed(spec)
    first = next(iter(found.headers.values()))
    wrong = [*_well_published.faults(found)] if spec.protocol else []
    wrong += [
        Fault("", f"scalar {name!r} has a name that is taken")
        for name in (*first.scalars, *first.states)
        if name in TAKEN - EXPORTED
    ]
    channels: tuple[str, ...] = ()
    try:
        channels = tuple(each.name for each in files.chosen(first, _names(spec, first)))
    except KeyError as error:
        known = [*first.fields, *(each.name for each in first.channels)]
        near = words.nearest(error.args[0], known)
        wrong.append(
            Fault(
                "",
                f"fields: found {error.args[0]!r}; the files have"
                f" {', '.join(dict.fromkeys(known))}.{near}",
            )
        )
    wrong += [
        Fault("", f"fields: {name} is there twice")
        for name in sorted({name for name in channels if channels.count(name) > 1})
    ]
    axes: dict[str, dict[str, grid.Axis]] = {"y": {}, "x": {}}
    for name, header in found.headers.items():
        for dim, known_axes in axes.items():
            try:
                known_axes[name] = _axis(spec, header, dim)
            except Faulty as error:
                wrong += [Fault(name, f"{dim}: {reason}") for reason in error.reasons]
    wrong += [] if wrong else _apart(axes)
    clips = []
    for name, header in found.headers.items():
        latest = header.frames - spec.room
        if latest < spec.start:
            wrong.append(
                Fault(
                    name,
                    f"has {header.frames} frames, and a clip of {spec.frames} frames,"
                    f" {spec.stride} apart, needs {spec.room} from frame {spec.start} on",
                )
            )
            continue
        if wrong:
            continue
        for trajectory in range(min(header.trajectories, spec.trajectories or header.trajectories)):
            clips += [
                Clip(name, trajectory, int(start))
                for start in _starts(spec, name, trajectory, latest, first)
            ]
    if wrong:
        return None, wrong
    for note in dict.fromkeys(
        note for h in found.headers.values() for note in (*h.doubts, *h.notes)
    ):
        log.info("%s: %s", spec.folder, note)
    return Plan(found, tuple(clips), channels, axes["y"], axes["x"]), []


def _names(spec: Windows, first: Header) -> tuple[str, ...] | None:
    return _well_published.channels(first) if spec.protocol else spec.fields


def _axis(spec: Windows, header: Header, dim: str) -> grid.Axis:
    """Points of a place, as they are asked for."""
    if spec.protocol:
        return _well_published.axis(header, dim)
    found = grid.axis(header.places[dim], header.period(dim), spec.resample)
    if spec.coarsen == 1:
        return found
    if len(found.points) % spec.coarsen:
        raise Faulty(f"{len(found.points)} points are no multiple of `coarsen`, {spec.coarsen}")
    return found.then(grid.means(len(found.points), spec.coarsen))


def _apart(axes: dict[str, dict[str, grid.Axis]]) -> Iterator[Fault]:
    """Files whose points are elsewhere than those of the first one."""
    for dim, found in axes.items():
        (_, first), *others = found.items()
        cell = np.diff(first.points).min()
        for name, axis in others:
            if (far := np.abs(axis.points - first.points).max()) > APART * cell:
                yield Fault(name, f"has points of {dim} up to {far:.3g} away from other files'")


def _starts(
    spec: Windows, name: str, trajectory: int, latest: int, first: Header
) -> Iterator[int] | np.ndarray:
    """Stored frames that the windows of a trajectory begin with, in order."""
    if spec.protocol:
        return np.arange(0, latest + 1, _well_published.PROTOCOLS[first.dataset].offset)
    if spec.step:
        return np.arange(spec.start, latest + 1, spec.step)
    rng = seeds.rng("the_well", name, trajectory)
    return np.sort(rng.integers(spec.start, latest + 1, spec.windows or 1))


def shown(spec: Windows, start: int) -> range:
    """Stored frames of a clip."""
    return range(start, start + (spec.frames - 1) * spec.stride + 1, spec.stride)
