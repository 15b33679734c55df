"""Sensors: recipes whose linear networks see the sensors of a system, condition by condition."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import cast

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn

from physprobe.config import kinds
from physprobe.statistics import conditions, projections, seeds
from physprobe.train import _gaussian
from physprobe.train._sensors_settings import MODEL_TYPE, Settings

FILES = ("config.json", "preprocessor_config.json", "model.safetensors")
WIDE = False
SAMPLES = 64


class Maps(nn.Module):
    """Linear maps without bias, one for each condition."""

    def __init__(self, weight: torch.Tensor):
        super().__init__()
        self.weight = nn.Parameter(weight)

    def forward(self, value: torch.Tensor) -> torch.Tensor:
        """Outputs (condition, sample, output) of inputs (condition, sample, input)."""
        return value @ self.weight.mT


class Levels(nn.Module):
    """Numbers (condition, output) that follow from no input."""

    def __init__(self, conditions: int, outputs: int, level: float = 0.0):
        super().__init__()
        self.level = nn.Parameter(torch.full((conditions, outputs), level))


@dataclass(frozen=True)
class Batch:
    """Moments of all pairs of each condition, and some frames."""

    now: torch.Tensor
    across: torch.Tensor
    following: torch.Tensor
    mean: torch.Tensor
    products: torch.Tensor
    samples: torch.Tensor
    video: torch.Tensor
    """(condition, sample, channel)"""

    def to(self, device: torch.device) -> "Batch":
        """Same batch on another device."""
        return Batch(*(getattr(self, field.name).to(device) for field in fields(self)))

    @property
    def pairs(self) -> _gaussian.Pairs:
        """Moments, as losses take them."""
        return _gaussian.Pairs(*(getattr(self, name) for name in _gaussian.Pairs._fields))


@dataclass(frozen=True)
class World:
    """What is known of a system's training clips."""

    found: conditions.Conditions
    moments: projections.Moments
    """Of the sensors as they are seen (condition, ...)."""
    level: np.ndarray
    """(condition, channel) that was taken off,"""
    scale: np.ndarray
    """and what it was divided by."""
    frames: np.ndarray
    """(condition, sample, channel)"""
    states: Mapping[str, np.ndarray]
    """Covariances of sensors with each state (condition, channel + 1); its own variance last."""


@lru_cache(2)
def _world(system: str, kind: str, standardise: bool) -> World:
    module = kinds.load("simulate", kind)
    spec = module.Spec.parse(system)
    labels = module.draw(spec)
    found = conditions.numbered(labels, module.CONDITIONS)
    train = np.asarray(labels["split"]) == "train"
    parts, levels, scales, frames = [], [], [], []
    states: dict[str, list[np.ndarray]] = {}
    for number in range(len(found.table)):
        clips = np.flatnonzero((found.of == number) & train)
        sensors, known = module.solved(spec, {n: v[clips] for n, v in labels.items()})
        sensors = sensors.astype(float)
        rows = sensors.reshape(-1, sensors.shape[-1])
        level = rows.mean(0) if standardise else np.zeros(rows.shape[1])
        scale = rows.std(0) if standardise else np.ones(rows.shape[1])
        sensors = (sensors - level) / scale
        rows = (rows - level) / scale
        parts.append(projections.Moments.of(sensors))
        levels.append(level)
        scales.append(scale)
        rng = seeds.rng("sensors, frames to look at", number)
        frames.append(rows[rng.integers(len(rows), size=SAMPLES)])
        # those frames that moments of now are of
        centred = sensors[:, :-1].reshape(-1, sensors.shape[-1])
        centred = centred - centred.mean(0)
        for name, values in known.items():
            own = values[:, :-1].ravel() - values[:, :-1].mean()
            found_ = np.append(centred.T @ own, own @ own) / len(own)
            states.setdefault(name, []).append(found_)
    return World(
        found, projections.Moments.stacked(parts), np.stack(levels), np.stack(scales),
        np.stack(frames), {name: np.stack(each) for name, each in states.items()},
    )  # fmt: skip


def world(spec: Settings) -> World:
    """Moments of the training clips of every condition."""
    simulate = spec.system.simulate
    return _world(simulate.canonical(), simulate.kind, spec.standardise)


@lru_cache(2)
def _batch(system: str, kind: str, standardise: bool) -> Batch:
    found = _world(system, kind, standardise)
    pairs = _gaussian.Pairs.of(found.moments)
    count = torch.tensor(float(pairs.samples))
    frames = torch.from_numpy(found.frames).float()
    return Batch(*pairs[:5], count, frames)


