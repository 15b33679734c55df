"""IntPhys: where the frames of the public development set are, and whether all of them are there.

    {folder}/{O1, O2, O3}/{01 .. 30}/{1 .. 4}/scene/scene_{001 .. 100}.png   and   status.json

O1 is object permanence, O2 shape constancy, O3 spatio-temporal continuity. A scene has four movies
of 100 frames, two of them possible: ``header.is_possible`` of their ``status.json``. A movie may
have ``depth`` and ``masks`` beside ``scene``; they are not read. A frame is described by numbers
(time, quantity): which file it is, and a checksum of that file, so that a renderer finds it again
and knows it.

A PNG ends in the Adler-32 of its pixels and the CRC-32 of what packs them. So its last bytes tell
one whole file from another; whether a file is whole, its checksums tell when all of it is read.

References
----------
Riochet et al., "IntPhys 2019: a benchmark for visual intuitive physics understanding", TPAMI 2021.
Portable Network Graphics (PNG) Specification (Third Edition), W3C 2025; RFC 1950.
"""

import hashlib
import json
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

PRINCIPLES = ("O1", "O2", "O3")
MOVIES = 4
QUANTITIES = ("principle", "scene", "movie", "frame", "checksum")
"""Number of the principle, 1 to 3; of the scene, movie and frame; checksum of the file."""
BESIDE = {"depth", "masks"}
START, END = b"\x89PNG\r\n\x1a\n", b"\0\0\0\0IEND\xaeB`\x82"
FORM = 29  # bytes that a PNG starts with: its mark, and a header of size, depth and colours
TAIL = len(END) + 8  # Adler-32 of the pixels, CRC-32 of the last chunk, end
COLOURS = {0: "gray", 2: "colour", 3: "palette", 4: "gray with alpha", 6: "colour with alpha"}
SHOWN = 8
READERS = 8  # files read at a time: a disk in the network answers late


def frame_path(folder: Path, principle: int, scene: int, movie: int, frame: int) -> Path:
    """File of a frame."""
    return _movie_path(folder, principle, scene, movie) / "scene" / f"scene_{frame:03d}.png"


def _movie_path(folder: Path, principle: int, scene: int, movie: int) -> Path:
    return folder / f"O{principle}" / f"{scene:02d}" / str(movie)


def checksum(content: bytes) -> int:
    """Last 24 bits of the CRC-32 of a file: what a float32 holds exactly."""
    return zlib.crc32(content) & 0xFFFFFF


def listing(folder: Path, *, scenes: int, taken: Sequence[int] | np.ndarray) -> str:
    """Digest of what numbers follow from, without reading all of it.

    Every ``status.json``; name, size and last bytes of every frame that is taken. Frames that pass
    :func:`whole_frame` differ in these if they differ in a pixel.

    Parameters
    ----------
    folder : Path
    scenes : int
        Scenes of each principle.
    taken : sequence of int
        Frames that are taken of each movie, from 1.
    """
    return _digest(folder, _known, scenes, taken)


def content(folder: Path, *, scenes: int, taken: Sequence[int] | np.ndarray) -> str:
    """Digest of all bytes of every ``status.json`` and of every frame that is taken.

    Parameters
    ----------
    folder, scenes, taken
        As for :func:`listing`.

    Raises
    ------
    ValueError
        If a frame is damaged; the message names all that are.
    """
    wrong: list[str] = []

    def read(path: Path) -> bytes:
        content = path.read_bytes()
        if path.suffix == ".png" and (problem := _damage(content)):
            wrong.append(f"{path}: {problem}")
        return hashlib.sha256(content).digest()

    found = _digest(folder, read, scenes, taken)
    if wrong:
        raise ValueError(
            f"{folder}: {_some(sorted(wrong))}. Hint: put the published files in their place, and"
            " run the same command again."
        )
    return found


