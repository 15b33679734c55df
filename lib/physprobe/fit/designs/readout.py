"""Readout: laws of a field that is read off tokens by what was learnt on other systems.

A map from the features of a token to the field in its cells, see ``_of_field``, is learnt on clips
of some systems; the clips that are judged are of others, of which it has seen neither field nor
tokens. What it has read is judged as any field is. So a curve says how many clips of other
systems it takes until the law of a new one is read off an encoder: of each number the share of
clips whose law is named right, and wrong, and how well the waves of the field are read, by their
periods per side. Without such clips (a count of 0) the tokens are judged as they are, by the
combination of features that obeys a law best; the field itself is the ceiling.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field, field_validator

from physprobe.config import kinds
from physprobe.config.problems import all_known
from physprobe.config.system import Name
from physprobe.discover.linear import CANNOT_TELL
from physprobe.fit.designs import _grid, _of_field, _stack
from physprobe.fit.section import METHODS, Asked, Case, Design, MethodSpec, OnGrid
from physprobe.statistics import intervals
from physprobe.store import zarrs
from physprobe.store.inputs import Inputs
from physprobe.store.results import Schema

if TYPE_CHECKING:
    from xarray import Dataset

SCHEMA = Schema("readout", ("method", "sample", "layer", "count", "decoy", "periods"))
ALL = "all"
PERIODS = 12
"""Waves are told of up to so many periods per side."""


class Spec(Design):
    """Which systems the readout is learnt on, and on how many of their clips.

    A field is read as a part of the range that it is rendered on, so that one colour means one
    thing on all systems.
    """

    WHOLE: ClassVar = True

    kind: Literal["readout"] = "readout"
    """Laws by the number of clips of other systems that a readout of the field is learnt on."""
    learnt: tuple[Name, ...] = Field(min_length=1)
    """Systems that the readout is learnt on, in the same colours; none of them is judged."""
    ranges: dict[Name, tuple[float, float]] = Field(default_factory=dict)
    """Values of the first and the last colour of those; by default as the config renders them."""
    counts: tuple[Annotated[int, Field(ge=0)], ...] = (0, 16)
    """Numbers of their clips, dealt from one system after the other; ascending. 0: no readout."""
    layers: tuple[str, ...] = ()
    """Layers whose tokens are read; the method's own if empty."""
    cells: int = Field(4, ge=1)
    """Cells of the field along a side of each token; pixels are read one by one."""

    @field_validator("counts")
    @classmethod
    def _ascending(cls, counts: tuple[int, ...]) -> tuple[int, ...]:
        few = [count for count in counts if 0 < count < _of_field.FEWEST]
        if few or not counts or not all(low < high for low, high in pairwise(counts)):
            raise ValueError(
                f"{', '.join(map(str, counts))}: expected to ascend, each 0, or"
                f" {_of_field.FEWEST} or more"
            )
        return counts

    def fitted(self, systems: tuple[str, ...]) -> tuple[str, ...]:
        """Those that are judged, then those that the readout is learnt on."""
        return (*systems, *self.learnt)

    def shown(self, systems: Mapping[str, Any]) -> "Spec":
        """The same with the ranges on which the systems are rendered."""
        renders = {name: systems[name].render for name in self.learnt if name in systems}
        ranges = {
            name: (render.low, render.high)
            for name, render in renders.items()
            if render.kind == "fields"
        }
        return self.model_copy(update={"ranges": {**ranges, **self.ranges}})

    def problems(self, config: Any, where: str, asked: Asked) -> Iterator[str]:
        """Whether laws are asked for, and the readout is learnt on other systems, alike in kind."""
        for name in asked.methods:
            if config.methods[name].ROLE != "law":
                yield f"{where}.methods: {name} is no law. Hint: leave it out."
        yield from all_known(f"{where}.design.learnt", self.learnt, config.systems)
        known = [name for name in self.learnt if name in config.systems]
        for name in known:
            if name in asked.filmed:
                yield f"{where}.design.learnt: {name} is judged itself. Hint: take other systems."
        seen = [name for name in (*asked.filmed, *known) if name in config.systems]
        for name in seen:
            system = config.systems[name]
            if not kinds.load("simulate", system.simulate.kind).GRID:
                yield f"{where}: {name} has no field on a grid. Hint: leave it out."
            elif system.render.kind != "fields":
                yield f"{where}: {name} shows no field in colours. Hint: leave it out."
            elif system.render.colormap != config.systems[seen[0]].render.colormap:
                first = config.systems[seen[0]].render.colormap
                yield (
                    f"{where}: {name} is rendered in {system.render.colormap}, {seen[0]} in"
                    f" {first}. Hint: a readout is of one colormap; take one for all."
                )
        for name in asked.names:
            kept = getattr(config.embeddings.get(name), "tokens", self.layers)
            for layer in self.layers:
                if layer not in kept:
                    yield (
                        f"{where}.design.layers: {name} keeps no spatial tokens of layer {layer!r}."
                        f" Hint: add it to the tokens of its entry."
                    )

    def cases(
        self,
        embeddings: Sequence[Path],
        simulation: Sequence[Path],
        method: str,
        member: int | None = None,
    ) -> Iterator[Case]:
        """A law of each judged system for each layer and number of clips, those judged first."""
        parts = _parts(embeddings, simulation, method, member)
        judged, learnt = parts[: -len(self.learnt)], parts[-len(self.learnt) :]
        if not judged:
            raise ValueError(
                f"{len(parts)} systems, of which {len(self.learnt)} are learnt on, so none is"
                " judged. Hint: give those that are judged first."
            )
        first = judged[0][1]
        of_tokens = any(str(name).startswith("tokens_") for name in first.source.data_vars)
        layers = self.layers if self.layers and of_tokens else (first.spec.layer,)
        digests = _stack.digests([part for _, part in parts])
        counts = (0,) if first.own == "field" else self.counts
        for layer in layers:
            known = _Known(tuple(learnt), layer, self.cells if of_tokens else 1, self.ranges)
            for count in counts:
                found = _of_field.learn(known.first(count)) if count else None
                for name, part in judged:
                    spec = part.spec.model_copy(update={"layer": layer})
                    case = _grid.case(replace(part, spec=spec))
                    case = replace(case, inputs=replace(part, digests=digests))
                    about = {"system": name, "layer": layer if of_tokens else None, "count": count}
                    yield _read_off(replace(case, about=about), found)

    def result_schema(self, spec: MethodSpec) -> Schema:
        """What kind of result comes of a method."""
        return SCHEMA

    def system(self, names: Sequence[str]) -> str:
        """Those that are judged."""
        return "+".join(names[: -len(self.learnt)])

    def gathered(self, found: Sequence[tuple[Case, list[dict], dict]]) -> tuple[list[dict], dict]:
        """Shares of clips whose law is named right and wrong, and how well waves are read."""
        rows = [row for case, _, blocks in found for row in _of_system(case, blocks)]
        places = dict.fromkeys((case.about["layer"], case.about["count"]) for case, _, _ in found)
        for layer, count in places:
            about = {"system": ALL, "layer": layer, "count": count}
            own = [
                blocks
                for case, _, blocks in found
                if (case.about["layer"], case.about["count"]) == (layer, count)
            ]
            rows += _of_verdicts(about, own)
        readings = [
            {
                **case.about,
                "verdict": blocks["verdict"],
                "truth": blocks["truth"],
                "clips": {name: blocks["clips"][name] for name in ("verdict", "reason")},
                **case.setting,
            }
            for case, _, blocks in found
        ]
        return rows, {"readings": readings}


