"""Comparison: what figures and numbers of systems side by side are read from."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from physprobe.report import _frames
from physprobe.report._frames import SCORE, Result, Study
from physprobe.store.fits import row

TARGET = "equation"
SIDES = {"sim_mean": "clip", "frame": "token"}
"""Published names of the samples."""
ORDERS = {1: "first", 2: "second", 3: "third"}
TIMES = 6  # frames of the film strip
AGGREGATE = "undefined: R2 over columns of unlike units says which one varies most"


@dataclass(frozen=True)
class Comparison:
    """Results of all systems together, and of each."""

    together: Study
    """``probes`` tell equations apart, ``koopman`` is one model of all clips."""
    systems: Mapping[str, Study]
    """Those that share their initial conditions; only their ``koopman`` is asked for."""
    parameters: Mapping[str, Study]
    """Those whose labels are decoded; only their ``probes`` are asked for."""
    equations: Mapping[str, str]
    """Equation that each system obeys."""
    units: Mapping[str, Mapping[str, str]]
    """Units of each system's labels."""


def classified(study: Study, name: str, sample: str, metric: str = "accuracy") -> dict:
    """Row of the probe that tells equations apart, layer chosen inside the training clips."""
    return _frames.probe(study, name, sample, metric, TARGET)


def frames(comparison: Comparison) -> dict[str, pd.DataFrame]:
    """What each panel draws, but for the film strip."""
    return {
        "separation": pd.DataFrame(_separation(comparison.together)),
        "parameters": pd.DataFrame(_parameters(comparison)),
        "orders": pd.DataFrame(_orders(comparison)),
    }


def _separation(study: Study) -> Iterator[dict]:
    """Accuracy of every encoder and control, and where held-out clips lie."""
    for name in study.names:
        about = study.about(name)
        for sample in SIDES.values():
            found = classified(study, name, sample)
            if found.get("value") is not None:
                score = {column: found.get(column) for column in SCORE}
                yield {**about, "item": "accuracy", "sample": sample, **score}
        found = study.probes.held_out(name, TARGET, "clip")
        predictions = study.probes[name]["predictions"]
        classes = predictions["classes"].get(TARGET, [])
        if found is None or len(classes) != 2:
            continue
        odds = np.asarray(found["log_probability"], float) @ [-1.0, 1.0]
        for clip, truth, value in zip(
            predictions["clip"], predictions["truth"][TARGET], odds, strict=True
        ):
            yield {**about, "item": "clip", "clip": clip, "equation": truth, "value": value}


def _parameters(comparison: Comparison) -> Iterator[dict]:
    """R2 of every label of every system, from the clip's mean embedding."""
    for system, study in comparison.parameters.items():
        for target in next(iter(study.probes.values()))["spec"]["targets"]:
            for name in study.names:
                found = _frames.probe(study, name, "clip", "r2", target)
                if found.get("value") is None:
                    continue
                score = {column: found.get(column) for column in SCORE}
                about = {"system": comparison.equations[system], "target": target}
                yield {**study.about(name), **about, **score}


def _orders(comparison: Comparison) -> Iterator[dict]:
    """Skill of every order against persistence, of each system and of all together."""
    studies = {comparison.equations[name]: part for name, part in comparison.systems.items()}
    for system, study in {**studies, "all together": comparison.together}.items():
        # an encoder, and what it has to be better than
        names = [*study.encoders, *study.of_kind("pixels")]
        shown = _frames.skill(replace(study, encoders=tuple(names), controls=()))
        if len(shown):
            shown = shown[shown["baseline"] == "persistence"]
            roles = {name: study.about(name)["role"] for name in names}
            yield from (
                shown.assign(system=system, role=shown["encoder"].map(roles)).to_dict("records")
            )


def films(
    systems: Sequence[str], groups: Sequence[np.ndarray], seconds: np.ndarray, video: object
) -> pd.DataFrame:
    """Frames of clips that start alike, one of each system.

    Parameters
    ----------
    systems : (system,) of str
    groups : (system,) of (clip,)
        Number of each clip's initial condition.
    seconds : (time,)
        [s].
    video : callable
        Video (time, y, x, rgb) of a clip, by the system's place and the clip's number.
    """
    shared = set(groups[0].tolist()).intersection(*(part.tolist() for part in groups[1:]))
    if not shared:
        return pd.DataFrame()
    start = min(shared)
    times = np.unique(np.linspace(0, len(seconds) - 1, TIMES).round().astype(int))
    found = []
    for place, system in enumerate(systems):
        clip = int(np.flatnonzero(groups[place] == start)[0])
        images = video(place, clip)
        found += [
            {"system": system, "place": place, "clip": clip, "note": f"{system}, clip {clip}",
             "time": float(seconds[time]), "image": images[time]}
            for time in times
        ]  # fmt: skip
    return pd.DataFrame(found)


def blocks(comparison: Comparison, name: str, judged: Result) -> dict:
    """The published blocks for one encoder or control.

    Parameters
    ----------
    comparison : Comparison
    name : str
    judged : mapping
        ``falsification_metrics.json``: differences to the controls.
    """
    return {
        "equation_classification": _classification(comparison, name, judged),
        "parameter_regression": _regression(comparison, name, judged),
        **_dynamics(comparison, name),
    }


