"""Stack: clips of several systems under one encoder, one system after another."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from xarray import Dataset

from physprobe.core import splits
from physprobe.core.inputs import Inputs, Layers


def read(
    embeddings: Sequence[Path], simulation: Sequence[Path], spec: str
) -> tuple[Inputs, Sequence[np.ndarray]]:
    """Inputs and features of one system, or of several taken together.

    Of several systems the labels that all of them have remain, and ``equation``, the kind of system
    that each clip shows. Their ``group`` pairs clips between them: those of one initial condition.

    Parameters
    ----------
    embeddings, simulation : sequence of Path
        Root ``zarr.json`` of the stores, system by system.
    spec : str
        JSON of the probe's spec.

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
        Inputs.read("probe", *stores, spec) for stores in zip(embeddings, simulation, strict=True)
    ]
    first = parts[0]
    if len(parts) == 1:
        return first, Layers(first.source)
    for path, part in zip(embeddings, parts, strict=True):
        for what, mine, expected in _differences(part, first):
            if mine != expected:
                raise ValueError(
                    f"{path}: {what} {mine}, but {embeddings[0]} has {expected}."
                    " Hint: embed all systems by the same encoder, frame by frame alike."
                )
    system = _system(parts, simulation)
    groups, folds = splits.declared_by(
        system,
        outer=first.spec.outer,
        inner=first.spec.inner,
        seed=first.spec.seed,
        grouping=first.spec.grouping,
    )
    digests = {
        f"{name} {number}": digest
        for number, part in enumerate(parts)
        for name, digest in part.digests.items()
    }
    stacked = replace(first, system=system, groups=groups, folds=folds, digests=digests)
    return stacked, _Stacked([Layers(part.source) for part in parts])


class _Stacked(Sequence):
    """Features (clip, time, feature) of several systems' layers, each read when asked for."""

    def __init__(self, parts: Sequence[Layers]):
        self.parts = parts

    def __len__(self) -> int:
        return len(self.parts[0])

    def __getitem__(self, layer: int) -> np.ndarray:
        return np.concatenate([part[layer] for part in self.parts])

    def __iter__(self) -> Iterator[np.ndarray]:
        return (self[layer] for layer in range(len(self)))


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
        if "group" not in part.system:
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
    found["equation"] = np.concatenate(
        [np.repeat(part.system.attrs["spec"]["kind"], len(part.groups)) for part in parts]
    )
    return Dataset({name: ("clip", values) for name, values in found.items()})