@dataclass(frozen=True)
class _Known:
    """Clips of systems whose field is known, dealt from one after the other."""

    parts: tuple[tuple[str, Inputs[MethodSpec]], ...]
    layer: str
    cells: int
    ranges: Mapping[str, tuple[float, float]]

    def first(self, count: int) -> _of_field.Clips:
        """Tokens and fields of the first clips.

        Raises
        ------
        ValueError
            If there aren't as many, or the range of a system's colours isn't known.
        """
        there = [len(part.groups) for _, part in self.parts]
        order = [
            (place, clip)
            for clip in range(max(there))
            for place, clips in enumerate(there)
            if clip < clips
        ]
        if count > len(order):
            raise ValueError(
                f"counts: {count}, but {', '.join(name for name, _ in self.parts)} have"
                f" {len(order)} clips. Hint: simulate more, or take fewer."
            )
        for name, _ in self.parts:
            if name not in self.ranges:
                raise ValueError(
                    f"ranges: none of {name}. Hint: the values of its first and last colour."
                )
        return lambda: (self._clip(place, clip) for place, clip in order[:count])

    def _clip(self, place: int, clip: int) -> tuple[np.ndarray, np.ndarray]:
        name, part = self.parts[place]
        given = _grid.case(replace(part, spec=self._spec(part))).given
        assert isinstance(given, OnGrid)
        tokens = given.clips[clip]
        low, high = self.ranges[name]
        field = _field(part.system, clip, tokens.shape, self.cells)
        return tokens, (field - low) / (high - low)

    def _spec(self, part: Inputs[MethodSpec]) -> MethodSpec:
        return part.spec.model_copy(update={"layer": self.layer})


@dataclass(frozen=True)
class _Read(Sequence):
    """Fields (time, row, column, 1) that are read off clips, each when asked for."""

    clips: Sequence[np.ndarray]
    readout: _of_field.Readout

    def __len__(self) -> int:
        """Count the clips."""
        return len(self.clips)

    def __getitem__(self, clip: int) -> np.ndarray:  # type: ignore[override]  # one at a time
        """Read one clip."""
        return self.readout.read(self.clips[clip])


