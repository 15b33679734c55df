"""Loop: optimise a recipe on its stream, judge checkpoints, go on where a killed run stopped."""

import json
import logging
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn

from physprobe.statistics import seeds
from physprobe.store import files, job
from physprobe.train._members import Members
from physprobe.train._recipe import Recipe
from physprobe.train._training import STEPS, Schedule
from physprobe.train.section import Batch

log = logging.getLogger("physprobe")
EVERY = 60.0  # seconds between two checkpoints
COLLAPSED = 1.5  # effective rank of token features
ALIKE = 0.999  # mean cosine: what tells clips apart is less than a twentieth of their features
AFRESH = "Hint: delete the folder that it is in, and the same command begins anew."
MOMENTS = ("exp_avg", "exp_avg_sq")


@dataclass
class Progress:
    """How far a run is; written beside the weights, so that it can go on."""

    step: int = 0
    seconds: float = 0.0
    """Of each member: equal parts of what those that are trained together take."""
    rows: list[list[dict]] = field(default_factory=list)
    """(epoch, member)"""
    losses: list[list[float]] = field(default_factory=list)
    """(step, member) of an epoch that isn't over; so are norms and parts."""
    norms: list[list[float]] = field(default_factory=list)
    parts: dict[str, list[list[float]]] = field(default_factory=dict)


def run(
    recipe: Recipe | Members,
    folder: Path,
    judge: Callable[[nn.Module], Mapping[str, float]],
    *,
    identity: str,
    device: torch.device,
) -> list[tuple[dict[str, torch.Tensor], list[dict]]]:
    """Train a recipe, or several members of one together, to the last step.

    Parameters
    ----------
    recipe : Recipe or Members
        On the device.
    folder : Path
        Where checkpoints lie while the run lasts.
    judge : callable
        From the judged network to its scores by name; the checkpoint of the highest mean is kept.
    identity : str
        What the run follows from; a checkpoint of another identity is not used.
    device : torch.device
        On a GPU products are bfloat16.

    Returns
    -------
    list of (tensors, rows)
        Of each member: of the kept networks of its best checkpoint, as ``{network}.{parameter}``;
        and a row per epoch, from before the first step on.

    Raises
    ------
    ValueError
        If the loss is not finite, or the features have collapsed.
    """
    spec = recipe.spec
    groups = _groups(recipe, spec.weight_decay, recipe.leading)
    optimiser = torch.optim.AdamW(groups, lr=spec.learning_rate, fused=True)
    optimiser.param_groups[0]["betas"] = optimiser.param_groups[1]["betas"] = spec.BETAS
    state = folder / "checkpoint.safetensors"
    best = [folder / f"best_{number}.safetensors" for number in range(len(recipe.specs))]
    progress = _resume(recipe, optimiser, state, identity)
    # the process's own time where it is the process that computes, whoever else is busy
    clock = time.monotonic if device.type == "cuda" else time.process_time
    members = len(recipe.specs)
    began, saved = clock() - members * progress.seconds, time.monotonic()
    if not progress.rows:
        _close_epoch(recipe, judge, progress, best)
    length = max(1, spec.steps // spec.epochs)
    for batch in job.ahead(recipe.batch, range(progress.step, spec.steps)):
        _step(recipe, optimiser, batch.to(device), progress)
        progress.seconds = (clock() - began) / members
        if progress.step % length == 0 or progress.step == spec.steps:
            _close_epoch(recipe, judge, progress, best)
        elif time.monotonic() - saved < EVERY:
            continue
        else:
            _report(spec, progress)
        _save(recipe, optimiser, state, progress, identity)
        saved = time.monotonic()
    found = []
    for number, path in enumerate(best):
        with files.open_tensors(path, AFRESH) as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        found.append((tensors, [row[number] for row in progress.rows]))
    return found


def learning_rate(spec: Schedule, step: int) -> float:
    """Rise over the warm-up, then fall as a half cosine to a hundredth, if it falls."""
    rise = max(1.0, spec.warm_up * spec.steps)
    if step < rise:
        return spec.learning_rate * (step + 1) / rise
    if not spec.decays:
        return spec.learning_rate
    part = min(1.0, (step - rise) / max(1.0, spec.steps - rise))
    return spec.learning_rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * part)))


