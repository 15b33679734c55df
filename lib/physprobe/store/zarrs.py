"""
Stores: Zarr v3 folders that open only when they are whole, and know what they hold.

A store ``clips.zarr`` is written block by block along its leading dimension, ``clip``, in a folder
``.clips.zarr.unfinished`` beside its place, which it takes by rename once every chunk is there.
A job killed at any moment leaves nothing that reads as finished, and the same job goes on at the
first block that is missing or damaged; what was finished before stays until the new one is whole.
Nothing is removed that is not such a store.

Arrays may have ``member`` before ``clip``: then each member is written by itself, block by block.
"""

import copy
import errno
import json
import os
import re
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from filelock import FileLock, Timeout

from physprobe.store import files, job, log
from physprobe.store.manifest import MANIFEST, ROOT, Manifest, loaded

if TYPE_CHECKING:
    import xarray as xr
    import zarr

IDENTITY = "fingerprint.json"  # beside the root: it has to be there while the store is unfinished
# what a store consists of, leftovers of writing included
FILES = re.compile(
    r"(zarr|manifest|fingerprint)\.json|\.(zarr|manifest|fingerprint)\.json(\.[\w-]+)?\.\d+"
    r"|[^/]+/zarr\.json|[^/]+/c(/\d+)*|.+\.partial"
)
FOLDERS = re.compile(r"[^/]+(/c(/\d+)*)?")

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
        for name, variable in self.variables.items():
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
                self.arrays[name][self._at(block)] = value


def place(out: Path) -> Path:
    """Folder of the store that an output names.

    Parameters
    ----------
    out : Path
        ``<name>.zarr``, or its root ``zarr.json``.

    Raises
    ------
    ValueError
        If it names no store.
    """
    root = out.parent if out.name == ROOT else out
    if root.suffix != ".zarr":
        raise ValueError(
            f"{out} is no store. Hint: its name ends in .zarr, as in results/heat/clips.zarr/{ROOT}"
        )
    return root


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
    shown = place(out)
    root = shown.resolve()
    layout = {
        name: [each.dims, [int(n) for n in each.shape], each.dtype, each.inner, each.compress]
        for name, each in variables.items()
    }
    identity = json.dumps(
        {**fingerprint, "block": block, "arrays": layout}, sort_keys=True, indent=1
    )
    root.parent.mkdir(parents=True, exist_ok=True)
    with _alone(root):
        _check_replaceable(root)
        if (root / ROOT).exists() and not force:
            if not (root / MANIFEST).exists() or _identity(root) != identity:
                raise FileExistsError(
                    f"{shown} is finished, and follows from other code, spec or inputs."
                    " Hint: --force writes it anew."
                )
            log.info("%s is finished already; --force writes it anew", shown)
            yield _Finished(root, variables, block)
            return
        unfinished = root.with_name(f".{root.name}.unfinished")
        _start(unfinished, identity)
        writer = Writer(unfinished, variables, block)
        yield writer
        with _room(unfinished, "the last files"):
            for name, (dims, values, about) in coords.items():
                _write_small(unfinished / name, dims, np.asarray(values), about)
            whole = Manifest.made(unfinished, [*coords, *variables], attrs)
            _check_dimensions(shown, whole, coords)
            files.write_text(unfinished / MANIFEST, whole.text())
            files.write_text(unfinished / ROOT, whole.group())
        _swap(unfinished, root)


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


@contextmanager
def _alone(root: Path) -> Iterator[None]:
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


def _identity(folder: Path) -> str | None:
    """What a store's content follows from, finished or not."""
    file = folder / IDENTITY
    return file.read_text().removesuffix("\n") if file.exists() else None


def _start(unfinished: Path, identity: str) -> None:
    """Clear what can't be gone on with: chunks of another fingerprint, leftovers of killed jobs."""
    if _identity(unfinished) != identity:
        _remove(unfinished)
        unfinished.mkdir()
        files.write_text(unfinished / IDENTITY, identity)
    leftovers = [*unfinished.rglob("*.partial"), *unfinished.glob(".*.json.*")]
    for file in (*leftovers, unfinished / ROOT, unfinished / MANIFEST):
        file.unlink(missing_ok=True)


def _swap(unfinished: Path, root: Path) -> None:
    """Let a whole store take its place; killed at any moment, the next job ends what is begun."""
    _check_replaceable(root)
    aside = root.with_name(f".{root.name}.replaced")
    _remove(aside)
    if root.exists() and any(root.iterdir()):
        root.rename(aside)
    unfinished.rename(root)  # onto nothing, or onto an empty folder
    _remove(aside)


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
    with _alone(root):
        _check_replaceable(root)
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
        with _alone(root):
            _remove(aside)


def _remove(folder: Path) -> None:
    """Remove a folder beside a store's place that is named for it, if it holds nothing else."""
    if folder.exists():
        _refuse(folder, _foreign(folder))
        shutil.rmtree(folder)


def _check_replaceable(root: Path) -> None:
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
        check_ids(shown, coords["clip"][1])


