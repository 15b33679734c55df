"""AViT: a transformer of fields by name, whose attention runs along one axis after the other.

    frames (sample, frame, y, x, channel) -> features (sample, 1, y', x', feature), of the last time

Every sample is less its own mean over time and space, over its own deviation, field by field. A
field has a learned vector by its *name*: what one place sees is the sum of its fields times their
vectors, so that fields may be given in any order, and others than before. Each frame is cut into
patches by three convolutions. A block then is

    h + g1 attention over the times of each place
    h + g2 (attention along x + attention along y) / 2 + g3 W2 gelu(W1 .)

with norms over the places of a frame in front of and behind each, and a table of biases by distance
in every attention; along an axis that is periodic distances are the shorter way round.

Sizes and order of the layers are those of MPP. Its norms that don't centre divide by a deviation
and ours by the root mean square, which even features have too; its tables have distances beyond
eight places in common and ours don't, of equal size.

References
----------
McCabe et al. 2023, Multiple Physics Pretraining for Physical Surrogate Models, arXiv:2310.02994;
Touvron et al. 2022, Three things everyone should know about ViTs, arXiv:2203.09795 (the patches).
"""

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional

from physprobe.config.fields import FieldNetwork, Shown

NEAR = 16
"""Distances that a table tells apart, either way."""
SMALL = 1e-6


class NormRMS(nn.Module):
    """Features (..., y, x, feature) over their root mean square over y and x, times weights."""

    def __init__(self, width: int):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, fields: torch.Tensor) -> torch.Tensor:
        """Features of about one size."""
        return self.weight * fields / _size(fields, (-3, -2))


class NormPlaces(NormRMS):
    """The same of features less their mean over y and x."""

    def __init__(self, width: int):
        super().__init__(width)
        self.bias = nn.Parameter(torch.zeros(width))

    def forward(self, fields: torch.Tensor) -> torch.Tensor:
        """Features of mean ``bias``."""
        return super().forward(fields - fields.mean((-3, -2), keepdim=True)) + self.bias


