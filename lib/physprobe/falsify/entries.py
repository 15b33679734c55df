"""Falsify's section of ``config.yaml``: studies, each with its design and its claims."""

from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple, Self

from pydantic import Field, model_validator

from physprobe.config import kinds
from physprobe.config.kinds import any_spec
from physprobe.config.layout import STORES
from physprobe.config.problems import all_known, known, nearest
from physprobe.config.spec import Spec
from physprobe.config.system import Name
from physprobe.embed import entries as embedded
from physprobe.falsify._claim import Claim
from physprobe.fit import entries as fits
from physprobe.fit.section import DESIGNS, Design
from physprobe.statistics import nulls


class Fitted(NamedTuple):
    """One fit: results/{place}/fits/{encoder}.{method}.json."""

    place: str
    encoder: str
    method: str

    @property
    def path(self) -> str:
        """Where it lies."""
        return f"results/{self.place}/fits/{self.encoder}.{self.method}.json"


class Study(Spec):
    """What is asked of which systems: encoders, the controls that could refute them, claims."""

    question: str = ""
    """What it asks, in a sentence or two, for its page."""
    system: Name | None = None
    """System that the study films."""
    systems: tuple[Name, ...] = ()
    """Systems, if it films several."""
    design: any_spec(DESIGNS) = Field(default_factory=lambda: kinds.load(DESIGNS, "plain").Spec())
    """Which clips are fitted, and which are scored; by default every clip is held out in turn."""
    encoders: tuple[Name, ...] = Field(min_length=1)
    """Encoders under test; the first one fills the keys of published layouts."""
    controls: tuple[Name, ...] = ()
    """Entries of ``controls`` that every score is put beside."""
    methods: tuple[Name, ...] = ()
    """Entries of ``methods`` that are fitted to all of them."""
    ordinary: dict[Name, tuple[Name, ...]] = Field(default_factory=dict)
    """Methods by system whose ordinary fits its claims are judged from besides."""
    claims: dict[Name, any_spec("falsify")] = Field(default_factory=dict)
    """Statements with their test and threshold, declared before anything is run."""
    figures: dict[Name, tuple[Name, ...]] = Field(default_factory=dict)
    """Claims of one kind that share a figure, by its name: results/{study}/{figure}.png; by default
    all of a kind."""
    layouts: tuple[Literal[kinds.names("layouts")], ...] = ()
    """Published forms that it is written in besides, such as ``fit``."""

    @model_validator(mode="after")
    def _filming(self) -> Self:
        if bool(self.system) == bool(self.systems):
            raise ValueError("expected either system or systems")
        return self

    @property
    def filmed(self) -> tuple[str, ...]:
        """Its systems."""
        return (self.system,) if self.system else self.systems

    @property
    def names(self) -> tuple[str, ...]:
        """Encoders and controls."""
        return (*self.encoders, *self.controls)

    @property
    def planned(self) -> Design:
        """Its design, aimed at the targets of its claims."""
        targets = dict.fromkeys(
            target for claim in self.claims.values() for target in getattr(claim, "targets", ())
        )
        return self.design.aimed(tuple(targets))


class Entries(fits.Entries):
    """What the config says to judge, and from which fits."""

    studies: dict[Name, Study]
    """What belongs together: results/{study}/verdicts.json, its figures, layouts and page."""

    def designs(self) -> dict[str, tuple[Design, tuple[str, ...]]]:
        """Design of every place's fits, and the systems that they are of; systems are places."""
        plain = kinds.load(DESIGNS, "plain").Spec()
        found = {system: (plain, (system,)) for system in self.systems}
        return found | {
            name: (study.planned, study.design.fitted(study.filmed))
            for name, study in self.studies.items()
            if not study.design.SHARED
        }

    def able(self, method: str, study: Study) -> list[str]:
        """Encoders and controls that a method can be fitted to; heads are fitted to encoders."""
        spec = self.methods[method]
        names = study.encoders if spec.ROLE == "head" else study.names
        return [n for n in names if spec.takes(None if n in STORES else self.embedding(n))]

    def fitted(self, name: str) -> list[Fitted]:
        """Every fit that a study is judged from."""
        study = self.studies[name]
        systems = study.design.fitted(study.filmed)
        own = study.filmed if study.design.SHARED else (name,)
        asked = [(place, method) for place in own for method in study.methods]
        asked += [
            (system, method)
            for system in systems
            for method in study.methods
            if self.methods[method].ROLE in study.design.BESIDE
        ]
        asked += [
            (system, method) for system, methods in study.ordinary.items() for method in methods
        ]
        return [
            Fitted(place, encoder, method)
            for place, method in dict.fromkeys(asked)
            for encoder in self.able(method, study)
        ]

    def shown(self, name: str) -> tuple[str, ...]:
        """Every system that a study's fits are of."""
        study = self.studies[name]
        return tuple(dict.fromkeys((*study.design.fitted(study.filmed), *study.ordinary)))


