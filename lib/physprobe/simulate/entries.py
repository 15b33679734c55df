"""Simulate's section of ``config.yaml``: systems."""

from collections.abc import Iterator

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
        drawn = kinds.load("render", system.render.kind).DRAWS
        if found.FIELD in drawn or (not drawn and found.GRID):
            continue
        able = [
            kind
            for kind in kinds.names("render")
            for known in (kinds.load("render", kind).DRAWS,)
            if found.FIELD in known or (not known and found.GRID)
        ]
        yield (
            f"systems.{name}.render: {system.render.kind} draws"
            f" {', '.join(drawn) or 'fields on a grid'}, and {system.simulate.kind} has"
            f" {found.FIELD}. Hint: take {' or '.join(able)}."
        )