class Axial(nn.Module):
    """Attention along axes of tokens (sample, time, y, x, feature), of each axis by itself."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.three, self.joined = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.query_norm, self.key_norm = (nn.LayerNorm(width // heads) for _ in range(2))
        self.distance = nn.Parameter(0.02 * torch.randn(2 * NEAR, heads))

    def bias(self, size: int, wraps: bool) -> torch.Tensor:
        """What is added to the likeness (head, place, place) of places of an axis."""
        places = torch.arange(size, device=self.distance.device)
        apart = places[None] - places[:, None]
        if wraps:
            apart = (apart + size // 2) % size - size // 2
        return self.distance[apart.clamp(-NEAR, NEAR - 1) + NEAR].movedim(-1, 0)

    def mixed(self, tokens: torch.Tensor, axes: Sequence[tuple[int, bool]]) -> torch.Tensor:
        """Mean over axes of what attention along each gives; an axis may be periodic."""
        three = self.three(tokens).unflatten(-1, (3, self.heads, -1))
        query, key, value = three.unbind(-3)
        query, key = self.query_norm(query), self.key_norm(key)
        found = []
        for axis, wraps in axes:
            along = [part.movedim(axis, -2) for part in (query, key, value)]
            q, k, v = (part.flatten(0, 2) for part in along)  # (line, head, place, feature)
            bias = self.bias(tokens.shape[axis], wraps).to(query.dtype)
            mixed = functional.scaled_dot_product_attention(q, k, v, attn_mask=bias)
            found.append(mixed.unflatten(0, along[0].shape[:3]).movedim(-2, axis))
        return torch.stack(found).mean(0).flatten(-2)


class Block(nn.Module):
    """Attention in time, then in space, then two layers at each place."""

    def __init__(self, width: int, heads: int, scale: float):
        super().__init__()
        self.time, self.space = Axial(width, heads), Axial(width, heads)
        self.time_norm, self.time_second_norm = NormPlaces(width), NormPlaces(width)
        self.space_norm, self.space_second_norm = NormRMS(width), NormRMS(width)
        self.widen, self.narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.narrow_norm = NormRMS(width)
        self.scale, self.second_scale, self.third_scale = (
            nn.Parameter(torch.full((width,), scale)) for _ in range(3)
        )

    def forward(self, tokens: torch.Tensor, periodic: tuple[bool, bool]) -> torch.Tensor:
        """Tokens (sample, time, y, x, feature) and what the block adds."""
        found = self.time.mixed(self.time_norm(tokens), [(1, False)])
        tokens = tokens + self.scale * self.time.joined(self.time_second_norm(found))
        axes = [(3, periodic[1]), (2, periodic[0])]
        found = self.space.mixed(self.space_norm(tokens), axes)
        tokens = tokens + self.second_scale * self.space.joined(self.space_second_norm(found))
        found = self.narrow_norm(self.narrow(functional.gelu(self.widen(tokens))))
        return tokens + self.third_scale * found


class Named(nn.Module):
    """Learned arrays, one for each field, found by its name."""

    def __init__(self, names: Sequence[str], *shape: int):
        super().__init__()
        deviation = 0.02
        self.of = nn.ParameterDict(
            {name: nn.Parameter(deviation * torch.randn(1, *shape)) for name in names}
        )

    def forward(self, names: Sequence[str]) -> torch.Tensor:
        """Arrays (field, ...) of fields in the order asked for."""
        return torch.cat([self.of[name] for name in names])


class Layers(nn.Module):
    """Layers of maps (map, channel, y, x), norms of which take features last."""

    def __init__(self, *layers: nn.Module):
        super().__init__()
        self.each = nn.ModuleList(layers)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """Maps after the layers."""
        for layer in self.each:
            norm = isinstance(layer, NormRMS)
            maps = layer(maps.movedim(1, -1)).movedim(-1, 1) if norm else layer(maps)
        return maps


class AViT(nn.Module):
    """Encoder of fields by name."""

    def __init__(self, sizes: FieldNetwork, shown: Shown):
        super().__init__()
        self.grid = sizes.places(shown.height, shown.width)
        (width,), (count,) = sizes.widths, sizes.blocks
        self.names, self.periodic, inner = shown.channels, shown.periodic, width // 4
        self.field = Named(self.names, inner)
        self.bias = nn.Parameter(torch.zeros(inner))
        self.cells = nn.Conv2d(inner, inner, sizes.patch // 4, sizes.patch // 4, bias=False)
        self.patch = Layers(
            NormRMS(inner), nn.GELU(),
            nn.Conv2d(inner, inner, 2, 2, bias=False), NormRMS(inner), nn.GELU(),
            nn.Conv2d(inner, width, 2, 2, bias=False), NormRMS(width),
        )  # fmt: skip
        self.block = nn.ModuleList(Block(width, sizes.heads, sizes.scale) for _ in range(count))

    def tokens(self, frames: torch.Tensor) -> torch.Tensor:
        """Tokens (sample, time, y, x, feature) before any block."""
        level = frames.mean((1, 2, 3), keepdim=True)
        own = ((frames - level) / deviations(frames)).flatten(0, 1).movedim(-1, 1)
        # two linear maps one after the other, of fields and of cells, as one: a tenth of the work
        vectors, kernel = self.field(self.names) * len(self.names) ** -0.5, self.cells.weight
        both = torch.einsum("oikl,ci->ockl", kernel, vectors)
        bias = torch.einsum("oikl,i->o", kernel, self.bias)
        maps = functional.conv2d(own, both, bias, stride=self.cells.stride)
        return self.patch(maps).movedim(1, -1).unflatten(0, frames.shape[:2])

    def each(self, frames: torch.Tensor) -> list[torch.Tensor]:
        """Features (sample, 1, y, x, feature) of the last time: of patches, and after blocks."""
        found = [self.tokens(frames)]
        for block in self.block:
            found.append(block(found[-1], self.periodic))
        return [tokens[:, -1:] for tokens in found]

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        """Features (sample, 1, y, x, feature) of frames (sample, frame, y, x, channel)."""
        return self.each(frames)[-1]


class Painter(nn.Module):
    """From features back to cells: the patches' convolutions the other way round."""

    def __init__(self, sizes: FieldNetwork, shown: Shown, frames: int):
        super().__init__()
        (width,), inner, cells = sizes.widths, sizes.widths[0] // 4, sizes.patch // 4
        self.names, self.frames = shown.channels, frames
        self.layers = Layers(
            nn.ConvTranspose2d(width, inner, 2, 2, bias=False), NormRMS(inner), nn.GELU(),
            nn.ConvTranspose2d(inner, inner, 2, 2, bias=False), NormRMS(inner), nn.GELU(),
        )  # fmt: skip
        self.field = Named(self.names, frames, inner, cells, cells)
        self.bias = Named(self.names, frames)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Numbers (sample, frame, y, x, channel) of cells from features (sample, 1, y, x, .)."""
        maps = self.layers(features.flatten(0, 1).movedim(-1, 1))
        kernel = self.field(self.names).flatten(0, 1).movedim(0, 1)
        bias = self.bias(self.names).flatten()
        found = functional.conv_transpose2d(maps, kernel, bias, stride=kernel.shape[-1])
        return found.unflatten(1, (len(self.names), self.frames)).movedim(1, -1)


def deviations(frames: torch.Tensor) -> torch.Tensor:
    """Deviation (sample, 1, 1, 1, channel) of each field over time and space."""
    return _size(frames - frames.mean((1, 2, 3), keepdim=True), (1, 2, 3))


def _size(values: torch.Tensor, axes: tuple[int, ...]) -> torch.Tensor:
    """Root mean square over some axes, never quite 0."""
    return (values.square().mean(axes, keepdim=True) + SMALL**2).sqrt()