def problems(config: Entries) -> Iterator[str]:
    """What of these entries doesn't go together with the rest of the config."""
    for name, study in config.studies.items():
        where = f"studies.{name}"
        if name in config.systems and not study.design.SHARED:
            yield f"{where}: {name} is a system. Hint: name it otherwise."
        lacking = [*_named(config, where, study)]
        yield from lacking
        if not lacking:
            yield from _study(config, where, name, study)


def _named(config: Entries, where: str, study: Study) -> Iterator[str]:
    """Whether there is all that a study names."""
    encoders = {**dict.fromkeys(STORES), **config.encoders}
    yield from all_known(
        f"{where}.{'system' if study.system else 'systems'}", study.filmed, config.systems
    )
    yield from all_known(f"{where}.encoders", study.encoders, encoders)
    yield from all_known(f"{where}.controls", study.controls, config.controls)
    yield from all_known(f"{where}.methods", study.methods, config.methods)
    for system, methods in study.ordinary.items():
        yield from known(f"{where}.ordinary", system, config.systems)
        yield from all_known(f"{where}.ordinary.{system}", methods, config.methods)
    if not study.methods and not study.ordinary:
        yield f"{where}.methods: nothing is fitted. Hint: name entries of methods."
    for name, claim in study.claims.items():
        yield from all_known(f"{where}.claims.{name}.encoders", claim.encoders, study.encoders)
    for name, claims in study.figures.items():
        yield from all_known(f"{where}.figures.{name}", claims, study.claims)
    for name in study.encoders:
        roles = {
            config.methods[method].ROLE for method in study.methods if method in config.methods
        }
        if name in STORES and roles - {"law"}:
            yield f"{where}.encoders: {name} is no embedding; only laws are read off it."


def _study(config: Entries, where: str, name: str, study: Study) -> Iterator[str]:
    networks = [encoder for encoder in study.encoders if encoder not in STORES]
    yield from embedded.twins(config, where, networks, study.controls)
    lacking = [*study.design.problems(config, where, study)]
    yield from lacking
    if lacking:
        return
    for system in config.shown(name):
        names = [encoder for encoder in study.names if encoder not in STORES]
        yield from embedded.frames(config, where, system, names)
    places = _places(config, name, study)
    for place, methods in places.items():
        for method in methods:
            yield from _method(config, where, study, place, method)
    for claim_name, claim in study.claims.items():
        yield from _claim(config, f"{where}.claims.{claim_name}", name, study, places, claim)
    roles = {config.methods[method].ROLE for method in study.methods}
    for form in study.layouts:
        asked = kinds.outline("layouts", form)
        if study.design.kind not in asked.DESIGNS:
            yield (
                f"{where}.layouts: {form} is of design {', '.join(asked.DESIGNS)}."
                " Hint: leave it out."
            )
        for kind in sorted({*asked.CLAIMS} - {claim.kind for claim in study.claims.values()}):
            yield (
                f"{where}.layouts: {form} is filled from a claim of kind {kind}. Hint: make one in"
                f" {where}.claims."
            )
        for role in sorted({*asked.NEEDS} - roles):
            yield (f"{where}.layouts: {form} needs a {role}. Hint: name one in {where}.methods.")
    for figure, claims in study.figures.items():
        sorts = dict.fromkeys(study.claims[claim].kind for claim in claims)
        if len(sorts) > 1:
            yield f"{where}.figures.{figure}: claims of kinds {', '.join(sorts)}. Hint: take one."
        for kind in sorts:
            if not kinds.outline("falsify", kind).FIGURES:
                yield f"{where}.figures.{figure}: no figure shows claims of kind {kind}."