def _parts(
    embeddings: Sequence[Path], simulation: Sequence[Path], method: str, member: int | None
) -> list[tuple[str, Inputs[MethodSpec]]]:
    """Stores of every system, with its name.

    Raises
    ------
    ValueError
        If there aren't as many of either, or encoders differ.
    """
    if len(embeddings) != len(simulation):
        raise ValueError(
            f"{len(embeddings)} embeddings and {len(simulation)} simulations. Hint: give one of"
            " each for every system, in the same order."
        )
    pairs = zip(embeddings, simulation, strict=True)
    parts = [Inputs.read(METHODS, *paths, method, member=member) for paths in pairs]
    if not parts[0].own:
        _stack.check(parts, embeddings)
    names = [path.absolute().parents[1].name for path in simulation]
    return list(zip(names, parts, strict=True))


def _field(system: "Dataset", clip: int, shape: tuple[int, ...], cells: int) -> np.ndarray:
    """Mean field (time, row, column) of the cells of tokens of a shape (time, y, x, feature).

    Raises
    ------
    ValueError
        If frames or pixels can't be divided among tokens and cells.
    """
    field = np.asarray(zarrs.values(system, system.attrs["field"], clip=clip), float)
    frames, rows, columns = field.shape[:3]
    wanted = shape[0], shape[1] * cells, shape[2] * cells
    if frames % wanted[0] or rows % wanted[1] or columns % wanted[2]:
        raise ValueError(
            f"cells: {cells} along each of {shape[1]} x {shape[2]} tokens don't divide"
            f" {rows} x {columns} px, or {frames} frames not into {shape[0]} times."
            " Hint: take another number of cells."
        )
    parts = zip(wanted, (frames, rows, columns), strict=True)
    sizes = [size for part, whole in parts for size in (part, whole // part)]
    return field.reshape(*sizes).mean((1, 3, 5))


def _read_off(case: Case, readout: _of_field.Readout | None) -> Case:
    """A case whose clips are the fields that are read off its own; as it is without a readout."""
    given = case.given
    assert isinstance(given, OnGrid)
    if readout is None:
        return case
    read = _Read(given.clips, readout)
    shape = read[0].shape
    cells = shape[2] // given.clips[0].shape[2]
    name = f"field, read off {given.name}"
    whole = replace(
        given,
        clips=read,
        name=name,
        cell=given.cell / cells,
        bent=True,
        error=readout.error,
    )
    waves = _coherence(
        (clip[..., 0], _field(case.inputs.system, place, shape, 1))
        for place, clip in enumerate(whole.first(case.spec.clips).clips)
    )
    told = {
        "clips": readout.clips,
        "r2": readout.straight.r2,
        "linear_r2": readout.views.r2,
        "error": readout.error[: PERIODS + 1].tolist(),
        "penalty": [step.penalty for step in (readout.views, readout.straight)],
        "edge_hit": [step.edge_hit for step in (readout.views, readout.straight)],
    }
    return replace(case, given=whole, setting={"readout": told, "coherence": waves})


def _coherence(pairs: Iterator[tuple[np.ndarray, np.ndarray]]) -> list[float | None]:
    """Squared coherence of waves of 1, 2, ... periods per side, over clips and times.

    Of fields (time, row, column): |sum a conj(b)|^2 / sum |a|^2 sum |b|^2, whatever the scale.
    """
    sums: np.ndarray | None = None
    for read, field in pairs:
        first, second = (np.fft.fft2(part, norm="forward") for part in (read, field))
        ring = _of_field.periods(read.shape[1:]).ravel()
        products = (first * second.conj()).real, np.abs(first) ** 2, np.abs(second) ** 2
        found = np.stack([np.bincount(ring, part.sum(0).ravel()) for part in products])
        sums = found if sums is None else sums + found
    assert sums is not None, "there are clips"
    together, own, other = sums[:, 1 : PERIODS + 1]
    energy = own * other
    return [t**2 / e if e > 0 else None for t, e in zip(together, energy, strict=True)]


def _of_system(case: Case, blocks: dict) -> Iterator[dict]:
    """Rows of one system at one layer and number of clips."""
    yield from _of_verdicts(case.about, [blocks])
    waves = case.setting.get("coherence")
    for place, value in enumerate(waves if isinstance(waves, list) else ()):
        if value is not None:
            yield {
                **case.about,
                "metric": "coherence",
                "periods": place + 1,
                "value": value,
                "n_clips": len(blocks["clips"]["verdict"]),
            }


def _of_verdicts(about: Mapping[str, object], several: Sequence[dict]) -> Iterator[dict]:
    """Shares of clips whose law is named right and wrong, and of controls whose law is named."""
    said = [
        (verdict, blocks["truth"]["verdict"])
        for blocks in several
        for verdict in blocks["clips"]["verdict"]
    ]
    false = [
        verdict != CANNOT_TELL
        for blocks in several
        for control in blocks["controls"].values()
        for verdict in control["clips"]
    ]
    happened = {
        "right": [verdict == true for verdict, true in said],
        "wrong": [verdict not in (true, CANNOT_TELL) for verdict, true in said],
        "false_verdicts": false,
    }
    for metric, each in happened.items():
        decoy = ALL if metric == "false_verdicts" else None
        yield {
            **about,
            "sample": "clip",
            "metric": metric,
            "decoy": decoy,
            **intervals.share(each).columns(),
            "n_clips": len(each),
        }
