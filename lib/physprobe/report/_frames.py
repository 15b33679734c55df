"""Frames: from results to what each figure draws, one tidy DataFrame per figure."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from physprobe.report import _palette
from physprobe.statistics import scores, targets
from physprobe.store import results
from physprobe.store.fits import Fits

TIMES = 6  # frames of the film strip
SHOWN = 3  # its clips
BINS = 8
CLOUD = 100  # bootstrap draws that are drawn: more make the cloud darker, not clearer
BASELINES = ("persistence", "mean", "time_index_mean", "time_shuffled")
SPECTRA = ("untrained", "pixels")  # kinds of controls whose spectra are drawn, in this order
HEAD = {
    "skill": ("skill", None),
    "skill_on_shuffled": ("skill", "shuffled_on_shuffled"),
    "skill_difference": ("difference", None),
}
PANELS = 4  # spectra that fit beside each other
Result = Mapping[str, object]
SCORE = ["value", "ci_low", "ci_high", "null_q95", "p", "n_clips"]


@dataclass(frozen=True)
class Study:
    """The results that a study's figures and numbers are read from, by encoder and control."""

    name: str
    encoders: tuple[str, ...]
    controls: tuple[str, ...]
    labels: Mapping[str, str]
    """What each says about itself; random weights say ``untrained``."""
    probes: Fits
    koopman: Fits
    heads: Fits = field(default_factory=Fits)
    specs: Mapping[str, Mapping] = field(default_factory=dict)
    """Entry of the config that each embedding was made by."""
    units: Mapping[str, str] = field(default_factory=dict)
    """By label of the system."""

    @property
    def names(self) -> tuple[str, ...]:
        """Encoders first, then controls, in the order of the study."""
        return (*self.encoders, *self.controls)

    @property
    def target(self) -> str:
        """What its figures are of: the first target of its probe."""
        return results.first(self.probes)["spec"]["targets"][0]

    @property
    def decoded(self) -> dict:
        """Columns that say what is decoded, and how it is scored."""
        rows = [r for r in results.first(self.probes)["rows"] if r["target"] == self.target]
        metric = "accuracy" if any(r["metric"] == "accuracy" for r in rows) else "r2"
        unit = targets.unit(self.target, self.units)
        return {"target": self.target, "unit": unit, "metric": metric}

    def of_kind(self, *kinds: str) -> list[str]:
        """Controls of some kinds, kind by kind."""
        return [
            name for kind in kinds for name in self.controls if self.specs[name]["kind"] == kind
        ]

    def about(self, name: str) -> dict:
        """Columns that every frame begins with."""
        return {
            "encoder": name,
            "role": "encoder" if name in self.encoders else "control",
            "label": _palette.shown(name, self.labels.get(name)),
        }


def probe(study: Study, name: str, sample: str, metric: str, target: str) -> dict:
    """Row of a probe in which the layer too was chosen inside the training clips; empty if none."""
    return study.probes.probe(name, target, sample, metric) or {}


def ci(found: Mapping) -> list | None:
    """Interval of a row, if it has one."""
    low, high = found.get("ci_low"), found.get("ci_high")
    return None if low is None or high is None else [low, high]


def predicted(study: Study) -> pd.DataFrame:
    """Held-out predictions of each clip, their means by true value, and R2; of one number alone."""
    return _frame(_predicted(study))


def _predicted(study: Study) -> Iterator[dict]:
    decoded = study.decoded
    for name in study.names:
        block = study.probes[name]["predictions"]
        found = study.probes.held_out(name, study.target, "clip")
        if found is None or "prediction" not in found:
            continue
        value = np.asarray(found["prediction"], float)
        if value.ndim > 1:
            continue
        about = {**study.about(name), **decoded}
        truth = np.asarray(block["truth"][study.target], float)
        for clip, true, guess in zip(block["clip"], truth, value, strict=True):
            yield {**about, "item": "clip", "clip": clip, "truth": true, "value": guess}
        yield from ({**about, "item": "bin", **part} for part in _bins(truth, value))
        yield {**about, "item": "score", **_score(probe(study, name, "clip", "r2", study.target))}


