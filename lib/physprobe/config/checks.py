"""Checks: whether what the entries of a config name is there, and goes together.

What passes here runs to its end: whatever can be known before anything is run is found here, and
every problem is told, each in a line that starts with its path.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from physprobe.config import kinds, layout
from physprobe.config.problems import nearest
from physprobe.config.sections import (
    Comparison,
    Curve,
    Gate,
    Layerwise,
    Local,
    Multiverse,
    Study,
    Transfer,
)
from physprobe.config.spec import Spec
from physprobe.falsify._claim import Claim, Needs
from physprobe.statistics import nulls, targets

if TYPE_CHECKING:
    from physprobe.config.model import Config

Lines = Iterator[str]


def problems(config: "Config") -> Lines:
    """Everything in a config that can't be as it stands."""
    yield from _names(config)
    sections = {
        "studies": _study,
        "comparisons": _comparison,
        "transfers": _transfer,
        "layerwise": _layerwise,
        "multiverses": _multiverse,
        "local": _local,
        "gates": _gate,
    }
    yield from _discovery(config)
    for section, check in sections.items():
        for name, entry in getattr(config, section).items():
            yield from check(config, f"{section}.{name}", name, entry)


def _names(config: "Config") -> Lines:
    """Names that mean something else."""
    for section, names in layout.names_of(config).items():
        for where, name in names:
            if meant := layout.RESERVED[section].get(name):
                yield f"{where}: {name} is {meant}. Hint: name it otherwise."
    for name in sorted(set(config.encoders) & set(config.controls)):
        yield f"controls.{name}: {name}: an encoder and a control need different names."
    taken = dict.fromkeys(config.systems, "a system")
    for section in ("comparisons", "transfers", "multiverses", "local"):
        for name in getattr(config, section):
            if name in taken:
                yield f"{section}.{name}: {name} is {taken[name]}. Hint: name it otherwise."
            taken[name] = f"an entry of {section}"
    for name in config.studies:
        if name not in config.systems and name in taken:
            yield f"studies.{name}: {name} is {taken[name]}. Hint: name it otherwise."


def _study(config: "Config", where: str, name: str, study: Study) -> Lines:
    lacking = [
        *_evidence(config, where, study, {study.system: study.probe}),
        *(_method(config, f"{where}.head", study.head, "head") if study.head else ()),
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


def _with_head(config: "Config", where: str, study: Study, claim: Claim) -> Lines:
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


def _comparison(config: "Config", where: str, name: str, asked: Comparison) -> Lines:
    lacking = [
        *_evidence(config, where, asked, asked.parameters),
        *(
            line
            for system in asked.systems
            for line in _known(f"{where}.systems", system, config.systems)
        ),
    ]
    yield from lacking
    if lacking:
        return
    for system in asked.systems:
        yield from _frames(config, where, system, (*asked.encoders, *asked.controls))
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
            found = [*_known(f"{here}.system", claim.system, asked.parameters)]
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
                for line in _known(f"{here}.{key}", system, asked.systems)
            ]
            yield from found
            if found:
                continue
            systems = [system for system in named.values() if system] or systems
        yield from _claim(config, here, asked, claim, probe, systems)


def _claim(
    config: "Config",
    where: str,
    asked: Study | Comparison,
    claim: Claim,
    probe: str,
    systems: Iterable[str],
) -> Lines:
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
        yield from _known(f"{where}.controls", name, asked.controls)
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
    config: "Config", where: str, asked: Study | Comparison, claim: Claim, probe: str
) -> Lines:
    """Whether the draws of the null that a claim's p comes from can bring it below the level."""
    if claim.P_OF is None:
        return
    part, field = claim.P_OF
    name = probe if part == "probe" else getattr(asked, part, None)
    draws = getattr(config.methods.get(name), field, None)
    if draws is not None and draws < nulls.FEWEST:
        yield _too_few(where, f"methods.{name}.{field}", draws)


def _forecast(
    config: "Config",
    where: str,
    asked: Study | Comparison,
    claim: Claim,
    needs: Needs,
    systems: Iterable[str],
) -> Lines:
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
            times = _times(config, system, name)
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
    config: "Config", where: str, asked: Study | Comparison, systems: Mapping[str, str]
) -> Lines:
    """Everything that a study or a comparison names is there, and goes together."""
    yield from _embeddings(config, where, asked, systems)
    yield from _method(config, f"{where}.koopman", asked.koopman, "dynamics")
    for name, claim in asked.claims.items():
        for entry in claim.encoders:
            yield from _known(f"{where}.claims.{name}.encoders", entry, asked.encoders)


