"""Frames: from results to what each figure draws, one tidy DataFrame per figure."""

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd
from xarray import Dataset

from physprobe.config import seen
from physprobe.drawing import palette, pictures
from physprobe.statistics import bootstrap, scores, targets
from physprobe.store import zarrs
from physprobe.store.evidence import Evidence

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
SCORE = ["value", "ci_low", "ci_high", "null_q95", "p", "n_clips"]


def about(evidence: Evidence, name: str) -> dict:
    """Columns that every frame begins with."""
    return {
        "encoder": name,
        "role": evidence.role(name),
        "label": palette.shown(name, evidence.labels.get(name)),
    }


def predicted(study: Evidence) -> pd.DataFrame:
    """Held-out predictions of each clip, their means by true value, and R2; of one number alone."""
    return table(_predicted(study))


def _predicted(study: Evidence) -> Iterator[dict]:
    decoded = study.asked
    for name in study.scored:
        block = study.probes[name]["predictions"]
        found = study.probes.held_out(name, study.target, "clip")
        if found is None or "prediction" not in found:
            continue
        value = np.asarray(found["prediction"], float)
        if value.ndim > 1:
            continue
        own = {**about(study, name), **decoded}
        truth = np.asarray(block["truth"][study.target], float)
        for clip, true, guess in zip(block["clip"], truth, value, strict=True):
            yield {**own, "item": "clip", "clip": clip, "truth": true, "value": guess}
        yield from ({**own, "item": "bin", **part} for part in _bins(truth, value))
        yield {**own, "item": "score", **_score(study.probes.defined(name, study.target, "clip"))}


