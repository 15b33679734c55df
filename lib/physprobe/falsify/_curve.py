"""Curve: one encoder's score of one target, layer by layer, from the result of its probe."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from physprobe.falsify import _measure
from physprobe.falsify._measure import Measure
from physprobe.falsify._onset import Onset
from physprobe.statistics import scores
from physprobe.statistics.half_samples import Halves
from physprobe.statistics.intervals import Interval
from physprobe.store import results
from physprobe.store.fits import Result, rows

OF_CLASSES = ("log_probability", "correct")
KEPT = {
    "r2": ("squared_error",),
    **dict.fromkeys(("accuracy", "auc", "relative_accuracy"), OF_CLASSES),
}
"""What is read of each clip, by metric."""


@dataclass(frozen=True)
class Curve:
    """What one probe says of one target on one sample, by one metric."""

    encoder: str
    probe: Result
    target: str
    sample: str
    metric: str = "r2"
    part: str | None = None
    """Of the clips that the probe scores apart; None: all of them."""

    @cached_property
    def layers(self) -> list[str]:
        """Names of the layers, in order."""
        return [row["layer"] for row in self.rows() if row["layer"] != "selected"]

    @property
    def defined(self) -> bool:
        """Whether the target could be scored."""
        rows = self.rows()
        return bool(rows) and rows[0]["value"] is not None

    def rows(self, metric: str | None = None) -> list[dict]:
        """Rows of the curve's or another metric, layer by layer and then ``selected``."""
        about = {"target": self.target, "sample": self.sample, "metric": metric or self.metric}
        return rows(self.probe, **about, part=self.part, time=None)

    @property
    def chance(self) -> float:
        """Score of the best guess that knows no clip: the most frequent class's, of accuracy."""
        if self.metric == "r2":
            return 0.0
        if self.metric != "accuracy":
            return 0.5
        truth = np.asarray(self.probe["predictions"]["truth"][self.target])[self.clips]
        _, counts = np.unique(truth, return_counts=True)
        return float(counts.max() / counts.sum())

    @cached_property
    def clips(self) -> np.ndarray:
        """Places among the held-out clips of those that are scored."""
        predictions = self.probe["predictions"]
        part = np.array(predictions["part"]) if self.part else np.array(predictions["clip"])
        return np.flatnonzero(part == self.part) if self.part else np.arange(len(part))

    def measure(self, *layers: str, fixed: bool = False) -> Measure:
        """Sums of some layers; the fits are taken as fixed if clips are scored by themselves."""
        if members := self.probe.get("members"):
            each = [replace(self, probe={**self.probe, **m, "members": None}) for m in members]
            return _measure.of_members(
                [curve.measure(*layers, fixed=fixed) for curve in each], self.encoder
            )
        predictions = self.probe["predictions"]
        about = {"target": self.target, "sample": self.sample}
        by_layer = {
            block["layer"]: block
            for block in predictions["held_out"]
            if about.items() <= block.items()
        }
        truth = np.asarray(predictions["truth"][self.target])[self.clips]
        found = [
            {name: np.asarray(by_layer[layer][name])[self.clips] for name in KEPT[self.metric]}
            for layer in layers
        ]
        ratios = [
            None if fixed else results.half_ratios(by_layer[layer], self.metric, self.part)
            for layer in layers
        ]

        def halves(place: int, parts: int) -> Halves | None:
            there = [each for each in ratios if each is not None]
            if len(there) < len(ratios):
                return None
            signs = np.asarray(predictions["halves"])[:, self.clips]
            return Halves.at(place, parts, np.stack(there), signs)

        if self.metric == "r2":
            numbers = truth.astype(float).reshape(len(truth), -1)
            squared = np.stack([layer["squared_error"].astype(float) for layer in found])
            known = halves(scores.ERROR, 3 + numbers.shape[1])
            return _measure.of_errors(numbers, squared, self.groups, known)
        classes = np.asarray(predictions["classes"][self.target])
        fold = np.asarray(predictions["fold"])[self.clips]
        number = np.searchsorted(classes, truth)
        return _measure.of_classes(self.metric, found, number, fold, self.groups, halves(0, 2))

    @cached_property
    def measured(self) -> Measure:
        """Sums of all layers."""
        return self.measure(*self.layers)

    @property
    def groups(self) -> np.ndarray:
        """(clip,) clips that are drawn together."""
        return np.array(self.probe["predictions"]["group"])[self.clips]

    @property
    def draws(self) -> dict[str, int]:
        """How a bootstrap is drawn."""
        spec = self.probe["spec"]
        return {"draws": spec["bootstraps"], "seed": spec["seed"]}

    @cached_property
    def band(self) -> Interval:
        """Score with a band that holds all layers at once."""
        return self.measured.band(**self.draws)

    def above(self, controls: Mapping[str, "Curve"]) -> Interval:
        """Score of each layer less that of the best control, paired by clip, with such a band.

        A control's layer is the one that was chosen inside the training clips; which control is the
        best is found anew in every draw.
        """
        others = [control.measure("selected") for control in controls.values()]
        return self.measured.above(others, **self.draws)

    def fold_scores(self, layer: str) -> np.ndarray:
        """Score of each outer fold by itself, as published; of those where it is defined."""
        fold = np.asarray(self.probe["predictions"]["fold"])[self.clips]
        measure = self.measure(layer, fixed=True)
        with np.errstate(invalid="ignore", divide="ignore"):
            found = [float(measure.of(fold == number).value[0]) for number in np.unique(fold)]
        return np.array([value for value in found if np.isfinite(value)])

    def chosen(self, layer: str, what: str) -> list:
        """What each outer fold chose for a layer; nothing if it had no such choice."""
        wanted = {"target": self.target, "sample": self.sample, "layer": layer}
        choices = self.probe["predictions"]["choices"]
        mine = [choice for choice in choices if wanted.items() <= choice.items()]
        return [choice[what] for choice in mine if what in choice]


