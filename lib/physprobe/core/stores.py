"""
Stores: Zarr v3 folders that open only when they are whole.

A store is written block by block along its leading dimension, ``clip``. Its root ``zarr.json`` is
the output of a rule and comes last, by rename, once every chunk is there: a job killed at any
moment leaves nothing that reads as finished, and the same job goes on at the first block that is
missing or damaged.
"""

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import xarray as xr
import zarr
from filelock import FileLock
from zarr.codecs import BloscCodec, Crc32cCodec
from zarr.storage import LocalStore

from physprobe.core import job

ROOT = "zarr.json"
IDENTITY = "fingerprint.json"  # beside the root: it has to be there while the store is unfinished

Coordinate = tuple[tuple[str, ...], np.ndarray, dict]


@dataclass(frozen=True)
class Variable:
    """One chunked array of a store; its leading dimension is ``clip``.

    ``inner`` splits the file of a block along the other dimensions, so that a reader can take a
    layer without the rest.
    """

    dims: tuple[str, ...]
    shape: tuple[int, ...]
    dtype: str
    attrs: dict = field(default_factory=dict)
    inner: tuple[int, ...] | None = None
    compress: bool = False


class Writer:
    """A store being written; made by :func:`create`."""

    def __init__(self, root: Path, variables: Mapping[str, Variable], block: int):
        self.root, self.variables, self.block = root, variables, block
        self.clips = next(iter(variables.values())).shape[0]
        # a chunk that equals the fill value has to be written too, or it would look missing
        zarr.config.set({"array.write_empty_chunks": True})
        self.arrays = {name: self._array(name, variable) for name, variable in variables.items()}

    def _array(self, name: str, variable: Variable) -> zarr.Array:
        store = LocalStore(self.root / name)
        if (self.root / name / ROOT).exists():
            return zarr.open_array(store, mode="r+")
        whole = (self.block, *variable.shape[1:])
        codecs = [Crc32cCodec()]
        if variable.compress:
            size = np.dtype(variable.dtype).itemsize
            codecs.insert(0, BloscCodec(cname="lz4", clevel=1, shuffle="shuffle", typesize=size))
        return zarr.create_array(
            store=store,
            shape=variable.shape,
            dtype=variable.dtype,
            chunks=(self.block, *variable.inner) if variable.inner else whole,
            shards=whole if variable.inner else None,
            compressors=codecs,
            fill_value=np.nan if np.dtype(variable.dtype).kind == "f" else 0,
            dimension_names=variable.dims,
            attributes=variable.attrs,
        )

    def files(self, block: slice) -> list[Path]:
        """File of each variable that holds a block."""
        index = block.start // self.block
        return [
            self.root / name / "c" / "/".join(map(str, (index, *(0 for _ in variable.shape[1:]))))
            for name, variable in self.variables.items()
        ]

    def blocks(self) -> list[slice]:
        """All blocks, in order: slices of the leading dimension."""
        starts = range(0, self.clips, self.block)
        return [slice(start, min(start + self.block, self.clips)) for start in starts]

    @cached_property
    def missing(self) -> list[slice]:
        """Blocks that are not there or can't be read back, when this is first asked."""
        return [block for block in self.blocks() if not self._sound(block)]

    def _sound(self, block: slice) -> bool:
        if not all(file.exists() for file in self.files(block)):
            return False
        try:
            for array in self.arrays.values():
                array[block]
        except (ValueError, RuntimeError, OSError):
            return False
        return True

    def fill(self, compute: Callable[[slice], Mapping[str, np.ndarray]], threads: int = 1) -> None:
        """Write every missing block, so many at a time.

        Parameters
        ----------
        compute : callable
            From a block to the values of every variable in it.
        threads : int
            Blocks computed at a time.
        """
        blocks = self.missing
        if len(blocks) < len(self.blocks()):
            job.log.info(
                "goes on: %d of %d blocks are there",
                len(self.blocks()) - len(blocks),
                len(self.blocks()),
            )
        with job.at_once(ThreadPoolExecutor(threads)) as pool:
            written = pool.map(lambda block: self.write(block, compute(block)), blocks)
            for _ in job.progress(blocks, "blocks of clips"):
                next(written)

    def write(self, block: slice, values: Mapping[str, np.ndarray]) -> None:
        """Write one block of every variable.

        Raises
        ------
        ValueError
            If a value is not finite, overflows the variable's type, or has the wrong shape.
        OSError
            If the disk is full; what was written stays.
        """
        for name, variable in self.variables.items():
            shape = (block.stop - block.start, *variable.shape[1:])
            value = np.asarray(values[name])
            if value.shape != shape:
                raise ValueError(f"{self.root}: {name} has shape {value.shape}, expected {shape}.")
            with np.errstate(over="ignore"):
                value = value.astype(variable.dtype, copy=False)
            if value.dtype.kind == "f" and not np.isfinite(value).all():
                where = dict(zip(variable.dims, np.argwhere(~np.isfinite(value))[0], strict=True))
                where["clip"] += block.start
                place = ", ".join(f"{dim} {index}" for dim, index in where.items())
                raise ValueError(
                    f"{self.root}: {name} is not finite as {variable.dtype} at {place}."
                    " Hint: nothing of this block was kept; look at that clip's input."
                )
            try:
                self.arrays[name][block] = value
            except OSError as error:
                if error.errno == errno.ENOSPC:
                    error = OSError(
                        error.errno,
                        f"disk full while writing clips {block.start} to {block.stop - 1} of"
                        f" {name}. Hint: what was written stays; make room and run the same"
                        " command again",
                        str(self.root),
                    )
                raise error from None

    def digest(self) -> str:
        """Hash over the bytes of every chunk, in order.

        Raises
        ------
        RuntimeError
            If a chunk is missing.
        """
        total = hashlib.sha256()
        for block in self.blocks():
            for file in self.files(block):
                if not file.exists():
                    raise RuntimeError(
                        f"{self.root}: chunk {file.relative_to(self.root)} is missing."
                    )
                with file.open("rb") as stream:
                    total.update(hashlib.file_digest(stream, "sha256").digest())
        return total.hexdigest()


