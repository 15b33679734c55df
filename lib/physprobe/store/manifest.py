"""
Manifest: every file that a finished store consists of, and whether it is what was written.

``manifest.json`` lies beside the root ``zarr.json`` and holds size and SHA-256 of every chunk and
of every array's metadata; the root's ``digest`` follows from it and from the attributes. Names,
sizes, metadata and small arrays are checked when a store is opened; a large chunk when it is first
read.
"""

import hashlib
import itertools
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Self

from physprobe.store import files

ROOT = "zarr.json"
MANIFEST = "manifest.json"
SMALL = 1 << 24
"""Size [bytes] up to which an array of one file is checked by content when its store is opened."""
PROVENANCE = ("digest", "code")
"""Attributes that the digest doesn't follow from: the same content of reworded code is the same."""


@dataclass(frozen=True)
class Manifest:
    """What a finished store consists of."""

    root: Path
    """The store's folder."""
    files: Mapping[str, tuple[int, str]]
    """Size [bytes] and SHA-256 of each file, by its path inside the store."""
    attributes: Mapping[str, object] = field(default_factory=dict)
    """Of the store."""
    arrays: Mapping[str, dict] = field(default_factory=dict)
    """Metadata of each array, as the root repeats them."""

    @classmethod
    def made(cls, root: Path, names: Iterable[str], attributes: Mapping[str, object]) -> Self:
        """Manifest of arrays that have just been written.

        Raises
        ------
        RuntimeError
            If a chunk is missing.
        """
        listed, arrays = {}, {}
        for name in names:
            arrays[name] = loaded(root / name / ROOT)
            for key in (f"{name}/{ROOT}", *chunks(name, arrays[name])):
                if not (root / key).is_file():
                    raise RuntimeError(f"{root}: {key} is missing. Hint: run the same step again.")
                listed[key] = ((root / key).stat().st_size, hashed(root / key))
        return cls(root, listed, attributes, arrays)

    @classmethod
    def read(cls, root: Path) -> Self:
        """Manifest of a finished store.

        Raises
        ------
        ValueError
            If ``zarr.json`` or ``manifest.json`` is damaged, they don't agree, or the store is of
            an earlier version, which wrote no manifest.
        """
        about = loaded(root / ROOT)
        again = f"Hint: write it again: snakemake --force {root / ROOT}"
        if not (root / MANIFEST).exists():
            raise ValueError(f"{root} has no {MANIFEST}, as earlier versions wrote it. {again}")
        try:
            attributes = about["attributes"]
            arrays = about["consolidated_metadata"]["metadata"]
            content = loaded(root / MANIFEST)["files"]
            listed = {key: (int(size), str(digest)) for key, (size, digest) in content.items()}
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise ValueError(
                f"{root}: {ROOT} or {MANIFEST} is no store's: {error}. {again}"
            ) from None
        found = cls(root, listed, attributes, arrays)
        if found.digest != attributes.get("digest"):
            raise ValueError(f"{root}: {ROOT} and {MANIFEST} don't agree: one is damaged. {again}")
        return found

    @cached_property
    def digest(self) -> str:
        """Hash of the store's content: of its files and its attributes."""
        about = {key: self.attributes[key] for key in self.attributes if key not in PROVENANCE}
        content = json.dumps({"files": self.files, "attributes": about}, sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()

    def text(self) -> str:
        """Content of ``manifest.json``."""
        return json.dumps({"schema": "physprobe/manifest/1", "files": self.files}, indent=0)

    def group(self) -> str:
        """Content of the root ``zarr.json``."""
        group = {
            "zarr_format": 3,
            "node_type": "group",
            "attributes": {**self.attributes, "digest": self.digest},
            "consolidated_metadata": {
                "kind": "inline",
                "must_understand": False,
                "metadata": self.arrays,
            },
        }
        return json.dumps(group, indent=1, sort_keys=True)

    def faults(self) -> Iterator[tuple[str, str]]:
        """Files that are missing, or of another size, and metadata that is not what was written."""
        for key, (size, _) in self.files.items():
            try:
                found = (self.root / key).stat().st_size
            except FileNotFoundError:
                yield key, "is missing"
                continue
            if found != size:
                yield key, f"is damaged: it has {found} bytes instead of {size}"
        for name, repeated in self.arrays.items():
            key = f"{name}/{ROOT}"
            if key not in self.files:
                yield ROOT, f"has an array {name} that was not written"
            elif self.same(key) and loaded(self.root / key) != repeated:
                yield ROOT, f"is damaged: it repeats other metadata than {key} has"
            elif not self.same(key):
                yield key, "is damaged: its content is not what was written"
        for key in self.files:
            if key.split("/")[0] not in self.arrays:
                yield ROOT, f"is damaged: it lacks the array of {key}"

    @cached_property
    def small(self) -> list[str]:
        """Files of small arrays: coordinates and labels."""
        of: dict[str, list[str]] = {}
        for key in self.files:
            if not key.endswith(ROOT):
                of.setdefault(key.split("/")[0], []).append(key)
        single = (keys[0] for keys in of.values() if len(keys) == 1)
        return [key for key in single if self.files[key][0] <= SMALL]

    def same(self, key: str) -> bool:
        """Whether a file's content is what was written."""
        try:
            return hashed(self.root / key) == self.files[key][1]
        except FileNotFoundError:
            return False

    def check(self) -> None:
        """Check what every reader relies on: all but the content of large arrays.

        Raises
        ------
        RuntimeError
            If a file is missing or damaged.
        """
        for key, words in self.faults():
            raise RuntimeError(said(self.root, key, words))


def chunks(name: str, metadata: Mapping) -> list[str]:
    """Files that an array's chunks, or shards, are in."""
    sizes = metadata["chunk_grid"]["configuration"]["chunk_shape"]
    counts = [-(-n // size) for n, size in zip(metadata["shape"], sizes, strict=True)]
    return ["/".join([name, "c", *map(str, at)]) for at in itertools.product(*map(range, counts))]


def hashed(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def loaded(path: Path) -> dict:
    """Content of one of a store's JSON files.

    Raises
    ------
    ValueError
        If it is empty or damaged.
    """
    root = path.parent if path.parent.suffix == ".zarr" else path.parents[1]
    hint = f"Hint: python -m physprobe verify --repair {root}"
    content = files.read_json(path, hint)
    if not isinstance(content, dict):
        raise ValueError(f"{path}: it holds no mapping. {hint}")
    return content


def said(root: Path, key: str, words: str) -> str:
    """One line on a damaged file, and what to do."""
    return f"{root}: {key} {words}. Hint: python -m physprobe verify --repair {root}"
