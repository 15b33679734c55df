"""Training: a recipe for some time, as the stage trains it, and how fast it goes."""

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch

from physprobe.statistics.seeds import rng as drawn
from physprobe.train import _linear, _loop, vjepa
from physprobe.train._recipe import Recipe
from physprobe.train.section import Batch

FIELD = {"kind": "heat", "size": 128, "frames": 32, "sigma": (4, 12), "alpha": (0.1, 2)}
RECIPE = {
    "systems": {"heat": {"simulate": FIELD, "render": {"kind": "fields"}}},
    "validation": {"heat": ("log_alpha",)},
    "validation_clips": 60,
    "hidden_size": 192,
    "num_hidden_layers": 6,
    "num_attention_heads": 3,
    "crop": 64,
    "crop_size": 64,
    "batch": 96,
}
TINY = {
    **RECIPE,
    "systems": {
        "heat": {
            "simulate": {**FIELD, "size": 64, "sigma": (2, 6)},
            "render": {"kind": "fields"},
        }
    },
    "validation_clips": 20,
    "hidden_size": 24,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "crop": 16,
    "crop_size": 16,
    "frames": 16,
    "batch": 4,
}
ENDLESS = {"steps": 10**9, "epochs": 1, "warm_up": 0.0}
"""The learning rate stays where it is, since nobody knows the last step."""


class _Over(Exception):
    """The time is."""


class _Timed(Recipe):
    """A recipe that has no more batches once its time is over; the first one it always has."""

    end = 0.0

    def __init__(self, spec: vjepa.Spec):
        super().__init__(spec)
        self.seen: list[float] = []

    def batch(self, step: int) -> Batch:
        if step and time.monotonic() >= self.end:
            raise _Over
        return super().batch(step)

    def losses(
        self, batch: Batch, rngs: Sequence[np.random.Generator]
    ) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        losses, parts = super().losses(batch, rngs)
        self.seen.append(losses.mean().item())
        return losses, parts


@dataclass(frozen=True)
class Trained:
    """What came of it."""

    losses: list[float]
    """(step,)"""
    seconds: float
    """Of all steps, with making batches and keeping checkpoints."""
    computing: float
    """Time of a step whose batch is there already [s]."""
    batch: int
    scores: tuple[float, float]
    """Mean R2 on validation clips, before and after."""


def train(device: torch.device, seconds: float, *, small: bool) -> Trained:
    """Train a recipe for about so many seconds, judging it before and after included.

    Raises
    ------
    ValueError
        As for :func:`physprobe.train._loop.run`.
    """
    begin = time.monotonic()
    spec = vjepa.Spec.model_validate({**(TINY if small else RECIPE), **ENDLESS})
    recipe = _Timed(spec).to(device)
    if device.type == "cpu":
        _linear.accelerate(recipe)
    judge = recipe.family.judge(spec, torch.get_num_threads())
    scores: list[float] = []
    judged = 0.0

    def judging(network: torch.nn.Module) -> dict[str, float]:
        nonlocal judged
        start = time.monotonic()
        found = dict(judge(network))
        scores.append(float(np.mean(list(found.values()))))
        judged = time.monotonic() - start
        # to judge once more takes as long, without making the clips
        recipe.end = begin + seconds - judged
        return found

    with TemporaryDirectory() as folder, suppress(_Over):
        _loop.run(recipe, Path(folder), judging, identity="device", device=device)
    taken = time.monotonic() - begin - judged
    batch = recipe.family.batch(spec, 0).to(device)
    computing = _step_seconds(recipe, batch, device)
    recipe.eval()
    judging(recipe.judged)
    return Trained(recipe.seen, taken, computing, spec.batch, (scores[0], scores[-1]))


def _step_seconds(recipe: Recipe, batch: Batch, device: torch.device) -> float:
    """Time of forward and backward pass of a batch that is there [s]; nothing is learnt of it."""
    recipe.train()
    found = []
    for turn in range(3):
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        start = time.perf_counter()
        with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
            loss, _ = Recipe.losses(recipe, batch, [drawn("device", turn)])
        loss.sum().backward()
        recipe.zero_grad(set_to_none=True)
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        found.append(time.perf_counter() - start)
    return min(found)
