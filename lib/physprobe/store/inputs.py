"""Inputs: an embedding, the simulation that it shows, and the folds that fits are read on.

A law is read off the field and the video as well: then the simulation, or the clips, stand in the
place of the embedding.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar

import numpy as np

from physprobe.config import kinds
from physprobe.statistics import splits
from physprobe.store import job, scratch, zarrs

if TYPE_CHECKING:
    from xarray import Dataset

BLOCK = 256  # clips of a layer that are read at a time


class Fitted(Protocol):
    """What is asked of the spec of a method; ``MethodSpec`` of ``fit`` has more."""

    TRAINED: ClassVar[bool]

    def cut(self, system: "Dataset") -> tuple[np.ndarray, tuple[splits.Fold, ...]]:
        """Groups (clip,) of a simulation's clips, and the folds that fits are scored on."""


Of = TypeVar("Of", bound=Fitted)


@dataclass(frozen=True)
class Inputs(Generic[Of]):
    """What a stage that fits embeddings to labels or to their own future starts from."""

    kind: Any
    """Module that the spec names."""
    spec: Of
    source: "Dataset"
    """Embedding store, or the simulation or the clips in its place."""
    system: "Dataset"
    """Simulation store: labels, and ``group`` and ``split`` if declared."""
    groups: np.ndarray
    """(clip,) clips that are split, resampled and permuted together."""
    folds: tuple[splits.Fold, ...]
    digests: dict[str, str]
    """Digest of each store."""
    member: int | None = None
    """Which of the encoder's networks, where the embedding has several."""

    @classmethod
    def read(
        cls,
        stage: str,
        embeddings: Path,
        simulation: Path,
        spec: str,
        like: "Dataset | None" = None,
        member: int | None = None,
    ) -> "Inputs[Any]":
        """Open both stores and cut the clips into folds.

        Parameters
        ----------
        stage : str
            Package whose kind the spec names.
        embeddings, simulation : Path
            Root ``zarr.json`` of either store.
        spec : str
            JSON of the spec.
        like : Dataset, optional
            A simulation whose order of clips is taken.
        member : int, optional
            Which of the encoder's networks, where the embedding has several.

        Raises
        ------
        ValueError
            If the two stores hold different clips, the embedding shows another simulation, or it
            has no such member.
        """
        kind, spec_ = kinds.parse(stage, spec)
        system = zarrs.read(simulation)
        if like is not None:
            system = zarrs.ordered(system, like)
        source = zarrs.joined(of_member(zarrs.read(embeddings), member), system)
        groups, folds = spec_.cut(system)
        digests = {
            "embeddings": source.attrs["digest"],
            "simulation": system.attrs["digest"],
        }
        return cls(kind, spec_, source, system, groups, folds, digests, member)

    @property
    def own(self) -> str | None:
        """``field`` or ``video``, where a system's own store is read; none of an embedding."""
        if "field" in self.source.attrs:
            return "field"
        return "video" if "video" in self.source else None

    @property
    def layers(self) -> list[str]:
        """Names of the embedding's layers."""
        return [str(layer) for layer in self.source.layer.values]

    @property
    def times(self) -> list[float]:
        """Mean time of each token [s]."""
        return self.source.time.values.tolist()

    @property
    def labels(self) -> dict[str, np.ndarray]:
        """Labels (clip,) of the simulation, in numpy's own types."""
        return {
            str(name): np.array(self.system[name].values.tolist())
            for name in self.system.variables
            if self.system[name].dims == ("clip",) and name not in ("clip", "group", "split")
        }

    @property
    def states(self) -> dict[str, np.ndarray]:
        """States (clip, time) of the simulation at the last frame of each token."""
        names = [str(n) for n in self.system.data_vars if self.system[n].dims == ("clip", "time")]
        if not names:
            return {}
        return {name: zarrs.values(self.system, name)[:, self.frames] for name in names}

    @property
    def frames(self) -> np.ndarray:
        """Number (time,) of the last frame of each token."""
        return last_frames(self.source, self.system)

    def filmed(self, clips: Path) -> "tuple[Inputs, Films]":
        """The same with the digest of the clips, and their frames.

        Raises
        ------
        ValueError
            If they are no video, or show another simulation.
        """
        film = zarrs.joined(zarrs.read(clips), self.system)
        if "video" not in film:
            raise ValueError(f"{clips}: holds no video. Hint: give the clips of a filmed system.")
        digests = {**self.digests, "clips": film.attrs["digest"]}
        return replace(self, digests=digests), Films(film, self.frames)

    @property
    def units(self) -> dict[str, str]:
        """Units of the labels."""
        return {name: self.system[name].attrs.get("units", "1") for name in self.labels}

    def provenance(self) -> dict:
        """Where a result that is made from these inputs comes from."""
        device, dtype = "cpu", "float64"
        if self.spec.TRAINED:
            from torch import cuda

            device, dtype = "cuda" if cuda.is_available() else "cpu", "float32"
        return job.provenance(
            self.digests,
            encoder=self.source.attrs.get("label"),
            weights_hash=self.source.attrs.get("weights_hash"),
            causal=self.source.attrs.get("spec", {}).get("causal"),
            device=device,
            dtype=dtype,
            threads=job.current().threads,
        )


