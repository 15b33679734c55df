"""Features that were made elsewhere: arrays (clip[, layer], time, feature) in files, and whose ids.

npy, npz and zarr are arrays, parquet is a table with a row for each clip, layer and time.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from zipfile import BadZipFile

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

ENDINGS = (".npy", ".npz", ".zarr", ".parquet")
DIMS = ("clip", "layer", "time", "feature")
IDS, DIGEST = "clip", "clips_digest"
SHOWN = 5


class Features(NamedTuple):
    """What a file holds."""

    ids: np.ndarray
    """(clip,) whole numbers."""
    values: Any
    """(clip[, layer], time, feature); read when it is indexed by clip."""
    of: str | None = None
    """Digest of the store of clips that they are of, if it is told."""

    def clip(self, row: int) -> np.ndarray:
        """(layer, time, feature) of one clip."""
        found = np.asarray(self.values[row])
        return found[None] if found.ndim == 2 else found

    @property
    def shape(self) -> tuple[int, int, int]:
        """Layers, times and features of a clip."""
        layers = self.values.shape[1] if self.values.ndim == 4 else 1
        return layers, *self.values.shape[-2:]


def read(file: str, ids: str | None, array: str | None) -> Features:
    """What a file holds; zarr and npy are read clip by clip.

    Parameters
    ----------
    file : str
        Of one of ``ENDINGS``.
    ids : str, optional
        Of npy the file with its ids, one in a line or as npy; of others the array or column, by
        default ``clip``.
    array : str, optional
        Array that holds the features, if several could.

    Raises
    ------
    ValueError
        If it can't be read, or holds no such features; the message names file and shapes.
    """
    path = Path(file)
    try:
        match path.suffix:
            case ".npy":
                return _checked(file, _ids(Path(ids or "")), np.load(path, "r"), ids)
            case ".parquet":
                return _table(file, path, ids or IDS)
            case ".npz":
                with np.load(path, allow_pickle=False) as content:
                    arrays = {key: content[key] for key in content.files}
                told = arrays.pop(DIGEST, None)
                found = _chosen(file, arrays, {}, ids or IDS, array)
                return found._replace(of=None if told is None else str(told))
        arrays, dims, told = _zarr(path)
        return _chosen(file, arrays, dims, ids or IDS, array)._replace(of=told)
    except (OSError, EOFError, KeyError, BadZipFile) as error:
        raise ValueError(f"{file}: can't be read ({' '.join(str(error).split())}).") from None


def _zarr(path: Path) -> tuple[dict[str, Any], dict[str, tuple], str | None]:
    """Arrays by name, the names of their dimensions where they have some, and whose they are."""
    import zarr

    group = zarr.open(path, mode="r")
    if not isinstance(group, zarr.Group):
        raise ValueError(f"{path}: one array without ids. Hint: save a group with {IDS} beside it.")
    arrays: dict[str, Any] = dict(group.arrays())
    names = {
        key: array.attrs.get("_ARRAY_DIMENSIONS")
        or getattr(array.metadata, "dimension_names", None)
        for key, array in arrays.items()
    }
    told = group.attrs.get(DIGEST)
    dims = {key: tuple(each) for key, each in names.items() if each and all(each)}
    return arrays, dims, None if told is None else str(told)


def _ids(path: Path) -> np.ndarray:
    if path.suffix == ".npy":
        return np.load(path)
    lines = [line.strip() for line in path.read_text().splitlines()]
    return np.array([line for line in lines if line])


def _chosen(
    file: str, arrays: dict[str, Any], dims: dict[str, tuple], ids: str, name: str | None
) -> Features:
    """Ids and features among the arrays of a file."""
    shapes = ", ".join(f"{key} {tuple(each.shape)}" for key, each in arrays.items()) or "no arrays"
    if ids not in arrays:
        raise ValueError(
            f"{file}: no array {ids!r} with the ids of clips; it has {shapes}."
            " Hint: ids names another one."
        )
    able = [key for key, each in arrays.items() if key != ids and len(each.shape) in (3, 4)]
    if name is not None and name in arrays:
        able = [name]
    if len(able) != 1 or (name is not None and name not in arrays):
        what = f"no array {name!r}" if name else ("several arrays" if able else "no features")
        raise ValueError(
            f"{file}: {what}, expected one (clip, layer, time, feature) or (clip, time, feature);"
            f" it has {shapes}. Hint: array names the one that is meant."
        )
    values, known = arrays[able[0]], dims.get(able[0])
    if known and known not in (DIMS, (DIMS[0], *DIMS[2:])):
        raise ValueError(
            f"{file}: {able[0]} has the dimensions {', '.join(known)}, expected {', '.join(DIMS)},"
            " or those without layer."
        )
    return _checked(f"{file}, {able[0]}", np.asarray(arrays[ids][...]), values, ids)


def _checked(where: str, ids: np.ndarray, values: Any, named: str | None) -> Features:
    if len(values.shape) not in (3, 4):
        hint = " Hint: of a clip as a whole, give it one time." if len(values.shape) == 2 else ""
        raise ValueError(
            f"{where}: found the shape {tuple(values.shape)}, expected (clip, layer, time, feature)"
            f" or (clip, time, feature).{hint}"
        )
    if np.dtype(values.dtype).kind not in "fiu" or 0 in values.shape:
        raise ValueError(f"{where}: found {values.dtype} {tuple(values.shape)}, expected numbers.")
    if ids.shape != values.shape[:1]:
        raise ValueError(
            f"{where}: {values.shape[0]} clips, but {named} has {ids.shape[0] if ids.ndim else 1}"
            f" ids{'' if ids.ndim == 1 else f', of shape {ids.shape}'}."
        )
    return Features(_whole(where, ids), values)


def _whole(where: str, ids: np.ndarray) -> np.ndarray:
    """Ids as whole numbers, which those of clips are."""
    try:
        found = ids.astype("int64")
        same = (found == ids.astype(float)).all()
    except (ValueError, TypeError, OverflowError):
        same = False
    if not same:
        raise ValueError(
            f"{where}: ids are {', '.join(map(repr, ids[:3].tolist()))}, ..., expected whole"
            " numbers, as clips.zarr has them in clip."
        )
    return found


def _table(file: str, path: Path, ids: str) -> Features:
    """Features of a table with the columns ids, ``layer``, ``time``, and those of the features."""
    try:
        import pandas as pd

        table = pd.read_parquet(path)
    except ImportError:
        raise ValueError(f"{file}: needs pyarrow. Hint: pip install 'physprobe[films]'.") from None
    columns = ", ".join(map(str, table.columns))
    keys = [ids, *(["layer"] if "layer" in table else []), "time"]
    for key in keys:
        if key not in table:
            raise ValueError(f"{file}: no column {key!r}; it has {columns}.")
    rest = [name for name in table.columns if name not in keys]
    if not rest:
        raise ValueError(f"{file}: no features beside {', '.join(keys)}.")
    axes = [_places(table, key) for key in keys]
    sizes = [len(found) for found, _ in axes]
    at = np.ravel_multi_index([of for _, of in axes], sizes)
    _complete(file, keys, [found for found, _ in axes], np.bincount(at, minlength=np.prod(sizes)))
    values = _numbers(file, table[rest])
    spread = np.empty_like(values)
    spread[at] = values
    return Features(_whole(file, np.asarray(axes[0][0])), spread.reshape(*sizes, values.shape[1]))


def _places(table: "pd.DataFrame", key: str) -> tuple[np.ndarray, np.ndarray]:
    """Values of a column: clips and layers as they come, times in their order; and each row's."""
    import pandas as pd

    codes, found = pd.factorize(table[key], sort=key == "time")
    return np.asarray(found), codes


