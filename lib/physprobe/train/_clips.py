"""Clips: recipes whose small networks see a few frames at a time of one system's clips.

The states of all training clips are simulated once and held; frames are drawn for the windows of
each step alone, so that memory doesn't grow with the films.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Protocol, cast

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn

from physprobe.config import kinds
from physprobe.config.latent import MODEL_TYPE, Latent, Seen
from physprobe.config.system import System
from physprobe.embed.networks import latent
from physprobe.statistics import scores, seeds, splits, states, targets
from physprobe.train._latents import Latents
from physprobe.train._training import STEPS, STREAM, VALIDATION

FILES = ("config.json", "preprocessor_config.json", "model.safetensors")
WIDE = False


@dataclass(frozen=True)
class Batch:
    """Windows of one step, each of its own clip at its own time."""

    video: torch.Tensor
    """(window, frame, channel[, y, x]) float32, of films 0 to 1."""
    states: torch.Tensor
    """(window, frame, state) float32: what is decoded, each with mean 0 and deviation 1."""

    def to(self, device: torch.device) -> "Batch":
        """Same batch on another device."""
        return Batch(self.video.to(device), self.states.to(device))


class Networks(Protocol):
    """What these recipes train, as attributes; each has some of them."""

    encoder: latent.Encoder
    target: latent.Encoder
    predictor: latent.Predictor
    decoder: nn.Sequential
    readout: nn.Linear


@dataclass(frozen=True)
class World:
    """Clips of a system, their frames not yet drawn."""

    system: System
    fields: np.ndarray
    """(clip, time, ...)"""
    states: np.ndarray
    """(clip, time, state) what is decoded."""

    def frames(self, clip: int, times: slice, gray: bool) -> torch.Tensor:
        """Frames (time, channel[, y, x]) of a part of a clip."""
        renderer = kinds.load("render", self.system.render.kind)
        return latent.frames(renderer.frames(self.system.render, self.fields[clip][times]), gray)


def _world(system: System, clips: int, seed: int, wanted: tuple[str, ...]) -> World:
    """New clips; those that the system holds out are left out."""
    kind = kinds.load("simulate", system.simulate.kind)
    spec = system.simulate.model_copy(update={"clips": clips, "seed": seed})
    labels = kind.draw(spec)
    if "split" in labels:
        kept = labels["split"] != "test"
        labels = {name: values[kept] for name, values in labels.items()}
    fields, found = kind.solved(spec, labels)
    known = {name: np.asarray(values)[:, None] for name, values in labels.items()} | found
    shape, columns = (len(fields), len(fields[0])), []
    for target in wanted:
        own = targets.labels_of(target, known) or ()
        flat = {name: np.broadcast_to(known[name], shape).ravel() for name in own}
        columns.append(targets.values(flat, target).reshape(*shape, -1))
    return World(system, fields, np.concatenate(columns, axis=-1))


@lru_cache(1)
def _training(text: str, spec_type: type[Latents]) -> World:
    spec = spec_type.model_validate_json(text)
    return _world(spec.system, spec.clips, STREAM, spec.validation)


def world(spec: Latents) -> World:
    """Training clips, the same for all members."""
    asked = spec.model_copy(update={"seeds": (0,), "seed": 0})
    return _training(asked.canonical(), type(spec))


def seen(spec: Latents) -> Seen:
    """What the networks are shown."""
    frames = world(spec).frames(0, slice(0, 1), spec.gray)
    return Seen(side=frames.shape[-1] if frames.ndim == 4 else None, values=frames.shape[1])


def batch(spec: Latents, step: int) -> Batch:
    """Windows of one step; the same step gives the same windows.

    The last step of a stream, which no run reaches, shows the clips in order, so that diagnostics
    of all members are of the same windows.
    """
    found = world(spec)
    rng = seeds.rng("latents", 0 if step == STEPS - 1 else spec.seed, step)
    clips = rng.choice(len(found.fields), spec.batch, replace=spec.batch > len(found.fields))
    starts = rng.integers(spec.system.simulate.frames - spec.window + 1, size=spec.batch)
    video, values = [], []
    for clip, start in zip(clips, starts, strict=True):
        times = slice(int(start), int(start) + spec.window)
        video.append(found.frames(clip, times, spec.gray))
        values.append(found.states[clip, times])
    mean, deviation = _levels(found.states)
    whole = (np.stack(values) - mean) / deviation
    return Batch(torch.stack(video), torch.from_numpy(whole.astype(np.float32)))


def _levels(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    deviation = values.std((0, 1))
    return values.mean((0, 1)), np.where(deviation > 0, deviation, 1.0)


def hidden(net: nn.Module, batch: Batch) -> torch.Tensor:
    """Latents (window, time, feature) of a batch."""
    return cast("latent.Encoder", net).each(batch.video)


def judge(spec: Latents, threads: int) -> Callable[[nn.Module], Mapping[str, float]]:
    """Function from an encoder to R2 of what it tells of validation clips, frame by frame."""
    found = _world(spec.system, spec.validation_clips, VALIDATION, spec.validation)
    names = _columns(spec)
    folds = splits.nested(np.arange(len(found.fields)), outer=2, inner=3)

    @torch.no_grad()
    def scored(network: nn.Module) -> dict[str, float]:
        encoder = cast("latent.Encoder", network)
        device = next(encoder.parameters()).device
        clips = range(len(found.fields))
        frames = (found.frames(clip, slice(None), spec.gray)[None].to(device) for clip in clips)
        latents = np.concatenate([encoder.each(part).cpu().numpy() for part in frames])
        truth = found.states[:, spec.history - 1 :]
        told = states.fit(latents, truth, folds).predicted
        flat = [part.reshape(-1, len(names)) for part in (truth, told)]
        each = scores.r2(flat[0], flat[1], axis=0)
        return {
            f"states/{n}": float(value) for n, value in zip(names, np.nan_to_num(each), strict=True)
        }

    return scored


def _columns(spec: Latents) -> list[str]:
    """A name for each column that is decoded."""
    found = []
    for target in spec.validation:
        order = targets.harmonic(target)
        label = target.partition("_")[2]
        found += [f"sin {label}", f"cos {label}"] if order else [target]
    return found


def write(spec: Latents, tensors: Mapping[int, Mapping[str, torch.Tensor]], folder: Path) -> None:
    """Write sizes, and the tensors of all members' networks in one file."""
    shown = seen(spec)
    sizes = {name: getattr(spec, name) for name in Latent.model_fields}
    content = {"model_type": MODEL_TYPE, "recipe": spec.kind, **sizes, **shown.dump()}
    (folder / FILES[0]).write_text(json.dumps(content, indent=2) + "\n")
    prepared = {"do_rescale": True, "rescale_factor": 1 / 255, "gray": spec.gray}
    (folder / FILES[1]).write_text(json.dumps(prepared, indent=2) + "\n")
    whole = {
        latent.named(seed, network) + rest: value.contiguous()
        for seed, found in tensors.items()
        for name, value in found.items()
        for network, _, rest in [name.partition(".")]
    }
    save_file(whole, folder / FILES[2], {"format": "pt"})
    (folder / FILES[2]).chmod(0o644)
