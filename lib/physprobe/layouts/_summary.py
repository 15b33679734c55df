"""Summary: ``fit_summary.txt`` in the published layout, then what that layout has no place for."""

from collections.abc import Iterator, Mapping, Sequence
from math import isfinite

RULE = 64


def text(content: Mapping, claims: Sequence[Mapping]) -> str:
    """The summary of a study.

    Parameters
    ----------
    content : mapping
        ``fit_metrics.json``.
    claims : sequence of mapping
        The claims table of the falsification.
    """
    return "\n".join([*_published(content), "", *_ours(content, claims)])


def _published(content: Mapping) -> Iterator[str]:
    setup, spatial = content["setup"], content["spatial"] or {}
    yield f"{content['study']} physics extraction summary"
    yield "=" * RULE
    yield f"sims: total={setup['n_total']} train={setup['n_train']} test={setup['n_test']}"
    yield (
        f"embedding_dim={setup['embedding_dim']}"
        f" koopman_latent_dim={content['koopman']['latent_dim']}"
        f" spatial_channels={spatial.get('channels', 'none')}"
    )
    for key, what in (("alpha_probe_sim", "sim mean"), ("alpha_probe_frame", "frame")):
        block = content[key]
        yield from ("", f"alpha linear probe ({what} embeddings)", "-" * RULE)
        yield _line(block, "train_r2", "test_r2")
        yield _line(block, "train_mae", "test_mae")
    yield from ("", "koopman in pca latent", "-" * RULE)
    block = content["koopman"]
    yield _line(block, "spectral_radius")
    yield _line(block, "one_step_mse_train", "one_step_mse_test")
    yield _line(block, "one_step_cos_train", "one_step_cos_test")
    yield from (_spread(block, side) for side in ("train", "test"))
    title = "spatial token diffusion head (real alpha / shuffled alpha / no alpha)"
    yield from ("", title, "-" * RULE)
    for key, short in (("real", "real"), ("shuffled", "shuf"), ("none", "none")):
        yield " ".join(
            f"final_{side}_loss_{short}={number(spatial.get(f'{key}_final_{side}_loss'))}"
            for side in ("train", "test")
        )
    yield from (_spread(spatial, side) for side in ("train", "test"))


def _ours(content: Mapping, claims: Sequence[Mapping]) -> Iterator[str]:
    setup = content["setup"]
    yield from ("what these numbers are", "-" * RULE)
    yield f"encoder: {setup['encoder']} ({content['label']})"
    if content["untrained"]:
        yield "its weights are random: whatever it scores, no learned physics is in it"
    folds = setup["outer_folds"]
    yield (
        f"test: {setup['n_held_out']} held-out clips in {folds} outer"
        f" fold{'s' * (folds > 1)}; every choice is made inside the training clips"
    )
    yield "interval: 95 %, bootstrap over clips"
    yield f"null: {setup['permutations']} permutations of labels, the whole selection redone"
    what = f"{content['decoded']['metric']} of {content['decoded']['target']}"
    yield from ("", f"{what}, clip mean / each token (interval; null 95th percentile; p)")
    yield "-" * RULE
    for role in ("encoders", "controls"):
        for name, blocks in content[role].items():
            for key in ("sim", "frame"):
                block = blocks[f"probe_{key}"]
                yield (
                    f"{name:<16} {key:<6} {score(block['value'])} {interval(block['ci'])}"
                    f" null {score(block['null_q95'])} p {probability(block['p'])}"
                )
    yield from ("", "above the best control, paired by clip", "-" * RULE)
    for name, blocks in content["encoders"].items():
        for key in ("probe_sim", "probe_frame", "koopman"):
            best = blocks[key]["best_control"]
            if best:
                yield (
                    f"{name:<16} {key:<18} {score(best['difference'])} {interval(best['ci'])}"
                    f" over {best['name']} ({score(best['value'])})"
                )
    yield from claimed(claims)


def claimed(claims: Sequence[Mapping]) -> Iterator[str]:
    """Lines of the claims and their verdicts."""
    yield from ("", "claims", "-" * RULE)
    if not claims:
        yield "none declared"
    for claim in claims:
        yield f"{claim['verdict']:<12} {claim['encoder']}: {claim['statement']}"
        if claim["value"] is None:
            yield f"{'':<12} {claim['note']}"
            continue
        band = interval([claim["ci_low"], claim["ci_high"]])
        yield f"{'':<12} {claim['statistic']} = {score(claim['value'])} {band}"


def _line(block: Mapping, *keys: str) -> str:
    return " ".join(f"{key}={number(block.get(key))}" for key in keys)


def _spread(block: Mapping, side: str) -> str:
    mean, std = (number(block.get(f"rollout_cos_{side}_{part}")) for part in ("mean", "std"))
    return f"rollout_cos_{side}={mean} +/- {std}"


def interval(ci: Sequence | None) -> str:
    """``[low, high]``, signed."""
    return f"[{score(ci[0])}, {score(ci[1])}]" if ci else "[undefined]"


def number(value: float | None) -> str:
    """Six digits, or ``undefined``."""
    return "undefined" if _unknown(value) else f"{value:.6g}"


def score(value: float | None) -> str:
    """Signed, three digits, or ``undefined``."""
    return "undefined" if _unknown(value) else f"{value:+.3f}"


def probability(value: float | None) -> str:
    """Three digits, or ``undefined``."""
    return "undefined" if _unknown(value) else f"{value:.3f}"


def _unknown(value: float | None) -> bool:
    return value is None or not isfinite(value)
