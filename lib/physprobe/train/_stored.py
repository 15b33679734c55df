"""Stored: recipes whose networks see windows of the fields of clips that lie in a store.

Each step reads its own windows and no others, so that memory doesn't grow with the clips. Fields
are seen less their means, over their deviations, both of the training clips alone; the folder keeps
them beside the weights.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import torch
from torch import nn

from physprobe.config.fields import MODEL_TYPE, Shown
from physprobe.embed.networks import fields, latent, operators
from physprobe.statistics import scores, seeds, splits, states, targets
from physprobe.store import zarrs
from physprobe.train import _groups
from physprobe.train._stored_settings import GROUPS, Settings
from physprobe.train._training import STEPS

if TYPE_CHECKING:
    from xarray import Dataset

FILES = ("config.json", "preprocessor_config.json", "model.safetensors")
WIDE = False


@dataclass(frozen=True)
class Batch:
    """Windows of one step, each of its own clip."""

    windows: torch.Tensor
    """(window, frame, y, x, channel) float32: fields with mean 0 and deviation 1."""
    labels: torch.Tensor
    """(window, label) float32: what checkpoints are judged by, with mean 0 and deviation 1."""

    @property
    def groups(self) -> torch.Tensor:
        """Groups of frames (window, group, frame, y, x, channel), which are encoded apart."""
        return self.windows.unflatten(1, (GROUPS, -1))

    def to(self, device: torch.device) -> "Batch":
        """Same batch on another device."""
        return Batch(self.windows.to(device), self.labels.to(device))


class Networks(Protocol):
    """What these recipes train, as attributes; each has some of them."""

    encoder: fields.Encoder
    target: fields.Encoder
    predictor: fields.Head
    decoder: fields.Head
    readout: nn.Linear
    hidden: fields.Values
    generator: operators.Generator


@dataclass(frozen=True)
class Stored:
    """Clips of a system, and what of them is trained on."""

    clips: "Dataset"
    train: np.ndarray
    """(train,) places of the clips that are trained on,"""
    held: np.ndarray
    """(held,) and of those that judge."""
    groups: np.ndarray
    """(clip,) what is never split."""
    labels: np.ndarray
    """(clip, label) to decode, with mean 0 and deviation 1 over the training clips."""
    columns: tuple[str, ...]
    """Names of the labels."""
    shown: Shown

    @property
    def length(self) -> int:
        """Frames of a clip."""
        return self.clips.sizes["time"]

    def frames(self, clip: int, times: slice) -> np.ndarray:
        """Fields (frame, y, x, channel) of some frames of a clip, as they are seen."""
        found = zarrs.values(self.clips, "channels", clip=slice(clip, clip + 1), time=times)
        return fields.normalised(found[0], self.shown)


def stored(spec: Settings) -> Stored:
    """Clips of a recipe, the same for all members.

    Raises
    ------
    ValueError
        If the stores are not of one simulation, show no fields, are too short for a window, lack a
        label, or have too few groups.
    """
    clips, simulation = spec.stores
    shared = (spec.window, spec.validation, spec.validation_part, spec.share, spec.share_seed)
    return _stored(clips, simulation, spec.content(), *shared)


@lru_cache(2)
def _stored(
    clips: Path,
    simulation: Path,
    digests: str,
    window: int,
    wanted: tuple[str, ...],
    part: float,
    share: float,
    seed: int,
) -> Stored:
    shown = zarrs.read(clips)
    system = zarrs.joined(zarrs.read(simulation), shown)
    if "channels" not in shown:
        raise ValueError(f"{clips}: shows no fields by name. Hint: render its system as channels.")
    if shown.sizes["time"] < window:
        raise ValueError(
            f"{clips}: clips of {shown.sizes['time']} frames are too short for windows of {window}."
        )
    labels = {
        str(name): np.array(found.values.tolist())
        for name, found in system.variables.items()
        if found.dims == ("clip",) and name != "clip"
    }
    count = shown.sizes["clip"]
    groups = labels.get("group", np.arange(count))
    train, held = _groups.parted(groups, labels.get("split"), part)
    if share < 1:
        train = _groups.first(groups, train, share, seed)
    values, columns = _decoded(labels, wanted)
    mean, deviation = values[train].mean(0), values[train].std(0)
    whole = (values - mean) / np.where(deviation > 0, deviation, 1.0)
    seen = _shown(shown, train, tuple(system.attrs["periodic"]))
    return Stored(shown, train, held, groups, whole, columns, seen)


def _decoded(
    labels: Mapping[str, np.ndarray], wanted: tuple[str, ...]
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Values (clip, column) of targets, and a name for each column."""
    columns, names = [], []
    for target in wanted:
        found = targets.values(labels, target).reshape(len(next(iter(labels.values()))), -1)
        columns.append(found)
        several = found.shape[1] > 1
        names += [f"{target} {n}" if several else target for n in range(1, found.shape[1] + 1)]
    return np.concatenate(columns, 1), tuple(names)


