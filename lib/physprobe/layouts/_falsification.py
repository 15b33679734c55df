"""The published keys of ``pixel_falsification_metrics.json``, filled by our protocol."""

from collections.abc import Mapping, Sequence

import numpy as np

from physprobe.store.evidence import Evidence

TARGET = "alpha"


def block(
    evidence: Evidence, encoder: str, maps: Sequence[Mapping], seed: int, sizes: tuple[int, int]
) -> dict:
    """One entry of ``per_seed``: modalities, cross-modal maps and gaps.

    Parameters
    ----------
    evidence : Evidence
    encoder : str
        Encoder that stands for ``embed``.
    maps : sequence of mapping
        Rows of the linear maps between pixels and encoders, if a claim rests on them.
    seed : int
        Seed of the folds.
    sizes : (train, test)
        Clips of one outer fold's training part, and held-out clips in all.

    Returns
    -------
    dict
        Superset of the published keys; scores are nested and held out, not of one split.
    """
    pixels = {
        name: mode(evidence.specs[name])
        for name in evidence.controls
        if evidence.specs[name]["kind"] == "pixels"
    }
    names = {"embed": encoder, **{f"pixel_{mode}": name for name, mode in pixels.items()}}
    modalities = {
        key: {
            "alpha_probe": _alpha_probe(evidence, name),
            "koopman": dict(evidence.koopman[name]["published"]),
            "koopman_time_shuffled_control": dict(
                evidence.koopman[name]["published_time_shuffled"]
            ),
        }
        for key, name in names.items()
    }
    cross = {
        mode: _cross(maps, encoder, name)
        for name, mode in pixels.items()
        if any((row["encoder"], row["pixels"]) == (encoder, name) for row in maps)
    }
    return {
        "seed": seed,
        "split": {"n_train": sizes[0], "n_test": sizes[1]},
        "modalities": modalities,
        "cross_modal": cross,
        "gaps": _gaps(modalities, cross),
    }


def mode(spec: Mapping) -> str:
    """Published name of a pixel control, ``gray16``, and whatever else sets it apart."""
    parts = {
        "pca": spec.get("components"),
        "tubelet": spec["tubelet"] if spec["tubelet"] != 2 else None,
        "frames": spec["frames"] if spec["frames"] != "ordered" else None,
        "tokens": spec["tubelet_frames"] if spec["tubelet_frames"] != "mean" else None,
    }
    more = [f"{what}_{value}" for what, value in parts.items() if value]
    return "_".join([f"{spec['color']}{spec['size']}", *more])


def _alpha_probe(evidence: Evidence, name: str) -> dict:
    found = {}
    for sample, key in (("clip", "sim"), ("token", "frame")):
        for metric in ("train_r2", "r2", "mae"):
            row = evidence.probes.probe(name, TARGET, sample, metric) or {}
            found[f"{key}_{metric if metric == 'train_r2' else f'test_{metric}'}"] = row.get(
                "value"
            )
            if metric == "r2":
                found[f"lambda_{key}"] = row.get("lambda")
                if key == "sim":
                    found["sim_test_r2_shuffled_label_control"] = row.get("null_mean")
    return found


def _cross(maps: Sequence[Mapping], encoder: str, name: str) -> dict:
    rows = {
        row["metric"]: row for row in maps if (row["encoder"], row["pixels"]) == (encoder, name)
    }
    return {
        "lambda_pixel_to_embed": rows["pixel_to_embed_r2"]["lambda"],
        "lambda_embed_to_pixel": rows["embed_to_pixel_r2"]["lambda"],
        "pixel_to_embed_test_r2_total": rows["pixel_to_embed_r2"]["value"],
        "pixel_to_embed_test_cos": rows["pixel_to_embed_cos"]["value"],
        "embed_to_pixel_test_r2_total": rows["embed_to_pixel_r2"]["value"],
        "embed_to_pixel_test_cos": rows["embed_to_pixel_cos"]["value"],
    }


def _gaps(modalities: Mapping, cross: Mapping) -> dict:
    def best(part: str, key: str) -> float | None:
        found = [
            m[part][key]
            for name, m in modalities.items()
            if name != "embed" and m[part][key] is not None
        ]
        return max(found, default=None)

    def gap(part: str, key: str) -> float | None:
        own, other = modalities["embed"][part][key], best(part, key)
        return None if own is None or other is None else own - other

    maps = [found["pixel_to_embed_test_r2_total"] for found in cross.values()]
    return {
        "embed_minus_best_pixel_alpha_sim_r2": gap("alpha_probe", "sim_test_r2"),
        "embed_minus_best_pixel_koop_rollout_cos": gap("koopman", "rollout_cos_test_mean"),
        "best_pixel_to_embed_r2_total": max(maps, default=None),
    }


def aggregate(per_seed: list[dict]) -> dict:
    """The published aggregates over seeds: mean, standard deviation, t interval if several."""
    read = {
        "embed_alpha_sim_test_r2": lambda s: s["modalities"]["embed"]["alpha_probe"]["sim_test_r2"],
        "embed_koop_rollout_cos_test": lambda s: s["modalities"]["embed"]["koopman"][
            "rollout_cos_test_mean"
        ],
        "best_pixel_alpha_sim_test_r2": lambda s: _best(s, "alpha_probe", "sim_test_r2"),
        "best_pixel_koop_rollout_cos_test": lambda s: _best(s, "koopman", "rollout_cos_test_mean"),
        "gap_embed_minus_best_pixel_alpha_sim_r2": lambda s: s["gaps"][
            "embed_minus_best_pixel_alpha_sim_r2"
        ],
        "gap_embed_minus_best_pixel_koop_rollout_cos": lambda s: s["gaps"][
            "embed_minus_best_pixel_koop_rollout_cos"
        ],
        "best_pixel_to_embed_r2_total": lambda s: s["gaps"]["best_pixel_to_embed_r2_total"],
    }
    return {key: _spread([value(seed) for seed in per_seed]) for key, value in read.items()}


def _best(seed: Mapping, part: str, key: str) -> float | None:
    found = [m[part][key] for name, m in seed["modalities"].items() if name != "embed"]
    return max((value for value in found if value is not None), default=None)


def _spread(values: list[float | None]) -> dict:
    from scipy.special import stdtrit

    known = np.array([value for value in values if value is not None])
    if not len(known):
        return {"n": 0, "mean": None, "std": None, "ci95_low": None, "ci95_high": None}
    mean = float(known.mean())
    if len(known) == 1:
        return {"n": 1, "mean": mean, "std": None, "ci95_low": None, "ci95_high": None}
    std = float(known.std(ddof=1))
    reach = float(stdtrit(len(known) - 1, 0.975)) * std / len(known) ** 0.5
    return {
        "n": len(known),
        "mean": mean,
        "std": std,
        "ci95_low": mean - reach,
        "ci95_high": mean + reach,
    }
