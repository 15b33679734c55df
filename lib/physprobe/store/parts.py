"""Parts: a store that several jobs write, each a share of its blocks, and one job makes whole.

A part is an unfinished store of its own beside the whole one's place, with its own lock: jobs know
nothing of each other, and one that is killed goes on where it was. The job that writes the whole
store takes over the files of all blocks that parts have written, reads each back, and writes what
is missing still.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from physprobe.store import _folder, log, writing, zarrs

TEXT = re.compile(r"(\d+)/(\d+)")


class Part(NamedTuple):
    """Which of how many jobs."""

    number: int
    """From 1."""
    of: int

    @classmethod
    def parsed(cls, text: str) -> "Part":
        """Read ``2/4``, the second of four.

        Raises
        ------
        ValueError
            If it is nothing like that.
        """
        found = TEXT.fullmatch(text)
        part = cls(*map(int, found.groups())) if found else cls(0, 0)
        if not 1 <= part.number <= part.of:
            raise ValueError(f"--part: found {text!r}. Hint: 2/4 is the second of four parts.")
        return part

    def share(self, blocks: list[slice]) -> list[slice]:
        """Those of a store's blocks that are this part's: neighbours, which read the same files."""
        first, last = (len(blocks) * n // self.of for n in (self.number - 1, self.number))
        return blocks[first:last]

    def place(self, out: Path) -> Path:
        """Where the part of a store is written."""
        root = zarrs.place(out)
        return root.with_name(f"{root.stem}.part{self.number}of{self.of}.zarr")


class _Left(Exception):
    """A part has done its share; it is left as it is."""


@contextmanager
def create(out: Path, part: Part, **about: Any) -> Iterator[writing.Writer]:
    """Write a share of a store's blocks; all others are nothing that is missing.

    Parameters
    ----------
    out : Path
        The whole store.
    part : Part
    **about
        As for :func:`physprobe.store.writing.create`.

    Yields
    ------
    Writer
    """
    try:
        with writing.create(part.place(out), **about) as store:
            yield _Share.of_store(store, part)
            raise _Left
    except _Left:
        pass


class _Share(writing.Writer):
    """A writer of some blocks alone."""

    part: Part

    @classmethod
    def of_store(cls, store: writing.Writer, part: Part) -> "_Share":
        """Same writer of fewer blocks."""
        own = cls.__new__(cls)
        vars(own).update(vars(store))
        own.part = part
        return own

    def blocks(self) -> list[slice]:
        """Blocks of the part, in order."""
        return self.part.share(super().blocks())


def take_over(store: writing.Writer, out: Path) -> int:
    """Move what parts have written into a store, before it is asked what is missing.

    Parts that follow from something else stay where they are. One that is still being written is
    waited for.

    Parameters
    ----------
    store : Writer
        Of :func:`physprobe.store.writing.create`.
    out : Path
        The store.

    Returns
    -------
    int
        Parts that were taken over.
    """
    root = zarrs.place(out).resolve()
    pattern = re.compile(rf"\.{re.escape(root.stem)}\.part\d+of\d+\.zarr\.unfinished")
    found = sorted(
        path for path in root.parent.glob(".*.unfinished") if pattern.fullmatch(path.name)
    )
    taken = 0
    for folder in found:
        own = folder.with_name(folder.name.removeprefix(".").removesuffix(".unfinished"))
        with _folder.alone(own):
            if _folder.origin(folder) != _folder.origin(store.root):
                log.info("%s follows from something else, and is left aside", folder)
                continue
            _move(folder, store.root, store.variables)
            _folder.remove(folder)
            taken += 1
        own.with_name(f".{own.name}.lock").unlink(missing_ok=True)
    return taken


def _move(folder: Path, into: Path, variables: Mapping[str, object]) -> None:
    """Move chunks that are whole."""
    for name in variables:
        chunks = folder / name / "c"
        for file in [path for path in chunks.rglob("*") if path.is_file()]:
            target = into / file.relative_to(folder)
            if file.suffix != ".partial" and not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                file.replace(target)
