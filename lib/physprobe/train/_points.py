"""Points: where batches of points come from, and how what is trained on them is judged and kept."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn

from physprobe.config import kinds
from physprobe.embed.networks import latent, points
from physprobe.statistics import seeds
from physprobe.train import _average
from physprobe.train._points_settings import Settings

FILES = ("config.json", "preprocessor_config.json", "model.safetensors")
WIDE = False
JUDGED = 4000


@dataclass(frozen=True)
class Batch:
    """Points of the mixture."""

    points: torch.Tensor
    """(sample, 2)"""

    def to(self, device: torch.device) -> "Batch":
        """Same batch on another device."""
        return Batch(*(getattr(self, field.name).to(device) for field in fields(self)))


@lru_cache(16)
def _drawn(system: str, kind: str, use: str, seed: int, count: int) -> np.ndarray:
    mixture = kinds.load("simulate", kind).Spec.parse(system).mixture
    return mixture.drawn(count, seeds.rng(f"points to {use}", seed))[0]


def drawn(spec: Settings, use: str, seed: int, count: int) -> np.ndarray:
    """Points (sample, 2) of the recipe's mixture, of their own for each use and seed."""
    simulate = spec.system.simulate
    return _drawn(simulate.canonical(), simulate.kind, use, seed, count)


def batch(spec: Settings, step: int) -> Batch:
    """Some of a member's training points, with replacement."""
    whole = drawn(spec, "train on", spec.seed, spec.points)
    rng = seeds.rng("batch of points", spec.seed, step)
    return Batch(torch.from_numpy(whole[rng.integers(len(whole), size=spec.batch)]).float())


def noise(spec: Settings, rng: np.random.Generator, deviation: float) -> torch.Tensor:
    """Normal noise (sample, 2) for a batch."""
    return torch.from_numpy(deviation * rng.standard_normal((spec.batch, 2), np.float32))


def unit(network: nn.Module, seen: torch.Tensor) -> torch.Tensor:
    """Embeddings (sample, feature) of points (sample, 2), of length 1."""
    return nn.functional.normalize(network(seen), dim=-1)


def goal(target: nn.Module, seen: torch.Tensor) -> torch.Tensor:
    """The same of a target, which gets no gradient."""
    return unit(target, seen).detach()


def coordinate(rng: np.random.Generator) -> torch.Tensor:
    """1 of one of the two coordinates, and 0 of the other."""
    return torch.eye(2)[int(rng.integers(2))]


def pair(spec: Settings) -> dict[str, nn.Module]:
    """Encoder, and the target that follows it."""
    encoder = network(spec)
    return {"encoder": encoder, "target": _average.follower(encoder)}


def network(spec: Settings, name: str = "encoder", inputs: int = points.CHANNELS) -> nn.Sequential:
    """Network with torch's usual first weights, from the member's seed."""
    seed = int(seeds.rng("weights of points", spec.seed, name).integers(2**31))
    return latent.drawn(
        seed, lambda: points.network(spec.hidden, spec.features, spec.activation, inputs)
    )


def hidden(net: nn.Module, batch: Batch) -> torch.Tensor:
    """Features (clip, token, feature) of points: embeddings; of an energy its last hidden layer."""
    layers = cast("nn.Sequential", net)
    of_energy = cast("nn.Linear", layers[-1]).out_features == 1
    return (layers[:-1] if of_energy else layers)(batch.points)[:, None]


def judge(spec: Settings, threads: int) -> Callable[[nn.Module], Mapping[str, float]]:
    """Function from a network to R2 of least squares from what it gives to log p."""
    simulate = spec.system.simulate
    seen = drawn(spec, "judge by", 0, JUDGED)
    truth = cast("Any", simulate).mixture.log_density(seen)
    truth = truth - truth.mean()

    @torch.no_grad()
    def scored(network: nn.Module) -> dict[str, float]:
        device = next(network.parameters()).device
        given = network(torch.from_numpy(seen).float().to(device)).double().cpu().numpy()
        given = given - given.mean(0)
        given = given / max(given.std(), 1e-30)
        weights = np.linalg.lstsq(given, truth, rcond=1e-9)[0]
        left = truth - given @ weights
        return {"points/log_density": float(1 - (left @ left) / (truth @ truth))}

    return scored


def write(spec: Settings, tensors: Mapping[int, Mapping[str, torch.Tensor]], folder: Path) -> None:
    """Write networks: tensors ``{seed}/{number of the noise's deviation}/{parameter}``."""
    whole = {}
    for key, own in tensors.items():
        seed, place = divmod(key, len(spec.deviations))
        for name, value in own.items():
            if name.startswith("encoder."):
                parameter = name.removeprefix("encoder.")
                whole[f"{seed}/{place}/{parameter}"] = value.contiguous()
    content = {
        "model_type": points.MODEL_TYPE, "recipe": spec.kind, "output": spec.OUTPUT,
        "hidden": spec.hidden, "outputs": spec.features, "activation": spec.activation,
        "deviations": spec.deviations, "half_width": getattr(spec, "half_width", None),
    }  # fmt: skip
    (folder / FILES[0]).write_text(json.dumps(content, indent=1) + "\n")
    prepared = {"do_rescale": False, "channels": points.CHANNELS}
    (folder / FILES[1]).write_text(json.dumps(prepared) + "\n")
    save_file(whole, folder / FILES[2], {"format": "pt"})
    (folder / FILES[2]).chmod(0o644)