def _shown(clips: "Dataset", train: np.ndarray, periodic: tuple[bool, bool]) -> Shown:
    """Grid, names and moments of the fields, the latter of training clips, one at a time."""
    names = tuple(str(name) for name in clips["channel"].values)
    total, square, count = np.zeros(len(names)), np.zeros(len(names)), 0
    first = zarrs.values(clips, "channels", clip=slice(int(train[0]), int(train[0]) + 1))
    level = first.mean((0, 1, 2, 3), dtype=float)  # so that squares don't cancel
    for clip in train:
        values = zarrs.values(clips, "channels", clip=slice(int(clip), int(clip) + 1)) - level
        total += values.sum((0, 1, 2, 3))
        square += np.einsum("abcdi,abcdi->i", values, values)
        count += values[..., 0].size
    mean = total / count
    variance = np.maximum(square / count - mean**2, 0.0)
    floor = 1e-12 * (level + mean) ** 2
    return Shown(
        height=clips.sizes["y"],
        width=clips.sizes["x"],
        channels=names,
        periodic=periodic,
        mean=tuple(map(float, level + mean)),
        deviation=tuple(map(float, np.where(variance > floor, np.sqrt(variance), 1.0))),
    )


def turn(count: int, step: int, size: int, seed: int) -> np.ndarray:
    """Which of so many clips a step sees: in an order of its own each once before any comes again.

    The last ones of an epoch and the first ones of the next may share a step.
    """
    places = np.arange(step * size, (step + 1) * size)
    orders = {
        epoch: seeds.rng("stored clips in turn", seed, int(epoch)).permutation(count)
        for epoch in np.unique(places // count)
    }
    return np.array([orders[place // count][place % count] for place in places])


def batch(spec: Settings, step: int) -> Batch:
    """Windows of one step; the same step gives the same windows.

    The last step of a stream, which no run reaches, shows the same clean windows for all members.
    """
    found = stored(spec)
    judged = step == STEPS - 1
    rng = seeds.rng("stored windows", 0 if judged else spec.seed, step)
    if judged:
        size = min(spec.batch, len(found.train))
        chosen = found.train[np.linspace(0, len(found.train) - 1, size).astype(int)]
    else:
        chosen = found.train[turn(len(found.train), step, spec.batch, spec.seed)]
    starts = rng.integers(found.length - spec.window + 1, size=len(chosen))
    windows = np.stack(
        [
            found.frames(int(clip), slice(int(first), int(first) + spec.window))
            for clip, first in zip(chosen, starts, strict=True)
        ]
    )
    if spec.shifts and not judged:
        windows = _shifted(windows, found.shown.periodic, rng)
    if spec.noise and not judged:
        windows += np.float32(spec.noise) * rng.standard_normal(windows.shape, np.float32)
    labels = found.labels[chosen].astype(np.float32)
    return Batch(torch.from_numpy(windows), torch.from_numpy(labels))


def _shifted(
    windows: np.ndarray, periodic: tuple[bool, bool], rng: np.random.Generator
) -> np.ndarray:
    """Windows (window, frame, y, x, channel), each shifted along periodic axes."""
    sizes = windows.shape[2:4]
    steps = rng.integers(sizes, size=(len(windows), 2)) * np.array(periodic)
    pairs = zip(windows, steps, strict=True)
    return np.stack([np.roll(window, tuple(step), (1, 2)) for window, step in pairs])


def networks(
    spec: Settings, make: Callable[[Shown], Mapping[str, nn.Module]]
) -> dict[str, nn.Module | None]:
    """The encoder, which of one seed is the same in every recipe, and what stands behind it."""
    shown = stored(spec).shown

    def all_of() -> dict[str, nn.Module | None]:
        return {"encoder": fields.encoder(spec, shown), **make(shown)}

    return latent.drawn(spec.seed, all_of)


def encoded(network: nn.Module, groups: torch.Tensor) -> torch.Tensor:
    """Features (window, group, time, y, x, feature) of groups that don't see each other."""
    return network(groups.flatten(0, 1)).unflatten(0, groups.shape[:2])


def hidden(net: nn.Module, batch: Batch) -> torch.Tensor:
    """Features (window, token, feature) of a batch."""
    return encoded(net, batch.groups).flatten(1, 4)


def judge(spec: Settings, threads: int) -> Callable[[nn.Module], Mapping[str, float]]:
    """Function from an encoder to R2 of labels of clips in groups that it has not seen.

    A ridge probe of the mean features of whole clips is fitted to training clips; its penalty is
    chosen on groups of these.
    """
    found = stored(spec)
    most = spec.validation_clips
    fitted, scored_on = (
        part[np.unique(np.linspace(0, len(part) - 1, min(most, len(part))).astype(int))]
        for part in (found.train, found.held)
    )
    clips = np.concatenate([fitted, scored_on])
    declared = ["train"] * len(fitted) + ["test"] * len(scored_on)
    folds = splits.nested(found.groups[clips], inner=_groups.INNER, declared=declared)
    truth = found.labels[clips][:, None]

    @torch.no_grad()
    def scored(network: nn.Module) -> dict[str, float]:
        device = next(network.parameters()).device
        means = []
        for clip in clips:
            whole = found.length - found.length % spec.frames
            frames = torch.from_numpy(found.frames(int(clip), slice(0, whole)))
            features = network(frames.unflatten(0, (-1, spec.frames)).to(device))
            means.append(features.float().mean((0, 1, 2, 3)).cpu().numpy())
        told = states.fit(np.stack(means)[:, None], truth, folds).predicted
        own = slice(len(fitted), None)
        each = scores.r2(truth[own, 0], told[own, 0], axis=0)
        names = (f"labels/{name}" for name in found.columns)
        return {n: float(value) for n, value in zip(names, np.nan_to_num(each), strict=True)}

    return scored


def write(spec: Settings, tensors: Mapping[int, Mapping[str, torch.Tensor]], folder: Path) -> None:
    """Write sizes, moments of the fields, and the tensors of all members in one file."""
    found = stored(spec)
    sizes = {name: getattr(spec, name) for name in spec.SIZES.model_fields}
    clips, simulation = map(zarrs.digest, spec.stores)
    data = {
        "system": spec.data, "clips": clips, "simulation": simulation,
        "trained_on": len(found.train), "judged_on": len(found.held), "share": spec.share,
        "groups": len(np.unique(found.groups[found.train])),
    }  # fmt: skip
    shown = found.shown.dump()
    about = {"model_type": MODEL_TYPE, "recipe": spec.kind, "role": spec.ROLE}
    content = {**about, **sizes, **shown, "data": data}
    (folder / FILES[0]).write_text(json.dumps(content, indent=2) + "\n")
    prepared = {key: shown[key] for key in ("channels", "mean", "deviation")}
    (folder / FILES[1]).write_text(json.dumps(prepared, indent=2) + "\n")
    latent.save(tensors, folder / FILES[2])


def samples(batch: Batch) -> torch.Tensor:
    """Every group of a batch (sample, frame, y, x, channel)."""
    return batch.groups.flatten(0, 1)


def readout(spec: Settings) -> nn.Linear:
    """Linear map from mean features to the labels."""
    return nn.Linear(spec.widths[-1], len(stored(spec).columns))


def regression(net: Networks, batch: Batch) -> torch.Tensor:
    """Mean squared error of the labels, read off each group's mean features."""
    found = net.readout(net.encoder(samples(batch)).mean((1, 2, 3)))
    return (found.float() - batch.labels.repeat_interleave(GROUPS, 0)).square().mean()