def _groups(recipe: nn.Module, decay: float, leading: int = 0) -> list[dict]:
    trained = [value for value in recipe.parameters() if value.requires_grad]
    return [
        {"params": [v for v in trained if v.ndim - leading > 1], "weight_decay": decay},
        {"params": [v for v in trained if v.ndim - leading <= 1], "weight_decay": 0.0},
    ]


def _step(
    recipe: Recipe | Members, optimiser: torch.optim.Optimizer, batch: Batch, progress: Progress
) -> None:
    spec, step = recipe.spec, progress.step
    if not recipe.training:
        recipe.train()
    for group in optimiser.param_groups:
        group["lr"] = learning_rate(spec, step)
    device = next(recipe.parameters()).device.type
    rngs = [seeds.rng("train step", each.seed, step) for each in recipe.specs]
    with torch.autocast(device, torch.bfloat16, enabled=device == "cuda"):
        losses, parts = recipe.losses(batch, rngs)
    if not torch.isfinite(losses).all():
        worst = int((~torch.isfinite(losses)).nonzero()[0])
        raise ValueError(
            f"step {step}: the loss is {losses[worst].item():g}"
            f" (seed {recipe.specs[worst].seed}). Hint: a lower learning_rate (now"
            f" {spec.learning_rate:g}) or a longer warm_up; the last checkpoint is kept."
        )
    optimiser.zero_grad(set_to_none=True)
    losses.sum().backward()
    norms = recipe.clipped(spec.clip)
    optimiser.step()
    progress.step += 1
    recipe.after_step(progress.step / spec.steps)
    progress.losses.append(losses.tolist())
    progress.norms.append(norms.tolist())
    for name, values in parts.items():
        progress.parts.setdefault(name, []).append(values.tolist())


def _close_epoch(
    recipe: Recipe | Members, judge: Callable, progress: Progress, best: Sequence[Path]
) -> None:
    """Write down how every member's epoch went; keep what no earlier epoch's scores exceed."""
    recipe.eval()
    rows = []
    for number, (member, path) in enumerate(zip(recipe.each(), best, strict=True)):
        row = _row(member, number, judge, progress)
        if row["kept"]:
            tensors = {name: value.cpu() for name, value in member.kept.items()}
            _replace(path, tensors, {})
        rows.append(row)
    progress.rows.append(rows)
    progress.losses, progress.norms, progress.parts = [], [], {}
    for row in rows:
        _said(recipe, row)


def _row(recipe: Recipe, number: int, judge: Callable, progress: Progress) -> dict:
    """How a member's epoch went, and whether its networks are the best so far."""
    scores = dict(judge(recipe.judged))
    score = float(np.mean(list(scores.values())))
    earlier = [rows[number]["score"] for rows in progress.rows if rows[number]["step"]]

    health = diagnostics(recipe)

    def mean(values: list[list[float]]) -> float | None:
        return float(np.mean([each[number] for each in values])) if values else None

    return {
        "step": progress.step,
        "seconds": round(progress.seconds, 1),
        "loss": mean(progress.losses),
        "gradient_norm": mean(progress.norms),
        "learning_rate": learning_rate(recipe.spec, progress.step),
        "clips_per_second": _rate(progress, recipe.spec.batch),
        **health,
        "collapsed": health["effective_rank"] < COLLAPSED or health["mean_cosine"] > ALIKE,
        "score": score,
        # random weights are there to compare with, never to be kept; of equal scores the last is,
        # as where no encoder is trained but a predictor
        "kept": progress.step > 0 and score >= max(earlier, default=-math.inf),
        **{name: mean(values) for name, values in progress.parts.items()},
        **scores,
    }


def _said(recipe: Recipe | Members, row: dict) -> None:
    """Say how an epoch went; a ValueError where features collapse that must not."""
    loss = "-" if row["loss"] is None else f"{row['loss']:.4f}"
    log.info(
        "step %d of %d: loss %s, mean R2 %.3f, effective rank %.1f, %s clips/s, %.0f s",
        row["step"], recipe.spec.steps, loss, row["score"], row["effective_rank"],
        row["clips_per_second"] or "-", row["seconds"],
    )  # fmt: skip
    if row["effective_rank"] < COLLAPSED and recipe.kind.STOPS:
        raise ValueError(
            f"step {row['step']}: the features have collapsed (effective rank"
            f" {row['effective_rank']:.2f}, below {COLLAPSED}). Hint: see training.csv; more weight"
            " on variance, a slower target or another recipe."
        )


