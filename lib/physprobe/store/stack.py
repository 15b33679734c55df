"""Stack: clips of several systems under one encoder, one system after another."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from xarray import Dataset

from physprobe.statistics import splits
from physprobe.store.inputs import Inputs, Layers, Tokens, equations


def read(
    stage: str, embeddings: Sequence[Path], simulation: Sequence[Path], spec: str
) -> tuple[Inputs, Sequence[np.ndarray]]:
    """Inputs and features of one system, or of several taken together.

    Of several systems the labels that all of them have remain, and ``equation``: as the clips' own
    label says, or the kind of system that they show. Their ``group`` pairs clips between them:
    those of one initial condition. It may be lacking only where the systems declare their split.

    Parameters
    ----------
    stage : str
        Package whose kind the spec names.
    embeddings, simulation : sequence of Path
        Root ``zarr.json`` of the stores, system by system.
    spec : str
        JSON of the spec.

    Returns
    -------
    inputs : Inputs
        With the labels, groups and folds of all clips.
    features : sequence over layers of (clip, time, feature)

    Raises
    ------
    ValueError
        If the stores don't go together.
    """
    if len(embeddings) != len(simulation) or not embeddings:
        raise ValueError(
            f"{len(embeddings)} embeddings and {len(simulation)} simulations. Hint: give one of"
            " each for every system, in the same order."
        )
    parts = [
        Inputs.read(stage, *stores, spec) for stores in zip(embeddings, simulation, strict=True)
    ]
    first = parts[0]
    if len(parts) == 1:
        return first, Layers(first.source)
    check(parts, embeddings)
    system = _system(parts, simulation)
    groups, folds = splits.declared_by(
        system,
        outer=first.spec.outer,
        inner=first.spec.inner,
        seed=first.spec.seed,
        grouping=getattr(first.spec, "grouping", "clip"),
    )
    stacked = replace(first, system=system, groups=groups, folds=folds, digests=digests(parts))
    return stacked, Stacked([Layers(part.source) for part in parts])


def check(parts: Sequence[Inputs], embeddings: Sequence[Path]) -> None:
    """Refuse systems that were not embedded alike.

    Raises
    ------
    ValueError
        If layers, token times, features, encoder or weights differ.
    """
    for path, part in zip(embeddings, parts, strict=True):
        for what, mine, expected in _differences(part, parts[0]):
            if mine != expected:
                raise ValueError(
                    f"{path}: {what} {mine}, but {embeddings[0]} has {expected}."
                    " Hint: embed all systems by the same encoder, frame by frame alike."
                )


def digests(parts: Sequence[Inputs]) -> dict[str, str]:
    """Digest of every store, by name and number of its system."""
    return {
        f"{name} {number}": digest
        for number, part in enumerate(parts)
        for name, digest in part.digests.items()
    }


class Stacked(Sequence):
    """Features (clip, time, feature) of several systems' layers, each read when asked for."""

    def __init__(self, parts: Sequence[Layers]):
        self.parts = parts

    def __len__(self) -> int:
        """Count the layers."""
        return len(self.parts[0])

    def __getitem__(self, layer: int) -> np.ndarray:
        """Read a layer of all systems."""
        return np.concatenate([part[layer] for part in self.parts])

    def __iter__(self) -> Iterator[np.ndarray]:
        """Read layer after layer."""
        return (self[layer] for layer in range(len(self)))

    @property
    def tokens(self) -> Tokens:
        """Spatial tokens of the layers that keep them."""
        return Tokens([part.source for part in self.parts])


def _differences(part: Inputs, first: Inputs) -> Iterator[tuple[str, object, object]]:
    """What has to be the same, of a part and of the first one."""
    for what, of in (
        ("layers", lambda inputs: inputs.layers),
        ("token times", lambda inputs: inputs.times),
        ("feature", lambda inputs: inputs.source.sizes["feature"]),
        ("spec", lambda inputs: inputs.source.attrs.get("spec")),
        ("weights", lambda inputs: inputs.source.attrs.get("weights_hash")),
        ("split declared:", lambda inputs: "split" in inputs.system),
    ):
        yield what, of(part), of(first)


def _system(parts: Sequence[Inputs], simulation: Sequence[Path]) -> Dataset:
    """Common labels of all clips, ``equation``, ``group``, and ``split`` if declared."""
    for path, part in zip(simulation, parts, strict=True):
        if not {"group", "split"} & set(part.system.variables):
            raise ValueError(
                f"{path} has no group, so its clips have no counterparts. Hint: take systems that"
                " number their initial conditions."
            )
    names = [
        name
        for name in (*parts[0].labels, "group", "split")
        if all(name in part.system for part in parts)
    ]
    found = {
        name: np.concatenate([np.array(part.system[name].values.tolist()) for part in parts])
        for name in names
    }
    found["equation"] = np.concatenate([equations(part.system) for part in parts])
    return Dataset({name: ("clip", values) for name, values in found.items()})
