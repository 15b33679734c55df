"""Verify: whether everything in a folder of results is still what was written."""

import os
import shlex
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from physprobe.config import shipped
from physprobe.store import _folder, job, log, results, zarrs
from physprobe.store.manifest import ROOT, Manifest


def run(path: Path = Path("results"), *, repair: bool = False) -> None:
    """Check every store and result in a folder, and the encoders that ship, or one store.

    One line for each fault, then a summary; the exit status is 1 if there is any.

    Parameters
    ----------
    path : Path
        A folder of results, one store, or one result.
    repair : bool
        Set damaged stores back to unfinished, sound chunks kept, and name the command that writes
        the rest.

    Raises
    ------
    FileNotFoundError
        If there is nothing of that name.
    ValueError
        If anything is damaged.
    """
    if not path.exists():
        raise FileNotFoundError(f"{path} is not there. Hint: name a folder of results, or a store.")
    roots, files = _found(path)
    damaged: dict[Path, dict[str, str]] = {}
    for root in log.progress(roots, "stores"):
        if not (root / ROOT).exists():
            log.info("%s is unfinished. Hint: snakemake %s", root, root / ROOT)
        elif faults := store_faults(root, job.current().threads):
            damaged[root] = faults
            for key, words in faults.items():
                log.error("%s: %s", root, f"{key} {words}" if key else words)
    unlike = shipped.faults() if path.is_dir() and path not in roots else []
    for wrong in unlike:
        log.error("%s", wrong.split(" Hint:")[0])
    broken = []
    for file in log.progress(files, "results"):
        if fault := result_fault(file):
            broken.append(file)
            log.error("%s", fault)
    if repair:
        for root, faults in damaged.items():
            _folder.set_back(root, faults)
        for root in roots:
            _folder.clear(root)
    again = [shlex.join(["snakemake", *map(str, (root / ROOT for root in damaged))])] * bool(
        damaged
    )
    again += [shlex.join(["snakemake", *map(str, broken), "--force"])] * bool(broken)
    told = f"{len(roots)} stores and {len(files)} results"
    again += ["install the package again"] * bool(unlike)
    if not again:
        log.done(f"{path}: {told} are what was written")
        return
    if damaged and not repair:
        again[0] = f"python -m physprobe verify --repair {shlex.quote(str(path))}"
    raise ValueError(
        f"{path}: of {told}, {len(damaged)} stores and {len(broken)} results are damaged,"
        f" and {len(unlike)} files of shipped encoders."
        f" Hint: {'; '.join(again)}"
    )


def store_faults(root: Path, threads: int = 1) -> dict[str, str]:
    """What is wrong with each file of a finished store; of no name: with the store."""
    try:
        manifest = Manifest.read(root)
    except ValueError as error:
        return {"": str(error).removeprefix(f"{root}: ").split(" Hint:")[0]}
    found: dict[str, str] = {}
    for key, words in manifest.faults():
        found.setdefault(key, words)
    left = [key for key in manifest.files if key not in found]
    with ThreadPoolExecutor(threads) as pool:
        same = pool.map(manifest.same, left)
        for key in log.progress(left, f"files of {root.name}"):
            if not next(same):
                found[key] = "is damaged: its content is not what was written"
    return found


def result_fault(path: Path) -> str | None:
    """What is wrong with a result; None if nothing is, or the file is none."""
    try:
        results.read(path)
    except (ValueError, OSError) as error:
        text = str(error).split(" Hint:")[0]
        return text if str(path) in text else f"{path}: {text}"
    return None


def _found(path: Path) -> tuple[list[Path], list[Path]]:
    """Stores, and JSON files outside of them, in a folder; links are followed once."""
    if path.name == ROOT or path.suffix == ".zarr":
        return [zarrs.place(path)], []
    if path.is_file():
        return [], [path]
    roots, files = [], []
    for base, names in _walked(path):
        here = sorted(Path(base, name) for name in names)
        roots += [each for each in here if each.suffix == ".zarr" and each.is_dir()]
        files += [each for each in here if _is_result(each)]
    return roots, files


def _walked(path: Path) -> Iterator[tuple[str, list[str]]]:
    """Folders outside of stores, and what is in each; hidden ones left out."""
    seen: set[Path] = set()
    for base, folders, files in os.walk(path, followlinks=True):
        yield base, [*folders, *files]
        inside = {
            name: Path(base, name).resolve()
            for name in sorted(folders)
            if not name.startswith(".") and not name.endswith(".zarr")
        }
        folders[:] = [name for name, place in inside.items() if place not in seen]
        seen.update(inside.values())


def _is_result(path: Path) -> bool:
    """Whether a file is a result of ours, or a JSON file that may have been one."""
    if path.suffix != ".json" or path.name.startswith(".") or not path.is_file():
        return False
    text = path.read_bytes()
    return b'"physprobe/' in text[:200] or not text.strip().endswith(b"}")