def batch(spec: Settings, step: int) -> Batch:
    """All that is ever seen, the same at every step."""
    simulate = spec.system.simulate
    return _batch(simulate.canonical(), simulate.kind, spec.standardise)


def exact(batch: Batch) -> torch.autocast:
    """Products in float32 on a GPU too: differences of moments don't stand bfloat16."""
    return torch.autocast(batch.now.device.type, enabled=False)


def total(
    terms: Mapping[str, torch.Tensor],
) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """Sum over terms and conditions (condition,), and each term's mean over conditions."""
    told = {name: term.mean().detach() for name, term in terms.items()}
    return torch.stack(list(terms.values())).sum(), told


def maps(spec: Settings, name: str, outputs: int, inputs: int | None = None) -> Maps:
    """First weights of a network of every condition, uniform within 1 / sqrt(inputs)."""
    found = world(spec)
    inputs = found.moments.now.shape[-1] if inputs is None else inputs
    draws = found.found.table[:, found.found.names.index("draw")].astype(int)
    each = {
        draw: seeds.rng("linear models", spec.seed, name, int(draw)).uniform(
            -1, 1, (outputs, inputs)
        )
        for draw in np.unique(draws)
    }
    weight = np.stack([each[draw] for draw in draws]) / np.sqrt(inputs)
    return Maps(torch.from_numpy(weight).float())


def hidden(net: nn.Module, batch: Batch) -> torch.Tensor:
    """Latents (condition, sample, feature) of some frames."""
    return cast("Maps", net)(batch.video)


def judge(spec: Settings, threads: int) -> Callable[[nn.Module], Mapping[str, float]]:
    """Function from an encoder to R2 of each state on the training clips, mean over conditions.

    R2 = c W' (W S W')^-1 W c' / var s,    c the state's covariances with the sensors
    """
    found = world(spec)
    square = found.moments.now

    @torch.no_grad()
    def scored(network: nn.Module) -> dict[str, float]:
        weight = cast("Maps", network).weight.double().cpu().numpy()
        # what size latents have is nothing to least squares
        weight = weight / np.linalg.norm(weight, axis=-1, keepdims=True).clip(1e-30)
        inverse = np.linalg.pinv(weight @ square @ weight.transpose(0, 2, 1), rcond=1e-9)
        told = {}
        for name, values in found.states.items():
            own = np.einsum("nkc,nc->nk", weight, values[:, :-1])
            told[f"states/{name}"] = float(
                (np.einsum("nk,nkl,nl->n", own, inverse, own) / values[:, -1]).mean()
            )
        return told

    return scored


def write(spec: Settings, tensors: Mapping[int, Mapping[str, torch.Tensor]], folder: Path) -> None:
    """Write what each layer of an embedding is of a sensor's reading: A x + b, by condition.

    ``config.json`` names conditions and layers; tensors are ``{seed}/{layer}/map`` (condition,
    feature, channel) and ``{seed}/{layer}/level`` (condition, feature), in sensors' own units.
    """
    found = world(spec)
    outputs = kinds.load("train", spec.kind).outputs
    scale, level = (torch.from_numpy(p) for p in (found.scale, found.level))
    whole = {}
    for seed, own in tensors.items():
        for layer, (map_, constant) in outputs(spec, own).items():
            map_ = map_.double() / scale[:, None]
            constant = constant.double() - _gaussian.level(map_, level)
            whole[f"{seed}/{layer}/map"] = map_.contiguous()
            whole[f"{seed}/{layer}/level"] = constant.contiguous()
    layers = list(dict.fromkeys(name.split("/")[1] for name in whole))
    content = {
        "model_type": MODEL_TYPE, "recipe": spec.kind, "width": spec.width, "layers": layers,
        "conditions": {"names": found.found.names, "table": found.found.table.tolist()},
        "channels": found.scale.shape[1],
    }  # fmt: skip
    (folder / FILES[0]).write_text(json.dumps(content, indent=1) + "\n")
    prepared = {"do_rescale": False, "channels": content["channels"]}
    (folder / FILES[1]).write_text(json.dumps(prepared) + "\n")
    save_file(whole, folder / FILES[2], {"format": "pt"})
    (folder / FILES[2]).chmod(0o644)


def nothing(map_: torch.Tensor) -> torch.Tensor:
    """Level (condition, output) of a map that has none."""
    return torch.zeros(map_.shape[:2], dtype=map_.dtype)
