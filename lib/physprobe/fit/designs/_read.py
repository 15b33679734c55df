"""Read: from stores to what a method is given."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from physprobe.config import kinds
from physprobe.fit._motion import Motion
from physprobe.fit._plane import Plane
from physprobe.fit.section import METHODS, Asked, Case, Given, MethodSpec, SpatialTokens
from physprobe.store.inputs import Inputs, Layers


def only(kind: str, config: Any, where: str, asked: Asked) -> Iterator[str]:
    """Whether all methods are of the one kind that a design can fit."""
    for name in asked.methods:
        found = config.methods[name].kind
        if found != kind:
            yield f"{where}.methods: {name} is of kind {found}, not {kind}. Hint: leave it out."


def single(where: str, asked: Asked) -> Iterator[str]:
    """Whether there is the one system that a design can fit."""
    if len(asked.filmed) > 1:
        yield f"{where}: several systems, expected one. Hint: make a study of each."


def one(
    embeddings: Sequence[Path], simulation: Sequence[Path], method: str, member: int | None = None
) -> Inputs[MethodSpec]:
    """Stores of a design that takes a single system, of one member.

    Raises
    ------
    ValueError
        If several are given.
    """
    if (len(embeddings), len(simulation)) != (1, 1):
        raise ValueError(
            f"{len(embeddings)} embeddings and {len(simulation)} simulations, expected one of each."
            " Hint: the design `together` takes several systems."
        )
    return Inputs.read(METHODS, embeddings[0], simulation[0], method, member=member)


def case(
    found: Inputs[MethodSpec],
    features: Sequence[np.ndarray] | None = None,
    *,
    layers: Sequence[str] | None = None,
    tokens: Mapping[str, SpatialTokens] | None = None,
    strata: np.ndarray | None = None,
    about: Mapping[str, object] | None = None,
    setting: Mapping[str, object] | None = None,
) -> Case:
    """A fit to the layers of an embedding, or to features that stand for them.

    Raises
    ------
    ValueError
        If what was read is no embedding.
    """
    if found.own:
        raise ValueError(
            f"{found.source.encoding.get('source', 'the store')} is no embedding, and"
            f" {found.spec.kind} takes nothing else. Hint: a law is read off the {found.own}."
        )
    layered = Layers(found.source)
    given = Given(
        features=layered if features is None else features,
        layers=layers or found.layers,
        labels=found.labels,
        folds=found.folds,
        groups=found.groups,
        times=found.times,
        strata=strata,
        components=found.source.attrs["spec"].get("components"),
        tokens=layered.tokens if tokens is None else tokens,
        states=found.states,
        advance=_predictor(found),
        motion=Motion.of(found) if found.spec.MOVES else None,
        plane=Plane.of(found) if found.spec.ANYWHERE else None,
    )
    return Case(found, given, found.spec, about or {}, setting or {})


def _predictor(found: Inputs[MethodSpec]) -> Callable[[np.ndarray], np.ndarray] | None:
    """The encoder's own predictor, for a method that rolls it on; None if it has none."""
    if not found.spec.ROLLS:
        return None
    family, spec = kinds.parse("embed", json.dumps(found.source.attrs["spec"]))
    return family.predictor(spec, found.member)
