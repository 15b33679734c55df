"""Simulate's section of ``config.yaml``: systems."""

from collections.abc import Iterator, Mapping
from typing import Any, Self

from physprobe.config import kinds
from physprobe.config.spec import Spec
from physprobe.config.system import Name, System


class Entries(Spec):
    """What the config says to simulate and render."""

    systems: dict[Name, System]
    """Physical worlds: results/{system}/."""

    @classmethod
    def strict(cls, content: Mapping) -> Self:
        """The config; a renderer that is left out is that of the system's own name."""
        return super().strict(_rendered(content))


def problems(config: Entries) -> Iterator[str]:
    """Files that can't be used, and renderers that don't draw what their systems have."""
    for name, system in config.systems.items():
        found = kinds.load("simulate", system.simulate.kind)
        for line in found.problems(system.simulate):
            yield f"systems.{name}.simulate: {line}"
        renderer = kinds.load("render", system.render.kind)
        if draws(renderer, found):
            continue
        able = [kind for kind in kinds.names("render") if draws(kinds.load("render", kind), found)]
        yield (
            f"systems.{name}.render: {system.render.kind} draws"
            f" {', '.join(renderer.DRAWS) or 'fields on a grid'}, and {system.simulate.kind} has"
            f" {found.FIELD}. Hint: take {' or '.join(able)}."
        )


def _rendered(content: Mapping) -> dict:
    """Content of a config whose renderers have all that they share with their simulations.

    Fields of one name are the same in both, such as a folder. Where the renderer is left out it is
    that of the simulation's kind, if there is one.
    """
    systems = content.get("systems")
    if not isinstance(systems, Mapping):
        return dict(content)
    return {**content, "systems": {name: _shared(entry) for name, entry in systems.items()}}


def _shared(entry: Any) -> Any:
    simulate = entry.get("simulate") if isinstance(entry, Mapping) else None
    if not isinstance(simulate, Mapping):
        return entry
    kind, render = simulate.get("kind"), entry.get("render", {})
    if not isinstance(render, Mapping) or render.get("kind", kind) != kind:
        return entry
    if kind not in kinds.names("render"):
        return entry
    fields = kinds.load("render", kind).Spec.model_fields
    shared = {name: simulate[name] for name in simulate if name in fields and name != "kind"}
    return {**entry, "render": {"kind": kind, **shared, **render}}


def draws(renderer: Any, system: Any) -> bool:
    """Whether a renderer draws what a system has."""
    return system.FIELD in renderer.DRAWS or (not renderer.DRAWS and system.GRID)
