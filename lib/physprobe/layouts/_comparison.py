"""Comparison: the published blocks of systems side by side."""

import numpy as np

from physprobe.layouts._metrics import ci, probe
from physprobe.layouts.section import Result
from physprobe.store.evidence import Evidence
from physprobe.store.fits import row

TARGET = "equation"
SIDES = {"sim_mean": "clip", "frame": "token"}
"""Published names of the samples."""
ORDERS = {1: "first", 2: "second", 3: "third"}
AGGREGATE = "undefined: R2 over columns of unlike units says which one varies most"


def systems(study: Evidence) -> dict[str, str]:
    """Equation of each system that is fitted together."""
    return {name: study.equation(name) for name in study.together}


def classified(study: Evidence, name: str, sample: str, metric: str = "accuracy") -> dict:
    """Row of the probe that tells equations apart, layer chosen inside the training clips."""
    return probe(study, name, sample, metric, TARGET)


def blocks(study: Evidence, name: str, judged: Result) -> dict:
    """The published blocks for one encoder or control.

    Parameters
    ----------
    study : Evidence
    name : str
    judged : mapping
        ``verdicts.json``: differences to the controls.
    """
    return {
        "equation_classification": _classification(study, name, judged),
        "parameter_regression": _regression(study, name, judged),
        **_dynamics(study, name),
    }


def _classification(study: Evidence, name: str, judged: Result) -> dict:
    found, positive = {}, next(iter(systems(study).values()))
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
            "ci": {metric: ci(rows[metric]) for metric in ("accuracy", "auc", "ece")},
            **{key: score.get(key) for key in ("null_mean", "null_q95", "p", "n_clips", "note")},
            "best_control": best and {
                "name": best["note"],
                "value": classified(study, best["note"], sample).get("value"),
                "difference": best["value"],
                "ci": ci(best),
            },
        }  # fmt: skip
    return {"positive": positive, **found}


def _counts(study: Evidence, name: str, sample: str, positive: str) -> dict:
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


def _regression(study: Evidence, name: str, judged: Result) -> dict:
    found: dict = {
        "all_params_train_r2_total": None,
        "all_params_test_r2_total": None,
        "note": AGGREGATE,
    }
    for system, side in study.sides.items():
        told = study.equation(system)
        for target in side.probes[name]["spec"]["targets"]:
            rows = {m: probe(side, name, "clip", m, target) for m in ("r2", "mae")}
            key = f"{told}_{target}"
            found |= {f"{key}_{m}_test": found_row.get("value") for m, found_row in rows.items()}
            where = {"encoder": name, "target": target, "sample": "clip", "system": system}
            best = row(judged, control="best control", metric="r2_difference", **where)
            found[key] = {
                "unit": side.units.get(target.removeprefix("log_"), "1"),
                "ci": {metric: ci(part) for metric, part in rows.items()},
                **{k: rows["r2"].get(k) for k in ("null_q95", "p", "n_clips", "note")},
                "best_control": best and {
                    "name": best["note"], "difference": best["value"], "ci": ci(best),
                },
            }  # fmt: skip
    return found


def _dynamics(study: Evidence, name: str) -> dict:
    """Published Koopman blocks: shared, by equation, and by order."""
    shared = _koopman(study, name, 1)
    own = {
        told: {order: _koopman(study.at(system), name, order) for order in ORDERS}
        for system, told in systems(study).items()
    }
    named = {
        f"koopman_{equation}_{ORDERS[order]}_order": block
        for equation, orders in own.items()
        for order, block in orders.items()
    }
    return {
        "koopman_shared": shared,
        "koopman_by_equation": {equation: orders[1] for equation, orders in own.items()},
        **{f"koopman_shared_{o}_order": _koopman(study, name, n)
           for n, o in ORDERS.items()},
        **named,
    }  # fmt: skip


def _koopman(study: Evidence, name: str, order: int) -> dict:
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
        "ci": {"spectral_radius": ci(radius)},
        "skill": [
            {**{k: r[k] for k in ("baseline", "horizon", "value", "null_q95", "p", "note")},
             "ci": ci(r)}
            for r in rows
            if r["metric"] == "skill"
        ],
    }  # fmt: skip
    block["test"] |= by_equation
    if order > 1:
        block["note"] = f"rollouts start with {order} true frames; skill starts all orders alike"
    return block
