"""Multiverse's section of ``config.yaml``."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from physprobe.config import kinds
from physprobe.config.problems import all_known, known
from physprobe.config.spec import Spec
from physprobe.config.system import Name
from physprobe.embed import entries as embedded
from physprobe.fit import entries as fits
from physprobe.fit.section import DESIGNS, Design
from physprobe.statistics import nulls, splits

Sample = Literal["clip", "token", "temporal_last", "temporal_first", "temporal_diff"]
Normalisation = Literal["zscore", "center", "none"]
Quantile = Annotated[float, Field(ge=0, le=1)]


class Robust(Spec):
    """A statement that is put to every specification of a multiverse."""

    statement: str
    """What is claimed, in one sentence."""
    targets: tuple[str, ...] = Field(min_length=1)
    """Forms of the label that it may be decoded in, such as ``sincos_direction``; an axis too."""
    beyond: Literal["controls", "chance"] = "controls"
    """What it has to beat: the best control in the same specification, or nothing (and shuffled
    labels, where the solver has them)."""
    margin: float = 0.0
    """The whole 95 % interval of the difference, or of R2, has to lie above this."""


class Multiverse(fits.Place):
    """Every combination of choices that one could defend: which share supports each claim."""

    system: Name
    """System whose labels are decoded."""
    encoders: tuple[Name, ...] = Field(min_length=1)
    """Encoders under test."""
    controls: tuple[Name, ...] = ()
    """Entries of ``controls`` that answer the same specifications."""
    methods: tuple[Name, ...] = Field(min_length=1)
    """Entries of ``methods`` that decode numbers, such as ``ridge`` and ``trained_sweep``."""
    samples: tuple[Sample, ...] = Field(("clip", "temporal_last", "temporal_diff"), min_length=1)
    """What of a clip's tokens is a row."""
    layers: tuple[Literal["selected", "final"] | Quantile, ...] = Field(
        (0.5, 1.0, "final", "selected"), min_length=1
    )
    """Parts of the blocks applied, from 0 (patch embedding) to 1; ``final``, after the last
    LayerNorm; ``selected``, the one that the method chooses."""
    groupings: tuple[Literal[tuple(splits.GROUPINGS)], ...] = Field(("clip",), min_length=1)
    """Clips that are on one side of every fold."""
    normalisations: tuple[Normalisation, ...] = Field(("zscore", "center", "none"), min_length=1)
    """Of features; two that are the same to a method count once."""
    claims: dict[Name, Robust] = Field(min_length=1)
    """Statements with their threshold, declared before anything is run."""

    @property
    def design(self) -> Design:
        """Every combination of choices, for the targets of all claims."""
        targets = dict.fromkeys(t for claim in self.claims.values() for t in claim.targets)
        axes = ("samples", "layers", "groupings", "normalisations")
        return kinds.load(DESIGNS, "every_way").Spec(
            targets=tuple(targets), **{axis: getattr(self, axis) for axis in axes}
        )

    @property
    def fitted(self) -> tuple[str, ...]:
        """The one system."""
        return (self.system,)


class Entries(fits.Entries):
    """What the config says to fit in every defensible way."""

    multiverses: dict[Name, Multiverse] = Field(default_factory=dict)
    """Probes fitted in every defensible way: results/{multiverse}/multiverse.json and .png."""


def problems(config: Entries) -> Iterator[str]:
    """What of these entries doesn't go together with the rest of the config."""
    for name, entry in config.multiverses.items():
        yield from _multiverse(config, f"multiverses.{name}", entry)


def _multiverse(config: Entries, where: str, entry: Multiverse) -> Iterator[str]:
    lacking = [
        *known(f"{where}.system", entry.system, config.systems),
        *all_known(f"{where}.encoders", entry.encoders, config.encoders),
        *all_known(f"{where}.controls", entry.controls, config.controls),
    ]
    for method in entry.methods:
        unknown = [*fits.method(config, f"{where}.methods", method, "probe")]
        lacking += unknown or _normalised(config, where, method, entry)
    yield from lacking
    if lacking:
        return
    yield from embedded.twins(config, where, entry.encoders, entry.controls)
    yield from embedded.frames(config, where, entry.system, (*entry.encoders, *entry.controls))
    for method in entry.methods:
        draws = config.methods[method].permutations
        if 0 < draws < nulls.FEWEST:
            yield fits.too_few(f"{where}.claims", f"methods.{method}.permutations", draws)
    kind = config.systems[entry.system].simulate.kind
    labels = tuple(kinds.load("simulate", kind).UNITS)
    for claim_name, claim in entry.claims.items():
        here = f"{where}.claims.{claim_name}"
        if claim.beyond == "controls" and not entry.controls:
            yield f"{here}: no control to beat. Hint: name some in {where}.controls."
        for target in claim.targets:
            yield from fits.decodable(f"{here}.targets: it", target, kind, labels)


def _normalised(config: Entries, where: str, method: str, entry: Multiverse) -> Iterator[str]:
    """Whether a method can normalise features in every way that is asked for."""
    for way in entry.normalisations:
        try:
            config.methods[method].normalised(way)
        except ValueError as error:
            yield f"{where}.methods: {method}: {error}. Hint: ridge and trained_sweep can."
            return
