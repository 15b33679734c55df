"""Folder: which films lie in it, what is said of them, and whether all of it can be used.

Nothing is opened to say which films there are; they are counted in the order of their names.
"""

import hashlib
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from physprobe.scenes.films import arrays, containers, stills, tables
from physprobe.scenes.films.film import Fault, Faulty, Film, Image

ENDS = 256  # bytes at either end of a file that are read for the listing
METADATA, TRACKS = "metadata", "tracks"


@dataclass(frozen=True)
class Source:
    """Where a film is.

    Attributes
    ----------
    name : str
        Path within the folder; of a clip of an array with its number, ``file.npy#3``.
    path : Path
    clip : int, optional
        Number within an array.
    """

    name: str
    path: Path
    clip: int | None = None

    @property
    def still(self) -> bool:
        """Whether it is a folder of images."""
        return self.clip is None and self.path.is_dir()

    def look(self, array: str | None, threads: int = 1, whole: bool = False) -> Film:
        """Read all of it; frames of a container are decoded if that is needed, or asked for.

        Raises
        ------
        Faulty
            If it can't be used.
        """
        if self.clip is not None:
            return arrays.look(self.path, self.clip, array)
        if self.still:
            return stills.look(self.path)
        return containers.look(self.path, threads, whole)

    def digest(self, array: str | None) -> str:
        """Digest of its content, as :meth:`look` has it, without decoding it."""
        if self.clip is not None:
            return arrays.digest(self.path, self.clip, array)
        return (stills if self.still else containers).digest(self.path)

    def frames(
        self, array: str | None, values: tuple[float, float] | None = None
    ) -> Iterator[Image]:
        """Frames from the first on.

        Raises
        ------
        Faulty
            If they can't be had; see ``arrays``.
        """
        if self.clip is not None:
            return arrays.frames(self.path, self.clip, array, values)
        return (stills if self.still else containers).frames(self.path)


@dataclass(frozen=True)
class Listed:
    """What a folder holds, by name.

    Attributes
    ----------
    root : Path
    sources : tuple of Source
        Films that are used, in the order of their names.
    table : Table, optional
    tracks : Tracks, optional
    files : tuple of Path
        Tables that were read.
    labels, units : mapping
        Labels that arrays bring, by film; and their units.
    unread : tuple of str
        Files that are neither films nor tables.
    faults : tuple of Fault
    """

    root: Path
    sources: tuple[Source, ...]
    table: tables.Table | None
    tracks: tables.Tracks | None
    files: tuple[Path, ...]
    labels: dict[str, dict[str, object]]
    units: dict[str, str]
    unread: tuple[str, ...]
    faults: tuple[Fault, ...]


def listed(
    folder: str, leave_out: Sequence[str] = (), array: str | None = None, tracks: str | None = None
) -> Listed:
    """Films of a folder, or of a table, and what is said of them; films are not opened.

    Parameters
    ----------
    folder : str
        A folder, whose films all count; or a table, whose films count.
    leave_out : sequence of str
        Names of films that don't.
    array : str, optional
        Array that holds the films, where a file has several.
    tracks : str, optional
        Table of tracks, if it isn't called so.
    """
    root, stated = _root(folder)
    if not (stated or root).exists():
        what = "table" if stated else "folder"
        fault = Fault(folder, f"there is no such {what}")
        return Listed(root, (), None, None, (), {}, {}, (), (fault,))
    faults: list[Fault] = []
    found, unread = _walk(root, faults)
    names = [str(path) for path in [stated] * bool(stated)] or [
        str(path) for path in tables.find(root, METADATA)
    ]
    if len(names) > 1:
        told = ", ".join(Path(name).name for name in names)
        faults.append(Fault(folder, f"holds {len(names)} tables of films, expected one: {told}"))
    files = [Path(name) for name in names[:1]]
    table = None
    if files:
        table, wrong = tables.read(files[0])
        faults += wrong
    tracked = [root / tracks] if tracks else tables.find(root, TRACKS)
    moving = None
    if tracked and not tracked[0].is_file():
        faults.append(Fault(str(tracks), "there is no such table of tracks"))
    elif tracked:
        moving, wrong = tables.tracks(tracked[0])
        faults += wrong
        files.append(tracked[0])
    sources: list[Source] = []
    labels: dict[str, dict[str, object]] = {}
    units: dict[str, str] = {}
    rows = {row.file for row in table.rows} if table else set()
    for name, path in found.items():
        wanted = not stated or any(row.partition("#")[0] == name for row in rows)
        if name in leave_out or not wanted:
            continue
        if path.suffix.lower() in arrays.ENDINGS:
            try:
                held = arrays.held(path, array)
            except Faulty as error:
                faults += [Fault(name, reason) for reason in error.reasons]
                continue
            for clip in range(held.films.shape[0]):
                key = f"{name}#{clip}"
                if key not in leave_out:
                    sources.append(Source(key, path, clip))
                    labels[key] = {k: values[clip] for k, values in held.labels.items()}
            units |= {key: held.units.get(key, "1") for key in held.labels}
        else:
            sources.append(Source(name, path))
    known = {source.name for source in sources}
    everything = known | set(found)
    faults += [
        Fault(n, "is to be left out, but isn't there")
        for n in leave_out
        if n not in everything and not any(key.startswith(f"{n}#") for key in known)
    ]
    if table:
        kept = [n for n, row in enumerate(table.rows) if row.file not in leave_out]
        table = _picked(table, kept)
        faults += [
            Fault(row.where, f"{row.file} isn't there")
            for row in table.rows
            if row.file not in known and row.file not in everything
        ]
        if not stated:
            lone = known - {row.file for row in table.rows}
            faults += [Fault(n, f"has no row in {files[0].name}") for n in sorted(lone)]
    if moving:
        faults += [
            Fault(moving.name, f"{n} isn't there")
            for n in moving.places
            if n not in known and n not in leave_out
        ]
        faults += [
            Fault(s.name, f"has no rows in {moving.name}")
            for s in sources
            if s.name not in moving.places
        ]
    if not sources and not faults:
        kinds = (*containers.ENDINGS, *stills.ENDINGS, *arrays.ENDINGS)
        faults.append(Fault(folder, f"holds no film ({', '.join(kinds)})"))
    return Listed(
        root,
        tuple(sources),
        table,
        moving,
        tuple(files),
        labels,
        units,
        tuple(unread),
        tuple(faults),
    )