def _complete(file: str, keys: list[str], axes: list[np.ndarray], counts: np.ndarray) -> None:
    """Refuse a table that has not one row for each clip, layer and time."""
    wrong = np.flatnonzero(counts != 1)
    if wrong.size:
        first = np.unravel_index(wrong[0], [len(found) for found in axes])
        told = ", ".join(
            f"{key} {found[n]}" for key, found, n in zip(keys, axes, first, strict=True)
        )
        raise ValueError(
            f"{file}: {counts[wrong[0]]} rows of {told}, expected one; {wrong.size} of"
            f" {counts.size} are like that."
        )


def _numbers(file: str, table: "pd.DataFrame") -> np.ndarray:
    """Features (row, feature): of columns of numbers, or of one of lists."""
    first = table.iloc[:, 0]
    try:
        if table.shape[1] == 1 and first.dtype == object:
            return np.stack([np.asarray(each, "float64") for each in first])
        return table.to_numpy("float64")
    except (ValueError, TypeError) as error:
        names = ", ".join(map(str, table.columns[:SHOWN]))
        raise ValueError(f"{file}: {names} aren't all numbers ({error}).") from None


def joined(where: str, own: np.ndarray, clips: np.ndarray) -> np.ndarray:
    """Row of each clip, by its id.

    Parameters
    ----------
    where : str
        File, for messages.
    own : ndarray
        (row,) ids.
    clips : ndarray
        (clip,) ids.

    Raises
    ------
    ValueError
        If an id is missing, is of no clip, or stands twice; the message says which, and how many.
    """
    found, counts = np.unique(own, return_counts=True)
    faults = [
        f"{what} {_some(ids)}"
        for what, ids in (
            ("no features of", np.setdiff1d(clips, own)),
            ("features of no clip here:", np.setdiff1d(own, clips)),
            ("more than once", found[counts > 1]),
        )
        if ids.size
    ]
    if faults:
        raise ValueError(
            f"{where}: has {own.size} ids for {clips.size} clips: {'; '.join(faults)}."
            " Hint: ids are those in clip of clips.zarr."
        )
    order = np.argsort(own)
    return order[np.searchsorted(own, clips, sorter=order)]


def _some(ids: Iterable[int]) -> str:
    """Numbers and how many there are."""
    all_ = [str(int(each)) for each in ids]
    more = f", ... ({len(all_)} in all)" if len(all_) > SHOWN else f" ({len(all_)} in all)"
    return ", ".join(all_[:SHOWN]) + more