def whole_frame(path: Path) -> bytes:
    """Content of a frame's file.

    Raises
    ------
    ValueError
        If a checksum within it is not that of its content, or it is more than one image.
    """
    content = path.read_bytes()
    if problem := _damage(content):
        raise ValueError(
            f"{path}: {problem}. Hint: put the published file in its place, and run the same"
            " command again."
        )
    return content


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
        If a file is missing, is not whole, or is not known here, a frame has another size than
        most or isn't in 8 bits of colour, or a scene hasn't two possible and two impossible
        movies; the message names them.
    """
    if not folder.is_dir():
        raise ValueError(
            f"{folder}: there is no such folder. Hint: name the one that holds O1, O2 and O3."
        )
    problems: list[str] = []
    found: dict[tuple[int, int, int], bool] = {}
    sizes: dict[Path, tuple[int, int]] = {}
    problems += _differences(folder, set(PRINCIPLES))
    for number, principle in enumerate(PRINCIPLES, 1):
        names = {f"{scene:02d}" for scene in range(1, scenes + 1)}
        problems += _differences(folder / principle, names)
        for scene in range(1, scenes + 1):
            place = folder / principle / f"{scene:02d}"
            problems += _differences(place, {str(movie) for movie in range(1, MOVIES + 1)})
            mine = {}
            for movie in range(1, MOVIES + 1):
                wrong, known = _movie(place / str(movie), frames, sizes)
                problems += wrong
                if known is not None:
                    mine[number, scene, movie] = known
            if len(mine) == MOVIES and sum(mine.values()) != MOVIES // 2:
                problems.append(f"{place}: {sum(mine.values())} possible movies, expected 2 of 4")
            found |= mine
    problems += _of_other_size(sizes)
    if problems:
        raise ValueError(
            f"{folder} is not a whole IntPhys development set: {_some(problems)}."
            " Hint: unpack it again, and put nothing else there."
        )
    return found


def _movie(
    place: Path, frames: int, sizes: dict[Path, tuple[int, int]]
) -> tuple[list[str], bool | None]:
    """What is wrong with a movie, and whether it is possible, if that is known; notes sizes."""
    if not place.is_dir():
        return [], None  # named as missing by its scene
    problems = _differences(place, {"scene", "status.json"}, BESIDE)
    names = [f"scene_{frame:03d}.png" for frame in range(1, frames + 1)]
    problems += _differences(place / "scene", set(names))
    for name in names:
        if (path := place / "scene" / name).is_file():
            problems += _form(path, sizes)
    status = place / "status.json"
    if not status.is_file():
        return problems, None
    try:
        value = json.loads(status.read_text(encoding="utf-8"))["header"]["is_possible"]
    except (ValueError, KeyError, TypeError):
        return [*problems, f"{status}: no header.is_possible can be read"], None
    if not isinstance(value, bool):
        return [*problems, f"{status}: header.is_possible is {value!r}, not true or false"], None
    return problems, value


def _differences(place: Path, names: set[str], beside: AbstractSet[str] = frozenset()) -> list[str]:
    """Entries of a folder that are missing, and those that are not known."""
    there = {path.name for path in place.iterdir()} if place.is_dir() else set()
    missing = [f"missing {place / name}" for name in sorted(names - there)]
    return missing + [f"not known {place / name}" for name in sorted(there - names - beside)]


def _form(path: Path, sizes: dict[Path, tuple[int, int]]) -> list[str]:
    """What is wrong with a frame's first and last bytes; notes its size (y, x) [px]."""
    start, end, size = _ends(path)
    if not start.startswith(START) or not end.endswith(END):
        return [f"truncated {path} ({size} bytes)"]
    depth, colours = start[24], start[25]
    if depth != 8 or COLOURS.get(colours) not in ("colour", "colour with alpha"):
        found = f"{depth} bits of {COLOURS.get(colours, f'colour type {colours}')}"
        return [f"{path}: {found}, expected 8 bits of colour"]
    x, y = (int.from_bytes(start[place : place + 4], "big") for place in (16, 20))
    sizes[path] = y, x
    return []


def _of_other_size(sizes: Mapping[Path, tuple[int, int]]) -> list[str]:
    """Frames that are not as large as most."""
    if not sizes:
        return []
    most = Counter(sizes.values()).most_common(1)[0][0]
    return [
        f"{path}: {size[0]} x {size[1]} px, expected {most[0]} x {most[1]} as of most"
        for path, size in sizes.items()
        if size != most
    ]


def _some(problems: Sequence[str]) -> str:
    more = f"; and {len(problems) - SHOWN} more" * (len(problems) > SHOWN)
    return f"{'; '.join(problems[:SHOWN])}{more}"


def _ends(path: Path) -> tuple[bytes, bytes, int]:
    """First and last bytes of a frame's file, and how many there are in all."""
    with path.open("rb") as file:
        start = file.read(FORM)
        size = file.seek(0, 2)
        file.seek(max(0, size - TAIL))
        return start, file.read(), size


def _damage(content: bytes) -> str:
    """What is wrong with a frame's content; empty if nothing is."""
    place = len(START)
    while place < len(content):
        size = int.from_bytes(content[place : place + 4], "big")
        name, after = content[place + 4 : place + 8], place + 8 + size
        if zlib.crc32(content[place + 4 : after]).to_bytes(4, "big") != content[after : after + 4]:
            return f"is damaged at byte {place}"
        if name == b"acTL":
            return "is animated; a frame is one image"
        place = after + 4
        if name == b"IEND":
            break
    if not content.startswith(START) or place != len(content) or not content.endswith(END):
        return f"is damaged: it ends at byte {len(content)}, and its image at {place}"
    return ""


def _known(path: Path) -> bytes:
    """What is read of a file for the listing."""
    try:
        if path.suffix == ".json":
            return path.read_bytes()
        start, end, size = _ends(path)
    except OSError as error:
        return type(error).__name__.encode()
    return start + end + size.to_bytes(8, "big")


def _digest(
    folder: Path, known: Callable[[Path], bytes], scenes: int, taken: Sequence[int] | np.ndarray
) -> str:
    """Digest of what is known of every file that numbers follow from, and of its place."""
    paths = list(_files(folder, scenes, taken))
    total = hashlib.sha256()
    with ThreadPoolExecutor(READERS) as pool:
        for path, value in zip(paths, pool.map(known, paths), strict=True):
            total.update(f"{path.relative_to(folder).as_posix()} {len(value)} ".encode() + value)
    return total.hexdigest()[:16]


def _files(folder: Path, scenes: int, taken: Sequence[int] | np.ndarray) -> Iterator[Path]:
    for principle in range(1, len(PRINCIPLES) + 1):
        for scene in range(1, scenes + 1):
            for movie in range(1, MOVIES + 1):
                yield _movie_path(folder, principle, scene, movie) / "status.json"
                for frame in dict.fromkeys(map(int, taken)):
                    yield frame_path(folder, principle, scene, movie, frame)


def described(row: Mapping[str, float]) -> tuple[int, int, int, int]:
    """Principle, scene, movie and frame that a row of numbers says."""
    principle, scene, movie, frame = (round(row[name]) for name in QUANTITIES[:-1])
    return principle, scene, movie, frame
