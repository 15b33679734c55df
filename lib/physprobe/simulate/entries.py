"""Simulate's sections of ``config.yaml``: systems, and which of them are solved more finely."""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from physprobe.config import kinds
from physprobe.config import problems as said
from physprobe.config.spec import Spec
from physprobe.config.system import Name, Simulate, System


class Resolution(Spec):
    """Which of a fluid's trajectories are solved again in more steps, and on finer grids."""

    trajectories: int = Field(3, gt=0)
    """Trajectories of the system, the first ones."""
    length: int = Field(31, gt=1)
    """Frames of each, the first ones."""
    finer: tuple[Annotated[int, Field(gt=1)], ...] = Field((2,), min_length=1)
    """How many times as many steps, and cells along y as along x; ascending. Twice the grid takes
    about eight times as long."""

    @model_validator(mode="after")
    def _ascend(self) -> Self:
        if not all(low < high for low, high in pairwise(self.finer)):
            raise ValueError(f"finer: {', '.join(map(str, self.finer))}; expected to ascend")
        return self


class Refined(Resolution):
    """The same with the system's own entry."""

    simulate: Simulate
    """Of the system."""


class Entries(Spec):
    """What the config says to simulate and render."""

    systems: dict[Name, System]
    """Physical worlds: results/{system}/."""
    resolutions: dict[Name, Resolution] = Field(default_factory=dict)
    """Fluids, by the name of their system, whose trajectories are solved again more finely:
    results/{system}/resolution.json."""

    @classmethod
    def strict(cls, content: Mapping) -> Self:
        """The config; a renderer that is left out is that of the system's own name."""
        return super().strict(_rendered(content))


def problems(config: Entries) -> Iterator[str]:
    """Files that can't be used, renderers that don't draw their systems, what can't be refined."""
    for name in config.resolutions.keys() - config.systems.keys():
        near = said.nearest(name, config.systems)
        yield f"resolutions.{name}: there is no such system.{near}"
    for name, system in config.systems.items():
        found = kinds.load("simulate", system.simulate.kind)
        for line in found.problems(system.simulate):
            yield f"systems.{name}.simulate: {line}"
        if name in config.resolutions:
            yield from _misfits(f"resolutions.{name}", config.resolutions[name], system, found)
        renderer = kinds.load("render", system.render.kind)
        if draws(renderer, found):
            continue
        able = [kind for kind in kinds.names("render") if draws(kinds.load("render", kind), found)]
        yield (
            f"systems.{name}.render: {system.render.kind} draws"
            f" {', '.join(renderer.DRAWS) or 'fields on a grid'}, and {system.simulate.kind} has"
            f" {found.FIELD}. Hint: take {' or '.join(able)}."
        )


def _misfits(where: str, entry: Resolution, system: System, kind: Any) -> Iterator[str]:
    """Systems that can't be solved more finely, or have fewer frames or trajectories."""
    if not kind.REFINES:
        able = [name for name in kinds.names("simulate") if kinds.load("simulate", name).REFINES]
        yield f"{where}: {system.simulate.kind} can't be solved more finely; {', '.join(able)} can"
        return
    for field in ("trajectories", "length"):
        asked, there = getattr(entry, field), getattr(system.simulate, field)
        if asked > there:
            yield f"{where}.{field}: {asked} of the {there} that the system has"


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
