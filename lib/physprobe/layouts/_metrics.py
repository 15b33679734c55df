"""Metrics: the published keys of ``fit_metrics.json``, each block with how sure it is."""

from collections.abc import Iterator, Mapping

import numpy as np

from physprobe.layouts.section import Result
from physprobe.statistics import paired
from physprobe.store.evidence import Evidence
from physprobe.store.fits import row
from physprobe.store.fits import rows as rows_of

KOOPMAN = (
    "latent_dim",
    "spectral_radius",
    *(f"one_step_{score}_{side}" for score in ("mse", "cos") for side in ("train", "test")),
    *(f"rollout_cos_{side}_{part}" for side in ("train", "test") for part in ("mean", "std")),
)
SPATIAL = (
    "channels",
    *(f"{m}_final_{side}_loss" for m in ("real", "shuffled", "none") for side in ("train", "test")),
    *(f"rollout_cos_{side}_{part}" for side in ("train", "test") for part in ("mean", "std")),
)
DYNAMICS = {
    "spectral_radius": "spectral_radius",
    "one_step_mse": "one_step_mse_test",
    "one_step_cos": "one_step_cos_test",
    "rollout_mse": "rollout_mse_test_mean",
    "rollout_cos": "rollout_cos_test_mean",
}
"""Metrics of our rows, and the published keys that their intervals belong to."""
SAMPLES = {"sim": "clip", "frame": "token"}
"""Published names of what of a clip is a row."""
PUBLISHED = "alpha"
"""The label whose scores have published keys; those of other labels have them empty."""
SCORES = {"train_r2": "train_r2", "test_r2": "r2", "train_mae": "train_mae", "test_mae": "mae"}
"""Published keys, and the metric of our rows that fills them."""


def probe(study: Evidence, name: str, sample: str, metric: str, target: str) -> dict:
    """Row of a probe in which the layer too was chosen inside the training clips; empty if none."""
    return study.probes.probe(name, target, sample, metric) or {}


def ci(found: Mapping) -> list | None:
    """Interval of a row, if it has one."""
    low, high = found.get("ci_low"), found.get("ci_high")
    return None if low is None or high is None else [low, high]


def blocks(study: Evidence, name: str, falsification: Result) -> dict:
    """What the study decodes by one encoder or control, and the four published blocks.

    Parameters
    ----------
    study : Study
    name : str
    falsification : mapping
        ``pixel_falsification_metrics.json``: differences to the controls.

    Returns
    -------
    dict
        ``probe_sim``, ``probe_frame`` of the study's own target; ``alpha_probe_sim``,
        ``alpha_probe_frame``, ``koopman``, ``spatial`` (null without a head).
    """
    found = {}
    for key, sample in SAMPLES.items():
        found[f"probe_{key}"] = decoded(study, name, sample, falsification, **study.asked)
        found[f"alpha_probe_{key}"] = _alpha(study, name, sample, falsification)
    return {**found, "koopman": _koopman(study, name), "spatial": _spatial(study, name)}


def decoded(
    study: Evidence,
    name: str,
    sample: str,
    falsification: Result,
    metric: str,
    target: str,
    **_: str,
) -> dict:
    """Score of a target, how sure it is, and how far it is above the best control."""
    score = probe(study, name, sample, metric, target)
    keys = ("value", "null_mean", "null_q95", "p", "n_clips", "lambda", "edge_hit", "note")
    where = {"encoder": name, "target": target, "sample": sample, "metric": f"{metric}_difference"}
    best = row(falsification, control="best control", **where)
    return {
        **{key: score.get(key) for key in keys},
        "ci": ci(score),
        "best_control": best and {
            "name": best["note"],
            "value": probe(study, best["note"], sample, metric, target).get("value"),
            "difference": best["value"],
            "ci": ci(best),
        },
    }  # fmt: skip


def _alpha(study: Evidence, name: str, sample: str, falsification: Result) -> dict:
    """The published block of alpha; of a system without an alpha its keys are empty."""
    own = decoded(study, name, sample, falsification, "r2", PUBLISHED)
    parts = {key: probe(study, name, sample, of, PUBLISHED) for key, of in SCORES.items()}
    block = {key: part.get("value") for key, part in parts.items()}
    block["ci"] = {key: ci(parts[key]) for key in ("test_r2", "test_mae")}
    return block | {key: own[key] for key in own if key not in ("value", "ci")}


def _koopman(study: Evidence, name: str) -> dict:
    result = study.koopman[name]
    known = result["published"]
    block = {key: known.get(key) for key in KOOPMAN}
    block |= {key: value for key, value in known.items() if key not in block}
    layer = result["settings"]["report"][-1]
    own = rows_of(result, layer=layer, order=1, model="dmd")
    block["ci"] = {DYNAMICS[r["metric"]]: ci(r) for r in own if r["metric"] in DYNAMICS}
    block["layer"], block["time_step"] = layer, result["settings"]["time_step"]
    keys = ("baseline", "horizon", "value", "null_q95", "p", "note")
    block["skill"] = [
        {**{key: r[key] for key in keys}, "ci": ci(r)} for r in own if r["metric"] == "skill"
    ]
    nearest = [s for s in block["skill"] if s["baseline"] == "persistence"][:1]
    for key in ("null_q95", "p"):
        block[key] = nearest[0][key] if nearest else None
    block["n_clips"] = result["settings"]["clips"]
    block["best_control"] = _best_forecast(study, name)
    return block


