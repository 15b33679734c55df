"""Simulate's section of ``config.yaml``: systems."""

from collections.abc import Iterator
from typing import Any

from physprobe.config import kinds
from physprobe.config.spec import Spec
from physprobe.config.system import Name, System


class Entries(Spec):
    """What the config says to simulate and render."""

    systems: dict[Name, System]
    """Physical worlds: results/{system}/."""


def problems(config: Entries) -> Iterator[str]:
    """Renderers that don't draw what their systems have."""
    for name, system in config.systems.items():
        found = kinds.load("simulate", system.simulate.kind)
        renderer = kinds.load("render", system.render.kind)
        if draws(renderer, found):
            continue
        able = [kind for kind in kinds.names("render") if draws(kinds.load("render", kind), found)]
        yield (
            f"systems.{name}.render: {system.render.kind} draws"
            f" {', '.join(renderer.DRAWS) or 'fields on a grid'}, and {system.simulate.kind} has"
            f" {found.FIELD}. Hint: take {' or '.join(able)}."
        )


def draws(renderer: Any, system: Any) -> bool:
    """Whether a renderer draws what a system has."""
    return system.FIELD in renderer.DRAWS or (not renderer.DRAWS and system.GRID)
