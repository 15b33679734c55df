"""The Well: fluids read from its HDF5 files, or from others of that form; nothing is simulated.

A clip is a window of a trajectory; its labels are the scalars of its file by name, ``t0``, when it
begins, and the ``file``, ``trajectory`` and stored frame (``start``) that it was read from. Windows
of a trajectory are one group. Values are in the files' own units. Files are read window by window,
so memory doesn't grow with them. Boundary conditions stand in the store (``boundaries``).

What is read when: names, shapes, scalars, coordinates and 4 KiB at either end of every file when a
config is read (``listing``); the frames that are shown by clips, once for their checksum and once
to be kept, when the simulation is written (``content``). Fields that no clip shows are never read.

References
----------
Ohana et al. 2024, The Well, NeurIPS Datasets and Benchmarks. See ``scenes.well`` for the form, and
docs/the_well.md.
"""

import hashlib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Literal

import numpy as np

from physprobe.scenes.films.film import Fault
from physprobe.scenes.well import file as files
from physprobe.scenes.well import folder, grid
from physprobe.simulate import _fluids, _well_plan, _well_published
from physprobe.simulate._well_plan import Plan, Windows

FIELD, FIELD_UNIT, GRID = _fluids.FIELD, _fluids.FIELD_UNIT, _fluids.GRID
DIMENSIONS = _fluids.DIMENSIONS
UNITS: dict[str, str] = {}


class Spec(Windows):
    """Files of The Well: where they are, and which of their windows are clips."""

    kind: Literal["the_well"] = "the_well"
    """HDF5 files of The Well, or of its form."""
    group: Literal["trajectory", "parameters"] = "trajectory"
    """What is never split: windows of one trajectory; or of all that share their scalars, and then
    the folders train and test, which have the same ones, don't count."""

    def listing(self) -> str:
        """Digest of the files' names, sizes, ends, and of all in them but their fields."""
        return folder.digest(_well_plan.listed(self))

    def content(self) -> str:
        """Digest of what clips show, and of all that files say of themselves.

        Raises
        ------
        ValueError
            If it can't be read, or isn't finite; the message names the first such trajectory.
        """
        plan = _well_plan.plan(self)
        shown = tuple(files.seen(plan.listed.paths[name]) for name in plan.listed.headers)
        return _content(self, shown)


def label_units(spec: Spec) -> dict[str, str]:
    """Units of the scalars, all 1, and of ``t0``."""
    found = _well_plan.listed(spec)
    names = next((tuple(header.scalars) for header in found.headers.values()), ())
    own = _well_published.labels(found) if spec.protocol else {}
    return dict.fromkeys([*(n for n in names if n not in _well_plan.TAKEN), *own, "t0"], "1")


def state_units(spec: Spec) -> dict[str, str]:
    """Units of the scalars that vary in time."""
    return {
        name: "1" for header in _well_plan.listed(spec).headers.values() for name in header.states
    }


def periodic(spec: Spec) -> tuple[bool, bool]:
    """Whether what leaves along y, and along x, comes back, as the files say."""
    y, x = (
        set(_boundaries(spec, _well_plan.listed(spec))[dim]) == {"PERIODIC"} for dim in ("y", "x")
    )
    return y, x


def problems(spec: Spec) -> Iterator[str]:
    """What is wrong with the files, and with what is asked of them; fields are not read."""
    found = [*_well_plan.listed(spec).faults]
    found += [] if found else _well_plan.planned(spec)[1]
    if found:
        yield _well_plan.told(spec, found)


def draw(spec: Spec) -> dict[str, np.ndarray]:
    """Labels of every clip.

    Parameters
    ----------
    spec : Spec

    Returns
    -------
    dict of str to (clip,)
        The scalars by name; ``file``, ``trajectory`` of it, ``start``, the stored frame that it
        begins with, ``t0``, the time of that; ``group``; ``split``, if there are files to fit and
        to score.

    Raises
    ------
    ValueError
        If a file can't be used, or the files give no clip; the message names all that can't.
    """
    plan = _well_plan.plan(spec)
    headers = plan.listed.headers
    own = [headers[clip.file] for clip in plan.clips]
    at = [clip.trajectory for clip in plan.clips]
    labels: dict[str, np.ndarray] = {
        name: np.array([h.scalars[name][n] for h, n in zip(own, at, strict=True)])
        for name in plan.first.scalars
        if name not in _well_plan.TAKEN
    }
    if spec.protocol:
        scales = _well_published.labels(plan.listed)
        labels |= {name: of(labels) for name, of in scales.items()}
    labels["file"] = np.array([clip.file for clip in plan.clips])
    labels["trajectory"] = np.array(at)
    labels["start"] = np.array([clip.start for clip in plan.clips])
    begun = [header.scalars.get("t0", np.zeros(header.trajectories)) for header in own]
    labels["t0"] = np.array(
        [
            header.times[clip.trajectory, clip.start] + since[clip.trajectory]
            for header, since, clip in zip(own, begun, plan.clips, strict=True)
        ]
    )
    labels["group"] = _groups(spec, plan)
    sides = [_well_plan.side(spec, plan.listed.splits[clip.file]) for clip in plan.clips]
    if {"train", "test"} <= set(sides) and spec.group == "trajectory":
        labels["split"] = np.array(sides)
    return labels


def coords(spec: Spec) -> dict[str, np.ndarray]:
    """Times from the first frame of a clip on, places, and names of the channels."""
    plan = _well_plan.plan(spec)
    name = next(iter(plan.listed.headers))
    return {
        "time": np.arange(spec.frames) * spec.stride * plan.first.interval,
        "y": plan.y[name].points,
        "x": plan.x[name].points,
        "channel": np.array(plan.channels),
    }


