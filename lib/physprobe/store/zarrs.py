"""
Stores: Zarr v3 folders that open only when they are whole, and know what they hold.

How they are written is in ``writing``; here they are read, and joined by the ids of their clips.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from physprobe.store.manifest import ROOT, Manifest, loaded

if TYPE_CHECKING:
    import xarray as xr


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
