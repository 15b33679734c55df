"""The falsification for people: the published layout, then claims and controls."""

from collections.abc import Mapping, Sequence
from math import isfinite

AGGREGATES = (
    "embed_alpha_sim_test_r2",
    "best_pixel_alpha_sim_test_r2",
    "gap_embed_minus_best_pixel_alpha_sim_r2",
    "embed_koop_rollout_cos_test",
    "best_pixel_koop_rollout_cos_test",
    "gap_embed_minus_best_pixel_koop_rollout_cos",
    "best_pixel_to_embed_r2_total",
)

DIFFERENCES = ("r2_difference", "accuracy_difference")


def text(study: str, content: Mapping, rows: Sequence[Mapping]) -> str:
    """The summary's text."""
    setup = content["setup"]
    lines = [
        f"{study} pixel-vs-embedding falsification summary",
        "=" * 78,
        f"sims: total={setup['n_total']} outer_folds={setup['outer_folds']} seeds={setup['seeds']}",
        f"pixel_modes: {', '.join(setup['pixel_modes'])}",
        f"ridge_grid: {_grid(setup['ridge_grid'])}",
        f"embed: {setup['embed']} ({content['labels'][setup['embed']]})",
        "",
    ]
    for key in AGGREGATES:
        found = content["aggregate"][key]
        lines.append(f"{key}: {_number(found['mean'])} (n={found['n']}, nested folds)")
    lines += ["", "claims", "-" * 78]
    for claim in content["claims"]:
        lines.append(f"{claim['verdict']:<12} {claim['encoder']}: {claim['statement']}")
        if claim["value"] is None:
            lines.append(f"{'':<12} {claim['note']}")
            continue
        lines += [
            f"{'':<12} {claim['statistic']} = {_number(claim['value'])}"
            f" [{_number(claim['ci_low'])}, {_number(claim['ci_high'])}],"
            f" margin {claim['margin']:g}"
            + (f", p = {claim['p']:.3g}" if claim["p"] is not None else "")
            + (f", best control {claim['best_control']}" if claim["best_control"] else ""),
        ]
    lines += [
        "",
        "Score of the encoder less that of each control (95 % interval over clips)",
        "-" * 78,
    ]
    lines += [
        f"{row['encoder']:<16} {row['target']:<10} {row['sample']:<6} - {row['control']:<16}"
        f" {_number(row['value'])} [{_number(row['ci_low'])}, {_number(row['ci_high'])}]"
        + (f"  ({row['note']})" if row.get("note") else "")
        for row in rows
        if row["metric"] in DIFFERENCES and row.get("value") is not None
    ]
    lines += ["", f"verdict: {content['verdict']}"]
    return "\n".join(lines)


def _grid(penalties: Sequence[float] | None) -> str:
    if not penalties:
        return "none"
    return f"{penalties[0]:g} to {penalties[-1]:g} x mean eigenvalue"


def _number(value: float | None) -> str:
    return "undefined" if value is None or not isfinite(value) else f"{value:+.3f}"