def _dynamics(
    config: "Config", where: str, asked: Study | Comparison, systems: Iterable[str]
) -> Lines:
    """Whether clips are long enough for the model of their dynamics."""
    model = config.methods[asked.koopman]
    for system in systems:
        for name in (*asked.encoders, *asked.controls):
            times = _times(config, system, name)
            if times and times < model.SHORTEST:
                yield (
                    f"{where}.koopman: {system} gives {name} {times} times; {asked.koopman} needs"
                    f" {model.SHORTEST} at least. Hint: simulate more frames."
                )
                break


def _aligned(config: "Config", where: str, study: Study) -> Lines:
    """Whether pixels have the times of the encoders that they are mapped to."""
    for control in study.controls:
        spec = config.controls[control]
        if spec.kind != "pixels" or spec.components:
            continue
        for encoder in study.encoders:
            times = _times(config, study.system, encoder)
            if times and times != _times(config, study.system, control):
                frames = config.systems[study.system].simulate.frames // times
                yield (
                    f"{where}.controls: {control} has tokens of {spec.tubelet} frames, {encoder} of"
                    f" {frames}. Hint: name a control with tubelet: {frames}."
                )


def _embeddings(
    config: "Config",
    where: str,
    asked: Study | Comparison | Transfer,
    systems: Mapping[str, str],
) -> Lines:
    """Encoders, controls and probes are there, and can do what is asked of each system."""
    lacking = [
        *_method(config, f"{where}.probe", asked.probe, "probe"),
        *_all_known(f"{where}.encoders", asked.encoders, config.encoders),
        *_all_known(f"{where}.controls", asked.controls, config.controls),
    ]
    for system, probe in systems.items():
        lacking += _known(f"{where}.system", system, config.systems)
        lacking += _method(config, f"{where}.probe", probe, "probe")
    yield from dict.fromkeys(lacking)
    if lacking:
        return
    for system, probe in systems.items():
        yield from _labels(config, f"{where}.probe", system, probe)
        yield from _frames(config, where, system, (*asked.encoders, *asked.controls))


def _transfer(config: "Config", where: str, name: str, transfer: Transfer) -> Lines:
    if not transfer.onto and not transfer.region:
        yield (
            f"{where}: nothing to transfer to. Hint: name a system as onto, or a region of"
            " labels to hold out, or both."
        )
    lacking = [*_embeddings(config, where, transfer, {transfer.system: transfer.probe})]
    if transfer.onto:
        lacking += _known(f"{where}.onto", transfer.onto, config.systems)
    yield from lacking
    if lacking:
        return
    kind = config.methods[transfer.probe].kind
    if kind != "ridge":
        yield f"{where}.probe: {transfer.probe} is of kind {kind}, not ridge."
    own = config.systems[transfer.system]
    labels = kinds.load("simulate", own.simulate.kind).UNITS
    yield from _all_known(f"{where}.region", transfer.region, labels)
    if not transfer.onto:
        return
    other = config.systems[transfer.onto]
    if other.simulate != own.simulate:
        fields = _differing(own.simulate, other.simulate)
        yield (
            f"{where}.onto: {transfer.onto} and {transfer.system} simulate different clips"
            f" ({', '.join(fields)}). Hint: give both the same simulate entry."
        )
    if other.render == own.render:
        yield (
            f"{where}.onto: {transfer.onto} and {transfer.system} are rendered alike."
            f" Hint: set another systems.{transfer.onto}.render."
        )


def _discovery(config: "Config") -> Lines:
    yield from _all_known("discovery.systems", config.discovery.systems, config.systems)
    yield from _all_known("discovery.sources", config.discovery.sources, config.with_grid())


def _layerwise(config: "Config", where: str, name: str, entry: Layerwise) -> Lines:
    yield from _all_known(f"{where}.encoders", entry.encoders, config.encoders)
    yield from _all_known(f"{where}.controls", entry.controls, config.controls)
    for figure, panels in entry.figures.items():
        for panel, curve in panels.items():
            yield from _curve(config, f"{where}.figures.{figure}.{panel}", entry, curve)


