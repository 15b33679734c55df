"""Croissant: a store described as other people's catalogues of data sets read it.

A description in the form MLCommons Croissant 1.0: the store's files, with the hash of its list of
files, which has that of every other; each array, with dimensions, type and units; and the clips,
with their labels, in the description itself. It lies beside the store, which stays as it is.

References
----------
MLCommons, Croissant Format Specification 1.0, 2024.
"""

import datetime
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from physprobe.store import files, log, zarrs
from physprobe.store.manifest import hashed

FORM = "http://mlcommons.org/croissant/1.0"
CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
"""Of the specification, as it is."""
TYPES = {"i": "sc:Integer", "u": "sc:Integer", "f": "sc:Float", "b": "sc:Boolean"}
"""Of a label, by NumPy's kind; anything else is text."""
LISTS = ("zarr.json", "manifest.json")
"""Files that say what a store is, and what it consists of."""
CLIPS = "clips"


def run(*, store: Path, license: str, creator: str, url: str, out: Path | None = None) -> None:
    """Describe a store of clips or embeddings in the form MLCommons Croissant 1.0.

    Parameters
    ----------
    store : Path
        Such as ``results/heat/clips.zarr``.
    license : str
        Under which you give it away: a name of SPDX, or an address.
    creator : str
        Whose it is.
    url : str
        Where it is, or will be, published.
    out : Path, optional
        By default beside the store: ``results/heat/clips.croissant.json``.

    Raises
    ------
    ValueError
        If the store can't be read, or what is said of it is empty.
    """
    said = {"license": license, "creator": creator, "url": url}
    for name, value in said.items():
        if not value.strip():
            raise ValueError(
                f"--{name}: found nothing. Hint: Croissant needs it of every data set."
            )
    root = zarrs.place(store if store.name == LISTS[0] else store / LISTS[0])
    place = out or root.with_suffix(".croissant.json")
    content = described(root, license=license, creator=creator, url=url)
    files.write_text(place, json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False))
    log.done(f"{place}: {len(content['distribution'])} parts, {log.megabytes(root):.0f} MB of data")


def described(root: Path, *, license: str, creator: str, url: str) -> dict[str, Any]:
    """Description of a store.

    Parameters
    ----------
    root : Path
        Folder of the store; addresses of its files are from where that lies.
    license, creator, url : str
        See :func:`run`.
    """
    dataset = zarrs.read(root / LISTS[0])
    written = datetime.datetime.fromtimestamp((root / LISTS[0]).stat().st_mtime, datetime.UTC)
    above = root.absolute().parent
    system = f"{above.parent.name}/{above.name}" if "pooled" in dataset else above.name
    name = f"{system}/{root.stem}"
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": FORM,
        "name": name,
        "description": _about(dataset, name),
        "license": license,
        "creator": {"@type": "sc:Person", "name": creator},
        "url": url,
        "datePublished": f"{written:%Y-%m-%d}",
        "version": f"1.0.0+{str(dataset.attrs['digest'])[:16]}",
        "distribution": list(_distribution(root, dataset)),
        "recordSet": [_clips(dataset)],
    }


def _about(dataset: xr.Dataset, name: str) -> str:
    """What it is, and what each array holds."""
    sizes = ", ".join(f"{size} {dimension}s" for dimension, size in list(dataset.sizes.items())[:2])
    arrays = "; ".join(_array(dataset, str(each)) for each in dataset.data_vars)
    spec = json.dumps(dataset.attrs.get("spec"), sort_keys=True)
    return (
        f"{name} of physprobe, a Zarr v3 store that xarray.open_zarr opens: {sizes}. {arrays}."
        f" Schema {dataset.attrs['schema']}, made by the entry {spec}."
    )


def _array(dataset: xr.Dataset, name: str) -> str:
    """``alpha (clip) float64 [px^2/s]``."""
    array = dataset[name]
    unit = array.attrs.get("units")
    return f"{name} ({', '.join(map(str, array.dims))}) {array.dtype}" + f" [{unit}]" * bool(unit)


def _distribution(root: Path, dataset: xr.Dataset) -> Iterator[dict[str, Any]]:
    """Lists of the store by hash, then the files of each array."""
    for file in LISTS:
        yield {
            "@type": "cr:FileObject",
            "@id": file,
            "name": file,
            "description": "What the store is." if file == LISTS[0] else "SHA-256 of its files.",
            "contentUrl": f"{root.name}/{file}",
            "contentSize": f"{(root / file).stat().st_size} B",
            "encodingFormat": "application/json",
            "sha256": hashed(root / file),
        }
    for name in map(str, dataset.variables):
        yield {
            "@type": "cr:FileSet",
            "@id": f"files-of-{name}",
            "name": f"files-of-{name}",
            "description": f"Metadata and chunks of the array {_array(dataset, name)}.",
            "encodingFormat": "application/vnd.zarr",
            "includes": f"{root.name}/{name}/**",
        }


def _clips(dataset: xr.Dataset) -> dict[str, Any]:
    """Clips with their labels, each with its unit, as records."""
    labels = [str(name) for name in dataset.variables if dataset[name].dims == ("clip",)]
    columns = {name: dataset[name].values for name in labels}
    return {
        "@type": "cr:RecordSet",
        "@id": CLIPS,
        "name": CLIPS,
        "description": "Clips by id, which stores are joined by, with their labels.",
        "key": {"@id": f"{CLIPS}/clip"},
        "field": [
            {
                "@type": "cr:Field",
                "@id": f"{CLIPS}/{name}",
                "name": f"{CLIPS}/{name}",
                "description": _array(dataset, name),
                "dataType": TYPES.get(values.dtype.kind, "sc:Text"),
            }
            for name, values in columns.items()
        ],
        "data": [
            {f"{CLIPS}/{name}": _plain(values[row]) for name, values in columns.items()}
            for row in range(dataset.sizes["clip"])
        ],
    }


def _plain(value: Any) -> Any:
    """A label as JSON has it; null where it isn't finite."""
    plain = value.item() if isinstance(value, np.generic) else value
    return None if isinstance(plain, float) and not math.isfinite(plain) else plain
