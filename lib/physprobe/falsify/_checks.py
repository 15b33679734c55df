"""Checks of studies: whether what they name is there, and claims will have their evidence.

Each yields what is wrong in one line, with where it stands and what would be right.
"""

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

import yaml

from physprobe.config import kinds
from physprobe.config.layout import STORES
from physprobe.config.problems import all_known, known, nearest
from physprobe.config.shipped import PACKAGE
from physprobe.embed import entries as embedded
from physprobe.embed import pixels
from physprobe.falsify._claim import Claim
from physprobe.falsify._studies import Entries, Study
from physprobe.fit import entries as fits
from physprobe.fit.designs import every_way
from physprobe.fit.section import SCHEMAS, MethodSpec
from physprobe.statistics import nulls


def problems(config: Entries) -> Iterator[str]:
    """What of these entries doesn't go together with the rest of the config."""
    for name, study in config.studies.items():
        where = f"studies.{name}"
        if name in config.systems and not study.design.SHARED:
            yield f"{where}: {name} is a system. Hint: name it otherwise."
        lacking = [*named(config, where, study)]
        yield from lacking
        if not lacking:
            yield from agreed(config, where, name, study)


def named(config: Entries, where: str, study: Study) -> Iterator[str]:
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
    asked = (*study.methods, *(m for methods in study.ordinary.values() for m in methods))
    roles = {config.methods[name].ROLE for name in asked if name in config.methods}
    for name in study.encoders:
        if name in STORES and roles - {"law"}:
            yield (
                f"{where}.encoders: {name} is no embedding; only laws are read off it, no"
                f" {' or '.join(sorted(roles - {'law'}))}. Hint: leave it out."
            )


def agreed(config: Entries, where: str, name: str, study: Study) -> Iterator[str]:
    """Whether all that a study names goes together, and gives what its claims are judged from."""
    networks = [encoder for encoder in study.encoders if encoder not in STORES]
    yield from embedded.twins(config, where, networks, study.controls)
    if study.design.kind == "places" and (found := config.ceilings(study)):
        yield f"{where}.controls: {found[0]} has no places. Hint: leave it out."
    lacking = [*study.design.problems(config, where, study)]
    yield from lacking
    if lacking:
        return
    for system in config.shown(name):
        names = [encoder for encoder in study.names if encoder not in STORES]
        yield from embedded.frames(config, where, system, names)
    places = _places(config, study, name)
    lacking = [
        line
        for place, methods in places.items()
        for method in methods
        for line in _method(config, where, study, place, method)
    ]
    yield from lacking
    for claim_name, claim in () if lacking else study.claims.items():
        yield from _claim(config, f"{where}.claims.{claim_name}", name, study, places, claim)
    roles = {config.methods[method].ROLE for method in study.methods}
    for form in study.layouts:
        asked = kinds.outline("layouts", form)
        if study.design.kind not in asked.DESIGNS:
            yield (
                f"{where}.layouts: {form} is of design {', '.join(asked.DESIGNS)}, not"
                f" {study.design.kind}. Hint: leave it out."
            )
        elif study.design.SHARED and len(study.filmed) > 1:
            yield f"{where}.layouts: {form} is of one system. Hint: leave it out."
        for kind in sorted({*asked.CLAIMS} - {claim.kind for claim in study.claims.values()}):
            yield (
                f"{where}.layouts: {form} is filled from a claim of kind {kind}. Hint: make one in"
                f" {where}.claims."
            )
        for role in sorted({*asked.NEEDS} - roles):
            yield f"{where}.layouts: {form} needs a {role}. Hint: name one in {where}.methods."
    for figure, claims in study.figures.items():
        sorts = dict.fromkeys(study.claims[claim].kind for claim in claims)
        if len(sorts) > 1:
            yield f"{where}.figures.{figure}: claims of kinds {', '.join(sorts)}. Hint: take one."
        elif not kinds.outline("falsify", *sorts).FIGURES:
            yield (
                f"{where}.figures.{figure}: no figure shows claims of kind {', '.join(sorts)}."
                " Hint: leave it out."
            )


def _places(config: Entries, study: Study, name: str) -> dict[str, list[str]]:
    """Methods that are asked for, by place."""
    found: dict[str, list[str]] = {}
    for place, method in config.asked(study, name):
        found.setdefault(place, []).append(method)
    return found


