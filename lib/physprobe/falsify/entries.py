"""Falsify's sections of ``config.yaml``: studies, comparisons, gates and transfers."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Self

from pydantic import Field, model_validator

from physprobe.config import kinds
from physprobe.config.kinds import any_spec
from physprobe.config.problems import all_known, known, nearest
from physprobe.config.spec import Spec
from physprobe.config.system import Name
from physprobe.embed import entries as embedded
from physprobe.falsify._claim import Claim, Needs
from physprobe.fit import entries as fits
from physprobe.fit.section import DESIGNS, Design
from physprobe.statistics import nulls

Quantile = Annotated[float, Field(ge=0, le=1)]


class Study(Spec):
    """What is asked of which system: encoders, the controls that could refute them, claims."""

    system: Name
    """System that the study films."""
    encoders: tuple[Name, ...] = Field(min_length=1)
    """Encoders under test; the first one fills the published keys of ``fit_metrics.json``."""
    controls: tuple[Name, ...] = ()
    """Entries of ``controls`` that every score is put beside."""
    probe: Name
    """Entry of ``methods`` that decodes the labels."""
    koopman: Name
    """Entry of ``methods`` that models the embedding's dynamics."""
    head: Name | None = None
    """Entry of ``methods`` that models spatial tokens, of those encoders that keep them."""
    claims: dict[Name, any_spec("falsify")] = Field(default_factory=dict)
    """Statements with their test and threshold, declared before anything is run."""


class Comparison(fits.Place):
    """Systems side by side: can their equations be told apart, and what needs which dynamics."""

    systems: tuple[Name, ...] = Field(min_length=2)
    """Systems that share their initial conditions: whose equations are told apart."""
    parameters: dict[Name, Name] = Field(default_factory=dict)
    """Systems whose labels are decoded, each with its probe; these or others of the same laws."""
    encoders: tuple[Name, ...] = Field(min_length=1)
    """Encoders under test; the first one fills the published keys of ``fit_metrics.json``."""
    controls: tuple[Name, ...] = ()
    """Entries of ``controls`` that every score is put beside."""
    probe: Name
    """Entry of ``methods`` that tells the equations apart."""
    koopman: Name
    """Entry of ``methods`` that models the dynamics of each system, and of all together."""
    claims: dict[Name, any_spec("falsify")] = Field(default_factory=dict)
    """Statements with their test and threshold, declared before anything is run."""

    @property
    def design(self) -> Design:
        """The clips of all its systems at once."""
        return kinds.load(DESIGNS, "together").Spec()

    @property
    def fitted(self) -> tuple[str, ...]:
        """Systems whose equations are told apart."""
        return self.systems


class Gate(Spec):
    """What a trained encoder has to beat before it is worth shipping."""

    encoder: Name
    """The trained one."""
    random: tuple[Name, ...] = Field(min_length=5)
    """Controls: the same architecture with random weights, several seeds."""
    probes: dict[Name, Name] = Field(min_length=1)
    """Probe whose targets are decoded, by system."""
    margin: float = Field(0.05, ge=0)
    """Largest loss of R2 that any single target may have."""


class Transfer(fits.Place):
    """Whether what a probe has learnt holds elsewhere: in another rendering, beyond its range."""

    system: Name
    """System whose clips are trained on."""
    onto: Name | None = None
    """System whose clips are scored: the same ``simulate`` in another ``render``."""
    region: dict[Name, tuple[Quantile, Quantile]] = Field(default_factory=dict)
    """Labels with a range between quantiles: clips inside all of them are never trained on."""
    encoders: tuple[Name, ...] = Field(min_length=1)
    """Encoders under test."""
    controls: tuple[Name, ...] = ()
    """Entries of ``controls`` that are transferred in the same way."""
    probe: Name
    """Entry of ``methods``, of kind ``ridge``, that decodes the labels."""

    @property
    def design(self) -> Design:
        """Which clips are fitted, and which are scored."""
        return kinds.load(DESIGNS, "elsewhere").Spec(region=self.region)

    @property
    def fitted(self) -> tuple[str, ...]:
        """Systems, that which is scored first."""
        return tuple(name for name in (self.onto, self.system) if name)

    @model_validator(mode="after")
    def _designed(self) -> Self:
        _ = self.design  # refuses what it can't be made of
        return self


