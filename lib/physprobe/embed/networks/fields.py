"""Fields: networks of named fields, convolutions in space and time and a transformer of tubelets.

    frames (sample, frame, y, x, channel) -> features (sample, time', y', x', feature)

The convolutions are those of Qu, Ohana et al. 2026: a stem without stride, four stages of ConvNeXt
blocks in three dimensions, between which time, y and x are halved, and after which time is gone.

    block   h + gamma W2 gelu(W1 norm(depthwise(h))),    W1: C -> 4 C,    W2: 4 C -> C

Where the world is periodic so are the convolutions, along y and x by themselves: fields that are
shifted by whole places have features that are shifted so, exactly. Elsewhere, and in time, zeros
stand around: a field's mean, as it is shown.

The transformer's tokens are tubelets, patches in space over some frames; where they stand is told
by fixed waves, which fit into the domain where that is periodic.

References
----------
"Representation Learning for Spatiotemporal Physical Systems", arXiv:2603.13227; Liu et al. 2022,
ConvNeXt, arXiv:2201.03545; Tong et al. 2022, VideoMAE, arXiv:2203.12602.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from physprobe.config.fields import MODEL_TYPE, FieldNetwork, Hypernetwork, Shown
from physprobe.embed.networks import avit, checkpoint, written

SELF_SUPERVISED = "self-supervised"
"""Role of an encoder that was told no labels."""
Grid = tuple[int, int, int]
"""Places along time, y and x."""


class Convolution(nn.Module):
    """Convolution (sample, channel, time, y, x) that is periodic where the world is.

    Parameters
    ----------
    inputs, outputs : int
        Channels.
    kernel, stride : (time, y, x)
        Of what is longer than its stride, the surplus stands around: half of it in front, rounded
        down.
    periodic : (y, x) of bool
    groups : int
        Of channels that don't see each other.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: Grid,
        periodic: tuple[bool, bool],
        *,
        stride: Grid = (1, 1, 1),
        groups: int = 1,
        early: bool = True,
    ):
        super().__init__()
        self.convolution = nn.Conv3d(inputs, outputs, kernel, stride=stride, groups=groups)
        self.sides = []
        for axis, wraps in zip((2, 3, 4), (False, *periodic), strict=True):
            more = kernel[axis - 2] - stride[axis - 2]
            front = more // 2 if early else more - more // 2
            self.sides.append((axis, front, more - front, wraps))

    def forward(self, fields: torch.Tensor) -> torch.Tensor:
        """Fields after the convolution, of as many places as strides fit in."""
        zeros = [0] * 6
        for axis, front, behind, wraps in self.sides:
            if wraps and front + behind:
                size = fields.shape[axis]
                around = torch.arange(-front, size + behind, device=fields.device) % size
                fields = fields.index_select(axis, around)
            elif front + behind:
                zeros[2 * (4 - axis) : 2 * (4 - axis) + 2] = front, behind
        return self.convolution(functional.pad(fields, zeros) if any(zeros) else fields)


class _Norm(nn.LayerNorm):
    """Layer norm over the features of (sample, feature, time, y, x)."""

    def forward(self, fields: torch.Tensor) -> torch.Tensor:
        return super().forward(fields.movedim(1, -1)).movedim(-1, 1)


class Residual(nn.Module):
    """Block of convolutions; depthwise in time only where there are several times."""

    def __init__(
        self, width: int, kernel: int, times: int, periodic: tuple[bool, bool], scale: float
    ):
        super().__init__()
        size = (kernel if times > 1 else 1, kernel, kernel)
        self.depthwise = Convolution(width, width, size, periodic, groups=width)
        self.norm = nn.LayerNorm(width)
        self.widen, self.narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.scale = nn.Parameter(torch.full((width,), scale))

    def forward(self, fields: torch.Tensor) -> torch.Tensor:
        """Fields (sample, feature, time, y, x) and what the block adds."""
        last = self.norm(self.depthwise(fields).movedim(1, -1))
        return fields + (self.scale * self.narrow(functional.gelu(self.widen(last)))).movedim(-1, 1)


class Attention(nn.Module):
    """Block of a transformer, norms first: tokens (sample, token, feature)."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.norm, self.second_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.three, self.joined = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.widen, self.narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Tokens and what the block adds."""
        three = self.three(self.norm(tokens)).unflatten(-1, (3, self.heads, -1))
        query, key, value = three.permute(2, 0, 3, 1, 4)
        found = functional.scaled_dot_product_attention(query, key, value)
        tokens = tokens + self.joined(found.transpose(1, 2).flatten(2))
        return tokens + self.narrow(functional.gelu(self.widen(self.second_norm(tokens))))