@contextmanager
def create(
    out: Path,
    *,
    variables: Mapping[str, Variable],
    coords: Mapping[str, Coordinate],
    attrs: Mapping[str, object],
    fingerprint: Mapping[str, object],
    block: int = 1,
) -> Iterator[Writer]:
    """Write a store, or go on with one that was interrupted.

    Parameters
    ----------
    out : Path
        The store's root ``zarr.json``.
    variables : mapping of str to Variable
        Chunked arrays, all with the same clips.
    coords : mapping of str to (dims, values, attrs)
        Small arrays that are known from the start: coordinates, labels.
    attrs : mapping
        Attributes of the store; plain types.
    fingerprint : mapping
        What the content follows from: code, spec, digests of the inputs. Chunks written under
        another one are dropped.
    block : int
        Clips per file.

    Yields
    ------
    Writer
    """
    root = out.parent
    root.mkdir(parents=True, exist_ok=True)
    identity = json.dumps({**fingerprint, "block": block}, sort_keys=True, indent=1)
    with FileLock(root.parent / f".{root.name}.lock"):
        if not (root / IDENTITY).exists() or (root / IDENTITY).read_text() != identity:
            shutil.rmtree(root)
            root.mkdir()
            _replace(root / IDENTITY, identity)
        out.unlink(missing_ok=True)
        writer = Writer(root, variables, block)
        yield writer
        small = hashlib.sha256()
        for name, (dims, values, about) in coords.items():
            _write_small(root / name, dims, np.asarray(values), about)
            small.update(f"{name}{dims}{np.asarray(values).tolist()}{about}".encode())
        names = [*coords, *variables]
        arrays = {name: json.loads((root / name / ROOT).read_text()) for name in names}
        digest = hashlib.sha256((writer.digest() + small.hexdigest()).encode()).hexdigest()
        group = {
            "zarr_format": 3,
            "node_type": "group",
            "attributes": {**attrs, "digest": digest},
            "consolidated_metadata": {
                "kind": "inline",
                "must_understand": False,
                "metadata": arrays,
            },
        }
        _replace(out, json.dumps(group, indent=1, sort_keys=True))


def _write_small(path: Path, dims: tuple[str, ...], values: np.ndarray, attrs: dict) -> None:
    if values.dtype.kind in "UO":
        values = values.astype(np.dtypes.StringDType())
    array = zarr.create_array(
        store=LocalStore(path),
        shape=values.shape,
        dtype=values.dtype,
        chunks=tuple(max(1, n) for n in values.shape),
        compressors=[Crc32cCodec()],
        dimension_names=dims,
        attributes=attrs,
        overwrite=True,
    )
    array[...] = values


def _replace(path: Path, text: str) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(text)
    temporary.replace(path)


def read(path: Path | str) -> xr.Dataset:
    """Open a finished store; arrays load when they are used.

    Parameters
    ----------
    path : Path or str
        The store's folder or its root ``zarr.json``.

    Raises
    ------
    FileNotFoundError
        If the store is not there or was never finished.
    """
    root = Path(path).parent if Path(path).name == ROOT else Path(path)
    if not (root / ROOT).exists():
        raise FileNotFoundError(
            f"{root} is not a finished store: it has no {ROOT}."
            " Hint: run the rule that writes it; an interrupted one goes on where it stopped."
        )
    return xr.open_zarr(root, chunks=None)


def values(dataset: xr.Dataset, name: str, **where: object) -> np.ndarray:
    """Array of one variable, or of a selection of it by position.

    Raises
    ------
    RuntimeError
        If a chunk is damaged.
    """
    try:
        return dataset[name].isel(**where).values
    except (ValueError, RuntimeError) as error:
        source = dataset.encoding.get("source", "store")
        raise RuntimeError(
            f"{source}: {name} can't be read: {error}"
            f" Hint: a chunk is damaged; delete {ROOT} there and run the rule again, which rewrites"
            " that chunk alone."
        ) from error


@dataclass(frozen=True)
class Lazy:
    """Some clips of a variable, read when they are indexed: one, or a slice of them.

    A few clips at a time stay in the processor's cache, which a whole block doesn't.

    Attributes
    ----------
    dataset : Dataset
        Of :func:`read`.
    name : str
        Variable whose leading dimension is ``clip``.
    clips : slice
        Which clips.
    """

    dataset: xr.Dataset
    name: str
    clips: slice

    @property
    def shape(self) -> tuple[int, ...]:
        """(clip, ...)."""
        return len(self), *self.dataset[self.name].shape[1:]

    def __len__(self) -> int:
        """Clips."""
        return self.clips.stop - self.clips.start

    def __getitem__(self, which: int | slice) -> np.ndarray:
        """Read one clip (...), or a slice of them (clip, ...)."""
        found = range(self.clips.start, self.clips.stop)[which]
        clip = slice(found.start, found.stop) if isinstance(found, range) else found
        return values(self.dataset, self.name, clip=clip)


def digest(path: Path) -> str:
    """Digest of a finished store's content."""
    return json.loads(Path(path).read_text())["attributes"]["digest"]