def _best_forecast(study: Evidence, name: str, horizon: int = 1) -> dict | None:
    """Control with the highest skill against persistence, and the difference paired by clip."""
    if name not in study.encoders:
        return None
    found = {each: study.koopman.skills(each, horizon) for each in (name, *study.controls)}
    skills = {each: skill["persistence"] for each, skill in found.items() if skill is not None}
    own = skills.pop(name, None)
    others = {each: skill for each, skill in skills.items() if np.isfinite(skill.value)}
    if own is None or not others:
        return None
    best = paired.best(others)
    draws = study.probes[name]["spec"]["bootstraps"]
    found = paired.above(own, *others.values()).interval(draws).columns()
    return {
        "name": best,
        "statistic": f"skill against persistence, {horizon} token ahead",
        "value": float(others[best].value),
        "difference": found["value"],
        "ci": ci(found),
    }


def _spatial(study: Evidence, name: str) -> dict | None:
    """The head's published keys; its controls are its twins without the true alpha."""
    if name not in study.heads:
        return None
    result = study.heads[name]
    known = result["published"]
    block = {key: known.get(key) for key in SPATIAL}
    block |= {key: value for key, value in known.items() if key not in block}
    block["ci"] = {
        f"{model}_final_test_loss": ci(row(result, metric="mse", model=model) or {})
        for model in ("real", "shuffled", "none")
    }
    rolled = row(result, metric="rollout_cos", model="real") or {}
    block["ci"]["rollout_cos_test_mean"] = ci(rolled)
    skill = row(result, metric="skill", model="real") or {}
    block["skill"] = {"value": skill.get("value"), "ci": ci(skill), "baseline": "persistence"}
    block |= {key: skill.get(key) for key in ("null_q95", "p", "n_clips")}
    gains = rows_of(result, metric="skill_difference", model="real")
    gains = [found for found in gains if found["value"] is not None]
    least = min(gains, key=lambda found: found["value"], default=None)
    block["best_control"] = least and {
        "name": least["baseline"],
        "statistic": "one-step skill with the true alpha, less that of its best twin",
        "value": (skill.get("value") or 0.0) - least["value"],
        "difference": least["value"],
        "ci": ci(least),
    }
    return block


def rows(study: Evidence) -> Iterator[dict]:
    """Tidy summary: decoding, and skill of order 1, of every encoder and control."""
    for name in study.names:
        for sample in SAMPLES.values():
            for metric in dict.fromkeys((study.asked["metric"], *SCORES.values())):
                found = probe(study, name, sample, metric, study.target)
                if found:
                    yield found
        result = study.koopman[name]
        layer = result["settings"]["report"][-1]
        yield from rows_of(result, layer=layer, order=1, model="dmd")
    for result in study.heads.values():
        yield from result["rows"]


def artefact(
    study: Evidence, falsification: Result, stable: np.ndarray, exploded: np.ndarray
) -> dict:
    """What an unstable solver does to a study: how many clips, and the scores apart.

    Parameters
    ----------
    study : Study
    falsification : mapping
        Its rows ``r2_stratum`` hold R2 on stable and on unstable held-out clips, those named
        ``r2_arithmetic`` R2 by the published way to solve the regression.
    stable, exploded : (clip,) bool
        Within the solver's stability limit; beyond the maximum principle by the last frame.
    """
    strata = [
        {
            "encoder": found["encoder"],
            "clips": found["stratum"],
            **{key: found[key] for key in ("value", "n_clips", "note")},
            "ci": ci(found),
        }
        for found in rows_of(falsification, metric="r2_stratum", target=PUBLISHED, sample="clip")
    ]
    return {
        "clips": len(stable),
        "unstable": int((~stable).sum()),
        "exploded": int(exploded.sum()),
        "strata": strata,
        "arithmetic": _arithmetic(falsification),
    }


def _arithmetic(falsification: Result) -> list[dict]:
    """R2 of alpha by way of solving, of held-out clips and of training rows."""
    keys = ("encoder", "sample", "way", "value", "lambda", "edge_hit")
    named = ("encoder", "sample", "way")
    trained = {
        tuple(found[key] for key in named): found["value"]
        for found in rows_of(falsification, metric="train_r2_arithmetic")
    }
    return [
        {
            **{key: found[key] for key in keys},
            "ci": ci(found),
            "train": trained[tuple(found[key] for key in named)],
        }
        for found in rows_of(falsification, metric="r2_arithmetic")
    ]
