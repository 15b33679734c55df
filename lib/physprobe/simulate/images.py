"""Images: handwritten digits, or others, read from idx files; nothing is simulated.

A clip is one image, seen once. Labels: its digit; the ``subset`` that it is of, ``train``,
``validation`` or ``test``; and its ``rank`` among those to train on, so that the first n of them
are n drawn at random. Probes fit to ``train`` and ``validation`` together, recipes to ``train``
alone, whose checkpoints are judged on ``validation``; ``test`` is held out of both.

Where both published files are there, the test set is the published one. Of one file alone the
subsets are drawn: its first and second half are by other hands.

References
----------
LeCun, Cortes, Burges, "The MNIST database of handwritten digits".
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field

from physprobe.config.spec import Spec as Base
from physprobe.scenes import idx
from physprobe.statistics import seeds

FIELD, FIELD_UNIT, RESOLUTION, GRID, TOGETHER = "image", "1", 1.0, False, 256
CLASSES = ("digit",)
UNITS: dict[str, str] = {}


class Spec(Base):
    """Where the files are, and how many images are held out."""

    kind: Literal["images"] = "images"
    """Images with labels, from the idx files of a folder."""
    folder: str = Field(min_length=1)
    """Folder of train-images-idx3-ubyte and train-labels-idx1-ubyte, of t10k-..., or of all four;
    each may be packed, .gz."""
    validation: int = Field(1000, gt=0)
    """Images that checkpoints of recipes are judged on, drawn of those that aren't held out."""
    test: int = Field(2000, gt=0)
    """Images that are held out where only one set is there; else the set t10k is."""
    seed: int = Field(0, ge=0, lt=2**32)
    """Seed of the draws."""

    @property
    def frames(self) -> int:
        """An image is seen once."""
        return 1

    def listing(self) -> str:
        """Digest of the files, without reading packed ones whole."""
        return idx.listing(Path(self.folder))

    def content(self) -> str:
        """Digest of the files' content."""
        return idx.content(Path(self.folder))


def problems(spec: Spec) -> Iterator[str]:
    """What is wrong with a folder that is there; whether it is, is told once it is needed."""
    if Path(spec.folder).is_dir():
        try:
            idx.files(Path(spec.folder))
        except ValueError as error:
            yield str(error)


def draw(spec: Spec) -> dict[str, np.ndarray]:
    """Labels of every image.

    Returns
    -------
    dict of str to (clip,)
        ``digit``; ``subset``; ``split``, train for both that aren't held out; ``rank``, from 0
        among the training images, then those of validation, then the others; ``number``, of the
        image within all files, one after the other.

    Raises
    ------
    ValueError
        If a file can't be used, or there are too few images; the message names it.
    """
    _images.cache_clear()
    found = idx.read(Path(spec.folder))
    digit = np.concatenate([each.labels for each in found.values()]).astype(int)
    order = seeds.rng("images", spec.seed).permutation(len(digit))
    if len(found) > 1:
        published = np.arange(len(digit)) >= len(found[idx.TRAIN].labels)
        order = np.concatenate([order[~published[order]], order[published[order]]])
        held = int(published.sum())
    else:
        held = spec.test
    train = len(digit) - held - spec.validation
    if train < 1:
        raise ValueError(
            f"{spec.folder}: {len(digit)} images, of which {spec.validation} are for validation and"
            f" {held} held out: none are left to train on. Hint: a smaller validation or test."
        )
    rank = np.empty(len(digit), int)
    rank[order] = np.arange(len(digit))
    ends = train, train + spec.validation
    subset = np.array(["train", "validation", "test"])[np.searchsorted(ends, rank, side="right")]
    return {
        "digit": digit,
        "subset": subset,
        "split": np.where(subset == "test", "test", "train"),
        "rank": rank,
        "number": np.arange(len(digit)),
    }


def coords(spec: Spec) -> dict[str, np.ndarray]:
    """The one time, and places in the image."""
    _, height, width = _images(spec.folder).shape
    return {"time": np.zeros(1), "y": np.arange(height), "x": np.arange(width)}


def solved(
    spec: Spec, labels: Mapping[str, np.ndarray]
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Images (clip, time, y, x) float32, 0 to 255; there are no states."""
    return _images(spec.folder)[labels["number"], None].astype(np.float32), {}


def field(spec: Spec, labels: Mapping[str, Any]) -> np.ndarray:
    """Image (time, y, x) float32."""
    return _images(spec.folder)[int(labels["number"]), None].astype(np.float32)


def check(spec: Spec, labels: Mapping[str, float], field: np.ndarray) -> None:
    """Let only images pass that show something.

    Raises
    ------
    ValueError
        If all of its pixels are alike.
    """
    if field.min() == field.max():
        raise ValueError(f"image {labels['number']}: all of its pixels are {field.max():g}")


@lru_cache(maxsize=1)
def _images(folder: str) -> np.ndarray:
    """All images (image, y, x) of a folder, set after set."""
    return np.concatenate([each.images for each in idx.read(Path(folder)).values()])