def _curve(config: "Config", where: str, entry: Layerwise, curve: Curve) -> Lines:
    lacking = [
        *_known(f"{where}.system", curve.system, config.systems),
        *_method(config, f"{where}.probe", curve.probe, "probe"),
        *_all_known(f"{where}.encoders", curve.encoders, config.encoders),
    ]
    yield from lacking
    if lacking:
        return
    probe = config.methods[curve.probe]
    if probe.of_classes == (curve.metric == "r2"):
        what = "classes, which have no" if probe.of_classes else "numbers, not"
        yield f"{where}.metric: {curve.probe} is of {what} {curve.metric}."
    if curve.part and not probe.scored_apart:
        yield (
            f"{where}.part: {curve.probe} scores nothing apart. Hint: set methods.{curve.probe}.by."
        )
    for field in ("target", "sample"):
        yield from _known(f"{where}.{field}", getattr(curve, field), getattr(probe, f"{field}s"))
    yield from _labels(config, f"{where}.probe", curve.system, curve.probe)
    known = {**config.encoders, **config.controls}
    names = [name for name in entry.names(curve) if name in known]
    yield from _frames(config, where, curve.system, names)


def _multiverse(config: "Config", where: str, name: str, entry: Multiverse) -> Lines:
    lacking = [
        *_known(f"{where}.system", entry.system, config.systems),
        *_all_known(f"{where}.encoders", entry.encoders, config.encoders),
        *_all_known(f"{where}.controls", entry.controls, config.controls),
    ]
    for method in entry.methods:
        unknown = [*_method(config, f"{where}.methods", method, "probe")]
        lacking += unknown or _normalised(config, where, method, entry)
    yield from lacking
    if lacking:
        return
    yield from _frames(config, where, entry.system, (*entry.encoders, *entry.controls))
    for method in entry.methods:
        draws = config.methods[method].permutations
        if 0 < draws < nulls.FEWEST:
            yield _too_few(f"{where}.claims", f"methods.{method}.permutations", draws)
    kind = config.systems[entry.system].simulate.kind
    labels = tuple(kinds.load("simulate", kind).UNITS)
    for claim_name, claim in entry.claims.items():
        here = f"{where}.claims.{claim_name}"
        if claim.beyond == "controls" and not entry.controls:
            yield f"{here}: no control to beat. Hint: name some in {where}.controls."
        for target in claim.targets:
            yield from _decodable(f"{here}.targets: it", target, kind, labels)


def _normalised(config: "Config", where: str, method: str, entry: Multiverse) -> Lines:
    """Whether a method can normalise features in every way that is asked for."""
    for way in entry.normalisations:
        try:
            config.methods[method].normalised(way)
        except ValueError as error:
            yield f"{where}.methods: {method}: {error}. Hint: ridge and trained_sweep can."
            return


def _local(config: "Config", where: str, name: str, entry: Local) -> Lines:
    system = entry.system
    lacking = [
        *_known(f"{where}.system", system, config.systems),
        *_method(config, f"{where}.method", entry.method, "probe"),
        *_all_known(f"{where}.encoders", entry.encoders, {**config.encoders, **config.controls}),
    ]
    yield from lacking
    if lacking:
        return
    kind = config.systems[system].simulate.kind
    module = kinds.load("simulate", kind)
    if module.FIELD != "scene":
        yield f"{where}: {kind} has no ball. Hint: take a system of balls."
        return
    method = config.methods[entry.method]
    if method.kind != "ridge":
        yield f"{where}.method: {entry.method} is of kind {method.kind}, not ridge."
        return
    for target in method.targets:
        yield from _decodable(f"{where}.method: it", target, kind, tuple(module.UNITS))
    for name in entry.encoders:
        spec = config.embedding(name)
        if entry.layer not in getattr(spec, "tokens", ()):
            yield (
                f"{where}.encoders: {name} keeps no spatial tokens of layer {entry.layer!r}."
                f" Hint: set tokens: [{entry.layer}] there."
            )
        elif spec.preprocess != "resize":
            yield (
                f"{where}.encoders: {name} cuts the image's edges off, so its patches are none"
                " of the whole image. Hint: set preprocess: resize there."
            )
    yield from _frames(config, where, system, entry.encoders)


