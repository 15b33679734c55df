"""
Folder of a store: where it lies, what belongs in it, and how a finished one takes its place.

A store ``clips.zarr`` is written in ``.clips.zarr.unfinished`` beside its place, which it takes by
rename once it is whole; a store that it replaces stays until then. One job at a time writes it.
Nothing is removed that is not such a store.
"""

import os
import re
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from physprobe.store import files, log
from physprobe.store.manifest import MANIFEST, ROOT

IDENTITY = "fingerprint.json"  # beside the root: it has to be there while the store is unfinished
# what a store consists of, leftovers of writing included
FILES = re.compile(
    r"(zarr|manifest|fingerprint)\.json|\.(zarr|manifest|fingerprint)\.json(\.[\w-]+)?\.\d+"
    r"|[^/]+/zarr\.json|[^/]+/c(/\d+)*|.+\.partial"
)
FOLDERS = re.compile(r"[^/]+(/c(/\d+)*)?")


@contextmanager
def alone(root: Path) -> Iterator[None]:
    """Keep other writers of a store out; wait for one that is at it, and say so."""
    lock = FileLock(root.with_name(f".{root.name}.lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        log.info("waits for another job that is writing %s", root)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def origin(folder: Path) -> str | None:
    """What a store's content follows from, finished or not."""
    file = folder / IDENTITY
    return file.read_text().removesuffix("\n") if file.exists() else None


def start(unfinished: Path, identity: str) -> None:
    """Clear what can't be gone on with: chunks of another fingerprint, leftovers of killed jobs."""
    if origin(unfinished) != identity:
        remove(unfinished)
        unfinished.mkdir()
        files.write_text(unfinished / IDENTITY, identity)
    leftovers = [*unfinished.rglob("*.partial"), *unfinished.glob(".*.json.*")]
    for file in (*leftovers, unfinished / ROOT, unfinished / MANIFEST):
        file.unlink(missing_ok=True)


def swap(unfinished: Path, root: Path) -> None:
    """Let a whole store take its place; killed at any moment, the next job ends what is begun."""
    check_replaceable(root)
    aside = root.with_name(f".{root.name}.replaced")
    remove(aside)
    if root.exists() and any(root.iterdir()):
        root.rename(aside)
    unfinished.rename(root)  # onto nothing, or onto an empty folder
    remove(aside)


def set_back(root: Path, faults: Collection[str]) -> None:
    """Let a damaged store be unfinished again: without its damaged files, and without a root.

    Parameters
    ----------
    root : Path
        The store's folder; links are followed.
    faults : collection of str
        Damaged files, by their paths inside it. Nothing can be kept where one has no name - root
        and manifest don't agree - or where another job has begun to write the store.
    """
    root = root.resolve()
    with alone(root):
        check_replaceable(root)
        unfinished = root.with_name(f".{root.name}.unfinished")
        (root / ROOT).unlink(missing_ok=True)
        if "" in faults or unfinished.exists():
            return
        for key in faults:
            (root / key).unlink(missing_ok=True)
        root.rename(unfinished)
        root.mkdir()  # a link to it leads somewhere still


def clear(root: Path) -> None:
    """Remove what a killed job left beside a store that it had replaced."""
    root = root.resolve()
    aside = root.with_name(f".{root.name}.replaced")
    if aside.exists():
        with alone(root):
            remove(aside)


def remove(folder: Path) -> None:
    """Remove a folder beside a store's place that is named for it, if it holds nothing else."""
    if folder.exists():
        _refuse(folder, _foreign(folder))
        shutil.rmtree(folder)


def check_replaceable(root: Path) -> None:
    """Refuse a place that holds anything but a store of ours, finished or not.

    Raises
    ------
    ValueError
        If it does; nothing is removed.
    """
    if root.exists():
        foreign = _foreign(root)
        names = {path.name for path in root.iterdir()} if root.is_dir() else set()
        if names and not {IDENTITY, MANIFEST} & names:
            foreign = foreign or min(names)
        _refuse(root, foreign)


def _refuse(folder: Path, foreign: str | None) -> None:
    if foreign:
        raise ValueError(
            f"{folder} is not a store of this package alone: it holds {foreign}."
            " Hint: move that away, or write elsewhere; nothing was removed."
        )


def _foreign(folder: Path) -> str | None:
    """First thing in a folder that is no part of a store, if any."""
    if not folder.is_dir():
        return "a file of its own"
    for base, *inner in os.walk(folder):
        inside = Path(base).relative_to(folder)
        for kind, names in zip((FOLDERS, FILES), inner, strict=True):
            for name in sorted(names):
                if not kind.fullmatch((inside / name).as_posix()):
                    return (inside / name).as_posix()
    return None