class Entries(fits.Entries):
    """What the config says to judge, and from which fits."""

    studies: dict[Name, Study]
    """What belongs together: results/{study}/fit_metrics.json and its kin."""
    comparisons: dict[Name, Comparison] = Field(default_factory=dict)
    """Systems side by side: results/{comparison}/fits/{encoder}.{method}.json."""
    transfers: dict[Name, Transfer] = Field(default_factory=dict)
    """Probes put to the test elsewhere: results/transfers/{transfer}.json and its figure."""
    gates: dict[Name, Gate] = Field(default_factory=dict)
    """Comparisons with random weights: results/gates/{gate}.json."""

    def with_tokens(self, study: Study) -> list[str]:
        """Encoders of a study that keep the spatial tokens that its head needs."""
        if not study.head:
            return []
        layer = self.methods[study.head].layer
        return [n for n in study.encoders if layer in getattr(self.encoders[n], "tokens", ())]


def problems(config: Entries) -> Iterator[str]:
    """What of these entries doesn't go together with the rest of the config."""
    places = {name: section for section, name, _ in config.places()}
    for name, study in config.studies.items():
        if name not in config.systems and name in places:
            yield (
                f"studies.{name}: {name} is an entry of {places[name]}. Hint: name it otherwise."
            )
        yield from _study(config, f"studies.{name}", study)
    for name, asked in config.comparisons.items():
        yield from _comparison(config, f"comparisons.{name}", asked)
    for name, transfer in config.transfers.items():
        yield from _transfer(config, f"transfers.{name}", transfer)
    for name, gate in config.gates.items():
        yield from _gate(config, f"gates.{name}", gate)


def _study(config: Entries, where: str, study: Study) -> Iterator[str]:
    lacking = [
        *_evidence(config, where, study, {study.system: study.probe}),
        *(fits.method(config, f"{where}.head", study.head, "head") if study.head else ()),
    ]
    yield from lacking
    if lacking:
        return
    yield from _dynamics(config, where, study, [study.system])
    yield from _aligned(config, where, study)
    if study.head and study.encoders[0] not in config.with_tokens(study):
        layer = config.methods[study.head].layer
        yield (
            f"{where}.head: {study.head} needs the spatial tokens of layer {layer!r}."
            f" Hint: set encoders.{study.encoders[0]}.tokens: [{layer!r}]."
        )
    else:
        for claim_name, claim in study.claims.items():
            here = f"{where}.claims.{claim_name}"
            if claim.system or getattr(claim, "against", ""):
                yield f"{here}: a study has one system. Hint: leave system and against out."
                continue
            yield from _claim(config, here, study, claim, study.probe, [study.system])
            yield from _with_head(config, here, study, claim)


def _with_head(config: Entries, where: str, study: Study, claim: Claim) -> Iterator[str]:
    """Whether a claim about spatial tokens is made of encoders that keep them."""
    if not claim.needs().tokens:
        return
    if not study.head:
        yield f"{where}: {claim.kind} judges a head. Hint: set head in the study."
        return
    for name in claim.encoders or study.encoders:
        if name not in config.with_tokens(study):
            layer = config.methods[study.head].layer
            yield (
                f"{where}: {name} keeps no spatial tokens of layer {layer!r}. Hint: name as its"
                f" encoders those that do, or set encoders.{name}.tokens: [{layer!r}]."
            )


def _comparison(config: Entries, where: str, asked: Comparison) -> Iterator[str]:
    lacking = [
        *_evidence(config, where, asked, asked.parameters),
        *(
            line
            for system in asked.systems
            for line in known(f"{where}.systems", system, config.systems)
        ),
    ]
    yield from lacking
    if lacking:
        return
    for system in asked.systems:
        yield from embedded.frames(config, where, system, (*asked.encoders, *asked.controls))
    if config.methods[asked.probe].targets != ("equation",):
        yield (
            f"{where}.probe: {asked.probe} has to tell equations apart."
            f" Hint: set methods.{asked.probe}.targets: [equation]."
        )
    yield from _dynamics(config, where, asked, asked.systems)
    for claim_name, claim in asked.claims.items():
        here = f"{where}.claims.{claim_name}"
        needs = claim.needs()
        if needs.tokens or needs.of_kinds:
            yield f"{here}: {claim.kind} is judged in studies alone. Hint: move it to a study."
            continue
        probe, systems = asked.probe, list(asked.systems)
        if needs.decoded and claim.system:
            found = [*known(f"{here}.system", claim.system, asked.parameters)]
            yield from found
            if found:
                continue
            probe = asked.parameters[claim.system]
        if needs.horizon:
            named = {"system": claim.system, "against": getattr(claim, "against", "")}
            found = [
                line
                for key, system in named.items()
                if system
                for line in known(f"{here}.{key}", system, asked.systems)
            ]
            yield from found
            if found:
                continue
            systems = [system for system in named.values() if system] or systems
        yield from _claim(config, here, asked, claim, probe, systems)


