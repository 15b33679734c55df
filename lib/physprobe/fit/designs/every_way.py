"""Every way: a method fitted under every combination of choices that one could defend.

A specification is one value of every axis: normalisation and grouping, which are a fit of their
own, and target, sample and layer, all of which one fit serves.
"""

from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from physprobe.config import kinds
from physprobe.config.problems import nearest
from physprobe.fit.designs import _read
from physprobe.fit.section import (
    METHODS,
    Asked,
    Case,
    Design,
    Given,
    Grouping,
    MethodSpec,
    Normalisation,
)
from physprobe.statistics import nulls, targets
from physprobe.store import log
from physprobe.store.inputs import Layers
from physprobe.store.results import Schema

Sample = Literal["clip", "token", "temporal_last", "temporal_first", "temporal_diff"]
SCHEMA = Schema("every_way", ("method", "way", "target", "sample", "layer"))
KEPT = ("target", "sample", "layer", "squared_error", "halves")


class Spec(Design):
    """Choices that are varied; what a method's entry says of them is left out."""

    kind: Literal["every_way"] = "every_way"
    """Every combination of choices."""
    targets: tuple[str, ...] = ()
    """Forms of the labels that are decoded, such as ``sincos_direction``; none: those that the
    study's claims name."""
    samples: tuple[Sample, ...] = Field(("clip", "temporal_last", "temporal_diff"), min_length=1)
    """What of a clip's tokens is a row."""
    layers: tuple[Literal["selected", "final"] | Annotated[float, Field(ge=0, le=1)], ...] = Field(
        (0.5, 1.0, "final", "selected"), min_length=1
    )
    """Parts of the blocks applied, from 0 (patch embedding) to 1; ``final``, after the last
    LayerNorm; ``selected``, the one that the method chooses."""
    groupings: tuple[Grouping, ...] = Field(("clip",), min_length=1)
    """Clips that are on one side of every fold."""
    normalisations: tuple[Normalisation, ...] = Field(("zscore", "center", "none"), min_length=1)
    """Of features; two that are the same to a method count once."""

    def aimed(self, targets: tuple[str, ...]) -> "Spec":
        """The same for the targets of a study's claims."""
        return self if self.targets else self.model_copy(update={"targets": targets})

    def problems(self, config: Any, where: str, asked: Asked) -> Iterator[str]:
        """Whether methods can normalise features in every way, and their nulls can tell."""
        yield from _read.single(where, asked)
        simulate = config.systems[asked.filmed[0]].simulate
        kind = simulate.kind
        labels = tuple(kinds.load("simulate", kind).label_units(simulate))
        for target in self.targets:
            if not targets.labels_of(target, labels):
                yield (
                    f"{where}.design.targets: found {target!r}, but {kind} has the labels"
                    f" {', '.join(labels)}.{nearest(target, labels)}"
                )
        if not (self.targets or any(hasattr(claim, "targets") for claim in asked.claims.values())):
            yield f"{where}.design.targets: nothing is decoded. Hint: name what is, or claim it."
        for name in asked.methods:
            method = config.methods[name]
            for way in self.normalisations:
                try:
                    method.normalised(way)
                except ValueError as error:
                    yield (f"{where}.methods: {name}: {error}. Hint: ridge and trained_sweep can.")
                    break
            if method.ROLE == "probe" and 0 < method.permutations < nulls.FEWEST:
                yield nulls.too_few(
                    f"{where}.claims", f"methods.{name}.permutations", method.permutations
                )

    def cases(
        self,
        embeddings: Sequence[Path],
        simulation: Sequence[Path],
        method: str,
        member: int | None = None,
    ) -> Iterator[Case]:
        """One fit per normalisation and grouping, each once.

        Without those that are another one by another name, such as ridge without centring, whose
        free intercept centres.
        """
        features, ways = None, list(self.ways(kinds.parse(METHODS, method)[1]).items())
        for text, about in log.progress(ways, "fits"):
            found = _read.one(embeddings, simulation, text, member)
            if features is None:
                features = list(Layers(found.source))
            yield _read.case(found, features, about=about)

    def ways(self, spec: MethodSpec) -> dict[str, dict[str, str]]:
        """JSON of a method's spec under every normalisation and grouping, and which they are."""
        axes = {"targets": self.targets, "samples": self.samples}
        found: dict[str, dict[str, str]] = {}
        for normalisation, grouping in product(self.normalisations, self.groupings):
            varied = spec.model_copy(update={**axes, "grouping": grouping})
            text = varied.normalised(normalisation).canonical()
            found.setdefault(text, {"normalisation": normalisation, "grouping": grouping})
        return found

    def result_schema(self, spec: MethodSpec) -> Schema:
        """What kind of result comes of a method."""
        return SCHEMA

    def gathered(self, found: Sequence[tuple[Case, list[dict], dict]]) -> tuple[list[dict], dict]:
        """R2 of every specification; squared errors of the held-out clips by fit."""
        given = found[0][0].given
        assert isinstance(given, Given)
        layers = given.layers
        captures = {str(capture): captured(layers, capture) for capture in self.layers}
        rows, fits = [], {}
        for case, scored, blocks in found:
            way, predictions = "/".join(map(str, case.about.values())), blocks["predictions"]
            rows += [
                {**{key: value for key, value in row.items() if key != "time"}, "way": way}
                for row in scored
                if row["metric"] == "r2"
                and row.get("time") is None
                and row["layer"] in captures.values()
            ]
            fits[way] = {
                **case.about,
                "bootstraps": case.spec.bootstraps,
                "permutations": case.spec.permutations,
                "held_out": [
                    {key: block[key] for key in KEPT}
                    for block in predictions["held_out"]
                    if block["layer"] in captures.values()
                ],
            }
        kept = {key: predictions[key] for key in ("clip", "group", "truth", "halves")}
        return rows, {**kept, "layers": captures, "fits": fits}


def captured(layers: Sequence[str], capture: float | str) -> str:
    """Name of the layer that a specification reads.

    Parameters
    ----------
    layers : (layer,)
        Those of an embedding; of a single one every specification reads that.
    capture : float or str
        Part of the blocks applied, from 0 to 1; ``final``, or the last layer where there is none of
        that name; ``selected``, the layer that the fit itself chooses.
    """
    if len(layers) == 1:
        return layers[0]
    if capture == "selected":
        return capture
    if capture == "final":
        return layers[-1]
    blocks = [layer for layer in layers if layer != "final"]
    return blocks[round(float(capture) * (len(blocks) - 1))]
