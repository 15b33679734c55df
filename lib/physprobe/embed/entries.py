"""Embed's sections of ``config.yaml``: encoders and controls."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Self

from pydantic import Field

from physprobe.config import kinds, shipped
from physprobe.config.kinds import any_spec
from physprobe.config.system import Name
from physprobe.embed import _twins, pixels, twin
from physprobe.embed.networks.network import Network
from physprobe.embed.section import EncoderSpec, Kind
from physprobe.simulate import entries as simulated

if TYPE_CHECKING:
    AnyEncoder = EncoderSpec
else:
    AnyEncoder = any_spec("embed")


class Entries(simulated.Entries):
    """What the config says to embed, and what it is said of."""

    encoders: dict[Name, AnyEncoder]
    """Frozen encoders under test."""
    controls: dict[Name, AnyEncoder] = Field(default_factory=dict)
    """Twins and trivial statistics that could refute an encoder's score."""

    @classmethod
    def strict(cls, content: Mapping) -> Self:
        """The config, with the twins of every encoder among its controls."""
        return super().strict(_twins.resolved(content))

    @property
    def embeddings(self) -> dict[str, EncoderSpec]:
        """Encoders and controls."""
        return {**self.encoders, **self.controls}

    def embedding(self, name: str) -> EncoderSpec:
        """Spec of an encoder or a control."""
        return self.encoders[name] if name in self.encoders else self.controls[name]


def problems(config: Entries) -> Iterator[str]:
    """Files that can't be used, encoders and controls of one name, and twins of nothing."""
    for name, spec in config.encoders.items():
        if isinstance(spec, twin.Spec):
            yield f"encoders.{name}: a twin is a control. Hint: move it to controls."
        if spec.ROLE == "ceiling":
            yield f"encoders.{name}: a ceiling is no encoder. Hint: move it to controls."
    for section in ("encoders", "controls"):
        for name, spec in getattr(config, section).items():
            for line in kinds.load("embed", spec.kind).problems(spec):
                yield f"{section}.{name}: {line}"
    for name in sorted(set(config.encoders) & set(config.controls)):
        yield f"controls.{name}: {name}: an encoder and a control need different names."


def frames(config: Entries, where: str, system: str, names: Iterable[str]) -> Iterator[str]:
    """Whether clips can be cut into encoders' tubelets, and are and hold what is embedded."""
    simulate = config.systems[system].simulate
    seen = kinds.load("render", config.systems[system].render.kind).SEEN
    field = kinds.load("simulate", simulate.kind).FIELD
    uncut: dict[int, list[str]] = {}
    for name in dict.fromkeys(names):
        spec = config.embedding(name)
        if seen not in (sees := kinds.load("embed", spec.kind).SEES):
            able = [k for k in kinds.names("embed") if seen in kinds.load("embed", k).SEES]
            yield (
                f"{where}: {name} sees a {' or a '.join(sees)}, and {system} is a {seen}."
                f" Hint: take one of kind {' or '.join(able)}."
            )
            continue
        if spec.only not in (None, system):
            yield (
                f"{where}: {name} is of clips of {spec.only}, and {system} is another system."
                f" Hint: an entry each, with system: {system}."
            )
            continue
        if (tubelet := _tubelet(spec)) and simulate.frames % tubelet:
            uncut.setdefault(tubelet, []).append(name)
        for model in spec.checkpoints:
            if _lacking(model):
                yield (
                    f"{where}: {name} is read from {model}, and there is no such folder. Hint:"
                    f" python -m physprobe convert CHECKPOINT --out {model}, or name another one."
                )
        needed, what = spec.READS
        if spec.SEES_SIMULATION and needed not in ("", field):
            yield f"{where}: {name} reads {what}; {system} has none. Hint: leave it out."
        if lacking := spec.unread(simulate.kind, config.systems[system].render.kind):
            yield f"{where}: {name} on {system}: {lacking}"
    for tubelet, found in uncut.items():
        yield (
            f"{where}: {system} has {simulate.frames} frames, which {', '.join(found)} can't cut"
            f" into tubelets of {tubelet}. Hint: set systems.{system}.simulate.frames to a"
            f" multiple of {tubelet}."
        )


def twins(
    config: Entries, where: str, encoders: Iterable[str], controls: Iterable[str]
) -> Iterator[str]:
    """Whether a control that is "the same network, but ..." is that of one of the encoders.

    A network with trained weights, shown frames in order, is no twin but a rival.
    """
    networks = {
        name: spec for name in encoders if isinstance(spec := config.encoders.get(name), Network)
    }
    for name in controls:
        spec = config.controls.get(name)
        if isinstance(spec, twin.Spec):
            what = "a network"
            if spec.weights == "random" and networks:
                what = "a network whose weights can be drawn"
            yield (
                f"{where}.controls: {name} is the twin of {what}, and no encoder here is one."
                " Hint: leave it out."
            )
        elif isinstance(spec, Network) and networks and spec.twin:
            if any(_twins.same_network(spec, other) for other in networks.values()):
                continue
            yield (
                f"{where}.controls: {name} is another network than {', '.join(networks)}."
                f" Hint: set controls.{name}: {{kind: twin, weights: random}}, or frames: shuffled,"
                " which is made for every encoder."
            )


def grid(spec: EncoderSpec, layer: str) -> bool:
    """Whether an embedding keeps a spatial grid: tokens of the layer, or squares of pixels."""
    if isinstance(spec, pixels.Spec):
        return spec.tubelet_frames == "mean"
    return isinstance(spec, Network) and layer in spec.tokens


def times(config: Entries, system: str, name: str) -> int | None:
    """Token times of a system's clips, if they can be known."""
    tubelet = _tubelet(config.embedding(name))
    return config.systems[system].simulate.frames // tubelet if tubelet else None


def _lacking(model: str) -> bool:
    """Whether a model is a folder on this machine that isn't there, and nothing here makes it."""
    on_hub = len(Path(model).parts) == 2 and not model.startswith((".", "/"))
    made = Path(model).parent == Path("results/encoders")
    return not on_hub and not made and shipped.folder(model) is None


def tubelet(config: Entries, name: str) -> int | None:
    """Frames per token, if they can be known."""
    return _tubelet(config.embedding(name))


def _tubelet(spec: EncoderSpec) -> int | None:
    family: Kind = kinds.load("embed", spec.kind)
    return family.tubelet(spec)