def solved(
    spec: Spec, labels: Mapping[str, np.ndarray]
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Clips (clip, time, y, x, channel) float32, and their states (clip, time)."""
    plan = _well_plan.plan(spec)
    found, states = [], []
    for name, trajectory, start in zip(
        labels["file"], labels["trajectory"], labels["start"], strict=True
    ):
        header = plan.listed.headers[str(name)]
        frames = _well_plan.shown(spec, int(start))
        channels = files.chosen(header, plan.channels)
        stored = files.window(header, channels, int(trajectory), frames)
        found.append(grid.put(stored, plan.y[str(name)], plan.x[str(name)]))
        states.append(files.states(header, int(trajectory), frames))
    return np.stack(found), {n: np.stack([each[n] for each in states]) for n in plan.first.states}


def field(spec: Spec, labels: Mapping[str, Any]) -> np.ndarray:
    """One clip (time, y, x, channel) float32; of its file only these frames are read.

    Raises
    ------
    ValueError
        If a value isn't finite; the message names file, trajectory, field and frame.
    """
    return solved(spec, {name: np.array([value]) for name, value in labels.items()})[0][0]


def check(spec: Spec, labels: Mapping[str, object], field: np.ndarray) -> None:
    """Let only clips pass that are finite in single precision, and have moved.

    Raises
    ------
    ValueError
        If one isn't, or its frames are all the same.
    """
    where = f"{labels['file']}: trajectory {labels['trajectory']} from frame {labels['start']} on"
    if not np.isfinite(field).all():
        raise ValueError(f"{where} is not finite in single precision")
    if (field == field[:1]).all():
        raise ValueError(f"{where} has {len(field)} frames that are all the same")


def about(spec: Spec) -> dict[str, object]:
    """What the files say, for the store."""
    plan = _well_plan.plan(spec)
    return {
        "dataset": sorted({header.dataset for header in plan.listed.headers.values()}),
        "boundaries": _boundaries(spec, plan.listed),
        "files": {
            name: {"trajectories": header.trajectories, "frames": header.frames}
            for name, header in plan.listed.headers.items()
        },
        "notes": [*dict.fromkeys(_notes(plan))],
    }


def faults(spec: Spec) -> tuple[folder.Listed, list[Fault]]:
    """Files, and all that is wrong with them: every field is read to its end, frame by frame."""
    found = _well_plan.listed(spec)
    told = [*found.faults]
    for name, header in found.headers.items():
        # the file is named beside
        prefix = f"{header.path}: "
        told += [Fault(name, doubt) for doubt in header.doubts]
        told += [Fault(name, line.removeprefix(prefix)) for line in files.unfinite(header)]
    return found, told


def _boundaries(spec: Spec, found: folder.Listed) -> dict[str, list[str]]:
    """What is at both ends of x and of y: PERIODIC, WALL or OPEN; what was cut is open."""
    header = next(iter(found.headers.values()), None)
    if header is None:
        return {dim: [files.OPEN] * 2 for dim in files.PLACES}
    cut = _well_published.cut(header) if spec.protocol else set()
    return {
        dim: [files.OPEN] * 2 if dim in cut else list(header.boundaries[dim])
        for dim in files.PLACES
    }


def _groups(spec: Spec, plan: Plan) -> np.ndarray:
    """Group (clip,) of each clip, numbered as they come."""
    keys: list[tuple] = []
    for clip in plan.clips:
        scalars = plan.listed.headers[clip.file].scalars
        if spec.group == "parameters":
            own = (v[clip.trajectory] for n, v in scalars.items() if n not in _well_plan.TAKEN)
            keys.append(tuple(own))
        elif "group" in scalars:
            keys.append((clip.file, scalars["group"][clip.trajectory]))
        else:
            keys.append((clip.file, clip.trajectory))
    order = {key: number for number, key in enumerate(dict.fromkeys(keys))}
    return np.array([order[key] for key in keys])


def _notes(plan: Plan) -> Iterator[str]:
    for name, header in plan.listed.headers.items():
        yield from (f"{name}: {note}" for note in (*header.doubts, *header.notes))
    for dim, axes in (("x", plan.x), ("y", plan.y)):
        yield from (f"{dim}: {note}" for axis in axes.values() for note in axis.notes)


@lru_cache(maxsize=4)
def _content(spec: Spec, seen: tuple) -> str:
    plan = _well_plan.plan(spec)
    total = hashlib.sha256()
    wanted: dict[tuple[str, int], set[int]] = {}
    for clip in plan.clips:
        wanted.setdefault((clip.file, clip.trajectory), set()).update(
            _well_plan.shown(spec, clip.start)
        )
    for (name, trajectory), frames in wanted.items():
        header = plan.listed.headers[name]
        total.update(f"{name} {header.digest} {trajectory} ".encode())
        channels = files.chosen(header, plan.channels)
        for block in _blocks(sorted(frames)):
            values = files.window(header, channels, trajectory, block)
            total.update(np.ascontiguousarray(values).data)
    return total.hexdigest()[:16]


def _blocks(frames: list[int]) -> Iterator[range]:
    """Runs of frames that follow on each other, a few at a time."""
    runs = np.split(frames, np.flatnonzero(np.diff(frames) > 1) + 1)
    for run in runs:
        for first in range(int(run[0]), int(run[-1]) + 1, files.BLOCK):
            yield range(first, min(first + files.BLOCK, int(run[-1]) + 1))