def last_frames(source: "Dataset", system: "Dataset") -> np.ndarray:
    """Number (time,) of the last frame of each token of an embedding."""
    frames = system.time.values
    # of what is seen once, a frame lasts 1 s
    step = frames[1] - frames[0] if len(frames) > 1 else 1.0
    ends = source["time_end"].values - step / 2
    return np.searchsorted(frames, ends) - 1


def members(embeddings: Path) -> list[int | None]:
    """Members of an embedding store; of one without that dimension, None alone."""
    source = zarrs.read(embeddings)
    return source["member"].values.tolist() if "member" in source.dims else [None]


def of_member(source: "Dataset", member: int | None) -> "Dataset":
    """Embedding of one of an encoder's networks, as if it had no other.

    Raises
    ------
    ValueError
        If there is no such member, or there are several and none is named.
    """
    there = source["member"].values.tolist() if "member" in source.dims else [None]
    if member not in there:
        named = source.encoding.get("source", "the embedding")
        known = ", ".join(map(str, there)) if there != [None] else "none"
        raise ValueError(
            f"{named}: no member {member}. Hint: its members are {known}; all systems of one fit"
            " have to be embedded by the same ones."
        )
    if member is None:
        return source
    found = source.isel(member=there.index(member), drop=True)
    found.encoding.update(source.encoding)
    return found


def of_first_member(source: "Dataset") -> "Dataset":
    """Embedding of an encoder's first network, for what looks at one alone; others as they are."""
    return of_member(source, source["member"].values.tolist()[0] if "member" in source else None)


def check_origin(name: str, result: Mapping, **stored: "Dataset") -> None:
    """Refuse a result that was read off other stores than those that it is put beside.

    Parameters
    ----------
    name : str
        What the result is of, for people.
    result : mapping
        Content of a result; its provenance names the digest of its inputs.
    **stored : Dataset
        Stores by the names that they have there, such as ``embeddings`` and ``simulation``.

    Raises
    ------
    ValueError
        If a digest is another one.
    """
    known = result["provenance"]["inputs"]
    for key, store in stored.items():
        found, expected = known.get(key), store.attrs["digest"]
        if found not in (None, expected):
            raise ValueError(
                f"a result of {name} was read off other {key} than"
                f" {store.encoding.get('source', 'the store')}: digest {found[:12]}, expected"
                f" {expected[:12]}. Hint: fit it to this very store."
            )


@dataclass(frozen=True)
class Films(Sequence):
    """Frames (time, y, x, rgb) of clips at the end of each token; each is read when asked for."""

    source: "Dataset"
    last: np.ndarray
    """(time,) number of the frame."""

    def __len__(self) -> int:
        """Count the clips."""
        return self.source.sizes["clip"]

    def __getitem__(self, clip: int) -> np.ndarray:  # type: ignore[override]  # one at a time
        """Read one clip, uint8."""
        if not 0 <= clip < len(self):
            raise IndexError(clip)
        return zarrs.values(self.source, "video", clip=slice(clip, clip + 1))[0][self.last]

    def __iter__(self) -> Iterator[np.ndarray]:
        """Read clip after clip, those of one file together."""
        for clip in zarrs.Lazy(self.source, "video", slice(0, len(self))):
            yield clip[self.last]

    @property
    def whole(self) -> "Whole":
        """Every frame, not those at the end of tokens alone."""
        return Whole(self.source)


@dataclass(frozen=True)
class Whole(Sequence):
    """Every frame (frame, y, x, rgb) of clips; each clip is read when asked for."""

    source: "Dataset"

    def __len__(self) -> int:
        """Count the clips."""
        return self.source.sizes["clip"]

    def __getitem__(self, clip: int) -> np.ndarray:  # type: ignore[override]  # one at a time
        """Read one clip, uint8."""
        if not 0 <= clip < len(self):
            raise IndexError(clip)
        return np.asarray(zarrs.values(self.source, "video", clip=slice(clip, clip + 1))[0])