def _claim(
    config: Entries,
    where: str,
    asked: Study | Comparison,
    claim: Claim,
    probe: str,
    systems: Iterable[str],
) -> Iterator[str]:
    """Whether a claim's evidence will be there."""
    needs: Needs = claim.needs()
    if needs.decoded:
        for field, value in zip(("target", "sample"), needs.decoded, strict=True):
            read = getattr(config.methods[probe], f"{field}s")
            if value not in read:
                yield (
                    f"{where}.{field}: found {value!r}, which {probe} doesn't read."
                    f"{nearest(value, read)} Hint: it reads {', '.join(read)}; see methods.{probe}."
                )
    yield from _draws(config, where, asked, claim, probe)
    for name in needs.named:
        yield from known(f"{where}.controls", name, asked.controls)
    if needs.controls or needs.of_kinds:
        fitting = [
            name
            for name in asked.controls
            if not needs.of_kinds or config.controls[name].kind in needs.of_kinds
        ]
        if not fitting:
            what = f" of kind {' or '.join(needs.of_kinds)}" if needs.of_kinds else ""
            yield (
                f"{where}: no control{what} to beat. Hint: name some in"
                f" {where.rpartition('.claims')[0]}.controls."
            )
    if needs.horizon:
        yield from _forecast(config, where, asked, claim, needs, systems)


def _draws(
    config: Entries, where: str, asked: Study | Comparison, claim: Claim, probe: str
) -> Iterator[str]:
    """Whether the draws of the null that a claim's p comes from can bring it below the level."""
    if claim.P_OF is None:
        return
    part, field = claim.P_OF
    name = probe if part == "probe" else getattr(asked, part, None)
    draws = getattr(config.methods.get(name), field, None)
    if draws is not None and draws < nulls.FEWEST:
        yield fits.too_few(where, f"methods.{name}.{field}", draws)


def _forecast(
    config: Entries,
    where: str,
    asked: Study | Comparison,
    claim: Claim,
    needs: Needs,
    systems: Iterable[str],
) -> Iterator[str]:
    """Whether so many tokens are forecast, by encoders that don't see what they forecast."""
    model = config.methods[asked.koopman]
    if needs.order > 1 and needs.order not in model.orders:
        yield (
            f"{where}.order: {asked.koopman} fits no order {needs.order}."
            f" Hint: add it to methods.{asked.koopman}.orders."
        )
    for name in claim.encoders or asked.encoders:
        if getattr(config.encoders[name], "sees_future", False):
            yield (
                f"{where}: {name} has seen the frames that are to be forecast."
                f" Hint: name encoders with causal: true as its encoders, or set"
                f" encoders.{name}.causal: true."
            )
        for system in systems:
            times = embedded.times(config, system, name)
            scored = model.scored(times) if times else model.horizons
            reached = scored if needs.with_null else range(1, max([1, *scored]) + 1)
            if needs.horizon in reached:
                continue
            have = f"{system} gives {name} {times} times; " if times else ""
            reach = ", ".join(map(str, scored)) or "none of its horizons"
            yield (
                f"{where}.horizon: found {needs.horizon}; {have}{asked.koopman} scores {reach}."
                f" Hint: take one of these, or change methods.{asked.koopman}.horizons or the"
                " system's frames."
            )


def _evidence(
    config: Entries, where: str, asked: Study | Comparison, systems: Mapping[str, str]
) -> Iterator[str]:
    """Everything that a study or a comparison names is there, and goes together."""
    yield from _embeddings(config, where, asked, systems)
    yield from fits.method(config, f"{where}.koopman", asked.koopman, "dynamics")
    for name, claim in asked.claims.items():
        for entry in claim.encoders:
            yield from known(f"{where}.claims.{name}.encoders", entry, asked.encoders)