def _gate(config: "Config", where: str, name: str, gate: Gate) -> Lines:
    lacking = [
        *_known(f"{where}.encoder", gate.encoder, config.encoders),
        *_all_known(f"{where}.random", gate.random, config.controls),
        *_all_known(f"{where}.probes", gate.probes, config.systems),
    ]
    for system, probe in gate.probes.items():
        lacking += _method(config, f"{where}.probes.{system}", probe, "probe")
    yield from lacking
    if lacking:
        return
    for system, probe in gate.probes.items():
        yield from _labels(config, f"{where}.probes.{system}", system, probe)
        yield from _frames(config, where, system, (gate.encoder, *gate.random))


def _labels(config: "Config", where: str, system: str, probe: str) -> Lines:
    """Whether a system has what a probe decodes."""
    kind = config.systems[system].simulate.kind
    module = kinds.load("simulate", kind)
    labels = (*module.UNITS, *module.CLASSES)
    for target in config.methods[probe].targets:
        yield from _decodable(f"{where}: {probe}", target, kind, labels)
    if by := config.methods[probe].scored_apart:
        for line in _known("by", by, labels):
            yield f"methods.{probe}.by: on {system}, {line.removeprefix('by: ')}"


def _frames(config: "Config", where: str, system: str, names: Iterable[str]) -> Lines:
    """Whether clips can be cut into encoders' tubelets, and hold what controls read."""
    simulate = config.systems[system].simulate
    scene = kinds.load("simulate", simulate.kind).FIELD == "scene"
    uncut: dict[int, list[str]] = {}
    for name in dict.fromkeys(names):
        spec = config.embedding(name)
        if (tubelet := _tubelet(spec)) and simulate.frames % tubelet:
            uncut.setdefault(tubelet, []).append(name)
        if getattr(spec, "SEES_SIMULATION", False) and not scene:
            yield f"{where}: {name} reads where a ball is; {system} has none. Hint: leave it out."
    for tubelet, found in uncut.items():
        yield (
            f"{where}: {system} has {simulate.frames} frames, which {', '.join(found)} can't cut"
            f" into tubelets of {tubelet}. Hint: set systems.{system}.simulate.frames to a"
            f" multiple of {tubelet}."
        )


def _tubelet(spec: Spec) -> int | None:
    return kinds.load("embed", spec.kind).tubelet(spec)


def _times(config: "Config", system: str, name: str) -> int | None:
    """Token times of a system's clips, if they can be known."""
    tubelet = _tubelet(config.embedding(name))
    return config.systems[system].simulate.frames // tubelet if tubelet else None


def _known(where: str, name: str, section: Collection[str]) -> Lines:
    if name not in section:
        known = ", ".join(section) or "none"
        yield f"{where}: found {name!r}.{nearest(name, section)} Known: {known}."


def _method(config: "Config", where: str, name: str, role: str) -> Lines:
    """Whether there is such a method, and it does what it is named for."""
    unknown = [*_known(where, name, config.methods)]
    yield from unknown
    if not unknown and (found := config.methods[name].ROLE) != role:
        able = [other for other, spec in config.methods.items() if role == spec.ROLE]
        yield (
            f"{where}: {name} is a {found}, expected a {role}."
            f" Hint: take one of {', '.join(able) or 'methods, once there is one'}."
        )


def _all_known(where: str, names: Iterable[str], section: Collection[str]) -> Lines:
    for name in names:
        yield from _known(where, name, section)


def _too_few(where: str, field: str, found: int) -> str:
    return (
        f"{where}: needs p below {nulls.LEVEL}, which {field}: {found} can't bring."
        f" Hint: set it to {nulls.FEWEST} or more."
    )


def _decodable(who: str, target: str, kind: str, labels: Collection[str]) -> Lines:
    if not targets.labels_of(target, labels):
        yield (
            f"{who} asks for target {target!r}, but {kind} has"
            f" the labels {', '.join(labels)}.{nearest(target, labels)}"
        )


def _differing(one: Spec, other: Spec) -> list[str]:
    """Fields of two specs that are not the same."""
    first, second = one.dump(), other.dump()
    if first["kind"] != second["kind"]:
        return ["kind"]
    return [field for field in first if first[field] != second[field]]