def _places(config: Entries, name: str, study: Study) -> dict[str, list[str]]:
    """Methods that are fitted, by place."""
    found: dict[str, list[str]] = {}
    for fit in config.fitted(name):
        methods = found.setdefault(fit.place, [])
        if fit.method not in methods:
            methods.append(fit.method)
    return found


def _method(config: Entries, where: str, study: Study, place: str, method: str) -> Iterator[str]:
    """Whether a method can be fitted at a place."""
    spec = config.methods[method]
    systems = (place,) if place in config.systems else study.filmed
    for system in systems:
        if spec.ROLE == "probe" and not _of_all(study, place):
            yield from fits.labels(config, f"{where}.methods", system, method)
        if spec.ROLE == "law":
            for name in study.names:
                yield from fits.law(config, f"{where}.methods", method, system, name)
        if spec.ROLE != "dynamics":
            continue
        for name in study.names:
            times = embedded.times(config, system, name)
            if times and times < spec.SHORTEST:
                yield (
                    f"{where}.methods: {system} gives {name} {times} times; {method} needs"
                    f" {spec.SHORTEST} at least. Hint: simulate more frames."
                )
                break
    if not config.able(method, study):
        first = study.encoders[0]
        yield (
            f"{where}.methods: {method} needs the spatial tokens of layer {spec.layer!r}."
            f" Hint: set encoders.{first}.tokens: [{spec.layer!r}]."
        )


def _of_all(study: Study, place: str) -> bool:
    """Whether a place's labels are those of several systems together, or of its claims."""
    return place not in study.filmed and study.design.kind in ("together", "every_way")


def _claim(
    config: Entries,
    where: str,
    name: str,
    study: Study,
    places: dict[str, list[str]],
    claim: Claim,
) -> Iterator[str]:
    """Whether a claim's evidence will be there."""
    needs = claim.needs()
    if needs.design and needs.design != study.design.kind:
        yield (
            f"{where}: {claim.kind} is judged under the design {needs.design}, not"
            f" {study.design.kind}. Hint: set {where.partition('.claims')[0]}.design."
        )
        return
    own = name if not study.design.SHARED else study.filmed[0]
    if claim.system:
        found = [*known(f"{where}.system", claim.system, places)]
        yield from found
        if found:
            return
    elif study.design.SHARED and len(study.filmed) > 1 and not needs.everywhere:
        yield f"{where}: of which system? Hint: set system to one of {', '.join(study.filmed)}."
        return
    asked = study.filmed if needs.everywhere else [claim.system or own]
    yield from _controlled(config, where, study, claim)
    if needs.role == "pixels":
        yield from _aligned(config, where, study, asked)
        return
    for place in asked:
        able = [m for m in places.get(place, ()) if needs.role == config.methods[m].ROLE]
        if claim.method:
            yield from known(f"{where}.method", claim.method, able)
            able = [method for method in able if method == claim.method]
        elif not able:
            yield (
                f"{where}: no {needs.role} is fitted to {place}, which {claim.kind} needs. Hint:"
                f" name one in {where.partition('.claims')[0]}.methods."
            )
        elif len(able) > 1 and needs.role != "dynamics" and needs.design != "every_way":
            yield (f"{where}: by which method? Hint: set method to one of {', '.join(able)}.")
        for method in able:
            yield from _judged_by(config, where, study, place, method, claim)


