"""Elsewhere: fitted on clips that differ from those scored in their rendering or their range."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field, field_validator

from physprobe.config import kinds
from physprobe.config import spec as config_spec
from physprobe.config.problems import all_known, known
from physprobe.config.system import Name
from physprobe.fit.designs import _read, _stack
from physprobe.fit.section import Asked, Case, Design, MethodSpec
from physprobe.statistics import splits, targets
from physprobe.statistics.splits import Fold
from physprobe.store.inputs import Inputs, Layers

Quantile = Annotated[float, Field(ge=0, le=1)]
Region = Mapping[str, tuple[float, float]]
"""Range of every label, from quantile to quantile."""


class Spec(Design):
    """Folds that part training from held-out clips by more than chance.

    Of two renderings, ordinary folds hold out clips of the first and train on the second's clips of
    the other numbers: nothing of a held-out clip is known from the other rendering. A region is one
    outer fold: its clips are held out, and no clip of their groups is trained on.
    """

    BESIDE: ClassVar = ("probe",)

    kind: Literal["elsewhere"] = "elsewhere"
    """Another rendering, or a region of labels that is never trained on."""
    onto: Name | None = None
    """System whose clips are scored: the same ``simulate`` in another ``render``."""
    region: dict[str, tuple[Quantile, Quantile]] = Field(default_factory=dict)
    """Labels with a range between quantiles: clips inside all of them are never trained on."""

    @field_validator("region")
    @classmethod
    def _ascending(cls, region: dict) -> dict:
        for name, (low, high) in region.items():
            if low >= high:
                raise ValueError(f"the range of {name} has to ascend")
        if region and all(span == (0.0, 1.0) for span in region.values()):
            raise ValueError("all clips are inside, so none is left to train on")
        return region

    def fitted(self, systems: tuple[str, ...]) -> tuple[str, ...]:
        """That which is scored, and that which is fitted."""
        return tuple(name for name in (self.onto, *systems) if name)

    def problems(self, config: Any, where: str, asked: Asked) -> Iterator[str]:
        """Whether there is something to transfer to, of the same clips."""
        yield from _read.only("ridge", config, where, asked)
        yield from _read.single(where, asked)
        if not self.onto and not self.region:
            yield (
                f"{where}.design: nothing to transfer to. Hint: name a system as onto, or a region"
                " of labels to hold out, or both."
            )
        system = asked.filmed[0]
        own = config.systems[system]
        labels = kinds.load("simulate", own.simulate.kind).label_units(own.simulate)
        yield from all_known(f"{where}.design.region", self.region, labels)
        if not self.onto:
            return
        yield from known(f"{where}.design.onto", self.onto, config.systems)
        other = config.systems.get(self.onto)
        if other is None:
            return
        if other.simulate != own.simulate:
            fields = _differing(own.simulate, other.simulate)
            yield (
                f"{where}.design.onto: {self.onto} and {system} simulate different clips"
                f" ({', '.join(fields)}). Hint: let the one extend the other, give both the same"
                f" simulate entry, or take the study away (null in the place of {where})."
            )
        if other.render == own.render:
            yield (
                f"{where}.design.onto: {self.onto} and {system} are rendered alike."
                f" Hint: set another systems.{self.onto}.render."
            )

    def cases(
        self,
        embeddings: Sequence[Path],
        simulation: Sequence[Path],
        method: str,
        member: int | None = None,
    ) -> Iterator[Case]:
        """One fit; of two systems, that which is scored comes first, then that which is fitted."""
        if len(embeddings) not in (1, 2):
            raise ValueError(
                f"{len(embeddings)} systems. Hint: give one, or two: the rendering that is scored"
                " first, then that which is fitted."
            )
        parts = _stack.read(embeddings, simulation, method, member, alike=True)
        first = parts[0]
        if first.spec.kind != "ridge":
            raise ValueError(f"method {first.spec.kind!r}: only ridge is fitted elsewhere.")
        inside, edges = within(first.labels, self.region)
        folds, strata = first.folds, None
        if self.region:
            folds = (apart(first.folds, first.groups, inside, first.spec),)
            strata = np.isin(first.groups, first.groups[inside])
        found = replace(first, folds=folds)
        features: Layers | _stack.Stacked = Layers(first.source)
        if len(parts) == 2:
            _same_clips(parts, simulation)
            clips = len(first.groups)
            found = replace(
                first,
                system=first.system.isel(clip=np.tile(np.arange(clips), 2)),
                groups=np.tile(first.groups, 2),
                folds=tuple(crossed(folds, clips)),
                digests=_stack.digests(parts),
            )
            features = _stack.Stacked([Layers(part.source) for part in parts])
            strata = None if strata is None else np.tile(strata, 2)
        setting = {
            "region": {
                name: {
                    "quantiles": self.region[name], "low": low, "high": high,
                    "units": first.units[name],
                }
                for name, (low, high) in edges.items()
            },
            "training_clips": [len(fold.train) for fold in found.folds],
            "training_mean": _training_mean(found),
        }  # fmt: skip
        yield _read.case(
            found, features, tokens=features.tokens, strata=strata, setting={"setting": setting}
        )


def _training_mean(found: Inputs[Any]) -> dict[str, np.ndarray]:
    """Mean of each target (clip, ...) over the training clips of the fold that holds a clip out."""
    order = np.argsort(np.concatenate([fold.test for fold in found.folds]))
    means = {}
    for name in found.spec.targets:
        values = targets.values(found.labels, name)
        parts = [
            np.broadcast_to(values[fold.train].mean(0), values[fold.test].shape)
            for fold in found.folds
        ]
        means[name] = np.concatenate(parts)[order]
    return means


def within(
    labels: Mapping[str, np.ndarray], region: Region
) -> tuple[np.ndarray, dict[str, tuple[float, float]]]:
    """Which clips (clip,) are inside a region, and its edges; both ends belong to it.

    Raises
    ------
    ValueError
        If there is no such label.
    """
    inside, edges = np.ones(len(next(iter(labels.values()))), bool), {}
    for name, quantiles in region.items():
        if name not in labels:
            raise ValueError(f"region: no label {name!r}. Hint: labels are {', '.join(labels)}.")
        low, high = np.quantile(labels[name].astype(float), quantiles)
        edges[name] = (float(low), float(high))
        inside &= (labels[name] >= low) & (labels[name] <= high)
    return inside, edges


def apart(
    folds: Sequence[Fold], groups: np.ndarray, inside: np.ndarray, protocol: MethodSpec
) -> Fold:
    """One fold that holds out what is inside a region and trains on what is outside.

    Parameters
    ----------
    folds : sequence of Fold
        Ordinary ones: what none of them holds out is not held out here either.
    groups : (clip,)
    inside : (clip,) of bool
    protocol : probe's Spec
        Number of inner folds, and seed.

    Raises
    ------
    ValueError
        If the region is empty, or leaves nothing to train on.
    """
    test = inside & np.isin(np.arange(len(groups)), np.concatenate([f.test for f in folds]))
    train = np.isin(np.arange(len(groups)), np.concatenate([f.train for f in folds]))
    train &= ~np.isin(groups, groups[inside])
    if not test.any() or not train.any():
        raise ValueError(
            f"region: {test.sum()} clips to hold out and {train.sum()} to train on, of"
            f" {len(groups)}. Hint: choose ranges that some clips are inside of, and some outside."
        )
    declared = np.select([test, train], ["test", "train"], "neither")
    (fold,) = splits.nested(groups, inner=protocol.inner, seed=protocol.seed, declared=declared)
    return fold


def crossed(folds: Sequence[Fold], clips: int) -> Iterator[Fold]:
    """Folds of two renderings, one after the other: trained on the second, held out of the first.

    Parameters
    ----------
    folds : sequence of Fold
        Of one rendering.
    clips : int
        Clips of one rendering.
    """
    for fold in folds:
        inner = tuple((train + clips, validation + clips) for train, validation in fold.inner)
        yield Fold(fold.train + clips, fold.test, inner)


def _same_clips(parts: Sequence[Inputs[MethodSpec]], simulation: Sequence[Path]) -> None:
    first, second = (part.labels | {"group": part.groups} for part in parts)
    different = [
        name
        for name in {**first, **second}
        if name not in first or name not in second or not np.array_equal(first[name], second[name])
    ]
    if different:
        raise ValueError(
            f"{simulation[1]}: {different[0]} is not that of {simulation[0]}. Hint: film one"
            " simulation twice: two systems with the same `simulate` and another `render`."
        )


def _differing(one: config_spec.Spec, other: config_spec.Spec) -> list[str]:
    """Fields of two specs that are not the same."""
    first, second = one.dump(), other.dump()
    if first["kind"] != second["kind"]:
        return ["kind"]
    return [field for field in first if first[field] != second[field]]