def positions(grid: Grid, width: int, periodic: tuple[bool, bool]) -> torch.Tensor:
    """Fixed waves (place, feature) that tell places apart; they run over time, y, x.

    A third of the features each, sines and cosines; along a periodic axis those of whole periods.
    """
    columns = []
    pairs = [width // 2 // 3] * 2
    for size, wraps, count in zip(
        grid, (False, *periodic), (width // 2 - sum(pairs), *pairs), strict=True
    ):
        steps = torch.arange(count, dtype=torch.float64)
        # no wave is longer than twice the axis, none shorter than two places
        rates = (
            2 * torch.pi * (steps % max(1, size // 2) + 1) / size
            if wraps
            else torch.pi / (2 * size) ** (steps / max(1, count - 1))
        )
        phase = torch.arange(size, dtype=torch.float64)[:, None] * rates
        columns.append(torch.cat([phase.sin(), phase.cos()], 1))
    time, y, x = (
        column.view(*(len(column) if a == axis else 1 for a in range(3)), -1).expand(*grid, -1)
        for axis, column in enumerate(columns)
    )
    return torch.cat([time, y, x], -1).flatten(0, 2).float()


class ConvNeXt(nn.Module):
    """Encoder of convolutions."""

    def __init__(self, sizes: FieldNetwork, shown: Shown):
        super().__init__()
        self.grid = sizes.places(shown.height, shown.width)
        first, patch, inner = sizes.widths[0], sizes.patch, shown.periodic
        stem: Grid = (sizes.tubelet, max(4, patch), max(4, patch))
        self.stem = nn.Sequential(
            Convolution(
                len(shown.channels), first, stem, inner, stride=(sizes.tubelet, patch, patch)
            ),
            _Norm(first),
        )
        self.halved, self.stage = nn.ModuleList(), nn.ModuleList()
        times, before = sizes.frames // sizes.tubelet, first
        for number, (width, count) in enumerate(zip(sizes.widths, sizes.blocks, strict=True)):
            times = times // 2 if number else times
            half = Convolution(before, width, (2, 2, 2), inner, stride=(2, 2, 2))
            self.halved.append(nn.Sequential(_Norm(before), half) if number else nn.Identity())
            blocks = (
                Residual(width, sizes.kernel, times, inner, sizes.scale) for _ in range(count)
            )
            self.stage.append(nn.Sequential(*blocks))
            before = width

    def each(self, frames: torch.Tensor) -> list[torch.Tensor]:
        """Features (sample, time, y, x, feature) of the stem, and after every stage."""
        fields = self.stem(frames.movedim(-1, 1))
        found = [fields]
        for halved, stage in zip(self.halved, self.stage, strict=True):
            fields = stage(halved(fields))
            found.append(fields)
        return [fields.movedim(1, -1) for fields in found]

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        """Features (sample, time, y, x, feature) of frames (sample, frame, y, x, channel)."""
        return self.each(frames)[-1]


class ViT(nn.Module):
    """Encoder of tubelets."""

    positions: torch.Tensor

    def __init__(self, sizes: FieldNetwork, shown: Shown):
        super().__init__()
        self.grid = sizes.places(shown.height, shown.width)
        (width,), (count,) = sizes.widths, sizes.blocks
        self.strides = sizes.strides
        size = (sizes.tubelet, sizes.patch, sizes.patch)
        self.embedding = nn.Conv3d(len(shown.channels), width, size, stride=size)
        self.block = nn.ModuleList(Attention(width, sizes.heads) for _ in range(count))
        self.norm = nn.LayerNorm(width)
        known = positions(self.grid, width, shown.periodic)
        self.register_buffer("positions", known, persistent=False)

    def tokens(self, frames: torch.Tensor) -> torch.Tensor:
        """Tokens (sample, token, feature) before any block, places told."""
        return self.embedding(frames.movedim(-1, 1)).flatten(2).mT + self.positions

    def seen(self, tokens: torch.Tensor) -> torch.Tensor:
        """Normed tokens after all blocks, of all places or of some that see no others."""
        for block in self.block:
            tokens = block(tokens)
        return self.norm(tokens)

    def each(self, frames: torch.Tensor) -> list[torch.Tensor]:
        """Features (sample, time, y, x, feature) of tubelets, after every block, and normed."""
        found = [self.tokens(frames)]
        for block in self.block:
            found.append(block(found[-1]))
        found.append(self.norm(found[-1]))
        return [tokens.unflatten(1, self.grid) for tokens in found]

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        """Features (sample, time, y, x, feature) of frames (sample, frame, y, x, channel)."""
        return self.seen(self.tokens(frames)).unflatten(1, self.grid)


class Latent(nn.Module):
    """One latent for all of a window, of the mean of an encoder's last features."""

    def __init__(self, body: "Body", width: int, latent: int):
        super().__init__()
        self.grid = (1, 1, 1)
        self.body, self.norm, self.latent = body, nn.LayerNorm(width), nn.Linear(width, latent)

    def each(self, frames: torch.Tensor) -> list[torch.Tensor]:
        """The latent (sample, 1, 1, 1, feature) alone."""
        return [self(frames)]

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        """Latent (sample, 1, 1, 1, feature) of frames (sample, frame, y, x, channel)."""
        return self.latent(self.norm(self.body(frames).mean((1, 2, 3), keepdim=True)))


Body = ConvNeXt | ViT | avit.AViT
Encoder = Body | Latent


def encoder(sizes: FieldNetwork, shown: Shown) -> Encoder:
    """Encoder of an architecture, with torch's usual first weights.

    Raises
    ------
    ValueError
        If the grid can't be cut into places.
    """
    made: dict[str, type[Body]] = {"convnext": ConvNeXt, "vit": ViT, "avit": avit.AViT}
    body = made[sizes.network](sizes, shown)
    if isinstance(sizes, Hypernetwork):
        return Latent(body, sizes.widths[-1], sizes.latent)
    return body


def layers(sizes: FieldNetwork) -> tuple[str, ...]:
    """Names of what an encoder's ``each`` gives: stages, or blocks and what is normed."""
    if isinstance(sizes, Hypernetwork):
        return ("latent",)
    if sizes.network == "convnext":
        return tuple(str(stage) for stage in range(len(sizes.widths) + 1))
    blocks = tuple(str(block) for block in range(sizes.blocks[0] + 1))
    return blocks if sizes.network == "avit" else (*blocks, "final")


def features(sizes: FieldNetwork) -> int:
    """Most features that any of these layers has."""
    return sizes.latent if isinstance(sizes, Hypernetwork) else max(sizes.widths)


class Head(nn.Module):
    """Light network behind an encoder, one block of its kind: features to numbers of each place.

    Of convolutions it is the published predictor: two of two by two cells, a block between them.
    """

    positions: torch.Tensor

    def __init__(self, sizes: FieldNetwork, shown: Shown, outputs: int):
        super().__init__()
        self.grid = sizes.places(shown.height, shown.width)
        inputs, width = sizes.widths[-1], sizes.head_width
        self.places = sizes.network != "convnext"
        if self.places:
            self.enter: nn.Module = nn.Linear(inputs, width)
            self.block: nn.Module = Attention(width, sizes.heads)
            self.leave: nn.Module = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, outputs))
            known = positions(self.grid, width, shown.periodic)
            self.register_buffer("positions", known, persistent=False)
            return
        inner, two = shown.periodic, (1, 2, 2)
        self.enter = Convolution(inputs, width, two, inner, early=False)
        self.block = Residual(width, sizes.kernel, self.grid[0], inner, sizes.scale)
        self.leave = Convolution(width, outputs, two, inner)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Numbers (sample, time, y, x, output) from features (sample, time, y, x, feature)."""
        if self.places:
            tokens = self.enter(features.flatten(1, 3)) + self.positions
            return self.leave(self.block(tokens)).unflatten(1, self.grid)
        return self.leave(self.block(self.enter(features.movedim(-1, 1)))).movedim(1, -1)


class Values(nn.Module):
    """Learned values (value,) that stand where something is hidden."""

    def __init__(self, count: int):
        super().__init__()
        self.value = nn.Parameter(torch.zeros(count))


def normalised(frames: np.ndarray, shown: Shown) -> np.ndarray:
    """Fields (..., channel) less their means, over their deviations, float32."""
    mean, deviation = (np.array(part) for part in (shown.mean, shown.deviation))
    return ((frames - mean) / deviation).astype(np.float32)


def parameters(modules: Sequence[nn.Module]) -> int:
    """Numbers that are trained."""
    return sum(value.numel() for module in modules for value in module.parameters())


def told(folder: Path) -> str:
    """What a label of an encoder begins with that was told labels, such as "fine-tuned, "."""
    role = checkpoint.config(folder, (MODEL_TYPE,)).get("role", SELF_SUPERVISED)
    return "" if role == SELF_SUPERVISED else f"{role}, "


def read(folder: Path) -> tuple[FieldNetwork, Shown, dict[str, torch.Tensor]]:
    """Sizes, what is shown, and the tensors of all members.

    Raises
    ------
    FileNotFoundError
        If a file isn't there.
    ValueError
        If it isn't what a recipe has written.
    """
    content = checkpoint.config(folder, (MODEL_TYPE,))
    kind = Hypernetwork if "latent" in content else FieldNetwork
    sizes, shown = written.sizes(content, kind), written.sizes(content, Shown)
    return sizes, shown, checkpoint.tensors(folder)


def learnt(folder: Path) -> dict[str, Any]:
    """Recipe that a folder's networks were trained by, and on how many clips and groups of them.

    Of a folder that doesn't say so, less.
    """
    content = checkpoint.config(folder, (MODEL_TYPE,))
    known = {"recipe": content.get("recipe"), **content.get("data", {})}
    keys = ("recipe", "trained_on", "share", "groups")
    return {key: known[key] for key in keys if known.get(key) is not None}
