"""Idx files: images and their labels, as MNIST is published, packed or not.

    0  0  type  dimensions    size of each dimension, 4 bytes    values

all of it high byte first. Type 8 is bytes, the only one that is read here. A file may be packed by
gzip, whose last bytes are the checksum of what it packs.

References
----------
LeCun, Cortes, Burges, "The MNIST database of handwritten digits": the format, and names of files.
"""

import gzip
import hashlib
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

TRAIN, TEST = "train", "t10k"
SETS = TRAIN, TEST
IMAGES, LABELS = "images-idx3-ubyte", "labels-idx1-ubyte"
BYTES = 8  # code of the type
PACKED, TRAILER = ".gz", 8  # bytes at a packed file's end: checksum and size of its content
HINT = (
    "Hint: put the files of MNIST there, or a link to their folder, packed or not:"
    f" {', '.join(f'{name}-{part}.gz' for name in SETS for part in (IMAGES, LABELS))};"
    f" those of {TEST} alone will do."
)


class Set(NamedTuple):
    """Images of one pair of files."""

    images: np.ndarray
    """(image, y, x) uint8"""
    labels: np.ndarray
    """(image,) uint8"""


def files(folder: Path) -> dict[str, tuple[Path, Path]]:
    """Files of images and of labels, by the name of their set.

    Raises
    ------
    ValueError
        If there is no such folder, nothing of the sort in it, one file without its other, or one
        both packed and not; the message names it.
    """
    if not folder.is_dir():
        raise ValueError(f"{folder}: there is no such folder. {HINT}")
    found: dict[str, tuple[Path, Path]] = {}
    for name in SETS:
        images, labels = _one(folder, f"{name}-{IMAGES}"), _one(folder, f"{name}-{LABELS}")
        if (images is None) != (labels is None):
            lacking = f"{name}-{LABELS if labels is None else IMAGES}"
            raise ValueError(f"{folder / lacking}: is missing beside {images or labels}. {HINT}")
        if images and labels:
            found[name] = images, labels
    if not found:
        raise ValueError(f"{folder}: has none of the files. {HINT}")
    return found


def _one(folder: Path, name: str) -> Path | None:
    there = [path for path in (folder / name, folder / f"{name}{PACKED}") if path.is_file()]
    if len(there) > 1:
        raise ValueError(
            f"{there[0]}: is there packed as well, {there[1].name}. Hint: keep one of them."
        )
    return there[0] if there else None


def read(folder: Path) -> dict[str, Set]:
    """All images and labels, by the name of their set.

    Raises
    ------
    ValueError
        If a file is malformed, truncated or damaged, there are more images than labels or fewer,
        or sets have images of other sizes; the message names it.
    """
    found: dict[str, Set] = {}
    for name, (first, second) in files(folder).items():
        images, labels = values(first, 3), values(second, 1)
        if len(images) != len(labels):
            raise ValueError(
                f"{first}: has {len(images)} images, and {second.name} {len(labels)} labels."
                " Hint: both have to be of one set."
            )
        found[name] = Set(images, labels)
    sizes = {name: each.images.shape[1:] for name, each in found.items()}
    if len(set(sizes.values())) > 1:
        told = ", ".join(f"{name} {y} x {x} px" for name, (y, x) in sizes.items())
        raise ValueError(f"{folder}: images are of several sizes, {told}.")
    return found


def values(path: Path, dimensions: int) -> np.ndarray:
    """Values of one file.

    Parameters
    ----------
    path : Path
    dimensions : int
        Of the array that is expected.

    Returns
    -------
    ndarray
        uint8

    Raises
    ------
    ValueError
        If it is malformed, truncated or damaged.
    """
    content = _content(path)
    header = 4 + 4 * dimensions
    mark = bytes([0, 0, BYTES, dimensions])
    if content[:4] != mark:
        raise ValueError(
            f"{path}: begins with {content[:4].hex(' ') or 'nothing'}, expected {mark.hex(' ')},"
            f" an idx file of bytes in {dimensions} dimension{'s' * (dimensions > 1)}."
        )
    if len(content) < header:
        raise ValueError(f"{path}: truncated, {len(content)} bytes of a header of {header}.")
    shape = [int.from_bytes(content[at : at + 4], "big") for at in range(4, header, 4)]
    expected = header + int(np.prod(shape, dtype=np.int64))
    if len(content) != expected:
        what = "truncated" if len(content) < expected else "longer than it says"
        raise ValueError(
            f"{path}: {what}, {len(content)} bytes, expected {expected} for"
            f" {' x '.join(map(str, shape))} values."
        )
    if not all(shape):
        raise ValueError(f"{path}: is empty, {' x '.join(map(str, shape))} values.")
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)


def _content(path: Path) -> bytes:
    packed = path.read_bytes()
    if path.suffix != PACKED:
        return packed
    try:
        return gzip.decompress(packed)
    except (OSError, EOFError, zlib.error) as error:
        told = f"{path}: can't be unpacked ({error}); it is truncated or damaged."
        raise ValueError(told) from None


def listing(folder: Path) -> str:
    """Digest of names, sizes, and checksums that packed files carry; others are read whole."""
    total = hashlib.sha256()
    for path in _all(folder):
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - TRAILER) if path.suffix == PACKED else 0)
            total.update(f"{path.name} {size} ".encode() + file.read())
    return total.hexdigest()[:16]


def content(folder: Path) -> str:
    """Digest of all bytes of all files."""
    total = hashlib.sha256()
    for path in _all(folder):
        total.update(f"{path.name} ".encode() + hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()[:16]


def _all(folder: Path) -> Iterator[Path]:
    """Files that are there, in order; whether they can be used is told where they are read."""
    for name in SETS:
        for part in (IMAGES, LABELS):
            for path in (folder / f"{name}-{part}", folder / f"{name}-{part}{PACKED}"):
                if path.is_file():
                    yield path
