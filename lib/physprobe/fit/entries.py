"""Fit's section of ``config.yaml``: methods; and checks of the entries that name them."""

from collections.abc import Collection, Iterator

from physprobe.config import kinds
from physprobe.config.kinds import any_spec
from physprobe.config.problems import known, nearest
from physprobe.config.system import Name
from physprobe.embed import entries as embedded
from physprobe.fit.section import METHODS
from physprobe.statistics import targets


class Entries(embedded.Entries):
    """What the config says to fit, and to which embeddings."""

    methods: dict[Name, any_spec(METHODS)]
    """What is fitted to embeddings: probes of labels, models of the dynamics."""


def problems(config: Entries) -> Iterator[str]:
    """What of these entries doesn't go together with the rest of the config."""
    yield from ()


def method(config: Entries, where: str, name: str, role: str) -> Iterator[str]:
    """Whether there is such a method, and it does what it is named for."""
    unknown = [*known(where, name, config.methods)]
    yield from unknown
    if not unknown and (found := config.methods[name].ROLE) != role:
        able = [other for other, spec in config.methods.items() if role == spec.ROLE]
        yield (
            f"{where}: {name} is a {found}, expected a {role}."
            f" Hint: take one of {', '.join(able) or 'methods, once there is one'}."
        )


def labels(config: Entries, where: str, system: str, probe: str) -> Iterator[str]:
    """Whether a system has what a probe decodes."""
    kind = config.systems[system].simulate.kind
    module = kinds.load("simulate", kind)
    has = (*module.UNITS, *module.CLASSES)
    for target in config.methods[probe].targets:
        yield from decodable(f"{where}: {probe}", target, kind, has)
    if by := config.methods[probe].scored_apart:
        for line in known("by", by, has):
            yield f"methods.{probe}.by: on {system}, {line.removeprefix('by: ')}"


def decodable(who: str, target: str, kind: str, has: Collection[str]) -> Iterator[str]:
    """Whether a target can be made of a system's labels."""
    if not targets.labels_of(target, has):
        yield (
            f"{who} asks for target {target!r}, but {kind} has"
            f" the labels {', '.join(has)}.{nearest(target, has)}"
        )
