"""Features that were made elsewhere, of the same clips, by whatever there was.

    theirs: {kind: precomputed, system: heat, file: features.npz, tubelet: 2}

They are joined to clips by id, never by their place. See docs/own_encoder.md.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from physprobe.embed import _features, _files, _frames
from physprobe.embed._encoder import Embedding, Encoder, provenance
from physprobe.embed.section import EncoderSpec

if TYPE_CHECKING:
    from physprobe.store.zarrs import Lazy

SEES = ("video", "signal")
File = Annotated[str, Field(min_length=1)]


class Spec(EncoderSpec):
    """Where features are, and of which frames."""

    JOINED: ClassVar[bool] = True

    kind: Literal["precomputed"] = "precomputed"
    """Family."""
    file: File | Annotated[tuple[File, ...], Field(min_length=1)]
    """Features (clip, layer, time, feature) or (clip, time, feature): npy, npz, zarr or parquet;
    or several, of independently trained copies, whose spread is part of every interval."""
    system: str = Field(min_length=1)
    """System whose clips they are of."""
    ids: str | None = None
    """Whose they are: of npy a file with the ids of clips, one in a line or as npy; of others the
    array or column that holds them, by default ``clip``."""
    array: str | None = None
    """Array that holds the features, in files of several."""
    tubelet: int = Field(1, gt=0)
    """Frames per time [frames]."""
    causal: bool = False
    """Whether what stands at a time follows from nothing later; claims about forecasts need it."""
    about: str | None = None
    """What made them, for people: model, revision, preprocessing."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        for name in self.each:
            ending = next(
                (end for end in _features.ENDINGS if name.rstrip("/").endswith(end)), None
            )
            if ending is None:
                raise ValueError(
                    f"file: found {name!r}, expected {', '.join(_features.ENDINGS[:-1])} or"
                    f" {_features.ENDINGS[-1]}"
                )
            if ending == ".npy" and self.ids is None:
                raise ValueError(
                    f"ids: missing; {name} doesn't say whose features it holds. Name a file with"
                    " the ids of its clips, one in a line, or save both together as npz"
                )
        if len(set(self.each)) < len(self.each):
            raise ValueError("file: each once")
        return self

    @property
    def each(self) -> tuple[str, ...]:
        """Each file."""
        return (self.file,) if isinstance(self.file, str) else self.file

    @property
    def members(self) -> dict[int, Self]:
        """Spec of each file, by its place."""
        return {n: self.model_copy(update={"file": file}) for n, file in enumerate(self.each)}

    @property
    def only(self) -> str:
        """System whose clips they are of."""
        return self.system

    @property
    def sees_future(self) -> bool:
        """Whether an embedding follows from later frames: so it is said."""
        return not self.causal

    @property
    def _read(self) -> list[str]:
        """Every file that is read."""
        beside = [self.ids] if self.ids and self.each[0].endswith(".npy") else []
        return [*self.each, *beside]

    def listing(self) -> str:
        """Digest of the files, as can be told without reading them whole."""
        return "" if list(problems(self)) else _files.listing(self._read)

    def content(self) -> str:
        """Digest of the files."""
        return _files.content(self._read)


def problems(spec: Spec) -> Iterator[str]:
    """Files that aren't there."""
    yield from _files.problems(spec._read)


def tubelet(spec: Spec) -> int:
    """Frames per token."""
    return spec.tubelet


def load(
    spec: Spec, *, frames: int, threads: int, clips: np.ndarray, digest: str, **sizes: int
) -> Encoder:
    """Give the encoder that looks features up.

    Parameters
    ----------
    spec : Spec
        Of several files the first is read.
    frames : int
        Frames per clip.
    threads : int
        Not used.
    clips : ndarray
        (clip) ids.
    digest : str
        Of the clips' store.
    **sizes : int
        Of a frame: not used.

    Raises
    ------
    FileNotFoundError
        If a file isn't there.
    ValueError
        If it can't be read, was made of other clips, holds other times, or its ids
        aren't those of the clips, each once.
    """
    for line in problems(spec):
        raise FileNotFoundError(line)
    return Precomputed(spec, frames, clips, digest)


class Precomputed(Encoder):
    """See :class:`physprobe.embed._encoder.Encoder`."""

    dtype = "float32"
    grid = (1, 1)

    def __init__(self, spec: Spec, frames: int, clips: np.ndarray, digest: str):
        (file,) = spec.each[:1]
        self._file, self._ids = file, clips
        self._features = _features.read(file, spec.ids, spec.array)
        if self._features.of not in (None, digest):
            raise ValueError(
                f"{file}: made of clips whose digest is {self._features.of[:12]}, but those of"
                f" {spec.system} have {digest[:12]}. Hint: make them of the present clips."
            )
        self._rows = _features.joined(file, self._features.ids, clips)
        self.spans = _frames.spans(frames, spec.tubelet)
        layers, times, self.features = self._features.shape
        if times != len(self.spans):
            raise ValueError(
                f"{file}: has {times} times, but clips of {frames} frames have {len(self.spans)} of"
                f" {spec.tubelet}. Hint: tubelet says how many frames a time is of."
            )
        self.layers = (*(str(k) for k in range(layers - 1)), "final")
        self.provenance = provenance(spec.about or file, content=_files.content(spec._read))

    def encode(self, video: "np.ndarray | Lazy", clips: np.ndarray) -> Embedding:
        """Look up features; what clips show isn't read.

        Parameters
        ----------
        video : ndarray or Lazy
            (clip, ...), not used.
        clips : ndarray
            (clip) number of each clip in its system.

        Raises
        ------
        ValueError
            If a value is not finite, or none of float32; the message names clip and layer.
        """
        return Embedding(np.stack([self._clip(number) for number in clips]))

    def _clip(self, number: int) -> np.ndarray:
        given = self._features.clip(self._rows[number])
        with np.errstate(over="ignore"):
            values = given.astype("float32")
        bad = ~np.isfinite(values)
        if bad.any():
            layer, time, feature = np.argwhere(bad)[0]
            raise ValueError(
                f"{self._file}: clip {self._ids[number]}, layer {self.layers[layer]}, time {time},"
                f" feature {feature}: found {given[layer, time, feature]}, expected a finite number"
                f" of float32; {int(bad.sum())} values of this clip are none."
            )
        return values