def _judged_by(
    config: Entries, where: str, study: Study, place: str, method: str, claim: Claim
) -> Iterator[str]:
    """Whether a method gives what a claim is judged from."""
    needs, spec = claim.needs(), config.methods[method]
    if needs.decoded:
        for field, value in zip(("target", "sample"), needs.decoded, strict=True):
            read = getattr(spec, f"{field}s")
            if value not in read:
                yield (
                    f"{where}.{field}: found {value!r}, which {method} doesn't read."
                    f"{nearest(value, read)} Hint: it reads {', '.join(read)}; see"
                    f" methods.{method}."
                )
    for target in getattr(claim, "targets", ()):
        for system in study.filmed:
            kind = config.systems[system].simulate.kind
            labels = tuple(kinds.load("simulate", kind).UNITS)
            yield from fits.decodable(f"{where}.targets: it", target, kind, labels)
    if needs.metric and spec.of_classes == (needs.metric == "r2"):
        what = "classes, which have no" if spec.of_classes else "numbers, not"
        yield f"{where}.metric: {method} is of {what} {needs.metric}."
    if needs.part and not spec.scored_apart:
        yield f"{where}.part: {method} scores nothing apart. Hint: set methods.{method}.by."
    draws = getattr(spec, claim.P_OF, None) if claim.P_OF else None
    if draws is not None and draws < nulls.FEWEST:
        yield nulls.too_few(where, f"methods.{method}.{claim.P_OF}", draws)
    able = config.able(method, study)
    for encoder in claim.encoders or study.encoders:
        if encoder not in able:
            yield (
                f"{where}: {encoder} keeps no spatial tokens of layer {spec.layer!r}. Hint: name as"
                f" its encoders those that do, or set encoders.{encoder}.tokens: [{spec.layer!r}]."
            )
    if needs.horizon:
        for named in dict.fromkeys((place, getattr(claim, "against", "") or place)):
            systems = (named,) if named in config.systems else study.filmed
            yield from _forecast(config, where, study, claim, method, systems)


def _controlled(config: Entries, where: str, study: Study, claim: Claim) -> Iterator[str]:
    """Whether there are controls to beat."""
    needs = claim.needs()
    for name in needs.named:
        yield from known(f"{where}.controls", name, study.controls)
    fitting = [
        name
        for name in study.controls
        if not needs.of_kinds or config.controls[name].kind in needs.of_kinds
    ]
    if needs.controls and not fitting:
        what = f" of kind {' or '.join(needs.of_kinds)}" if needs.of_kinds else ""
        yield (
            f"{where}: no control{what} to beat. Hint: name some in"
            f" {where.rpartition('.claims')[0]}.controls."
        )
    members = sum(len(getattr(config.controls[name], "members", ())) for name in fitting)
    if fitting and members < needs.members:
        yield (
            f"{where}: the controls have {members} members together, expected {needs.members}."
            f" Hint: give controls.{fitting[0]} more seeds."
        )


def _forecast(
    config: Entries, where: str, study: Study, claim: Claim, method: str, systems: Iterable[str]
) -> Iterator[str]:
    """Whether so many tokens are forecast, by encoders that don't see what they forecast."""
    model, needs = config.methods[method], claim.needs()
    if needs.order > 1 and needs.order not in model.orders:
        yield (
            f"{where}.order: {method} fits no order {needs.order}."
            f" Hint: add it to methods.{method}.orders."
        )
    for name in claim.encoders or study.encoders:
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
                f"{where}.horizon: found {needs.horizon}; {have}{method} scores {reach}."
                f" Hint: take one of these, or change methods.{method}.horizons or the"
                " system's frames."
            )


def _aligned(config: Entries, where: str, study: Study, systems: Iterable[str]) -> Iterator[str]:
    """Whether pixels have the times of the encoders that they are mapped to."""
    for control in study.controls:
        spec = config.controls[control]
        if spec.kind != "pixels" or spec.components:
            continue
        for system in systems:
            for encoder in study.encoders:
                times = embedded.times(config, system, encoder)
                if times and times != embedded.times(config, system, control):
                    frames = config.systems[system].simulate.frames // times
                    yield (
                        f"{where.partition('.claims')[0]}.controls: {control} has tokens of"
                        f" {spec.tubelet} frames, {encoder} of {frames}. Hint: name a control with"
                        f" tubelet: {frames}."
                    )