class Layers(Sequence):
    """Pooled features (clip, time, feature) of an embedding's layers, each read when asked for."""

    def __init__(self, source: "Dataset"):
        self.source = source

    def __len__(self) -> int:
        """Count the layers."""
        return self.source.sizes["layer"]

    def __getitem__(self, layer: int) -> np.ndarray:  # type: ignore[override]  # one at a time
        """Read one layer, float64; of many clips it lies in a file."""
        if not 0 <= layer < len(self):
            raise IndexError(layer)
        clips, _, times, features = self.source["pooled"].shape
        found = scratch.zeros((clips, times, features), np.float64)
        for start in range(0, clips, BLOCK):
            part = slice(start, min(start + BLOCK, clips))
            found[part] = zarrs.values(self.source, "pooled", layer=layer, clip=part)
        return found

    def __iter__(self) -> Iterator[np.ndarray]:
        """Read layer after layer."""
        return (self[layer] for layer in range(len(self)))

    @property
    def tokens(self) -> "Tokens":
        """Spatial tokens of the layers that keep them."""
        return Tokens([self.source])


class Tokens(Mapping):
    """Spatial tokens (clip, time, y, x, feature) by layer, each read when asked for.

    Only layers that the encoder's ``tokens`` name keep them; of several systems one after another.
    """

    def __init__(self, sources: "Sequence[Dataset]"):
        self.sources = sources

    def __getitem__(self, layer: str) -> "Spatial":
        """Tokens of one layer."""
        name = f"tokens_{layer}"
        if name not in self.sources[0]:
            raise KeyError(layer)
        return Spatial(self.sources, name)

    def __iter__(self) -> Iterator[str]:
        """Name the layers that keep tokens, in order."""
        layers = (str(layer) for layer in self.sources[0].layer.values)
        return (layer for layer in layers if f"tokens_{layer}" in self.sources[0])

    def __len__(self) -> int:
        """Count them."""
        return sum(1 for _ in self)


@dataclass(frozen=True)
class Spatial(Sequence):
    """Spatial tokens (clip, time, y, x, feature) of a layer, read in slices of clips, or whole."""

    sources: "Sequence[Dataset]"
    name: str

    @property
    def shape(self) -> tuple[int, ...]:
        """(clip, time, y, x, feature)."""
        return len(self), *self.sources[0][self.name].shape[1:]

    def __len__(self) -> int:
        """Count the clips."""
        return sum(source.sizes["clip"] for source in self.sources)

    def __getitem__(self, clips: slice) -> np.ndarray:  # type: ignore[override]  # in slices only
        """Read some clips, as they are stored."""
        start, stop, _ = clips.indices(len(self))
        parts, first = [], 0
        for source in self.sources:
            count = source.sizes["clip"]
            own = slice(max(start - first, 0), min(stop - first, count))
            if own.start < own.stop:
                parts.append(zarrs.values(source, self.name, clip=own))
            first += count
        return np.concatenate(parts)

    def __array__(self, dtype: type | None = None, copy: bool | None = None) -> np.ndarray:
        """Read all of them."""
        return self[:].astype(dtype or np.float32)


def equation(system: "Dataset") -> str:
    """Equation that a system's clips obey: what their label says, or the kind of system.

    Raises
    ------
    ValueError
        If they obey several.
    """
    return _one(np.unique(equations(system)).tolist())


def equations(system: "Dataset") -> np.ndarray:
    """Equation (clip,) that each clip obeys: what its label says, or the kind of system."""
    if "equation" in system:
        return np.array(system["equation"].values.tolist())
    return np.repeat(system.attrs["spec"]["kind"], system.sizes["clip"])


def _one(names: list[str]) -> str:
    if len(names) > 1:
        raise ValueError(
            f"one system's clips obey {' and '.join(names)}. Hint: set equation in its simulate"
            " entry, so that every system of a comparison has one law."
        )
    return names[0]


def counterparts(system: "Dataset") -> np.ndarray:
    """Number (clip,) of each clip's initial condition, which other systems share.

    Raises
    ------
    ValueError
        If the system doesn't number them.
    """
    for name in ("group", "ic_id"):
        if name in system:
            return np.array(system[name].values.tolist())
    raise ValueError(
        "the clips have no group, so they have no counterparts. Hint: take systems that number"
        " their initial conditions."
    )