def _classification(comparison: Comparison, name: str, judged: Result) -> dict:
    study, found = comparison.together, {}
    positive = comparison.equations[next(iter(comparison.systems))]
    for key, sample in SIDES.items():
        rows = {
            metric: classified(study, name, sample, metric)
            for metric in ("accuracy", "auc", "log_loss", "ece", "train_accuracy")
        }
        score, where = rows["accuracy"], {"encoder": name, "sample": sample}
        best = row(judged, control="best control", metric="accuracy_difference", **where)
        found[f"{key}_train"] = {
            **dict.fromkeys(("precision", "recall", "tp", "tn", "fp", "fn")),
            "accuracy": rows["train_accuracy"].get("value"),
        }
        found[f"{key}_test"] = {
            **_counts(study, name, sample, positive),
            "accuracy": score.get("value"),
            **{metric: rows[metric].get("value") for metric in ("auc", "log_loss", "ece")},
            "ci": {metric: _frames.ci(rows[metric]) for metric in ("accuracy", "auc", "ece")},
            **{key: score.get(key) for key in ("null_mean", "null_q95", "p", "n_clips", "note")},
            "best_control": best and {
                "name": best["note"],
                "value": classified(study, best["note"], sample).get("value"),
                "difference": best["value"],
                "ci": _frames.ci(best),
            },
        }  # fmt: skip
    return {"positive": positive, **found}


def _counts(study: Study, name: str, sample: str, positive: str) -> dict:
    """Confusion of the first system's equation with the others, in clips or in token times."""
    found = study.probes.held_out(name, TARGET, sample)
    predictions = study.probes[name]["predictions"]
    keys = ("tp", "fn", "tn", "fp", "precision", "recall")
    if found is None:
        return dict.fromkeys(keys)
    inside = np.array([truth == positive for truth in predictions["truth"][TARGET]])
    right = np.asarray(found["correct"], float)
    rows = study.probes[name]["rows"]
    times = {r["time"] for r in rows if r["sample"] == sample and r["time"] is not None}
    each = max(len(times), 1)
    tp, tn = (round(each * right[side].sum()) for side in (inside, ~inside))
    fn, fp = each * int(inside.sum()) - tp, each * int((~inside).sum()) - tn
    values = (tp, fn, tn, fp, tp / (tp + fp) if tp + fp else None, tp / (tp + fn))
    return dict(zip(keys, values, strict=True))


def _regression(comparison: Comparison, name: str, judged: Result) -> dict:
    found: dict = {
        "all_params_train_r2_total": None,
        "all_params_test_r2_total": None,
        "note": AGGREGATE,
    }
    for system, study in comparison.parameters.items():
        equation = comparison.equations[system]
        for target in study.probes[name]["spec"]["targets"]:
            rows = {m: _frames.probe(study, name, "clip", m, target) for m in ("r2", "mae")}
            key = f"{equation}_{target}"
            found |= {f"{key}_{m}_test": found_row.get("value") for m, found_row in rows.items()}
            where = {"encoder": name, "target": target, "sample": "clip", "system": system}
            best = row(judged, control="best control", metric="r2_difference", **where)
            found[key] = {
                "unit": comparison.units.get(system, {}).get(target.removeprefix("log_"), "1"),
                "ci": {metric: _frames.ci(part) for metric, part in rows.items()},
                **{k: rows["r2"].get(k) for k in ("null_q95", "p", "n_clips", "note")},
                "best_control": best and {
                    "name": best["note"], "difference": best["value"], "ci": _frames.ci(best),
                },
            }  # fmt: skip
    return found


def _dynamics(comparison: Comparison, name: str) -> dict:
    """Published Koopman blocks: shared, by equation, and by order."""
    shared = _koopman(comparison.together, name, 1)
    own = {
        comparison.equations[system]: {order: _koopman(study, name, order) for order in ORDERS}
        for system, study in comparison.systems.items()
    }
    named = {
        f"koopman_{equation}_{ORDERS[order]}_order": block
        for equation, orders in own.items()
        for order, block in orders.items()
    }
    return {
        "koopman_shared": shared,
        "koopman_by_equation": {equation: orders[1] for equation, orders in own.items()},
        **{f"koopman_shared_{o}_order": _koopman(comparison.together, name, n)
           for n, o in ORDERS.items()},
        **named,
    }  # fmt: skip


def _koopman(study: Study, name: str, order: int) -> dict:
    """One published block, and skill by horizon, which has intervals."""
    result = study.koopman[name]
    layer = result["settings"]["report"][-1]
    rows = study.koopman.rows(name, layer=layer, order=order, model="dmd")
    radius = next((r for r in rows if r["metric"] == "spectral_radius"), {})
    scores = ("rollout_cos_{}_mean", "rollout_cos_{}_std", "rollout_mse_{}_mean")
    known = result["published"] if order == 1 else result["published_orders"].get(str(order), {})
    by_equation = {
        key.replace("_test", ""): value
        for key, value in known.items()
        if key.startswith(("rollout_cos_test_mean_", "rollout_cos_test_std_"))
    }
    block = {
        "latent_dim": result["published"]["latent_dim"],
        "spectral_radius": radius.get("value"),
        **{
            side: {score.replace("_{}", ""): known.get(score.format(side)) for score in scores}
            for side in ("train", "test")
        },
        "ci": {"spectral_radius": _frames.ci(radius)},
        "skill": [
            {**{k: r[k] for k in ("baseline", "horizon", "value", "null_q95", "p", "note")},
             "ci": _frames.ci(r)}
            for r in rows
            if r["metric"] == "skill"
        ],
    }  # fmt: skip
    block["test"] |= by_equation
    if order > 1:
        block["note"] = f"rollouts start with {order} true frames; skill starts all orders alike"
    return block
