"""
Writing of stores: Zarr v3 folders, block by block, that open only when they are whole.

A store is written along its leading dimension, ``clip``, in a folder beside its place, which it
takes once every chunk is there. A job killed at any moment leaves nothing that reads as finished,
and the same job goes on at the first block that is missing or damaged; what was finished before
stays until the new one is whole.

Arrays may have ``member`` before ``clip``: then each member is written by itself, block by block.
"""

import copy
import errno
import json
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from physprobe.store import _folder, files, job, log, zarrs
from physprobe.store.manifest import MANIFEST, ROOT, Manifest

if TYPE_CHECKING:
    import zarr

Coordinate = tuple[tuple[str, ...], np.ndarray, dict]


@dataclass(frozen=True)
class Variable:
    """One chunked array of a store; its leading dimension is ``clip``, or ``member`` and then that.

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
        import zarr

        self.root, self.variables, self.block = root, variables, block
        self.clips = _clips(variables)
        self.lead: tuple[int, ...] = ()
        # a chunk that equals the fill value has to be written too, or it would look missing
        zarr.config.set({"array.write_empty_chunks": True})
        self.arrays = {name: self._array(name, variable) for name, variable in variables.items()}

    def _array(self, name: str, variable: Variable) -> "zarr.Array":
        import zarr
        from zarr.codecs import BloscCodec, Crc32cCodec
        from zarr.storage import LocalStore

        store = LocalStore(self.root / name)
        # what an interrupted job left may be empty; chunks stay
        (self.root / name / ROOT).unlink(missing_ok=True)
        lead = variable.dims.index("clip")
        ones, rest = (1,) * lead, variable.shape[lead + 1 :]
        whole = (*ones, self.block, *rest)
        codecs: list[Crc32cCodec | BloscCodec] = [Crc32cCodec()]
        if variable.compress:
            size = np.dtype(variable.dtype).itemsize
            codecs.insert(0, BloscCodec(cname="lz4", clevel=1, shuffle="shuffle", typesize=size))
        return zarr.create_array(
            store=store,
            shape=variable.shape,
            dtype=variable.dtype,
            chunks=(*ones, self.block, *variable.inner) if variable.inner else whole,
            shards=whole if variable.inner else None,
            compressors=codecs,
            fill_value=np.nan if np.dtype(variable.dtype).kind == "f" else 0,
            dimension_names=variable.dims,
            attributes=variable.attrs,
        )

    def of(self, member: int) -> "Writer":
        """One member's part of the store, by its place along ``member``."""
        part = copy.copy(self)
        part.lead = (member,)
        vars(part).pop("missing", None)
        return part

    def files(self, block: slice) -> list[Path]:
        """File of each variable that holds a block."""
        first = (*self.lead, block.start // self.block)
        return [
            self.root / name / "c" / "/".join(map(str, first)) / "/".join("0" * rest)
            for name, variable in self.variables.items()
            for rest in (len(variable.shape) - len(first),)
        ]

    def blocks(self) -> list[slice]:
        """All blocks, in order: slices of ``clip``."""
        starts = range(0, self.clips, self.block)
        return [slice(start, min(start + self.block, self.clips)) for start in starts]

    @cached_property
    def missing(self) -> list[slice]:
        """Blocks that are not there or can't be read back, when this is first asked."""
        return [block for block in self.blocks() if not self._sound(block)]

    def _at(self, block: slice) -> tuple[int | slice, ...]:
        return (*self.lead, block)

    def _sound(self, block: slice) -> bool:
        # Zarr takes an empty file for a chunk that was never written
        if not all(file.exists() and file.stat().st_size for file in self.files(block)):
            return False
        try:
            for array in self.arrays.values():
                array[self._at(block)]
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
            log.info(
                "goes on: %d of %d blocks are there",
                len(self.blocks()) - len(blocks),
                len(self.blocks()),
            )
        with job.at_once(ThreadPoolExecutor(threads)) as pool:
            written = pool.map(lambda block: self.write(block, compute(block)), blocks)
            for _ in log.progress(
                blocks, "blocks of clips", clips=[block.stop - block.start for block in blocks]
            ):
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
        for (name, variable), file in zip(self.variables.items(), self.files(block), strict=True):
            dims = variable.dims[len(self.lead) :]
            shape = (block.stop - block.start, *variable.shape[len(self.lead) + 1 :])
            value = np.asarray(values[name])
            if value.shape != shape:
                raise ValueError(f"{self.root}: {name} has shape {value.shape}, expected {shape}.")
            with np.errstate(over="ignore"):
                value = value.astype(variable.dtype, copy=False)
            if value.dtype.kind == "f" and not np.isfinite(value).all():
                where = dict(zip(dims, np.argwhere(~np.isfinite(value))[0], strict=True))
                where["clip"] += block.start
                where |= {"member": self.lead[0]} if self.lead else {}
                place = ", ".join(f"{dim} {index}" for dim, index in where.items())
                raise ValueError(
                    f"{self.root}: {name} is not finite as {variable.dtype} at {place}."
                    " Hint: nothing of this block was kept; look at that clip's input."
                )
            with _room(self.root, f"clips {block.start} to {block.stop - 1} of {name}"):
                # of a file that is there zarr reads the index before it writes, damaged or not
                file.unlink(missing_ok=True)
                self.arrays[name][self._at(block)] = value


@contextmanager
def create(
    out: Path,
    *,
    variables: Mapping[str, Variable],
    coords: Mapping[str, Coordinate],
    attrs: Mapping[str, object],
    fingerprint: Mapping[str, object],
    block: int = 1,
    force: bool = False,
) -> Iterator[Writer]:
    """Write a store, or go on with one that was interrupted.

    Parameters
    ----------
    out : Path
        The store, ``<name>.zarr``, or its root ``zarr.json``. A link to a store stays one.
    variables : mapping of str to Variable
        Chunked arrays, all with the same clips.
    coords : mapping of str to (dims, values, attrs)
        Small arrays that are known from the start: coordinates, labels.
    attrs : mapping
        Attributes of the store; plain types.
    fingerprint : mapping
        What the content follows from: code, spec, digests of the inputs. Chunks of an unfinished
        store that were written under another one are dropped.
    block : int
        Clips per file.
    force : bool
        Write a store anew that is finished; it is replaced when the new one is whole.

    Yields
    ------
    Writer

    Raises
    ------
    ValueError
        If ``out`` names no store, or its folder holds something else; nothing is removed.
    FileExistsError
        If the store is finished and follows from something else, unless forced.
    """
    shown = zarrs.place(out)
    root = shown.resolve()
    layout = {
        name: [each.dims, [int(n) for n in each.shape], each.dtype, each.inner, each.compress]
        for name, each in variables.items()
    }
    identity = json.dumps(
        {**fingerprint, "block": block, "arrays": layout}, sort_keys=True, indent=1
    )
    root.parent.mkdir(parents=True, exist_ok=True)
    with _folder.alone(root):
        _folder.check_replaceable(root)
        if (root / ROOT).exists() and not force:
            if not (root / MANIFEST).exists() or _folder.origin(root) != identity:
                raise FileExistsError(
                    f"{shown} is finished, and follows from other code, spec or inputs."
                    " Hint: --force writes it anew."
                )
            log.info("%s is finished already; --force writes it anew", shown)
            yield _Finished(root, variables, block)
            return
        unfinished = root.with_name(f".{root.name}.unfinished")
        _folder.start(unfinished, identity)
        writer = Writer(unfinished, variables, block)
        yield writer
        with _room(unfinished, "the last files"):
            for name, (dims, values, about) in coords.items():
                _write_small(unfinished / name, dims, np.asarray(values), about)
            whole = Manifest.made(unfinished, [*coords, *variables], attrs)
            _check_dimensions(shown, whole, coords)
            files.write_text(unfinished / MANIFEST, whole.text())
            files.write_text(unfinished / ROOT, whole.group())
        _folder.swap(unfinished, root)


class _Finished(Writer):
    """A store that is whole already: nothing is missing."""

    def __init__(self, root: Path, variables: Mapping[str, Variable], block: int):

        self.root, self.variables, self.block = root, variables, block
        self.clips = _clips(variables)
        self.lead, self.missing = (), []

    def of(self, member: int) -> "Writer":
        """One member's part of the store: whole as well."""
        return self


def _clips(variables: Mapping[str, Variable]) -> int:
    first = next(iter(variables.values()))
    return first.shape[first.dims.index("clip")]


def _check_dimensions(shown: Path, whole: Manifest, coords: Mapping[str, Coordinate]) -> None:
    """Refuse arrays that differ in a dimension they share, and a clip's id that stands twice."""
    sizes: dict[str, tuple[str, int]] = {}
    for name, metadata in whole.arrays.items():
        for dim, size in zip(metadata["dimension_names"], metadata["shape"], strict=True):
            other, expected = sizes.setdefault(dim, (name, size))
            if size != expected:
                raise ValueError(
                    f"{shown}: {name} has {dim} {size}, but {other} has {dim} {expected}."
                )
    if "clip" in coords:
        zarrs.check_ids(shown, coords["clip"][1])


@contextmanager
def _room(root: Path, what: str) -> Iterator[None]:
    """Say what was being written when the disk is full."""
    try:
        yield
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        raise OSError(
            error.errno,
            f"disk full while writing {what}."
            " Hint: what was written stays; make room and run the same command again",
            str(root),
        ) from None


def _write_small(path: Path, dims: tuple[str, ...], values: np.ndarray, attrs: dict) -> None:
    import zarr
    from zarr.codecs import Crc32cCodec
    from zarr.storage import LocalStore

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