def scored(
    curves: Mapping[str, Curve],
    controls: tuple[str, ...],
    threshold: float,
    ceilings: tuple[str, ...] = (),
) -> Iterator[dict]:
    """Rows of one claim: scores, bands, onsets, and distances from the best control.

    Parameters
    ----------
    curves : mapping of str to Curve
        Of every encoder and control.
    controls : tuple of str
        Which of them are controls.
    threshold : float
        Score that counts as readable.
    ceilings : tuple of str
        Which are neither these nor those.

    Yields
    ------
    dict
        ``r2``, or the metric of a probe of classes, and ``circular_mae`` as the probe has them;
        ``r2_band``, the same R2 with the edges of the band; ``onset``, the place of the first layer
        at the threshold or above, and ``onset_depth``, the part of the blocks that are applied
        there; ``r2_above_controls`` with band, and ``onset_above_controls``, where it first is
        above 0, with its ``_depth``; of classes likewise, ``auc_band`` and so on.
    """
    known = {name: curves[name] for name in controls if curves[name].defined}
    for name, curve in curves.items():
        about = {"encoder": name, "target": curve.target, "sample": curve.sample}
        for metric in (curve.metric, "circular_mae"):
            yield from ({**row, **about} for row in curve.rows(metric))
        if not curve.defined or len(curve.layers) == 1:
            continue
        yield from _banded({**about, "metric": f"{curve.metric}_band"}, curve.layers, curve.band)
        level = {"threshold": f"{_measure.WORDS[curve.metric]} >= {threshold:g}"}
        for form, onset in Onset.of(curve.band, threshold).rows(curve.layers).items():
            yield {**about, "metric": f"onset{form}", **level, **onset}
        if name in (*controls, *ceilings) or not known:
            continue
        above = curve.above(known)
        named = {"control": "best control"}
        distance = {**about, **named, "metric": f"{curve.metric}_above_controls"}
        yield from _banded(distance, curve.layers, above)
        # above, not at: a difference of nothing is no onset
        for form, onset in Onset.of(above, np.nextafter(0.0, 1.0)).rows(curve.layers).items():
            yield {**about, **named, "metric": f"onset_above_controls{form}", **onset}


def _banded(about: dict, layers: list[str], band: Interval) -> Iterator[dict]:
    for place, layer in enumerate(layers):
        yield {**about, "layer": layer, **band.at(place).columns()}