def _bins(truth: np.ndarray, value: np.ndarray) -> Iterator[dict]:
    """Mean prediction with interval of clips of similar true value, as many in each."""
    order = np.argsort(truth)
    for part in np.array_split(order, int(np.clip(len(truth) // 5, 1, BINS))):
        sums = np.stack([value[part], np.ones(len(part))], axis=-1)
        mean, low, high = bootstrap.interval(sums, scores.mean_of)
        yield {
            "truth": truth[part].mean(),
            "value": float(mean),
            "ci_low": float(low),
            "ci_high": float(high),
            "n_clips": len(part),
        }


def layers(study: Evidence) -> pd.DataFrame:
    """Score of every layer from the clip's mean embedding."""
    decoded = study.asked
    where = {"target": study.target, "sample": "clip", "metric": decoded["metric"], "time": None}
    return table(
        {**about(study, name), **decoded, "layer": found["layer"], **_score(found)}
        for name in study.scored
        for found in study.probes.rows(name, **where)
        if found["layer"] not in ("selected", None) and found["value"] is not None
    )


def ladder(study: Evidence) -> pd.DataFrame:
    """Score of every encoder and control, layer chosen inside the training clips."""
    decoded = study.asked
    return table(
        {**about(study, name), **decoded, "sample": sample, **_score(found)}
        for name in study.scored
        for sample in ("clip", "token")
        if (found := study.probes.probe(name, study.target, sample, decoded["metric"]))
        and found["value"] is not None
    )


def skill(study: Evidence) -> pd.DataFrame:
    """Skill of the Koopman models by horizon, order and baseline."""
    return table(
        {
            **about(study, name),
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


def eigenvalues(study: Evidence) -> pd.DataFrame:
    """Eigenvalues of order 1 with bootstrap clouds, of the encoders and of some controls."""
    return table(_eigenvalues(study))


def _eigenvalues(study: Evidence) -> Iterator[dict]:
    for name in [*study.encoders, *study.of_kind(*SPECTRA)][: max(PANELS, len(study.encoders))]:
        whole = study.koopman[name]
        first = whole.get("members", [whole])[0]  # spectra have no mean
        spectra = [s for s in first["spectra"] if s["order"] == 1 and "cloud" in s]
        if not spectra:
            continue
        own, found = about(study, name), spectra[-1]
        bounds = {key: found[key] for key in ("ci_low", "ci_high")}
        yield {**own, "item": "radius", "value": found["spectral_radius"], **bounds}
        for real, imag in found["eigenvalues"]:
            yield {**own, "item": "eigenvalue", "real": real, "imag": imag}
        for draw, values in enumerate(found["cloud"][:CLOUD]):
            for real, imag in values:
                yield {**own, "item": "cloud", "draw": draw, "real": real, "imag": imag}


def spatial(study: Evidence) -> pd.DataFrame:
    """Skill of the spatial head under real, shuffled and no alpha, and its mean kernels."""
    return table(part for name in study.heads for part in _spatial(study, name))


def _spatial(study: Evidence, name: str) -> Iterator[dict]:
    own, result = about(study, name), study.heads[name]
    for r in result["rows"]:
        if r["value"] is None or r["metric"] not in HEAD:
            continue
        item, alone = HEAD[r["metric"]]
        told = alone or (r["baseline"] if item == "difference" else r["model"])
        yield {
            **own,
            "item": item,
            "model": "zero_sum" if r["model"].endswith("_zero_sum") else "free",
            "note": told.removesuffix("_zero_sum"),
            **_score(r),
        }
    for model, kernel in (("free", "real"), ("zero_sum", "real_zero_sum")):
        found = {key: np.array(part) for key, part in result["kernels"][kernel].items()}
        for y, x in np.ndindex(3, 3):
            yield {
                **own,
                "item": "weight",
                "model": model,
                "y": y - 1,
                "x": x - 1,
                "value": found["mean"][y, x],
                "ci_low": found["ci_low"][y, x],
                "ci_high": found["ci_high"][y, x],
            }


def filmstrip(study: Evidence) -> pd.DataFrame:
    """Frames of the clips with the lowest, the median and the highest label; or one of each class.

    The label is that which the study's target is made from.
    """
    system, clips = study.system, study.clips[study.place]
    labels = targets.labels_of(study.target, [str(name) for name in system.variables])
    name = labels[0] if labels else study.target
    own = {"target": name, "unit": targets.unit(name, study.units)}
    label = np.array(system[name].values.tolist())
    seconds = clips.time.values
    order = np.argsort(label, kind="stable")
    numbers = label.dtype.kind in "fiu"
    picks = {"lowest": order[0], "median": order[len(order) // 2], "highest": order[-1]}
    if not numbers:
        names, places = np.unique(label, return_index=True)
        picks = dict(zip(map(str, names[:SHOWN]), places, strict=False))
    times = np.unique(np.linspace(0, len(seconds) - 1, TIMES).round().astype(int))
    found = []
    for note, clip in picks.items():
        images = pictured(clips, int(clip))
        found += [
            {
                "clip": int(clip),
                "note": note,
                **own,
                "value": float(label[clip]) if numbers else None,
                "time": float(seconds[time]),
                "image": images[time],
                **described(clips),
            }
            for time in times
        ]
    return pd.DataFrame(found)


def pictured(clips: Dataset, clip: int) -> np.ndarray:
    """One clip of a store as a film (time, y, x, rgb) for people."""
    form = seen.of(clips.data_vars)
    return pictures.films(form, zarrs.values(clips, form, clip=slice(clip, clip + 1)))[0]


def described(clips: Dataset) -> dict:
    """Form of a store's clips, and the names of their channels."""
    form = seen.of(clips.data_vars)
    return {"form": form, "channels": clips[seen.FORMS[form].dims[-1]].values.tolist()}


def _score(found: Mapping) -> dict:
    return {column: found.get(column) for column in SCORE}


def table(rows: Iterator[dict]) -> pd.DataFrame:
    frame = pd.DataFrame(list(rows))
    numbers = [column for column in SCORE if column in frame]
    return frame.astype(dict.fromkeys(numbers, float)) if len(frame) else frame
