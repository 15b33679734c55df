"""Files of the user's that an encoder reads: what is known of them without reading them whole."""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

ENDS = 4096  # bytes at either end of a file that are read for the listing


def problems(names: Iterable[str]) -> Iterator[str]:
    """Files that aren't there."""
    for name in names:
        if not Path(name).exists():
            yield (
                f"{name}: no such file."
                " Hint: paths are taken from the folder that the command is run in."
            )


def listing(names: Iterable[str]) -> str:
    """Digest of names, sizes, and ends of files; times don't count."""
    total = hashlib.sha256()
    for name, file in _each(names):
        size = file.stat().st_size
        with file.open("rb") as stream:
            start = stream.read(ENDS)
            stream.seek(max(size - ENDS, 0))
            total.update(f"{name} {size}\n".encode() + start + stream.read(ENDS))
    return total.hexdigest()[:16]


def content(names: Iterable[str]) -> str:
    """Digest of files.

    Raises
    ------
    FileNotFoundError
        If one isn't there.
    """
    for line in problems(names := list(names)):
        raise FileNotFoundError(line)
    total = hashlib.sha256()
    for name, file in _each(names):
        with file.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        total.update(f"{name} {digest}\n".encode())
    return total.hexdigest()[:16]


def _each(names: Iterable[str]) -> Iterator[tuple[str, Path]]:
    """Files, of folders all in them, with their names from there."""
    for name in names:
        path = Path(name)
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file():
                yield file.relative_to(path.parent).as_posix(), file
