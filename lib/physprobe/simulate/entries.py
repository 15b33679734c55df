"""Simulate's section of ``config.yaml``: systems."""

from physprobe.config.spec import Spec
from physprobe.config.system import Name, System


class Entries(Spec):
    """What the config says to simulate and render."""

    systems: dict[Name, System]
    """Physical worlds: results/{system}/."""


def problems(config: Entries) -> tuple[str, ...]:
    """Nothing: a system stands alone."""
    return ()
