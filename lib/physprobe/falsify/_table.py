"""Table: every layer of every curve as one line; a superset of the published columns."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from physprobe.falsify._curve import Curve
from physprobe.falsify._onset import depths
from physprobe.statistics import targets

NORMALISATIONS = {"feature": "zscore", "none": "center"}


def lines(
    study: str,
    curves: Mapping[str, Curve],
    about: Mapping[str, Mapping],
    rows: list[dict],
) -> Iterator[dict]:
    """Lines of one claim.

    Parameters
    ----------
    study : str
        The published ``run_name``; ``probe_set`` is the entry of ``methods``.
    curves : mapping of str to Curve
    about : mapping of str to mapping
        ``role``, ``label``, ``hf_repo``, ``preprocessing`` and ``feature_root`` of each embedding.
    rows : list of dict
        Of :func:`_curve.scored`.

    Yields
    ------
    dict
        The published columns, ``r2_mean`` and ``r2_std`` over outer folds that vary, or those of
        another metric; then ours: ``score`` of all held-out clips together with interval, band,
        null.
    """
    known = {(row["encoder"], row["metric"], row.get("layer")): row for row in rows}
    for name, curve in curves.items():
        if not curve.defined:
            continue
        spec, metric = curve.probe["spec"], curve.metric
        for place, (layer, depth) in enumerate(
            zip(curve.layers, depths(curve.layers), strict=True)
        ):
            score = known[name, metric, layer]
            circular = known.get((name, "circular_mae", layer), {})
            band = known.get((name, f"{metric}_band", layer), {})
            above = known.get((name, f"{metric}_above_controls", layer), {})
            folds = curve.fold_scores(layer)
            yield {
                "run_name": study,
                "probe_set": curve.probe.get("method"),
                "layer": layer,
                "layer_fraction": depth,
                f"{metric}_mean": float(folds.mean()) if len(folds) else None,
                f"{metric}_std": float(folds.std()) if len(folds) else None,
                "best_lr_mode": _mode(curve.chosen(layer, "learning_rate")),
                "best_wd_mode": _mode(curve.chosen(layer, "weight_decay")),
                "grouping": spec["grouping"],
                "direction_target": direction_target(curve.target),
                "residual_capture": "blocks_applied",
                "preprocessing": about[name]["preprocessing"],
                "solver": spec["kind"],
                "norm_mode": spec.get("normalisation")
                or NORMALISATIONS[_mode(curve.chosen(layer, "scaling"))],
                "feature_root": about[name]["feature_root"],
                "encoder": name,
                "role": about[name]["role"],
                "label": about[name]["label"],
                "target": curve.target,
                "sample": curve.sample,
                "place": place,
                "depth": depth,
                "folds": len(folds),
                "part": curve.part,
                "metric": metric,
                "score": score["value"],
                "chance": curve.chance,
                **{key: score[key] for key in ("ci_low", "ci_high", "null_mean", "null_q95", "p")},
                "band_low": band.get("ci_low"),
                "band_high": band.get("ci_high"),
                "above_controls": above.get("value"),
                "above_controls_low": above.get("ci_low"),
                "above_controls_high": above.get("ci_high"),
                "circular_mae_deg": circular.get("value"),
                "n_clips": score["n_clips"],
                "lambda": score["lambda"],
                "edge_hit": score["edge_hit"],
            }


def _mode(values: list) -> Any:
    """Most frequent value, or None of none."""
    return Counter(values).most_common(1)[0][0] if values else None


def direction_target(target: str) -> str | None:
    """Published word for the form of a target."""
    if targets.harmonic(target):
        return target.partition("_")[0]
    return {"direction": "angle", "vxy": "vxy", "axy": "vxy"}.get(target)
