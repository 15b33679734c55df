"""Clips: recipes whose small networks see a few frames at a time of one system's clips.

All training clips are simulated and drawn once, into a file; each step reads the frames of its own
windows, so that memory doesn't grow with the films.
"""

import json
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Protocol, cast

import numpy as np
import torch
from torch import nn

from physprobe.config import kinds
from physprobe.config.latent import MODEL_TYPE, Latent, Seen
from physprobe.config.system import System
from physprobe.embed.networks import latent
from physprobe.statistics import scores, seeds, splits, states, targets
from physprobe.train._clips_settings import Settings
from physprobe.train._training import LEFT, STEPS, STREAM, VALIDATION

BLOCK = 16  # clips drawn at a time
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
    """Clips of a system."""

    film: np.ndarray
    """(clip, time, y, x, colour) uint8, or (clip, time, channel) of a signal; in a file."""
    states: np.ndarray
    """(clip, time, state) what is decoded."""
    gray: bool
    """Whether colours are averaged when frames are seen."""

    def frames(self, clips: np.ndarray, times: np.ndarray) -> torch.Tensor:
        """Frames (clip, time, channel[, y, x]) of some clips, at times (clip, time) of each."""
        shown = self.film[clips[:, None], times]
        return latent.frames(shown.reshape(-1, *shown.shape[2:]), self.gray).unflatten(
            0, shown.shape[:2]
        )


def _world(system: System, clips: int, seed: int, wanted: tuple[str, ...], gray: bool) -> World:
    """New clips; those that the system holds out are left out."""
    kind = kinds.load("simulate", system.simulate.kind)
    if "seed" in type(system.simulate).model_fields:
        spec, first = system.simulate.model_copy(update={"clips": clips, "seed": seed}), 0
    else:
        first = LEFT if seed == STREAM else LEFT - clips
        spec = system.simulate.model_copy(update={"clips": first + clips})
    labels = {name: values[first:] for name, values in kind.draw(spec).items()}
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
    return World(_film(system, fields, gray), np.concatenate(columns, axis=-1), gray)


def _film(system: System, fields: np.ndarray, gray: bool) -> np.ndarray:
    """Frames of all clips, drawn into a file that goes with the process: memory holds few of them.

    Of films without colour that are averaged one channel is enough.
    """
    drawn = partial(kinds.load("render", system.render.kind).frames, system.render)
    blocks = [slice(first, first + BLOCK) for first in range(0, len(fields), BLOCK)]
    first = drawn(fields[0][:1])[0]
    alone = gray and first.ndim == 3
    for colours in (1, first.shape[-1]) if alone else (first.shape[-1],):
        shape = (len(fields), len(fields[0]), *first.shape[:-1], colours)
        with tempfile.TemporaryFile() as file:
            film = np.memmap(file, first.dtype, "w+", shape=shape)
        for block in blocks:
            frames = drawn(np.concatenate(list(fields[block])))
            if (frames[..., :colours] != frames[..., -1:]).any() and colours == 1:
                break
            film[block] = frames[..., :colours].reshape(film[block].shape)
        else:
            break
    return film


@lru_cache(1)
def _training(text: str, spec_type: type[Settings]) -> World:
    spec = spec_type.model_validate_json(text)
    return _world(spec.system, spec.clips, STREAM, spec.validation, spec.gray)


def world(spec: Settings) -> World:
    """Training clips, the same for all members."""
    asked = spec.model_copy(update={"seeds": (0,), "seed": 0})
    return _training(asked.canonical(), type(spec))


def seen(spec: Settings) -> Seen:
    """What the networks are shown."""
    frames = world(spec).frames(np.zeros(1, int), np.zeros((1, 1), int))
    return Seen(side=frames.shape[-1] if frames.ndim == 5 else None, values=frames.shape[2])


def batch(spec: Settings, step: int) -> Batch:
    """Windows of one step; the same step gives the same windows.

    The last step of a stream, which no run reaches, shows the clips in order, so that diagnostics
    of all members are of the same windows.
    """
    found = world(spec)
    rng = seeds.rng("latents", 0 if step == STEPS - 1 else spec.seed, step)
    clips = rng.choice(len(found.film), spec.batch, replace=spec.batch > len(found.film))
    starts = rng.integers(spec.system.simulate.frames - spec.window + 1, size=spec.batch)
    times = starts[:, None] + np.arange(spec.window)
    mean, deviation = _levels(found.states)
    whole = (found.states[clips[:, None], times] - mean) / deviation
    return Batch(found.frames(clips, times), torch.from_numpy(whole.astype(np.float32)))


def _levels(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    deviation = values.std((0, 1))
    return values.mean((0, 1)), np.where(deviation > 0, deviation, 1.0)


def hidden(net: nn.Module, batch: Batch) -> torch.Tensor:
    """Latents (window, time, feature) of a batch."""
    return cast("latent.Encoder", net).each(batch.video)


def judge(spec: Settings, threads: int) -> Callable[[nn.Module], Mapping[str, float]]:
    """Function from an encoder to R2 of what it tells of validation clips, frame by frame."""
    found = _world(spec.system, spec.validation_clips, VALIDATION, spec.validation, spec.gray)
    names = _columns(spec)
    folds = splits.nested(np.arange(len(found.film)), outer=2, inner=3)

    @torch.no_grad()
    def scored(network: nn.Module) -> dict[str, float]:
        encoder = cast("latent.Encoder", network)
        device = next((value.device for value in encoder.parameters()), torch.device("cpu"))
        every = np.arange(found.film.shape[1])[None]
        frames = (found.frames(np.array([clip]), every) for clip in range(len(found.film)))
        latents = np.concatenate([encoder.each(f.to(device)).cpu().numpy() for f in frames])
        truth = found.states[:, spec.history - 1 :]
        told = states.fit(latents, truth, folds).predicted
        flat = [part.reshape(-1, len(names)) for part in (truth, told)]
        each = scores.r2(flat[0], flat[1], axis=0)
        return {
            f"states/{n}": float(value) for n, value in zip(names, np.nan_to_num(each), strict=True)
        }

    return scored


def _columns(spec: Settings) -> list[str]:
    """A name for each column that is decoded."""
    found = []
    for target in spec.validation:
        order = targets.harmonic(target)
        label = target.partition("_")[2]
        found += [f"sin {label}", f"cos {label}"] if order else [target]
    return found


def write(spec: Settings, tensors: Mapping[int, Mapping[str, torch.Tensor]], folder: Path) -> None:
    """Write sizes, and the tensors of all members' networks in one file."""
    shown = seen(spec)
    sizes = {name: getattr(spec, name) for name in Latent.model_fields}
    content = {"model_type": MODEL_TYPE, "recipe": spec.kind, **sizes, **shown.dump()}
    (folder / FILES[0]).write_text(json.dumps(content, indent=2) + "\n")
    prepared = {"do_rescale": True, "rescale_factor": 1 / 255, "gray": spec.gray}
    (folder / FILES[1]).write_text(json.dumps(prepared, indent=2) + "\n")
    latent.save(tensors, folder / FILES[2])
