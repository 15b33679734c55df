"""IntPhys: where the frames of the public development set are, and whether all of them are there.

    {folder}/{O1, O2, O3}/{01 .. 30}/{1 .. 4}/scene/scene_{001 .. 100}.png   and   status.json

O1 is object permanence, O2 shape constancy, O3 spatio-temporal continuity. A scene has four movies
of 100 frames, two of them possible: ``header.is_possible`` of their ``status.json``. A movie may
have ``depth`` and ``masks`` beside ``scene``; they are not read. A frame is described by numbers
(time, quantity): which file it is, and a checksum of that file, so that a renderer finds it again
and knows it.

References
----------
Riochet et al., "IntPhys 2019: a benchmark for visual intuitive physics understanding", TPAMI 2021.
"""

import json
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path

PRINCIPLES = ("O1", "O2", "O3")
MOVIES = 4
QUANTITIES = ("principle", "scene", "movie", "frame", "checksum")
"""Number of the principle, 1 to 3; of the scene, movie and frame; checksum of the file."""
BESIDE = {"depth", "masks"}
START, END = b"\x89PNG\r\n\x1a\n", b"IEND\xaeB`\x82"
SHOWN = 8


def frame_path(folder: Path, principle: int, scene: int, movie: int, frame: int) -> Path:
    """File of a frame."""
    parts = f"O{principle}", f"{scene:02d}", str(movie), "scene", f"scene_{frame:03d}.png"
    return folder.joinpath(*parts)


def checksum(content: bytes) -> int:
    """Last 24 bits of the CRC-32 of a file: what a float32 holds exactly."""
    return zlib.crc32(content) & 0xFFFFFF


def possible(folder: Path, *, scenes: int, frames: int) -> dict[tuple[int, int, int], bool]:
    """Whether each movie, by principle, scene and movie, is possible.

    Parameters
    ----------
    folder : Path
    scenes : int
        Expected scenes of each principle.
    frames : int
        Expected frames of each movie.

    Raises
    ------
    ValueError
        If a file is missing, is not whole, or is not known here, or a scene hasn't two possible and
        two impossible movies; the message names them.
    """
    if not folder.is_dir():
        raise ValueError(f"{folder}: there is no such folder.")
    problems, found = [], {}
    problems += _differences(folder, set(PRINCIPLES))
    for number, principle in enumerate(PRINCIPLES, 1):
        names = {f"{scene:02d}" for scene in range(1, scenes + 1)}
        problems += _differences(folder / principle, names)
        for scene in range(1, scenes + 1):
            place = folder / principle / f"{scene:02d}"
            problems += _differences(place, {str(movie) for movie in range(1, MOVIES + 1)})
            mine = {}
            for movie in range(1, MOVIES + 1):
                wrong, known = _movie(place / str(movie), frames)
                problems += wrong
                mine[number, scene, movie] = known
            if None not in mine.values() and sum(mine.values()) != MOVIES // 2:
                problems.append(f"{place}: {sum(mine.values())} possible movies, expected 2 of 4")
            found |= mine
    if problems:
        more = f"; and {len(problems) - SHOWN} more" * (len(problems) > SHOWN)
        raise ValueError(
            f"{folder} is not a whole IntPhys development set: {'; '.join(problems[:SHOWN])}{more}."
            " Hint: unpack it again, and put nothing else there."
        )
    return found


def _movie(place: Path, frames: int) -> tuple[list[str], bool | None]:
    """What is wrong with a movie, and whether it is possible, if that is known."""
    if not place.is_dir():
        return [], None  # named as missing by its scene
    problems = _differences(place, {"scene", "status.json"}, BESIDE)
    names = {f"scene_{frame:03d}.png" for frame in range(1, frames + 1)}
    problems += _differences(place / "scene", names)
    problems += _truncated(path for name in names if (path := place / "scene" / name).is_file())
    status = place / "status.json"
    if not status.is_file():
        return problems, None
    try:
        value = json.loads(status.read_text())["header"]["is_possible"]
    except (ValueError, KeyError, TypeError):
        return [*problems, f"{status}: no header.is_possible can be read"], None
    if not isinstance(value, bool):
        return [*problems, f"{status}: header.is_possible is {value!r}, not true or false"], None
    return problems, value


def _differences(place: Path, names: set[str], beside: set[str] = frozenset()) -> list[str]:
    """Entries of a folder that are missing, and those that are not known."""
    there = {path.name for path in place.iterdir()} if place.is_dir() else set()
    missing = [f"missing {place / name}" for name in sorted(names - there)]
    return missing + [f"not known {place / name}" for name in sorted(there - names - beside)]


def _truncated(paths: Iterable[Path]) -> list[str]:
    """Files that are no PNG from the first byte to the last."""
    found = []
    for path in paths:
        with path.open("rb") as file:
            start = file.read(len(START))
            size = file.seek(0, 2)
            file.seek(max(0, size - len(END)))
            whole = start == START and file.read() == END
        if not whole:
            found.append(f"truncated {path} ({size} bytes)")
    return sorted(found)


def described(row: Mapping[str, float]) -> tuple[int, int, int, int]:
    """Principle, scene, movie and frame that a row of numbers says."""
    return tuple(round(row[name]) for name in QUANTITIES[:-1])
