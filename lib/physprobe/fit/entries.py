"""Fit's section of ``config.yaml``: methods; and checks of the entries that name them."""

from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING

from physprobe.config import kinds
from physprobe.config.kinds import any_spec
from physprobe.config.layout import STORES
from physprobe.config.problems import known, nearest
from physprobe.config.system import Name
from physprobe.embed import entries as embedded
from physprobe.fit.section import METHODS, Design, MethodSpec
from physprobe.statistics import targets

if TYPE_CHECKING:
    AnyMethod = MethodSpec
else:
    AnyMethod = any_spec(METHODS)


class Entries(embedded.Entries):
    """What the config says to fit, and to which embeddings."""

    methods: dict[Name, AnyMethod]
    """What is fitted to embeddings: probes of labels, models of the dynamics, laws."""

    def designs(self) -> dict[str, tuple[Design, tuple[str, ...]]]:
        """Design of every place that has fits, and the systems of these, as studies ask."""
        raise NotImplementedError

    def with_grid(self, layer: str) -> list[str]:
        """What a law can be read off: field, video, and what keeps the spatial grid of a layer."""
        grids = (name for name, spec in self.embeddings.items() if embedded.grid(spec, layer))
        return [*STORES, *grids]

    def check_fit(self, place: str, source: str, method: str) -> None:
        """Refuse a fit that can't be made.

        Raises
        ------
        ValueError
            If the method is no law and the source no embedding, or if it is one and the design
            mixes or cuts clips, or the source or what it shows has no grid.
        """
        if found := " ".join(_unfit(self, place, source, method)):
            raise ValueError(found)


def problems(config: Entries) -> Iterator[str]:
    """What of these entries doesn't go together with the rest of the config."""
    yield from ()


def _unfit(config: Entries, place: str, source: str, method: str) -> Iterator[str]:
    """Why a method can't be fitted to a source under a place's design, if so."""
    where, role = f"results/{place}/fits/{source}.{method}.json", config.methods[method].ROLE
    design, systems = config.designs()[place]
    yield from films(config, where, place, method)
    if config.methods[method].FORESEES and source not in STORES:
        yield from foreseen(config, where, place, method, [source])
    if role != "law":
        if source in STORES:
            yield (
                f"{where}: {method} is a {role}, and nothing but a law is read off the {source}"
                " itself. Hint: name an encoder or a control."
            )
    elif not design.WHOLE:
        yield (
            f"{where}: a law is read off the clips of one system, not {design.kind}."
            f" Hint: results/{systems[0]}/fits/{source}.{method}.json"
        )
    else:
        for system in systems:
            yield from law(config, where, method, system, source)


def law(config: Entries, where: str, method: str, system: str, source: str) -> Iterator[str]:
    """Whether a law can be read off a source of a system: its grid, and the length of its clips."""
    spec, simulate = config.methods[method], config.systems[system].simulate
    if not kinds.load("simulate", simulate.kind).GRID:
        yield f"{where}: {system} has no field on a grid. Hint: leave it out."
    if source not in config.with_grid(spec.layer):
        section = "encoders" if source in config.encoders else "controls"
        able = "tokens" in type(config.embedding(source)).model_fields
        tokens = f"set {section}.{source}.tokens: [{spec.layer}], or " if able else ""
        yield (
            f"{where}: {source} keeps no spatial tokens of layer {spec.layer!r}."
            f" Hint: {tokens}take one of {', '.join(config.with_grid(spec.layer))}."
        )
    several = 0 if source in STORES else len(getattr(config.embedding(source), "members", ()))
    if several > 1:
        yield (
            f"{where}: {source} has {several} members, and verdicts on laws have no mean."
            " Hint: take one with seeds: [1]."
        )
    times = simulate.frames if source in STORES else embedded.times(config, system, source)
    if times and times < spec.SHORTEST:
        yield (
            f"{where}: {system} gives {source} {times} times, expected {spec.SHORTEST} at least."
            " Hint: simulate more frames."
        )


def labels(config: Entries, where: str, system: str, probe: str) -> Iterator[str]:
    """Whether a system has what a probe decodes."""
    simulate = config.systems[system].simulate
    kind, module = simulate.kind, kinds.load("simulate", simulate.kind)
    has = (*module.label_units(simulate), *module.label_classes(simulate))
    if config.methods[probe].ROLE in ("state", "rollout"):
        has = (*module.state_units(simulate), *has)
    for target in config.methods[probe].targets:
        yield from decodable(f"{where}: {probe}", target, kind, has)
    if by := config.methods[probe].scored_apart:
        for line in known("by", by, has):
            yield f"methods.{probe}.by: on {system}, {line.removeprefix('by: ')}"


def films(config: Entries, where: str, place: str, method: str) -> Iterator[str]:
    """Whether there are the films that a method takes."""
    if not config.methods[method].FILMED:
        return
    if other := config.methods[method].also:
        yield from known(f"methods.{method}.abroad", other, config.systems)
        if other in config.systems:
            form = kinds.load("render", config.systems[other].render.kind).SEEN
            if form != "video":
                yield f"methods.{method}.abroad: {other} is a {form}. Hint: name a filmed system."
    if clean := config.methods[method].films:
        yield from known(f"methods.{method}.clean", clean, config.systems)
        if clean in config.systems and place in config.systems:
            own, drawn = config.systems[place], config.systems[clean]
            if own.simulate != drawn.simulate:
                yield f"methods.{method}.clean: {clean} has other clips than {place}."
            if kinds.load("render", drawn.render.kind).SEEN != "video":
                yield f"methods.{method}.clean: {clean} isn't filmed."
    if place not in config.systems:
        yield (
            f"{where}: {method} draws the clips of one system, under the design plain."
            " Hint: name it in the methods of a study of that design."
        )
    else:
        form = kinds.load("render", config.systems[place].render.kind).SEEN
        if form != "video":
            yield f"{where}: {method} draws frames, and {place} is a {form}. Hint: leave it out."


def foreseen(
    config: Entries, where: str, place: str, method: str, names: Iterable[str]
) -> Iterator[str]:
    """Whether encoders may have a predictor of masked tokens, and films any of its lengths."""
    spec, frames = config.methods[method], config.systems[place].simulate.frames
    for name in names:
        if not spec.takes(config.embedding(name)):
            yield (
                f"{where}: {name} has no predictor of masked tokens, which {method} runs. Hint:"
                " take a V-JEPA 2 with its predictor, shown whole clips in order, or random"
                " weights like it."
            )
        elif not any(spec.choices(frames, embedded.tubelet(config, name) or 1)):
            yield (
                f"{where}: {method} finds no length for {name} among films of {frames} frames."
                f" Hint: set methods.{method}.windows and contexts to multiples of its tubelet."
            )


def decodable(who: str, target: str, kind: str, has: Collection[str]) -> Iterator[str]:
    """Whether a target can be made of a system's labels."""
    if not targets.labels_of(target, has):
        yield (
            f"{who} asks for target {target!r}, but {kind} has"
            f" the labels {', '.join(has)}.{nearest(target, has)}"
        )
