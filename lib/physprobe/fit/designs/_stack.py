"""Stack: clips of several systems under one encoder, one system after another."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from physprobe.fit.section import METHODS, MethodSpec
from physprobe.store.inputs import Inputs, Layers, Tokens


def read(
    embeddings: Sequence[Path],
    simulation: Sequence[Path],
    method: str,
    member: int | None = None,
    *,
    alike: bool = False,
) -> list[Inputs[MethodSpec]]:
    """Stores of several systems, which one encoder has embedded alike.

    Parameters
    ----------
    embeddings, simulation : sequence of Path
        Root ``zarr.json`` of the stores, system by system.
    method : str
        JSON of the method's spec.
    member : int, optional
        Which of the encoder's networks, where the embeddings have several.
    alike : bool
        Whether all show the same clips, which are then put in the order of the first system's.

    Raises
    ------
    ValueError
        If there aren't as many of either, or they don't go together.
    """
    if len(embeddings) != len(simulation) or not embeddings:
        raise ValueError(
            f"{len(embeddings)} embeddings and {len(simulation)} simulations. Hint: give one of"
            " each for every system, in the same order."
        )
    parts: list[Inputs[MethodSpec]] = []
    for paths in zip(embeddings, simulation, strict=True):
        like = parts[0].system if alike and parts else None
        parts.append(Inputs.read(METHODS, *paths, method, like=like, member=member))
    check(parts, embeddings)
    return parts


def check(parts: Sequence[Inputs[MethodSpec]], embeddings: Sequence[Path]) -> None:
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


def digests(parts: Sequence[Inputs[MethodSpec]]) -> dict[str, str]:
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

    def __getitem__(self, layer: int) -> np.ndarray:  # type: ignore[override]  # one at a time
        """Read a layer of all systems."""
        return np.concatenate([part[layer] for part in self.parts])

    def __iter__(self) -> Iterator[np.ndarray]:
        """Read layer after layer."""
        return (self[layer] for layer in range(len(self)))

    @property
    def tokens(self) -> Tokens:
        """Spatial tokens of the layers that keep them."""
        return Tokens([part.source for part in self.parts])


def _differences(
    part: Inputs[MethodSpec], first: Inputs[MethodSpec]
) -> Iterator[tuple[str, object, object]]:
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
