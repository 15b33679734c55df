"""Images: recipes whose network sees images of one system, clean and perturbed."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Protocol, cast

import numpy as np
import torch
from torch import nn

from physprobe.config import kinds
from physprobe.config.latent import MODEL_TYPE, Latent, Seen
from physprobe.embed.networks import latent
from physprobe.scenes import perturbed
from physprobe.statistics import neighbours, seeds
from physprobe.train._images_settings import Settings
from physprobe.train._training import STEPS

FILES = ("config.json", "preprocessor_config.json", "model.safetensors")
WIDE = False
NEIGHBOURS = 5
INDEXED, AT_A_TIME = 4000, 500
"""Most training images that validation images are compared with, and images embedded at a time."""


@dataclass(frozen=True)
class Batch:
    """Images of one step."""

    clean: torch.Tensor
    """(image, 1, 1, y, x) float32, 0 to 1: a history of one frame, in gray."""
    seen: torch.Tensor
    """The same images, perturbed."""
    classes: torch.Tensor
    """(image,) number of each one's class."""

    @property
    def video(self) -> torch.Tensor:
        """What signs of collapse are looked at."""
        return self.clean

    def to(self, device: torch.device) -> "Batch":
        """Same batch on another device."""
        return Batch(self.clean.to(device), self.seen.to(device), self.classes.to(device))


class Networks(Protocol):
    """What these recipes train, as attributes; each has some of them."""

    encoder: latent.Encoder
    target: latent.Encoder
    predictor: latent.Predictor
    readout: nn.Linear


@dataclass(frozen=True)
class World:
    """Images of a system."""

    train: np.ndarray
    """(image, y, x) uint8, by rank."""
    validation: np.ndarray
    """(image, y, x) uint8"""
    classes: np.ndarray
    """(image,) number of each training image's class,"""
    known: np.ndarray
    """and of each validation image's."""


@lru_cache(1)
def _world(simulate: str, kind: str, wanted: str) -> World:
    module = kinds.load("simulate", kind)
    spec = module.Spec.parse(simulate)
    labels = module.draw(spec)
    _, classes = np.unique(labels[wanted], return_inverse=True)
    order = np.argsort(labels["rank"])
    parts = [order[labels["subset"][order] == part] for part in ("train", "validation")]
    images = (
        module.solved(spec, {name: each[part] for name, each in labels.items()})[0][:, 0]
        for part in parts
    )
    train, validation = (each.astype(np.uint8) for each in images)
    return World(train, validation, classes[parts[0]], classes[parts[1]])


def world(spec: Settings) -> World:
    """Images to train on and those to judge by, the same for all members.

    Raises
    ------
    ValueError
        If more images are asked for than there are.
    """
    simulate = spec.system.simulate
    found = _world(simulate.canonical(), simulate.kind, spec.validation)
    asked = spec.images or len(found.train)
    if asked > len(found.train):
        raise ValueError(
            f"images: {asked}, but {dict(simulate)['folder']} has {len(found.train)} to train on."
        )
    return World(found.train[:asked], found.validation, found.classes[:asked], found.known)


def seen(spec: Settings) -> Seen:
    """What the networks are shown."""
    return Seen(side=world(spec).train.shape[-1], values=1)


def strength(spec: Settings, step: int) -> float:
    """How strongly images are moved in a step."""
    if not spec.curriculum:
        return 1.0
    return min(step * spec.curriculum // spec.steps, spec.curriculum - 1) / spec.curriculum


def batch(spec: Settings, step: int) -> Batch:
    """Images of one step, each once before any comes again; the same step gives the same.

    The last step of a stream, which no run reaches, is the same for all members.
    """
    found = world(spec)
    count = len(found.train)
    size = min(spec.batch, count)
    each = count // size  # steps in which all images are seen, but for those of a part of a batch
    seed = 0 if step == STEPS - 1 else spec.seed
    order = seeds.rng("images in turn", seed, step // each).permutation(count)
    chosen = order[step % each * size :][:size]
    images = found.train[chosen].astype(np.float32) / 255
    rng = seeds.rng("perturbed images", seed, step)
    shown = perturbed.perturbed(images, strength(spec, step), rng)
    return Batch(
        torch.from_numpy(images)[:, None, None],
        torch.from_numpy(shown)[:, None, None],
        torch.from_numpy(found.classes[chosen]),
    )


def hidden(net: nn.Module, batch: Batch) -> torch.Tensor:
    """Latents (image, 1, feature) of a batch."""
    return cast("latent.Encoder", net).each(batch.video)


def judge(spec: Settings, threads: int) -> Callable[[nn.Module], Mapping[str, float]]:
    """Function from an encoder to the share of validation images that neighbours name right."""
    found = world(spec)

    @torch.no_grad()
    def embedded(encoder: nn.Module, images: np.ndarray) -> np.ndarray:
        device = next(encoder.parameters()).device
        parts = torch.from_numpy(images)[:, None, None].split(AT_A_TIME)
        return torch.cat([encoder(part.to(device).float() / 255).cpu() for part in parts]).numpy()

    def scored(network: nn.Module) -> dict[str, float]:
        index = embedded(network, found.train[:INDEXED])
        near = neighbours.nearest(embedded(network, found.validation), index, NEIGHBOURS, "euclid")
        votes = found.classes[near][..., None] == np.arange(found.classes.max() + 1)
        named = votes.sum(1).argmax(-1)
        return {f"{spec.validation}/neighbours": float((named == found.known).mean())}

    return scored


def write(spec: Settings, tensors: Mapping[int, Mapping[str, torch.Tensor]], folder: Path) -> None:
    """Write sizes, and the tensors of all members' networks in one file."""
    sizes = {name: getattr(spec, name) for name in Latent.model_fields}
    content = {"model_type": MODEL_TYPE, "recipe": spec.kind, **sizes, **seen(spec).dump()}
    (folder / FILES[0]).write_text(json.dumps(content, indent=2) + "\n")
    prepared = {"do_rescale": True, "rescale_factor": 1 / 255, "gray": spec.gray}
    (folder / FILES[1]).write_text(json.dumps(prepared, indent=2) + "\n")
    latent.save(tensors, folder / FILES[2])