def _picked(table: tables.Table, rows: Sequence[int]) -> tables.Table:
    return tables.Table(
        tuple(table.rows[row] for row in rows),
        {key: values[rows] for key, values in table.numbers.items()},
        table.units,
        {key: values[rows] for key, values in table.classes.items()},
    )


def _root(folder: str) -> tuple[Path, Path | None]:
    """Folder that files are named in, and the table if it is that which is named."""
    path = Path(folder)
    if path.suffix.lower() in tables.ENDINGS and not path.is_dir():
        return path.parent, path
    return path, None


def _walk(root: Path, faults: list[Fault]) -> tuple[dict[str, Path], list[str]]:
    """Films by name, and what is no film."""
    found: dict[str, Path] = {}
    unread: list[str] = []
    for base, folders, files in os.walk(root, followlinks=True):
        here = Path(base)
        whole = [f for f in folders if Path(f).suffix.lower() in arrays.ENDINGS]
        folders[:] = sorted(f for f in folders if not f.startswith(".") and f not in whole)
        names = sorted(f for f in files if not f.startswith("."))
        images = [f for f in names if Path(f).suffix.lower() in stills.ENDINGS]
        films = [
            f
            for f in (*names, *whole)
            if Path(f).suffix.lower() in (*containers.ENDINGS, *arrays.ENDINGS)
        ]
        place = here.relative_to(root)
        for name in films:
            found[(place / name).as_posix()] = here / name
        if images and (films or folders):
            what = "films" if films else "folders"
            told = f"holds {len(images)} images beside {what}; frames lie in a folder of their own"
            faults.append(Fault(place.as_posix(), told))
        elif images:
            found[place.as_posix()] = here
        for name in set(names) - set(images) - set(films):
            path = here / name
            if path.suffix.lower() in tables.ENDINGS:
                if path.stem == METADATA and here != root:
                    told = f"is a table of films below the folder; expected one, in {root}"
                    faults.append(Fault((place / name).as_posix(), told))
                continue
            unread.append((place / name).as_posix())
    return dict(sorted(found.items())), sorted(unread)


def digest(found: Listed) -> str:
    """Digest of what a folder holds, without reading films whole: names, sizes, and their ends."""
    total = hashlib.sha256()
    for path in sorted({source.path for source in found.sources}):
        for file in sorted(_inside(path)):
            total.update(file.relative_to(found.root).as_posix().encode() + _known(file))
    for path in found.files:
        total.update(path.name.encode() + path.read_bytes())
    for fault in found.faults:
        total.update("\t".join(fault).encode())
    return total.hexdigest()[:16]


def _inside(path: Path) -> Iterator[Path]:
    """Files that a film consists of."""
    if not path.is_dir():
        yield path
        return
    for file in path.rglob("*"):
        if file.is_file():
            yield file


def _known(path: Path) -> bytes:
    with path.open("rb") as file:
        start = file.read(ENDS)
        size = file.seek(0, 2)
        file.seek(max(0, size - ENDS))
        return start + file.read() + size.to_bytes(8, "big")


@dataclass(frozen=True)
class Contents:
    """A folder whose films were all looked at.

    Attributes
    ----------
    listed : Listed
    films : mapping of str to Film
        Those that can be used, by name.
    faults : tuple of Fault
        All that is wrong, of films and tables.
    """

    listed: Listed
    films: dict[str, Film]
    faults: tuple[Fault, ...]


def read(
    found: Listed, array: str | None = None, threads: int = 1, whole: bool = False
) -> Contents:
    """Read every film, so many at a time; what was read already isn't read again.

    Parameters
    ----------
    found : Listed
    array : str, optional
        As for :func:`listed`.
    threads : int
    whole : bool
        Decode films from end to end, where their packets tell what they are, too.
    """
    faults = list(found.faults)
    films: dict[str, Film] = {}
    with ThreadPoolExecutor(threads) as pool:
        looks = pool.map(
            lambda source: _look(source, array, whole, seen(source.path)), found.sources
        )
        for source, film in zip(found.sources, looks, strict=True):
            if isinstance(film, Film):
                films[source.name] = film
            else:
                faults += [Fault(source.name, reason) for reason in film]
    first: dict[str, str] = {}
    for name, film in films.items():
        if (other := first.setdefault(film.digest, name)) != name:
            faults.append(Fault(name, f"has the same content as {other}"))
    return Contents(found, films, tuple(faults))


def seen(path: Path) -> tuple:
    """What tells within one process that a film is what it was."""
    about = [(file, file.stat()) for file in sorted(_inside(path)) if file.exists()]
    return tuple((str(file), each.st_size, each.st_mtime_ns) for file, each in about)


@lru_cache(maxsize=100_000)
def _look(source: Source, array: str | None, whole: bool, seen: tuple) -> Film | tuple[str, ...]:
    try:
        return source.look(array, whole=whole)
    except Faulty as error:
        return error.reasons
