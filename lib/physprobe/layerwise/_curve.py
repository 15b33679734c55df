"""Curve: one encoder's R2 of one target, layer by layer, from the result of its probe."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from physprobe.core import scores
from physprobe.falsify._evidence import above_best_of, decoded
from physprobe.layerwise._onset import Onset

Result = Mapping[str, object]


@dataclass(frozen=True)
class Curve:
    """What one probe says of one target on one sample."""

    encoder: str
    probe: Result
    target: str
    sample: str

    @cached_property
    def layers(self) -> list[str]:
        """Names of the layers, in order."""
        return [row["layer"] for row in self.rows("r2") if row["layer"] != "selected"]

    @property
    def defined(self) -> bool:
        """Whether the target could be scored."""
        return self.rows("r2")[0]["value"] is not None

    def rows(self, metric: str) -> list[dict]:
        """Rows of one metric, layer by layer and then ``selected``."""
        wanted = {"target": self.target, "sample": self.sample, "metric": metric, "time": None}
        return [row for row in self.probe["rows"] if wanted.items() <= row.items()]

    def sums(self, layer: str) -> np.ndarray:
        """Sums (clip, part) that a layer's R2 follows from."""
        return decoded(self.probe, self.target, self.sample, layer).sums

    @cached_property
    def stacked(self) -> np.ndarray:
        """Sums (layer, clip, part)."""
        return np.stack([self.sums(layer) for layer in self.layers])

    @property
    def draws(self) -> dict:
        """How a bootstrap over the clips is drawn."""
        spec = self.probe["spec"]
        groups = np.array(self.probe["predictions"]["group"])
        return {"groups": groups, "draws": spec["bootstraps"], "seed": spec["seed"]}

    @cached_property
    def band(self) -> scores.Interval:
        """R2 with a band that holds all layers at once, found on the scale of log(1 - R2)."""
        value, low, high = scores.band(self.stacked, scores.log_error_of, **self.draws)
        return scores.Interval(1 - np.exp(value), 1 - np.exp(high), 1 - np.exp(low))

    def above(self, controls: Mapping[str, "Curve"]) -> scores.Interval:
        """R2 of each layer less that of the best control, paired by clip, with such a band.

        A control's layer is the one that was chosen inside the training clips; which control is the
        best is found anew in every draw.
        """
        others = [control.sums("selected") for control in controls.values()]
        others = np.concatenate(others, axis=-1)
        others = np.broadcast_to(others, (len(self.layers), *others.shape))
        both = np.concatenate([self.stacked, others], axis=-1)
        difference = above_best_of(scores.r2_of, len(controls))
        return scores.band(both, difference, **self.draws)

    def fold_scores(self, layer: str) -> np.ndarray:
        """R2 of each outer fold about its own mean, as published; of those that vary."""
        fold = np.asarray(self.probe["predictions"]["fold"])
        sums = self.sums(layer)
        found = []
        for number in np.unique(fold):
            own = sums[fold == number]
            if np.ptp(own[:, 3:], axis=0).max() > 0:
                found.append(float(scores.r2_of(own.sum(0))))
        return np.array(found)

    def chosen(self, layer: str, what: str) -> list:
        """What each outer fold chose for a layer; nothing if it had no such choice."""
        wanted = {"target": self.target, "sample": self.sample, "layer": layer}
        choices = self.probe["predictions"]["choices"]
        mine = [choice for choice in choices if wanted.items() <= choice.items()]
        return [choice[what] for choice in mine if what in choice]


def scored(
    panel: str, curves: Mapping[str, Curve], controls: tuple[str, ...], threshold: float
) -> Iterator[dict]:
    """Rows of one panel: scores, bands, onsets, and distances from the best control.

    Parameters
    ----------
    panel : str
        Its name, ``model`` of the rows.
    curves : mapping of str to Curve
        Of every encoder and control.
    controls : tuple of str
        Which of them are controls.
    threshold : float
        R2 that counts as readable.

    Yields
    ------
    dict
        ``r2`` and ``circular_mae`` as the probe has them; ``r2_band``, the same R2 with the edges
        of the band; ``onset``, the place of the first layer with R2 at the threshold or above;
        ``r2_above_controls`` with band, and ``onset_above_controls``, where it first is above 0.
    """
    known = {name: curves[name] for name in controls if curves[name].defined}
    for name, curve in curves.items():
        about = {"encoder": name, "model": panel, "target": curve.target, "sample": curve.sample}
        for metric in ("r2", "circular_mae"):
            yield from ({**row, **about} for row in curve.rows(metric))
        if not curve.defined or len(curve.layers) == 1:
            continue
        yield from _banded({**about, "metric": "r2_band"}, curve.layers, curve.band)
        level = {"baseline": f"R2 >= {threshold:g}"}
        onset = Onset.of(curve.band, threshold)
        yield {**about, "metric": "onset", **level, **onset.row(curve.layers)}
        if name in controls or not known:
            continue
        above = curve.above(known)
        named = {"baseline": "best control"}
        yield from _banded({**about, **named, "metric": "r2_above_controls"}, curve.layers, above)
        # above, not at: a difference of nothing is no onset
        onset = Onset.of(above, np.nextafter(0.0, 1.0))
        yield {**about, **named, "metric": "onset_above_controls", **onset.row(curve.layers)}


def _banded(about: dict, layers: list[str], band: scores.Interval) -> Iterator[dict]:
    for layer, value, low, high in zip(layers, *band, strict=True):
        yield {
            **about,
            "layer": layer,
            "value": float(value),
            "ci_low": float(low),
            "ci_high": float(high),
        }