def _report(spec: Schedule, progress: Progress) -> None:
    """Say how far a run is in the middle of an epoch."""
    left = (spec.steps - progress.step) * progress.seconds / progress.step / 60
    log.info(
        "step %d of %d: loss %.4f, about %.0f min left",
        progress.step, spec.steps, np.mean(progress.losses[-50:]), left,
    )  # fmt: skip


def _rate(progress: Progress, batch: int) -> float | None:
    last = progress.rows[-1][0] if progress.rows else {"step": 0, "seconds": 0.0}
    done, seconds = progress.step - last["step"], progress.seconds - last["seconds"]
    return round(done * batch / seconds, 1) if done and seconds > 0 else None


@torch.no_grad()
def diagnostics(recipe: Recipe) -> dict[str, float]:
    """Signs of collapse, on a batch that is never trained on.

    Returns
    -------
    dict of str to float
        ``feature_std``: mean over features of the deviation between tokens; ``effective_rank``:
        exponential of the entropy of the normalised singular values of centred token features (Roy
        & Vetterli 2007); ``mean_cosine``: between the clips' mean embeddings.
    """
    device = next(recipe.parameters()).device
    batch = recipe.family.batch(recipe.spec, STEPS - 1).to(device)
    hidden = recipe.family.hidden(recipe.judged, batch).float()
    tokens = hidden.flatten(0, 1)
    centred = tokens - tokens.mean(0)
    # singular values by way of the small Gram matrix, in double so that the smallest survive
    gram = centred.double().T @ centred.double()
    values = torch.linalg.eigvalsh(gram).clamp(min=0).sqrt()
    share = values / values.sum().clamp(min=1e-30)
    entropy = -(share * share.clamp(min=1e-30).log()).sum()
    unit = nn.functional.normalize(hidden.mean(1), dim=-1)
    count = len(unit)
    cosine = ((unit @ unit.T).sum() - count) / max(1, count * (count - 1))
    return {
        "feature_std": centred.std(0).mean().item(),
        "effective_rank": entropy.exp().item() if values.sum() > 0 else 0.0,
        "mean_cosine": cosine.item(),
    }


def _save(
    recipe: Recipe | Members,
    optimiser: torch.optim.Optimizer,
    path: Path,
    progress: Progress,
    identity: str,
) -> None:
    tensors = {f"recipe/{name}": value for name, value in recipe.state_dict().items()}
    for number, value in enumerate(_optimised(optimiser)):
        for moment in MOMENTS:
            tensors[f"{moment}/{number}"] = optimiser.state[value][moment]
    about = {"identity": identity, "progress": json.dumps(progress.__dict__)}
    _replace(path, {name: value.cpu() for name, value in tensors.items()}, about)


def _resume(
    recipe: Recipe | Members, optimiser: torch.optim.Optimizer, path: Path, identity: str
) -> Progress:
    if not path.exists():
        return Progress()
    with files.open_tensors(path, AFRESH) as file:
        about = file.metadata()
        if about["identity"] != identity:
            return Progress()
        names = set(file.keys())
        state = {
            name.removeprefix("recipe/"): file.get_tensor(name)
            for name in names
            if name.startswith("recipe/")
        }
        recipe.load_state_dict(state)
        progress = Progress(**json.loads(about["progress"]))
        for number, value in enumerate(_optimised(optimiser)):
            optimiser.state[value] = {
                "step": torch.tensor(float(progress.step)),
                **{
                    moment: file.get_tensor(f"{moment}/{number}").to(value.device)
                    for moment in MOMENTS
                },
            }
    log.info("going on at step %d", progress.step)
    return progress


def _optimised(optimiser: torch.optim.Optimizer) -> list[torch.Tensor]:
    return [value for group in optimiser.param_groups for value in group["params"]]


def _replace(path: Path, tensors: dict[str, torch.Tensor], about: dict[str, str]) -> None:
    contiguous = {name: value.detach().contiguous().clone() for name, value in tensors.items()}
    with files.replacing(path) as temporary:
        save_file(contiguous, temporary, about)
