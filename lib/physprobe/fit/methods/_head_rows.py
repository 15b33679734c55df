"""Head rows: scores of the spatial head with interval and null, and its blocks."""

from collections.abc import Iterator, Mapping

import numpy as np

from physprobe.fit.methods._digits import short
from physprobe.fit.methods._head_settings import Settings
from physprobe.fit.methods._kernels import FAMILIES, LAPLACIAN, laplacian_residual
from physprobe.fit.methods._rollout import Rollouts
from physprobe.fit.methods._stencil import ONE
from physprobe.statistics import bootstrap, nulls, paired, scores
from physprobe.statistics.intervals import Interval
from physprobe.statistics.paired import Scored

MODELS = ("real", "shuffled", "none")


def name_of(family: str, model: str) -> str:
    """Name of a model of a family, as rows and tensors have it."""
    return model if family == "free" else f"{model}_{family}"


def collect(
    spec: Settings,
    found: Mapping,
    arranged: nulls.Arrangements,
    persistence: np.ndarray,
    rollouts: Mapping,
    bands: Mapping,
    held: np.ndarray,
    groups: np.ndarray,
    cells: int,
) -> tuple[list[dict], dict]:
    """Rows and blocks of all models.

    Parameters
    ----------
    spec : spatial_heat_head's Spec
    found : mapping of (family, model) to Fitted
    arranged : Arrangements
        How alpha can be permuted.
    persistence : (clip,)
        Squared one-step error of held-out clips.
    rollouts : mapping of (family, model) to Rollouts
        And ``train``, of training clips.
    bands : mapping of (family, model) to (1 + draw, column)
        Mean kernels.
    held : (clip,)
    groups : (clip,)
        Of all clips.
    cells : int
        Cells of a clip that are predicted: steps x grid.
    """
    draws = {"groups": groups[held], "draws": spec.bootstraps, "seed": spec.seed}
    channels = len(found["free", "real"].kernels[0])
    rows: list[dict] = []
    for family in FAMILIES:
        rows += _one_step(spec, found, arranged, family, persistence, draws, cells * channels)
        rows += _rolled(spec, rollouts, family, draws)
        rows += _shapes(bands, family)
    for row in rows:
        names = f"{row['model']} {row.get('baseline')}"
        if arranged.none and "shuffled" in names:
            row |= {**dict.fromkeys(("value", "ci_low", "ci_high")), "note": arranged.none}
        row |= {"layer": spec.layer, "target": spec.label}
        row.setdefault("n_clips", len(held))
    return rows, {
        "published": _published(found, rollouts, "free", cells, channels),
        "published_zero_sum": _published(found, rollouts, "zero_sum", cells, channels),
        "choices": [
            {"model": name_of(*key), "fold": f, "lambda": c.penalty, "edge_hit": c.edge_hit}
            for key, fitted in found.items()
            for f, c in enumerate(fitted.choices)
        ],
        "kernels": {
            name_of(*key): {
                "mean": short(band[0, :ONE].reshape(3, 3)),
                "ci_low": short(np.quantile(band[1:, :ONE], 0.025, axis=0).reshape(3, 3)),
                "ci_high": short(np.quantile(band[1:, :ONE], 0.975, axis=0).reshape(3, 3)),
                "source": float(band[0, ONE]),
            }
            for key, band in bands.items()
        },
        "laplacian": LAPLACIAN.reshape(3, 3),
        "errors": {
            "clip": held,
            "persistence": short(persistence / persistence.mean()),
            **{
                name_of(*key): short(fitted.test.mean(0) / persistence.mean())
                for key, fitted in found.items()
            },
        },
        "rollout": {
            "horizon": list(range(1, rollouts["free", "real"].sse.shape[1] + 1)),
            "persistence_cos": short(rollouts["free", "real"].persistence_cosine.mean(0)),
            **{
                name_of(*key): {
                    "skill": _curve(rollouts[key]),
                    "cos": short(rollouts[key].cosine.mean(0)),
                }
                for key in found
            },
        },
    }


