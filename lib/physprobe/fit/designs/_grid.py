"""Grid: whole clips of one system on a grid of its square, from the field, film or embedding."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from physprobe.config import kinds
from physprobe.fit.section import Case, MethodSpec, OnGrid
from physprobe.store import zarrs
from physprobe.store.inputs import Inputs

if TYPE_CHECKING:
    from xarray import Dataset


def case(found: Inputs[MethodSpec]) -> Case:
    """A fit to clips on a grid.

    Raises
    ------
    ValueError
        If the source, or the system itself, has no grid.
    """
    system, source = found.system, found.source
    if "x" not in system.sizes:
        raise ValueError(
            f"{system.encoding.get('source', 'the simulation')} has no field on a grid, but"
            f" {', '.join(map(str, system.sizes))}. Hint: take a system with a field."
        )
    clips = Clips(source, _name(source, found.spec.layer))
    simulated = system.attrs["spec"]["kind"]
    given = OnGrid(
        clips=clips,
        labels=found.labels,
        name=clips.name,
        system=simulated,
        walls=not all(kinds.load("simulate", simulated).PERIODIC),
        cell=system.sizes["x"] / clips.columns,
        frame=float(np.diff(source.time.values).mean()),
    )
    return Case(found, given, found.spec)


def _name(source: "Dataset", layer: str) -> str:
    """Variable of a store that is on a grid."""
    spec = source.attrs.get("spec", {})
    if "field" in source.attrs:
        return source.attrs["field"]
    if "video" in source:
        return "video"
    if f"tokens_{layer}" in source:
        return f"tokens_{layer}"
    if spec.get("kind") == "pixels" and spec["tubelet_frames"] == "mean":
        return "pooled"
    raise ValueError(
        f"{source.encoding.get('source', 'the source')} has no spatial tokens of layer {layer!r}."
        f" Hint: set tokens: [{layer}] in the encoder's config entry."
    )


@dataclass(frozen=True)
class Clips(Sequence):
    """Clips (time, y, x, feature) of a store, each read when asked for.

    Attributes
    ----------
    source : Dataset
        A simulation, clips, or an embedding.
    name : str
        Variable that is read; ``pooled`` are pixels, one square after the other.
    """

    source: "Dataset"
    name: str

    @property
    def columns(self) -> int:
        """Cells along x."""
        return self.source.attrs["spec"]["size"] if self._flat else self.source[self.name].shape[3]

    def __len__(self) -> int:
        """Count the clips."""
        return self.source.sizes["clip"]

    def __getitem__(self, clip: int) -> np.ndarray:  # type: ignore[override]  # one at a time
        """Read one clip."""
        if not 0 <= clip < len(self):
            raise IndexError(clip)
        values = zarrs.values(self.source, self.name, clip=clip)
        if self._flat:
            return values[0].reshape(values.shape[1], self.columns, self.columns, -1)
        return values if values.ndim == 4 else values[..., None]

    @property
    def _flat(self) -> bool:
        return self.name == "pooled"
