"""Layerwise's section of ``config.yaml``."""

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from physprobe.config.problems import all_known, known
from physprobe.config.spec import Spec
from physprobe.config.system import Name
from physprobe.embed import entries as embedded
from physprobe.fit import entries as fits


class Curve(Spec):
    """One panel of a layerwise figure: a target, decoded from every layer."""

    system: Name
    """System whose clips it is decoded from."""
    probe: Name
    """Entry of ``methods`` that decodes it."""
    target: str
    """One of the probe's targets."""
    sample: str = "clip"
    """One of the probe's samples."""
    metric: Literal["r2", "accuracy", "auc", "relative_accuracy"] = "r2"
    """R2 of a number; of classes accuracy, AUC, or the share of groups in the right order."""
    encoders: tuple[Name, ...] = ()
    """Encoders of this panel, such as those of several sizes; none: those of the entry."""
    part: str | None = None
    """Value of the probe's ``by`` that is scored apart; all clips if not given."""
    published: Name | None = None
    """Curve of ``report/published_layers.yaml``, drawn beside ours if the encoder is the same."""


class Layerwise(Spec):
    """Where in an encoder labels become readable: scores of every layer beside the controls."""

    encoders: tuple[Name, ...] = Field(min_length=1)
    """Encoders under test."""
    controls: tuple[Name, ...] = ()
    """Entries of ``controls`` on the same axes."""
    threshold: float = Field(0.8, gt=0, lt=1)
    """Score that counts as readable: a label sets in at the first layer that reaches it."""
    figures: dict[Name, dict[Name, Curve]] = Field(min_length=1)
    """Figures, each with its panels by name: results/{entry}/{figure}.json and .png. Encoders that
    differ in depth are drawn twice, against the part of their blocks and against the number."""

    def names(self, curve: Curve) -> tuple[str, ...]:
        """Encoders and controls of a panel."""
        return (*(curve.encoders or self.encoders), *self.controls)


class Entries(fits.Entries):
    """What the config says to compare layer by layer, and from which fits."""

    layerwise: dict[Name, Layerwise] = Field(default_factory=dict)
    """Scores layer by layer: results/{entry}/{figure}.json and .png."""


def problems(config: Entries) -> Iterator[str]:
    """What of these entries doesn't go together with the rest of the config."""
    for name, entry in config.layerwise.items():
        yield from _layerwise(config, f"layerwise.{name}", entry)


def _layerwise(config: Entries, where: str, entry: Layerwise) -> Iterator[str]:
    yield from all_known(f"{where}.encoders", entry.encoders, config.encoders)
    yield from all_known(f"{where}.controls", entry.controls, config.controls)
    curves = [curve for panels in entry.figures.values() for curve in panels.values()]
    asked = (*entry.encoders, *(name for curve in curves for name in curve.encoders))
    yield from embedded.twins(config, where, asked, entry.controls)
    for figure, panels in entry.figures.items():
        for panel, curve in panels.items():
            yield from _curve(config, f"{where}.figures.{figure}.{panel}", entry, curve)


def _curve(config: Entries, where: str, entry: Layerwise, curve: Curve) -> Iterator[str]:
    lacking = [
        *known(f"{where}.system", curve.system, config.systems),
        *fits.method(config, f"{where}.probe", curve.probe, "probe"),
        *all_known(f"{where}.encoders", curve.encoders, config.encoders),
    ]
    yield from lacking
    if lacking:
        return
    probe = config.methods[curve.probe]
    if probe.of_classes == (curve.metric == "r2"):
        what = "classes, which have no" if probe.of_classes else "numbers, not"
        yield f"{where}.metric: {curve.probe} is of {what} {curve.metric}."
    if curve.part and not probe.scored_apart:
        yield (
            f"{where}.part: {curve.probe} scores nothing apart. Hint: set methods.{curve.probe}.by."
        )
    for field in ("target", "sample"):
        yield from known(f"{where}.{field}", getattr(curve, field), getattr(probe, f"{field}s"))
    yield from fits.labels(config, f"{where}.probe", curve.system, curve.probe)
    names = [name for name in entry.names(curve) if name in config.embeddings]
    yield from embedded.frames(config, where, curve.system, names)