def _one_step(
    spec: Settings,
    found: Mapping,
    arranged: nulls.Arrangements,
    family: str,
    persistence: np.ndarray,
    draws: dict,
    size: int,
) -> Iterator[dict]:
    """Skill against persistence, and what the real alpha adds to a shuffled one and to none."""
    models = {model: found[family, model] for model in MODELS}
    whole = persistence.sum() if persistence.sum() > 0 else np.nan
    # shuffled where it is fitted and where it is tried: one with the real, if alpha means nothing
    mirrored = 1.0 - models["shuffled"].mirror.sum(1) / whole
    errors = {model: fitted.test.mean(0) for model, fitted in models.items()}
    errors["mirror"] = models["shuffled"].mirror.mean(0)

    def skill(error: np.ndarray) -> dict:
        sums = np.stack([error, persistence], axis=-1)
        return _value(bootstrap.interval(sums, scores.skill_of, **draws))

    def null(value: float | None, values: np.ndarray) -> dict:
        return {} if value is None else arranged.row(value, values)

    for model, fitted in models.items():
        penalties = sorted(choice.penalty for choice in fitted.choices)
        about = {
            "model": name_of(family, model), "horizon": 1,
            "lambda": penalties[(len(penalties) - 1) // 2],
            "edge_hit": any(choice.edge_hit for choice in fitted.choices),
        }  # fmt: skip
        many = f"mean of {len(mirrored)} permutations of alpha" if model == "shuffled" else None
        row = {**about, "metric": "skill", "baseline": "persistence", **skill(errors[model])}
        row |= null(row["value"], mirrored) if model == "real" else {}
        yield {**row, "note": row.get("note") or many}
        band = np.stack([errors[model], np.full_like(persistence, size)], axis=-1)
        yield {
            **about, "metric": "mse", **_value(bootstrap.interval(band, scores.mean_of, **draws)),
            "note": many,
        }  # fmt: skip
        if model == "shuffled":
            row = {**about, "metric": "skill_on_shuffled", "baseline": "persistence"}
            row |= skill(errors["mirror"])
            yield {**row, "note": row.get("note") or f"{many}, each tried on its own alpha"}
    real = float(1.0 - errors["real"].sum() / whole)
    for other in ("shuffled", "none", "mirror"):
        both = [
            Scored(np.stack([errors[m], persistence], axis=-1), scores.skill_of, draws["groups"])
            for m in ("real", other)
        ]
        difference = _value(paired.above(*both).interval(spec.bootstraps, spec.seed))
        base = 1.0 - errors[other].sum() / whole
        yield {
            "model": name_of(family, "real"), "horizon": 1, "metric": "skill_difference",
            "baseline": name_of(family, "shuffled_on_shuffled" if other == "mirror" else other),
            **difference, **(null(real - base, mirrored - base) if np.isfinite(real) else {}),
        }  # fmt: skip


def _rolled(spec: Settings, rollouts: Mapping, family: str, draws: dict) -> Iterator[dict]:
    """Skill and cosine of rollouts from the first frame."""
    for model in MODELS:
        rolled = rollouts[family, model]
        about = {"model": name_of(family, model)}
        steps = rolled.sse.shape[1]
        for ahead in spec.horizons:
            row = {**about, "metric": "rollout_skill", "baseline": "persistence", "horizon": ahead}
            if ahead > steps:
                yield {**row, "note": f"clips of {steps + 1} times have no such horizon"}
                continue
            sums = np.stack([rolled.sse[:, ahead - 1], rolled.persistence[:, ahead - 1]], axis=-1)
            if not np.isfinite(sums).all():
                yield {**row, "note": "not finite: the rollout diverges"}
                continue
            yield {**row, **_value(bootstrap.interval(sums, scores.skill_of, **draws))}
        yield {**about, "metric": "rollout_cos", **_mean(rolled.cosine.mean(1), draws)}
    if family == "free":
        held_still = rollouts[family, "real"].persistence_cosine.mean(1)
        yield {"model": "persistence", "metric": "rollout_cos", **_mean(held_still, draws)}


def _shapes(bands: Mapping, family: str) -> Iterator[dict]:
    """How far the mean kernel is from a Laplacian, and what its weights sum to."""
    for model in MODELS:
        band = bands[family, model][:, :ONE]
        measured = {"laplacian_residual": laplacian_residual(band)[0], "kernel_sum": band.sum(1)}
        for metric, values in measured.items():
            low, high = np.quantile(values[1:], (0.025, 0.975))
            yield {
                "model": name_of(family, model),
                "metric": metric,
                **_value(Interval(values[0], low, high)),
            }


def _mean(values: np.ndarray, draws: dict) -> dict:
    if not np.isfinite(values).all():
        return {"value": None, "note": "not finite: the rollout diverges"}
    band = np.stack([values, np.ones_like(values)], axis=-1)
    return _value(bootstrap.interval(band, scores.mean_of, **draws))


def _value(interval: Interval) -> dict:
    return interval.row("undefined: nothing changes in the held-out clips")


def _published(found: Mapping, rollouts: Mapping, family: str, cells: int, channels: int) -> dict:
    """Fill the published keys; losses are mean squared errors of whitened channels."""
    block: dict = {"channels": channels}
    for model in MODELS:
        fitted = found[family, model]
        size = cells * channels
        block[f"{model}_final_train_loss"] = np.concatenate(fitted.train).mean() / size
        block[f"{model}_final_test_loss"] = fitted.test.mean() / size
    sides = {"test": rollouts[family, "real"]}
    if family == "free":
        sides = {"train": rollouts["train"], **sides}
    for side, rolled in sides.items():
        cosine = rolled.cosine.mean(1)
        block[f"rollout_cos_{side}_mean"] = cosine.mean()
        block[f"rollout_cos_{side}_std"] = cosine.std()
    return block


def _curve(rolled: Rollouts) -> list:
    """Skill at every step; null where the rollout has overflown."""
    with np.errstate(invalid="ignore"):
        skill = scores.skill(rolled.sse.sum(0), rolled.persistence.sum(0))
    return [float(f"{value:.6g}") if np.isfinite(value) else None for value in skill]
