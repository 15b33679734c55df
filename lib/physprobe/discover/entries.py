"""Discover's section of ``config.yaml``."""

from collections.abc import Iterator

from pydantic import Field

from physprobe.config import kinds
from physprobe.config.kinds import any_spec
from physprobe.config.problems import all_known
from physprobe.config.spec import Spec
from physprobe.config.system import Name
from physprobe.embed import entries as embedded


class Discovery(Spec):
    """How laws are read off clips, and for which systems and sources verdicts are counted."""

    method: any_spec("discover") = Field(
        default_factory=lambda: kinds.load("discover", "linear").Spec()
    )
    """How a law is read off: results/{system}/discovery/{source}.json."""
    systems: tuple[Name, ...] = ()
    """Systems that results/discovery/metrics.json is about."""
    sources: tuple[Name, ...] = ("field", "video")
    """What they are read off there: field, video, encoders and controls with spatial tokens."""


class Entries(embedded.Entries):
    """What the config says to read laws off."""

    discovery: Discovery = Field(default_factory=Discovery)
    """Laws from clips alone: results/{system}/discovery/{source}.json, results/discovery/."""

    def with_grid(self) -> list[str]:
        """What a law can be read off: field, video, and whatever keeps its spatial grid."""
        layer = self.discovery.method.layer
        grids = [
            name
            for name, spec in self.embeddings.items()
            if layer in getattr(spec, "tokens", ())
            or (spec.kind == "pixels" and spec.tubelet_frames == "mean")
        ]
        return ["field", "video", *grids]


def problems(config: Entries) -> Iterator[str]:
    """What of these entries doesn't go together with the rest of the config."""
    yield from all_known("discovery.systems", config.discovery.systems, config.systems)
    yield from all_known("discovery.sources", config.discovery.sources, config.with_grid())