def _bins(truth: np.ndarray, value: np.ndarray) -> Iterator[dict]:
    """Mean prediction with interval of clips of similar true value, as many in each."""
    order = np.argsort(truth)
    for part in np.array_split(order, int(np.clip(len(truth) // 5, 1, BINS))):
        sums = np.stack([value[part], np.ones(len(part))], axis=-1)
        mean, low, high = scores.bootstrap(sums, scores.mean_of)
        yield {
            "truth": truth[part].mean(),
            "value": float(mean),
            "ci_low": float(low),
            "ci_high": float(high),
            "n_clips": len(part),
        }


def layers(study: Study) -> pd.DataFrame:
    """Score of every layer from the clip's mean embedding."""
    decoded = study.decoded
    where = {"target": study.target, "sample": "clip", "metric": decoded["metric"], "time": None}
    return _frame(
        {**study.about(name), **decoded, "layer": found["layer"], **_score(found)}
        for name in study.names
        for found in study.probes.rows(name, **where)
        if found["layer"] not in ("selected", None) and found["value"] is not None
    )


def ladder(study: Study) -> pd.DataFrame:
    """Score of every encoder and control, layer chosen inside the training clips."""
    decoded = study.decoded
    return _frame(
        {**study.about(name), **decoded, "sample": sample, **_score(found)}
        for name in study.names
        for sample in ("clip", "token")
        if (found := probe(study, name, sample, decoded["metric"], study.target)).get("value")
        is not None
    )


def skill(study: Study) -> pd.DataFrame:
    """Skill of the Koopman models by horizon, order and baseline."""
    return _frame(
        {
            **study.about(name),
            "baseline": curve["baseline"],
            "order": curve["order"],
            "horizon": horizon,
            "time_step": study.koopman[name]["settings"]["time_step"],
            "value": value,
            "ci_low": low,
            "ci_high": high,
        }
        for name in study.names
        for block in [study.koopman.forecast(name)]
        for curve in block.get("curves", ())
        if curve["model"] == "dmd" and curve["baseline"] in BASELINES
        for horizon, value, low, high in zip(
            block["horizon"], curve["value"], curve["ci_low"], curve["ci_high"], strict=True
        )
    )


def eigenvalues(study: Study) -> pd.DataFrame:
    """Eigenvalues of order 1 with bootstrap clouds, of the encoders and of some controls."""
    return _frame(_eigenvalues(study))


def _eigenvalues(study: Study) -> Iterator[dict]:
    for name in [*study.encoders, *study.of_kind(*SPECTRA)][: max(PANELS, len(study.encoders))]:
        spectra = [s for s in study.koopman[name]["spectra"] if s["order"] == 1 and "cloud" in s]
        if not spectra:
            continue
        about, found = study.about(name), spectra[-1]
        bounds = {key: found[key] for key in ("ci_low", "ci_high")}
        yield {**about, "item": "radius", "value": found["spectral_radius"], **bounds}
        for real, imag in found["eigenvalues"]:
            yield {**about, "item": "eigenvalue", "real": real, "imag": imag}
        for draw, values in enumerate(found["cloud"][:CLOUD]):
            for real, imag in values:
                yield {**about, "item": "cloud", "draw": draw, "real": real, "imag": imag}


def spatial(study: Study) -> pd.DataFrame:
    """Skill of the spatial head under real, shuffled and no alpha, and its mean kernels."""
    return _frame(part for name in study.heads for part in _spatial(study, name))


def _spatial(study: Study, name: str) -> Iterator[dict]:
    about, result = study.about(name), study.heads[name]
    for r in result["rows"]:
        if r["value"] is None or r["metric"] not in HEAD:
            continue
        item, alone = HEAD[r["metric"]]
        told = alone or (r["baseline"] if item == "difference" else r["model"])
        yield {
            **about,
            "item": item,
            "model": "zero_sum" if r["model"].endswith("_zero_sum") else "free",
            "note": told.removesuffix("_zero_sum"),
            **_score(r),
        }
    for model, kernel in (("free", "real"), ("zero_sum", "real_zero_sum")):
        found = {key: np.array(part) for key, part in result["kernels"][kernel].items()}
        for y, x in np.ndindex(3, 3):
            yield {
                **about,
                "item": "weight",
                "model": model,
                "y": y - 1,
                "x": x - 1,
                "value": found["mean"][y, x],
                "ci_low": found["ci_low"][y, x],
                "ci_high": found["ci_high"][y, x],
            }


def filmstrip(
    label: np.ndarray, about: Mapping[str, str], seconds: np.ndarray, video: Callable
) -> pd.DataFrame:
    """Frames of the clips with the lowest, the median and the highest label; or one of each class.

    Parameters
    ----------
    label : (clip,)
        Numbers, or names of classes.
    about : mapping of str to str
        ``target`` and ``unit`` of the label.
    seconds : (time,)
        [s].
    video : callable
        Video (time, y, x, rgb) of a clip by its number.
    """
    order = np.argsort(label, kind="stable")
    numbers = label.dtype.kind in "fiu"
    picks = {"lowest": order[0], "median": order[len(order) // 2], "highest": order[-1]}
    if not numbers:
        names, places = np.unique(label, return_index=True)
        picks = dict(zip(map(str, names[:SHOWN]), places, strict=False))
    times = np.unique(np.linspace(0, len(seconds) - 1, TIMES).round().astype(int))
    found = []
    for note, clip in picks.items():
        images = video(int(clip))
        found += [
            {
                "clip": int(clip),
                "note": note,
                **about,
                "value": float(label[clip]) if numbers else None,
                "time": float(seconds[time]),
                "image": images[time],
            }
            for time in times
        ]
    return pd.DataFrame(found)


def table(frames: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Everything that is drawn, but for the images, in one table with a column ``panel``."""
    parts = [
        frame.drop(columns="image", errors="ignore").assign(panel=name)
        for name, frame in frames.items()
        if len(frame)
    ]
    whole = pd.concat(parts, ignore_index=True)
    return whole[["panel", *(column for column in whole if column != "panel")]]


def from_table(whole: pd.DataFrame, panel: str) -> pd.DataFrame:
    """Frame of one panel, read back from the table of everything."""
    return whole[whole["panel"] == panel].drop(columns="panel").reset_index(drop=True)


def _score(found: Mapping) -> dict:
    return {column: found.get(column) for column in SCORE}


def _frame(rows: Iterator[dict]) -> pd.DataFrame:
    frame = pd.DataFrame(list(rows))
    numbers = [column for column in SCORE if column in frame]
    return frame.astype(dict.fromkeys(numbers, float)) if len(frame) else frame
