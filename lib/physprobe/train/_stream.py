"""Stream: endless training clips, simulated on the fly; a step's clips follow from its number.

Of fields, windows are cut out in time and space and drawn in random colours. What other renderers
draw is seen as it is: windows are cut out in time alone.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, cast

import numpy as np
import torch

from physprobe.config import kinds
from physprobe.config.system import System
from physprobe.embed.networks.resize import Preprocessing
from physprobe.statistics import seeds
from physprobe.train._training import STEPS, STREAM, VALIDATION, Training

if TYPE_CHECKING:
    from physprobe.render import fields


POOL = 64  # steps whose clips are simulated at once, where many at once cost little more than one


@dataclass(frozen=True)
class Batch:
    """Training windows of one step."""

    video: torch.Tensor
    """(clip, frame, rgb, y, x) float32, normalised as the encoder wants it."""
    field: torch.Tensor
    """(clip, frame, y, x) float32: what was rendered, 0 to 1 over the system's colour range; the
    mean of colours of what is no field."""

    def to(self, device: torch.device) -> "Batch":
        """Same batch on another device."""
        return Batch(self.video.to(device), self.field.to(device))


def clip_seed(spec: Training, step: int) -> int:
    """Seed of the clips of one step: no config's, no validation's, and no other step's."""
    if not 0 <= step < STEPS:
        raise ValueError(f"step {step}: a stream has {STEPS} steps.")
    return STREAM + spec.seed * STEPS + step


def batch(spec: Training, step: int) -> Batch:
    """Windows of one step; the same step gives the same windows.

    Parameters
    ----------
    spec : Training
    step : int
        From 0.

    Returns
    -------
    Batch
        As many windows of each system as of every other, in random order of colours and places.
    """
    rng = seeds.rng("train stream", spec.seed, step)
    names = list(spec.systems)
    counts = np.bincount(np.arange(spec.batch) % len(names), minlength=len(names))
    videos, fields = [], []
    # which systems get one window more changes from step to step
    for name, count in zip(np.roll(names, step), counts, strict=True):
        system = spec.systems[name]
        if system.render.kind != "fields":
            for window in _films(spec, system, step, int(count), rng):
                videos.append(window)
                fields.append(window.mean(-1, dtype=np.float32) / 255)
            continue
        clips = simulated(system, -(-int(count) // spec.windows), clip_seed(spec, step))
        for number in range(count):
            window = _window(spec, clips[number // spec.windows], rng)
            videos.append(_filmed(spec, system, window, rng))
            fields.append(_relative(system, window))
    return Batch(normalised(np.stack(videos)), torch.from_numpy(np.stack(fields)))


def _films(
    spec: Training, system: System, step: int, count: int, rng: np.random.Generator
) -> list[np.ndarray]:
    """Windows (frame, y, x, rgb) uint8 of a system that is no field, some of each clip."""
    per_step = -(-spec.batch // (len(spec.systems) * spec.windows))
    first, place = step - step % POOL, step % POOL * per_step
    pool = _pool(system.canonical(), clip_seed(spec, first), POOL * per_step)
    film = kinds.load("render", system.render.kind).frames
    found = []
    for number in range(count):
        clip = pool[(place + number // spec.windows) % len(pool)]
        stride = int(rng.choice(spec.strides))
        span = (spec.frames - 1) * stride + 1
        start = int(rng.integers(len(clip) - span + 1))
        found.append(film(system.render, clip[start : start + span : stride]))
    return found


@lru_cache(2)
def _pool(system: str, seed: int, clips: int) -> list[np.ndarray]:
    """Clips of some steps on end; those that the system holds out are left out."""
    fields, labels = labelled(System.model_validate_json(system), clips, seed)
    kept = labels.get("split", np.full(len(fields), "train")) != "test"
    return [field for field, shown in zip(fields, kept, strict=True) if shown]


def simulated(system: System, clips: int, seed: int) -> list[np.ndarray]:
    """Fields (time, y, x) of new clips.

    Raises
    ------
    ValueError
        If a field is not finite.
    """
    fields, _ = labelled(system, clips, seed)
    return fields


def labelled(
    system: System, clips: int, seed: int
) -> tuple[list[np.ndarray], dict[str, np.ndarray]]:
    """Fields of new clips, and their labels; of films that may be impossible none is."""
    kind = kinds.load("simulate", system.simulate.kind)
    spec = kind.endless(system.simulate, clips, seed)
    labels = kind.draw(spec)
    if "possible" in labels:
        shown = np.flatnonzero(labels["possible"])
        shown = seeds.rng("possible films", seed).permutation(shown)[:clips]
        labels = {name: values[shown] for name, values in labels.items()}
    if kind.TOGETHER > 1:
        fields = list(kind.solved(spec, labels)[0])
    else:
        each = ({name: values[clip] for name, values in labels.items()} for clip in range(clips))
        fields = [kind.field(spec, one) for one in each]
    for clip, field in enumerate(fields):
        if not np.isfinite(field).all():
            raise ValueError(f"clip {clip} of {spec.kind}, seed {seed}: the field is not finite.")
    return fields, labels


def validation(spec: Training, name: str) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Clips (clip, time, y, x, rgb) uint8 that checkpoints are judged on, and their labels."""
    system = spec.systems[name]
    fields, labels = labelled(system, spec.validation_clips, VALIDATION)
    film = kinds.load("render", system.render.kind).frames
    return np.stack([film(system.render, field) for field in fields]), labels


def _window(spec: Training, field: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Random part of a field in time and space, turned and mirrored at random."""
    stride = int(rng.choice(spec.strides))
    span = (spec.frames - 1) * stride + 1
    start, top, left = (
        int(rng.integers(size - part + 1))
        for size, part in zip(field.shape, (span, spec.crop, spec.crop), strict=True)
    )
    window = field[start : start + span : stride, top : top + spec.crop, left : left + spec.crop]
    if rng.integers(2):
        window = window[:, :, ::-1]
    return np.ascontiguousarray(np.rot90(window, int(rng.integers(4)), axes=(1, 2)))


def _filmed(
    spec: Training, system: System, window: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Frames (frame, y, x, rgb) uint8 in random colours, on a jittered range, with noise."""
    shown = _shown(system)
    low, high = shown.low, shown.high
    change = rng.uniform(-spec.jitter, spec.jitter, 2) * (high - low)
    render = shown.model_copy(
        update={
            "colormap": str(rng.choice(spec.colormaps)),
            "low": low + change[0],
            "high": high + change[1],
        }
    )
    video = kinds.load("render", render.kind).frames(render, window)
    noisy = rng.standard_normal(video.shape, np.float32)
    noisy *= rng.uniform(0, spec.noise)
    noisy += video
    return np.clip(np.rint(noisy, out=noisy), 0, 255, out=noisy).astype(np.uint8)


def _shown(system: System) -> "fields.Spec":
    """How a system is rendered: as a field, which its training has been checked for."""
    return cast("fields.Spec", system.render)


def _relative(system: System, window: np.ndarray) -> np.ndarray:
    low, high = _shown(system).low, _shown(system).high
    return ((window - low) / (high - low)).astype(np.float32)


def normalised(video: np.ndarray) -> torch.Tensor:
    """Video (clip, frame, y, x, rgb) uint8 as (clip, frame, rgb, y, x) float32 for the encoder."""
    frames = torch.from_numpy(video).permute(0, 1, 4, 2, 3).float()
    mean, std = (torch.tensor(v).view(3, 1, 1) for v in (Preprocessing.mean, Preprocessing.std))
    return ((frames - 255 * mean) / (255 * std)).contiguous()
