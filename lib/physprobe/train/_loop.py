"""Loop: optimise a recipe on its stream, judge checkpoints, go on where a killed run stopped."""

import json
import logging
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn

from physprobe.statistics import seeds
from physprobe.store import files
from physprobe.train._recipe import Recipe
from physprobe.train._training import STEPS, Schedule

if TYPE_CHECKING:
    from physprobe.train.section import Batch

log = logging.getLogger("physprobe")
EVERY = 60.0  # seconds between two checkpoints
COLLAPSED = 1.5  # effective rank of token features
AFRESH = "Hint: delete the folder that it is in, and the same command begins anew."
MOMENTS = ("exp_avg", "exp_avg_sq")


@dataclass
class Progress:
    """How far a run is; written beside the weights, so that it can go on."""

    step: int = 0
    seconds: float = 0.0
    rows: list[dict] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    norms: list[float] = field(default_factory=list)
    parts: dict[str, list[float]] = field(default_factory=dict)


def run(
    recipe: Recipe,
    folder: Path,
    judge: Callable[[nn.Module], Mapping[str, float]],
    *,
    identity: str,
    device: torch.device,
) -> tuple[dict[str, torch.Tensor], list[dict]]:
    """Train a recipe to its last step.

    Parameters
    ----------
    recipe : Recipe
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
    tensors : dict of str to Tensor
        Of the kept networks of the best checkpoint, as ``{network}.{parameter}``.
    rows : list of dict
        One per epoch, from before the first step on.

    Raises
    ------
    ValueError
        If the loss is not finite, or the features have collapsed.
    """
    spec = recipe.spec
    optimiser = torch.optim.AdamW(_groups(recipe, spec.weight_decay), lr=spec.learning_rate)
    optimiser.param_groups[0]["betas"] = optimiser.param_groups[1]["betas"] = spec.BETAS
    state = folder / "checkpoint.safetensors"
    best = folder / "best.safetensors"
    progress = _resume(recipe, optimiser, state, identity)
    # the process's own time where it is the process that computes, whoever else is busy
    clock = time.monotonic if device.type == "cuda" else time.process_time
    began, saved = clock() - progress.seconds, time.monotonic()
    if not progress.rows:
        _close_epoch(recipe, judge, progress, best)
    length = max(1, spec.steps // spec.epochs)
    for batch in recipe.family.batches(spec, progress.step):
        _step(recipe, optimiser, batch.to(device), progress)
        progress.seconds = clock() - began
        if progress.step % length == 0 or progress.step == spec.steps:
            _close_epoch(recipe, judge, progress, best)
        elif time.monotonic() - saved < EVERY:
            continue
        else:
            _report(spec, progress)
        _save(recipe, optimiser, state, progress, identity)
        saved = time.monotonic()
    with files.open_tensors(best, AFRESH) as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    return tensors, progress.rows


def learning_rate(spec: Schedule, step: int) -> float:
    """Rise over the warm-up, then fall as a half cosine to a hundredth, if it falls."""
    rise = max(1.0, spec.warm_up * spec.steps)
    if step < rise:
        return spec.learning_rate * (step + 1) / rise
    if not spec.DECAYS:
        return spec.learning_rate
    part = min(1.0, (step - rise) / max(1.0, spec.steps - rise))
    return spec.learning_rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * part)))


def _groups(recipe: nn.Module, decay: float) -> list[dict]:
    trained = [value for value in recipe.parameters() if value.requires_grad]
    return [
        {"params": [value for value in trained if value.ndim > 1], "weight_decay": decay},
        {"params": [value for value in trained if value.ndim <= 1], "weight_decay": 0.0},
    ]


def _step(
    recipe: Recipe, optimiser: torch.optim.Optimizer, batch: "Batch", progress: Progress
) -> None:
    spec, step = recipe.spec, progress.step
    recipe.train()
    for group in optimiser.param_groups:
        group["lr"] = learning_rate(spec, step)
    device = batch.video.device.type
    with torch.autocast(device, torch.bfloat16, enabled=device == "cuda"):
        loss, parts = recipe.loss(batch, seeds.rng("train step", spec.seed, step))
    if not torch.isfinite(loss):
        raise ValueError(
            f"step {step}: the loss is {loss.item():g}. Hint: a lower learning_rate (now"
            f" {spec.learning_rate:g}) or a longer warm_up; the last checkpoint is kept."
        )
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    trained = [value for group in optimiser.param_groups for value in group["params"]]
    norm = nn.utils.clip_grad_norm_(trained, spec.clip)
    optimiser.step()
    progress.step += 1
    recipe.after_step(progress.step / spec.steps)
    progress.losses.append(loss.item())
    progress.norms.append(norm.item())
    for name, value in parts.items():
        progress.parts.setdefault(name, []).append(float(value))


def _close_epoch(recipe: Recipe, judge: Callable, progress: Progress, best: Path) -> None:
    """Write down how the epoch went; keep the encoder if no earlier epoch's scores higher."""
    spec = recipe.spec
    recipe.eval()
    scores = dict(judge(recipe.judged))
    score = float(np.mean(list(scores.values())))
    health = diagnostics(recipe)
    earlier = [row["score"] for row in progress.rows if row["step"]]
    row = {
        "step": progress.step,
        "seconds": round(progress.seconds, 1),
        "loss": float(np.mean(progress.losses)) if progress.losses else None,
        "gradient_norm": float(np.mean(progress.norms)) if progress.norms else None,
        "learning_rate": learning_rate(spec, progress.step),
        "clips_per_second": _rate(progress, spec.batch),
        **health,
        "score": score,
        # random weights are there to compare with, never to be kept
        "kept": progress.step > 0 and score > max(earlier, default=-math.inf),
        **{name: float(np.mean(values)) for name, values in progress.parts.items()},
        **scores,
    }
    progress.rows.append(row)
    progress.losses, progress.norms, progress.parts = [], [], {}
    if row["kept"]:
        tensors = {name: value.cpu() for name, value in recipe.kept.items()}
        _replace(best, tensors, {})
    loss = "-" if row["loss"] is None else f"{row['loss']:.4f}"
    log.info(
        "step %d of %d: loss %s, mean R2 %.3f, effective rank %.1f, %s clips/s, %.0f s",
        progress.step, spec.steps, loss, score, row["effective_rank"],
        row["clips_per_second"] or "-", progress.seconds,
    )  # fmt: skip
    if row["effective_rank"] < COLLAPSED and recipe.kind.STOPS:
        raise ValueError(
            f"step {progress.step}: the features have collapsed (effective rank"
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
    done = progress.step - (progress.rows[-1]["step"] if progress.rows else 0)
    seconds = progress.seconds - (progress.rows[-1]["seconds"] if progress.rows else 0.0)
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
    recipe: Recipe, optimiser: torch.optim.Optimizer, path: Path, progress: Progress, identity: str
) -> None:
    tensors = {f"recipe/{name}": value for name, value in recipe.state_dict().items()}
    for number, value in enumerate(_optimised(optimiser)):
        for moment in MOMENTS:
            tensors[f"{moment}/{number}"] = optimiser.state[value][moment]
    about = {"identity": identity, "progress": json.dumps(progress.__dict__)}
    _replace(path, {name: value.cpu() for name, value in tensors.items()}, about)


def _resume(
    recipe: Recipe, optimiser: torch.optim.Optimizer, path: Path, identity: str
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
