"""Folder: which files of The Well lie in it, on which side of the split, and whether they agree."""

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from physprobe.scenes.films.film import Fault, Faulty
from physprobe.scenes.well import file as files
from physprobe.scenes.well.file import Header

ENDINGS = (".h5", ".hdf5")
SPLITS = ("train", "valid", "test")
STEP = 1e-2  # of a time step: how far those of two files may differ


@dataclass(frozen=True)
class Listed:
    """What a folder holds, by name.

    Attributes
    ----------
    root : Path
    paths : mapping of str to Path
        Files, in the order of their names.
    headers : mapping of str to Header
        Of those that are as The Well has them.
    splits : mapping of str to str, or None
        Folder train, valid or test that a file lies in.
    faults : tuple of Fault
    """

    root: Path
    paths: dict[str, Path]
    headers: dict[str, Header]
    splits: dict[str, str | None]
    faults: tuple[Fault, ...]


def listed(folder: str, leave_out: Sequence[str] = ()) -> Listed:
    """Files of a folder at any depth, or a file; their fields aren't read.

    Parameters
    ----------
    folder : str
    leave_out : sequence of str
        Names of files that don't count, by their paths within the folder.
    """
    root = Path(folder)
    if not root.exists():
        return Listed(root, {}, {}, {}, (Fault(folder, "there is no such file or folder"),))
    found = {root.name: root} if root.is_file() else dict(_walk(root))
    faults = [Fault(n, "is to be left out, but isn't there") for n in leave_out if n not in found]
    paths = {name: path for name, path in found.items() if name not in leave_out}
    headers = {}
    for name, path in paths.items():
        try:
            headers[name] = files.look(path)
        except Faulty as error:
            faults += [Fault(name, reason) for reason in error.reasons]
    if not paths:
        faults.append(Fault(folder, f"holds no file ({', '.join(ENDINGS)})"))
    splits = {name: _split(name) for name in paths}
    faults += _unlike(headers, splits)
    return Listed(root, paths, headers, splits, tuple(faults))


def digest(found: Listed) -> str:
    """Digest of what a folder holds; fields aren't read."""
    total = hashlib.sha256()
    for name, path in found.paths.items():
        total.update(f"{name} {files.listing(path)} ".encode())
    for fault in found.faults:
        total.update("\t".join(fault).encode())
    return total.hexdigest()[:16]


def _walk(root: Path) -> list[tuple[str, Path]]:
    found = []
    for base, folders, names in os.walk(root, followlinks=True):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found += [
            ((Path(base) / name).relative_to(root).as_posix(), Path(base) / name)
            for name in names
            if Path(name).suffix in ENDINGS and not name.startswith(".")
        ]
    return sorted(found)


def _split(name: str) -> str | None:
    """Folder train, valid or test that a file lies in, the innermost one."""
    return next((part for part in reversed(Path(name).parts[:-1]) if part in SPLITS), None)


def _unlike(headers: dict[str, Header], splits: dict[str, str | None]) -> Iterator[Fault]:
    """Files that are unlike most others, whose windows can't lie in one array with theirs."""
    for what, of in _ALIKE.items():
        yield from _odd(headers, what, of)
    for split in dict.fromkeys(splits.values()):
        # the same system has another name on one side of the published uniform rayleigh_benard
        own = {name: header for name, header in headers.items() if splits[name] == split}
        yield from _odd(own, "is of the data set", lambda header: header.dataset)
    steps = {name: header.interval for name, header in headers.items()}
    if steps:
        usual = sorted(steps.values())[len(steps) // 2]
        for name, step in steps.items():
            if abs(step - usual) > STEP * usual:
                yield Fault(name, f"has frames {step:.4g} apart, most have {usual:.4g}")


_ALIKE: dict[str, Callable[[Header], Hashable]] = {
    "has points along x and y:": lambda header: " x ".join(map(str, header.size)),
    "has the channels": lambda header: ", ".join(
        sorted(channel.name for channel in header.channels)
    ),
    "has the scalars": lambda header: ", ".join(sorted((*header.scalars, *header.states))),
    "has at its ends": lambda header: "; ".join(
        f"{dim} {' and '.join(ends)}" for dim, ends in sorted(header.boundaries.items())
    ),
}


def _odd(
    headers: dict[str, Header], what: str, of: Callable[[Header], Hashable]
) -> Iterator[Fault]:
    found = {name: of(header) for name, header in headers.items()}
    counts = Counter(found.values())
    if len(counts) < 2:
        return
    usual = counts.most_common(1)[0][0]
    for name, each in found.items():
        if each != usual:
            yield Fault(name, f"{what} {each}, most have {usual}")