def _method(config: Entries, where: str, study: Study, place: str, method: str) -> Iterator[str]:
    """Whether a method can be fitted at a place."""
    spec = config.methods[method]
    systems = (place,) if place in config.systems else study.filmed
    others = [name for name in study.names if name not in config.ceilings(study)]
    yield from fits.films(config, f"{where}.methods", place, method)
    if spec.FORESEES and place in config.systems:
        able = config.able(method, study)
        if not able:
            yield (
                f"{where}.methods: {method} runs an encoder's own predictor, and none of"
                f" {', '.join(study.encoders)} has one. Hint: add a V-JEPA 2 with its predictor."
            )
        yield from fits.foreseen(config, f"{where}.methods", place, method, able)
    for system in systems:
        if spec.ROLE in ("probe", "state", "rollout", "surprise") and not _of_all(study, place):
            yield from fits.labels(config, f"{where}.methods", system, method)
        if spec.ROLE == "law":
            for name in others:
                yield from fits.law(config, f"{where}.methods", method, system, name)
        if spec.ROLE != "dynamics":
            continue
        for name in others:
            times = embedded.times(config, system, name)
            if times and times < spec.SHORTEST:
                yield (
                    f"{where}.methods: {system} gives {name} {times} times; {method} needs"
                    f" {spec.SHORTEST} at least. Hint: simulate more frames."
                )
                break
    first = study.encoders[0]
    if spec.ROLE == "head" and first not in config.able(method, study):
        yield (
            f"{where}.methods: {method} needs the spatial tokens of layer {spec.layer!r} of the"
            f" first encoder. Hint: set encoders.{first}.tokens: [{spec.layer!r}]."
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
    needs, study_at = claim.needs(), where.partition(".claims")[0]
    if needs.design and needs.design != study.design.kind:
        yield (
            f"{where}: {claim.kind} is judged under the design {needs.design}, not"
            f" {study.design.kind}. Hint: set {study_at}.design."
        )
        return
    if claim.system and (needs.design or needs.everywhere):
        yield f"{where}: {claim.kind} is of the whole study. Hint: leave system out."
        return
    named = {"system": claim.system, "against": needs.against}
    lacking = [
        line
        for field, place in named.items()
        if place
        for line in known(f"{where}.{field}", place, places)
    ]
    yield from lacking
    if lacking:
        return
    several = study.design.SHARED and len(study.filmed) > 1
    if several and not claim.system and not needs.everywhere:
        yield f"{where}: of which system? Hint: set system to one of {', '.join(study.filmed)}."
        return
    yield from _controlled(config, where, study, claim)
    own = claim.system or (study.filmed[0] if study.design.SHARED else name)
    asked = config.shown(name) if needs.everywhere else dict.fromkeys((own, needs.against or own))
    for place in asked:
        yield from _judged_at(config, where, study, place, places.get(place, ()), claim)


def _judged_at(
    config: Entries,
    where: str,
    study: Study,
    place: str,
    methods: Iterable[str],
    claim: Claim,
) -> Iterator[str]:
    """Whether one method is fitted at a place, and gives what a claim is judged from."""
    needs, study_at = claim.needs(), where.partition(".claims")[0]
    role = "probe" if needs.role == "pixels" else needs.role
    able = [method for method in methods if role == config.methods[method].ROLE]
    own = place not in config.systems
    if own and needs.ordinary:
        yield (
            f"{where}: {claim.kind} is judged from ordinary folds of one system. Hint: set system,"
            f" and {study_at}.ordinary: {{system: [method]}}."
        )
    elif not able:
        hint = f"{study_at}.methods" if own or study.design.SHARED else f"{study_at}.ordinary"
        yield (
            f"{where}: no {role} is fitted to {place}, which {claim.kind} needs."
            f" Hint: name one in {hint}."
        )
    elif claim.method and claim.method not in able:
        yield from known(f"{where}.method", claim.method, able)
    elif not claim.method and len(able) > 1 and needs.design != "every_way":
        yield f"{where}: by which method? Hint: set method to one of {', '.join(able)}."
    elif own and not needs.design and not _rows_of(study, config.methods[able[0]]):
        yield (
            f"{where}: {claim.kind} isn't judged under the design {study.design.kind}. Hint: move"
            " it to a study of another one."
        )
    else:
        if needs.role == "pixels":
            yield from _aligned(config, where, study, place)
        for method in [claim.method] if claim.method else able:
            yield from _judged_by(config, where, study, place, method, claim)


def _rows_of(study: Study, spec: MethodSpec) -> bool:
    """Whether a design's fits are scored as a method's always are."""
    return study.design.result_schema(spec) == SCHEMAS[spec.ROLE]


def _judged_by(
    config: Entries, where: str, study: Study, place: str, method: str, claim: Claim
) -> Iterator[str]:
    """Whether a method gives what a claim is judged from."""
    needs, spec = claim.needs(), config.methods[method]
    if needs.decoded:
        for field, value in zip(("target", "sample"), needs.decoded, strict=True):
            read = getattr(spec, f"{field}s")
            if value is not None and value not in read:
                yield (
                    f"{where}.{field}: found {value!r}, which {method} doesn't read."
                    f"{nearest(value, read)} Hint: it reads {', '.join(read)}; see"
                    f" methods.{method}."
                )
    planned = study.planned
    for target in needs.targets:
        if isinstance(planned, every_way.Spec):
            yield from known(f"{where}.targets", target, planned.targets)
        elif needs.decoded:
            yield from known(f"{where}.targets", target, spec.targets)
        for system in study.filmed:
            simulate = config.systems[system].simulate
            kind = simulate.kind
            labels = tuple(kinds.load("simulate", kind).label_units(simulate))
            yield from fits.decodable(f"{where}.targets: it", target, kind, labels)
    if needs.metric and spec.of_classes == (needs.metric == "r2"):
        what = "classes, which have no" if spec.of_classes else "numbers, not"
        field = ".metric" if "metric" in type(claim).model_fields else ""
        yield f"{where}{field}: {method} is of {what} {needs.metric}. Hint: take another."
    if needs.part and not spec.scored_apart:
        yield f"{where}.part: {method} scores nothing apart. Hint: set methods.{method}.by."
    draws = getattr(spec, claim.P_OF, None) if claim.P_OF else None
    if draws is not None and draws < nulls.FEWEST:
        yield nulls.too_few(where, f"methods.{method}.{claim.P_OF}", draws)
    able = config.able(method, study)
    for encoder in claim.encoders or study.encoders:
        if encoder not in able and spec.FORESEES:
            yield (
                f"{where}: {encoder} has no predictor of masked tokens. Hint: name as its encoders"
                f" those that do: {', '.join(n for n in able if n in study.encoders) or 'none'}."
            )
        elif encoder not in able:
            yield (
                f"{where}: {encoder} keeps no spatial tokens of layer {spec.layer!r}. Hint: name as"
                f" its encoders those that do, or set encoders.{encoder}.tokens: [{spec.layer!r}]."
            )
    if needs.published:
        yield from known(f"{where}.published", needs.published, published())
    if needs.horizon:
        systems = (place,) if place in config.systems else study.filmed
        yield from _forecast(config, where, study, claim, method, systems)


def _controlled(config: Entries, where: str, study: Study, claim: Claim) -> Iterator[str]:
    """Whether there are controls to beat."""
    needs, ceilings = claim.needs(), config.ceilings(study)
    for name in ceilings:
        if name in (*needs.named, *needs.rivals):
            yield f"{where}: {name} is a ceiling, and no rival. Hint: leave it out of the claim."
    for name in needs.named:
        yield from known(f"{where}.controls", name, study.controls)
    for name in needs.rivals:
        yield from known(f"{where}: it has to beat {name}", name, study.names)
    fitting = [
        name
        for name in study.controls
        if name not in ceilings
        and (not needs.of_kinds or config.controls[name].kind in needs.of_kinds)
    ]
    count = sum(len(config.controls[name].members) for name in fitting)
    if needs.controls and count < needs.fewest:
        what = f" of kind {' or '.join(needs.of_kinds)}" if needs.of_kinds else ""
        found = f"found {count} of {needs.fewest} controls" if fitting else "no control"
        yield (
            f"{where}: {found}{what} to beat. Hint: name some in"
            f" {where.rpartition('.claims')[0]}.controls."
        )


def _forecast(
    config: Entries, where: str, study: Study, claim: Claim, method: str, systems: Iterable[str]
) -> Iterator[str]:
    """Whether so many tokens are forecast, by encoders that don't see what they forecast."""
    needs = claim.needs()
    model: Any = config.methods[method]  # of dynamics
    if needs.order > 1 and needs.order not in model.orders:
        yield (
            f"{where}.order: {method} fits no order {needs.order}."
            f" Hint: add it to methods.{method}.orders."
        )
    for name in claim.encoders or study.encoders:
        if config.encoders[name].sees_future:
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


@cache
def published() -> tuple[str, ...]:
    """Curves that others have published."""
    text = (PACKAGE / "figures/published_layers.yaml").read_text(encoding="utf-8")
    return tuple(yaml.safe_load(text)["curves"])


def _aligned(config: Entries, where: str, study: Study, system: str) -> Iterator[str]:
    """Whether pixels have the times of the encoders that they are mapped to."""
    for control in study.controls:
        spec = config.controls[control]
        if not isinstance(spec, pixels.Spec) or spec.components:
            continue
        for encoder in study.encoders:
            times = embedded.times(config, system, encoder)
            if times and times != embedded.times(config, system, control):
                frames = config.systems[system].simulate.frames // times
                yield (
                    f"{where.partition('.claims')[0]}.controls: {control} has tokens of"
                    f" {spec.tubelet} frames, {encoder} of {frames}. Hint: name a control with"
                    f" tubelet: {frames}."
                )