def check_ids(shown: Path | str, ids: np.ndarray) -> None:
    """Refuse ids of clips of which one stands twice.

    Raises
    ------
    ValueError
        If one does.
    """
    found, counts = np.unique(ids, return_counts=True)
    if (counts > 1).any():
        raise ValueError(f"{shown}: clip {found[counts > 1][0]} is there {counts.max()} times.")


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


def read(path: Path | str) -> "xr.Dataset":
    """Open a finished store; arrays load when they are used, and are checked then.

    Every file is checked by name and size, metadata, coordinates and labels by content.

    Parameters
    ----------
    path : Path or str
        The store's folder or its root ``zarr.json``.

    Raises
    ------
    FileNotFoundError
        If the store is not there or was never finished.
    ValueError
        If its root or its manifest is damaged.
    RuntimeError
        If another file of it is missing or damaged.
    """
    import xarray as xr

    from physprobe.store._checked import Checked

    root = Path(path).parent if Path(path).name == ROOT else Path(path)
    if not (root / ROOT).exists():
        raise FileNotFoundError(
            f"{root} is not a finished store: it has no {ROOT}. Hint: snakemake {root / ROOT}"
            " writes it; an interrupted one goes on where it stopped."
        )
    manifest = Manifest.read(root)
    manifest.check()
    store = Checked(root, manifest=manifest)
    for key in manifest.small:
        store.check(key)
    dataset = xr.open_zarr(store, chunks=None, consolidated=True)
    dataset.encoding["source"] = str(root)
    if "clip" in dataset.dims:
        check_ids(root, dataset["clip"].values)
    return dataset


def joined(source: "xr.Dataset", other: "xr.Dataset") -> "xr.Dataset":
    """Clips of a store in the order of another one, by their ids.

    Parameters
    ----------
    source : Dataset
        Of :func:`read`: an embedding, clips, or a simulation.
    other : Dataset
        Of :func:`read`: with the same clips; a simulation that ``source`` shows, or the reverse.

    Returns
    -------
    Dataset
        ``source``, its clips as ``other`` has them.

    Raises
    ------
    ValueError
        If one shows another simulation than the other, or has other clips.
    """
    found = ordered(source, other)
    mine, expected = (_shows(dataset) for dataset in (source, other))
    if mine is not None and expected is not None and mine != expected:
        named, beside = (dataset.encoding.get("source", "a store") for dataset in (source, other))
        raise ValueError(
            f"{named} shows another simulation than {beside}: its digest is {mine[:12]}, expected"
            f" {expected[:12]}. Hint: embed the clips of this very simulation."
        )
    return found


def ordered(source: "xr.Dataset", other: "xr.Dataset") -> "xr.Dataset":
    """Clips of a store in the order of another one, by their ids, whatever both show.

    Parameters
    ----------
    source, other : Dataset
        Of :func:`read`.

    Raises
    ------
    ValueError
        If one has clips that the other hasn't.
    """
    ids, wanted = source["clip"].values, other["clip"].values
    if np.array_equal(ids, wanted):
        return source
    named, beside = (dataset.encoding.get("source", "a store") for dataset in (source, other))
    lacking = np.setdiff1d(wanted, ids)
    if len(ids) != len(wanted) or len(lacking):
        what = f"no clip {lacking[0]}" if len(lacking) else "others besides"
        raise ValueError(
            f"{named}: {len(ids)} clips, but {beside} has {len(wanted)}; {what}."
            " Hint: embed the clips of this very simulation."
        )
    order = np.argsort(ids)
    found = source.isel(clip=order[np.searchsorted(ids, wanted, sorter=order)])
    found.encoding.update(source.encoding)
    return found


def _shows(dataset: "xr.Dataset") -> str | None:
    """Digest of the simulation that a store shows, or is; None if it doesn't say."""
    if "field" in dataset.attrs:
        return dataset.attrs.get("digest")
    return dataset.attrs.get("simulation")


def values(dataset: "xr.Dataset", name: str, **where: int | slice | np.ndarray) -> np.ndarray:
    """Array of one variable, or of a selection of it by position.

    Raises
    ------
    RuntimeError
        If a chunk is missing or damaged.
    """
    return dataset[name].isel(where).values


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

    dataset: "xr.Dataset"
    name: str
    clips: slice

    @property
    def shape(self) -> tuple[int, ...]:
        """(clip, ...)."""
        return len(self), *self.dataset[self.name].shape[1:]

    def __len__(self) -> int:
        """Clips."""
        return self.clips.stop - self.clips.start

    def __iter__(self) -> Iterator[np.ndarray]:
        """Read clip after clip (...), those of one file together."""
        step = self.dataset[self.name].encoding.get("chunks", (1,))[0]
        for start in range(0, len(self), step):
            yield from self[start : start + step]

    def __getitem__(self, which: int | slice) -> np.ndarray:
        """Read one clip (...), or a slice of them (clip, ...)."""
        found = range(self.clips.start, self.clips.stop)[which]
        clip = slice(found.start, found.stop) if isinstance(found, range) else found
        return values(self.dataset, self.name, clip=clip)


def digest(path: Path) -> str:
    """Digest of a finished store's content."""
    return loaded(place(Path(path)) / ROOT)["attributes"]["digest"]
