"""Local's section of ``config.yaml``."""

from collections.abc import Iterator

from pydantic import Field

from physprobe.config import kinds
from physprobe.config.problems import all_known, known
from physprobe.config.system import Name
from physprobe.embed import entries as embedded
from physprobe.fit import entries as fits
from physprobe.fit.section import DESIGNS, Design


class Local(fits.Place):
    """Where in the image spatial tokens hold a label: under the ball, far from it, by patch."""

    system: Name
    """System of balls."""
    encoders: tuple[Name, ...] = Field(min_length=1)
    """Encoders and controls that keep the spatial tokens of the layer."""
    layer: str = "final"
    """Layer whose tokens are read."""
    method: Name
    """Entry of ``methods``, of kind ``ridge``: what is decoded."""

    @property
    def design(self) -> Design:
        """Parts of the image in place of layers."""
        return kinds.load(DESIGNS, "places").Spec(layer=self.layer)

    @property
    def fitted(self) -> tuple[str, ...]:
        """The one system."""
        return (self.system,)


class Entries(fits.Entries):
    """What the config says to look for in parts of the image."""

    local: dict[Name, Local] = Field(default_factory=dict)
    """Where in the image a label is: results/{local}/local/{encoder}.json and .png."""


def problems(config: Entries) -> Iterator[str]:
    """What of these entries doesn't go together with the rest of the config."""
    for name, entry in config.local.items():
        yield from _local(config, f"local.{name}", entry)


def _local(config: Entries, where: str, entry: Local) -> Iterator[str]:
    system = entry.system
    lacking = [
        *known(f"{where}.system", system, config.systems),
        *fits.method(config, f"{where}.method", entry.method, "probe"),
        *all_known(f"{where}.encoders", entry.encoders, config.embeddings),
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
        yield from fits.decodable(f"{where}.method: it", target, kind, tuple(module.UNITS))
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
    yield from embedded.frames(config, where, system, entry.encoders)
