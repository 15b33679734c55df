"""Summary of a comparison: the published layout of ``fit_summary.txt``, controls and claims."""

from collections.abc import Iterator, Mapping, Sequence

from physprobe.layouts._summary import RULE, claimed, interval, number, score


def text(content: Mapping, claims: Sequence[Mapping]) -> str:
    """The summary of a comparison.

    Parameters
    ----------
    content : mapping
        ``fit_metrics.json``.
    claims : sequence of mapping
        The claims table of the falsification.
    """
    return "\n".join([*_published(content), *_controls(content), *claimed(claims)])


def _published(content: Mapping) -> Iterator[str]:
    setup, equations = content["setup"], list(content["equations"].values())
    yield f"{' vs '.join(equations)} probe summary"
    yield "=" * RULE
    yield f"sims: total={setup['n_total']} train={setup['n_train']} test={setup['n_test']}"
    yield f"encoder: {setup['encoder']} ({content['label']})"
    if content["untrained"]:
        yield "its weights are random: whatever it scores, no learned physics is in it"
    yield from ("", "equation classification", "-" * RULE)
    for key in ("sim_mean", "frame"):
        block = content["equation_classification"][f"{key}_test"]
        yield (
            f"{key}_test_accuracy={number(block['accuracy'])} {interval(block['ci']['accuracy'])}"
            f" auc={number(block['auc'])} tp={block['tp']} tn={block['tn']}"
            f" fp={block['fp']} fn={block['fn']}"
        )
    yield from ("", "parameter probes", "-" * RULE)
    found = content["parameter_regression"]
    yield f"all_params: {found['note']}"
    for key, block in found.items():
        if isinstance(block, Mapping):
            r2, mae = found[f"{key}_r2_test"], found[f"{key}_mae_test"]
            yield (
                f"{key}_r2_test={number(r2)} {interval(block['ci']['r2'])}"
                f" {key}_mae_test={number(mae)} {block['unit']}"
            )
    yield from ("", "koopman", "-" * RULE)
    for key, block in content.items():
        if key.startswith("koopman_") and "skill" in block:
            skill = next(
                (s for s in block["skill"] if (s["baseline"], s["horizon"]) == ("persistence", 4)),
                {"value": None, "ci": None},
            )
            yield (
                f"{key}: spectral_radius={number(block['spectral_radius'])}"
                f" skill_at_4={number(skill['value'])} {interval(skill['ci'])}"
            )


def _controls(content: Mapping) -> Iterator[str]:
    yield from ("", "accuracy of the equation, clip mean / each token (interval; null 95 %)")
    yield "-" * RULE
    for role in ("encoders", "controls"):
        for name, blocks in content[role].items():
            for key in ("sim_mean", "frame"):
                block = blocks["equation_classification"][f"{key}_test"]
                yield (
                    f"{name:<16} {key:<9} {score(block['accuracy'])}"
                    f" {interval(block['ci']['accuracy'])} null {score(block['null_q95'])}"
                )