def _dynamics(
    config: Entries, where: str, asked: Study | Comparison, systems: Iterable[str]
) -> Iterator[str]:
    """Whether clips are long enough for the model of their dynamics."""
    model = config.methods[asked.koopman]
    for system in systems:
        for name in (*asked.encoders, *asked.controls):
            times = embedded.times(config, system, name)
            if times and times < model.SHORTEST:
                yield (
                    f"{where}.koopman: {system} gives {name} {times} times; {asked.koopman} needs"
                    f" {model.SHORTEST} at least. Hint: simulate more frames."
                )
                break


def _aligned(config: Entries, where: str, study: Study) -> Iterator[str]:
    """Whether pixels have the times of the encoders that they are mapped to."""
    for control in study.controls:
        spec = config.controls[control]
        if spec.kind != "pixels" or spec.components:
            continue
        for encoder in study.encoders:
            times = embedded.times(config, study.system, encoder)
            if times and times != embedded.times(config, study.system, control):
                frames = config.systems[study.system].simulate.frames // times
                yield (
                    f"{where}.controls: {control} has tokens of {spec.tubelet} frames, {encoder} of"
                    f" {frames}. Hint: name a control with tubelet: {frames}."
                )


def _embeddings(
    config: Entries,
    where: str,
    asked: Study | Comparison | Transfer,
    systems: Mapping[str, str],
) -> Iterator[str]:
    """Encoders, controls and probes are there, and can do what is asked of each system."""
    lacking = [
        *fits.method(config, f"{where}.probe", asked.probe, "probe"),
        *all_known(f"{where}.encoders", asked.encoders, config.encoders),
        *all_known(f"{where}.controls", asked.controls, config.controls),
    ]
    for system, probe in systems.items():
        lacking += known(f"{where}.system", system, config.systems)
        lacking += fits.method(config, f"{where}.probe", probe, "probe")
    yield from dict.fromkeys(lacking)
    if lacking:
        return
    yield from embedded.twins(config, where, asked.encoders, asked.controls)
    for system, probe in systems.items():
        yield from fits.labels(config, f"{where}.probe", system, probe)
        yield from embedded.frames(config, where, system, (*asked.encoders, *asked.controls))


def _transfer(config: Entries, where: str, transfer: Transfer) -> Iterator[str]:
    if not transfer.onto and not transfer.region:
        yield (
            f"{where}: nothing to transfer to. Hint: name a system as onto, or a region of"
            " labels to hold out, or both."
        )
    lacking = [*_embeddings(config, where, transfer, {transfer.system: transfer.probe})]
    if transfer.onto:
        lacking += known(f"{where}.onto", transfer.onto, config.systems)
    yield from lacking
    if lacking:
        return
    kind = config.methods[transfer.probe].kind
    if kind != "ridge":
        yield f"{where}.probe: {transfer.probe} is of kind {kind}, not ridge."
    own = config.systems[transfer.system]
    labels = kinds.load("simulate", own.simulate.kind).UNITS
    yield from all_known(f"{where}.region", transfer.region, labels)
    if not transfer.onto:
        return
    other = config.systems[transfer.onto]
    if other.simulate != own.simulate:
        fields = _differing(own.simulate, other.simulate)
        yield (
            f"{where}.onto: {transfer.onto} and {transfer.system} simulate different clips"
            f" ({', '.join(fields)}). Hint: let the one extend the other, give both the same"
            f" simulate entry, or take the transfer away (null in the place of {where})."
        )
    if other.render == own.render:
        yield (
            f"{where}.onto: {transfer.onto} and {transfer.system} are rendered alike."
            f" Hint: set another systems.{transfer.onto}.render."
        )


def _differing(one: Spec, other: Spec) -> list[str]:
    """Fields of two specs that are not the same."""
    first, second = one.dump(), other.dump()
    if first["kind"] != second["kind"]:
        return ["kind"]
    return [field for field in first if first[field] != second[field]]


def _gate(config: Entries, where: str, gate: Gate) -> Iterator[str]:
    lacking = [
        *known(f"{where}.encoder", gate.encoder, config.encoders),
        *all_known(f"{where}.random", gate.random, config.controls),
        *all_known(f"{where}.probes", gate.probes, config.systems),
    ]
    for system, probe in gate.probes.items():
        lacking += fits.method(config, f"{where}.probes.{system}", probe, "probe")
    yield from lacking
    if lacking:
        return
    for system, probe in gate.probes.items():
        yield from fits.labels(config, f"{where}.probes.{system}", system, probe)
        yield from embedded.frames(config, where, system, (gate.encoder, *gate.random))
