"""Survey's section of ``config.yaml``."""

from collections.abc import Iterator

from pydantic import Field

from physprobe.config.layout import STORES
from physprobe.config.problems import all_known
from physprobe.config.spec import Spec
from physprobe.config.system import Name
from physprobe.fit import entries as fits


class Discovery(Spec):
    """For which systems and sources verdicts on laws are counted."""

    method: Name | None = None
    """Entry of ``methods`` that reads laws off clips."""
    systems: tuple[Name, ...] = ()
    """Systems that results/discovery/metrics.json is about."""
    sources: tuple[Name, ...] = ("field", "video")
    """What laws are read off there: field, video, encoders and controls with a spatial grid."""


class Entries(fits.Entries):
    """What the config says to count."""

    discovery: Discovery = Field(default_factory=Discovery)
    """Laws from clips alone, put together: results/discovery/."""


def problems(config: Entries) -> Iterator[str]:
    """What of these entries doesn't go together with the rest of the config."""
    asked, where = config.discovery, "discovery"
    unknown = [
        *all_known(f"{where}.systems", asked.systems, config.systems),
        *all_known(f"{where}.sources", asked.sources, (*STORES, *config.embeddings)),
    ]
    if asked.method:
        unknown += fits.method(config, f"{where}.method", asked.method, "law")
    elif asked.systems:
        unknown.append(f"{where}.method: missing. Hint: name a law of methods: {{kind: linear}}.")
    yield from unknown
    if unknown:
        return
    for system in asked.systems:
        for source in asked.sources:
            yield from fits.law(config, f"{where}.sources", asked.method, system, source)
