"""LeVJEPA: a video transformer whose patches see no later frame; one frame makes a token.

    patch of frame a   sees patches of frames up to a, all of its own, and no class token
    class token        sees everything, so it is not causal; it is left out here

Rotary places are those of V-JEPA 2 (element j of an axis turns by omega_(j mod m/2)), of patches
alone, on the input's own grid. There is no predictor. Written from the paper's description and its
released configuration, not from its code, which is CC BY-NC 4.0, as its weights are.

References
----------
LeVJEPA, arXiv:2608.27395.
"""

from typing import Any, ClassVar

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from transformers import PreTrainedConfig, PreTrainedModel

from physprobe.embed import _frames
from physprobe.embed.networks.transformer import VideoTransformer

EPSILON = 1e-6


class Config(PreTrainedConfig):
    """Fields of its config.json."""

    model_type = "levjepa"
    attribute_map: ClassVar = {
        "hidden_size": "embed_dim",
        "num_hidden_layers": "depth",
        "num_attention_heads": "num_heads",
    }
    img_size: int = 224
    patch_size: int = 16
    num_frames: int = 16
    tubelet_size: int = 1
    in_chans: int = 3
    embed_dim: int = 1024
    depth: int = 24
    num_heads: int = 16
    mlp_ratio: float | int = 4.0
    qkv_bias: bool = True
    attn_mode: str = "block_causal"
    token_drop_rate: float | int = 0.0
    initializer_range: float = 0.02


def turned(values: torch.Tensor, place: torch.Tensor) -> torch.Tensor:
    """Turn neighbouring pairs of values (clip, head, token, m) by places (token,).

    angle of element j = place 10000^(-(j mod m/2) / (m / 2))
    """
    half = values.shape[-1] // 2
    omega = 10000 ** (-torch.arange(half, device=values.device, dtype=torch.float32) / half)
    angle = (place[:, None].float() * omega).repeat(1, 2)
    first, second = values.unflatten(-1, (-1, 2)).unbind(-1)
    across = torch.stack((-second, first), -1).flatten(-2)
    return values * angle.cos().to(values.dtype) + across * angle.sin().to(values.dtype)


class _Attention(nn.Module):
    def __init__(self, config: Config):
        super().__init__()
        width = config.embed_dim
        self.heads = config.num_heads
        self.qkv = nn.Linear(width, 3 * width, bias=config.qkv_bias)
        self.proj = nn.Linear(width, width)

    def forward(
        self, hidden: torch.Tensor, grid: tuple[int, int, int], mask: torch.Tensor | None
    ) -> torch.Tensor:
        query, key, value = (
            self.qkv(hidden).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        )
        query, key = (self._placed(each, grid) for each in (query, key))
        seen = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        return self.proj(seen.transpose(1, 2).flatten(2))

    def _placed(self, values: torch.Tensor, grid: tuple[int, int, int]) -> torch.Tensor:
        """Turn patches by their places; the class token in front stays."""
        sides = [torch.arange(n, device=values.device) for n in grid]
        places = [each.flatten() for each in torch.meshgrid(*sides, indexing="ij")]
        axis = 2 * ((values.shape[-1] // 3) // 2)
        patches = values[:, :, 1:]
        parts = patches.split([axis] * 3 + [patches.shape[-1] - 3 * axis], dim=-1)
        done = [turned(part, place) for part, place in zip(parts[:3], places, strict=True)]
        return torch.cat([values[:, :, :1], torch.cat([*done, parts[3]], -1)], 2)


class _MLP(nn.Module):
    def __init__(self, config: Config):
        super().__init__()
        inner = int(config.embed_dim * config.mlp_ratio)
        self.fc1, self.fc2 = (
            nn.Linear(config.embed_dim, inner),
            nn.Linear(inner, config.embed_dim),
        )

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        return self.fc2(functional.gelu(self.fc1(hidden)))


class _Block(nn.Module):
    def __init__(self, config: Config):
        super().__init__()
        self.norm1 = nn.LayerNorm(config.embed_dim, eps=EPSILON)
        self.attn = _Attention(config)
        self.norm2 = nn.LayerNorm(config.embed_dim, eps=EPSILON)
        self.mlp = _MLP(config)

    def forward(
        self, hidden: torch.Tensor, grid: tuple[int, int, int], mask: torch.Tensor | None
    ) -> torch.Tensor:
        hidden = hidden + self.attn(self.norm1(hidden), grid, mask)
        return hidden + self.mlp(self.norm2(hidden))


class _Patches(nn.Module):
    def __init__(self, config: Config):
        super().__init__()
        size = (config.tubelet_size, config.patch_size, config.patch_size)
        self.proj = nn.Conv3d(config.in_chans, config.embed_dim, size, size)


class _Entrance(nn.Module):
    """The class token before all patches; it has no weights, and gives layer 0."""

    def forward(self, token: torch.Tensor, patches: torch.Tensor) -> torch.Tensor:
        return torch.cat([token.expand(len(patches), -1, -1), patches], 1)


class Encoder(nn.Module):
    """Class token and patches, time-major, through pre-norm blocks."""

    def __init__(self, config: Config):
        super().__init__()
        self.config = config
        self.patch_embed = _Patches(config)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, config.embed_dim))
        self.entrance = _Entrance()
        self.blocks = nn.ModuleList(_Block(config) for _ in range(config.depth))
        self.norm = nn.LayerNorm(config.embed_dim, eps=EPSILON)

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        """Normed hidden states (clip, 1 + token, feature) of frames (clip, frame, rgb, y, x)."""
        patches = self.patch_embed.proj(frames.transpose(1, 2))
        times, height, width = patches.shape[2:]
        grid = (times, height, width)
        hidden = self.entrance(self.cls_token, patches.flatten(2).transpose(1, 2))
        mask = None
        if self.config.attn_mode == "block_causal":
            mask = block_causal(times, height * width, frames.device)
        for block in self.blocks:
            hidden = block(hidden, grid, mask)
        return self.norm(hidden)


def block_causal(times: int, per_time: int, device: torch.device) -> torch.Tensor:
    """Which token (row) sees which (column), the class token first: bool (token, token)."""
    frame = torch.arange(times, device=device).repeat_interleave(per_time)
    seen = torch.zeros(1 + len(frame), 1 + len(frame), dtype=torch.bool, device=device)
    seen[0] = True
    seen[1:, 1:] = frame[:, None] >= frame[None]
    return seen


class Model(PreTrainedModel):
    """The encoder, as a checkpoint has it."""

    config_class = Config
    config: Config
    base_model_prefix = "levjepa"
    _supports_sdpa = True

    def __init__(self, config: Config):
        super().__init__(config)
        if config.attn_mode not in ("block_causal", "full"):
            raise ValueError(f"attn_mode is {config.attn_mode!r}, expected block_causal or full")
        self.encoder = Encoder(config)
        self.post_init()


class LeVJEPA(VideoTransformer):
    """Encoder of a LeVJEPA; of its tokens, those of the patches."""

    MODEL = Model
    network: Encoder
    HEADS = ("projector.", "sigreg.")
    SIDE = "img_size"

    @property
    def ahead(self) -> int:
        """The class token, in front of the patches."""
        return 1

    def _windows(self, frames: int) -> list[np.ndarray]:
        """Longer clips are cut into pieces of ``num_frames``, the last of them shorter."""
        if self.spec.causal:
            return super()._windows(frames)
        return _frames.pieces(frames, self.config.num_frames)

    @staticmethod
    def network_of(model: Any) -> nn.Module:
        """The encoder alone."""
        found: nn.Module = model.get_submodule("encoder")
        return found

    def _modules(self) -> tuple[nn.Module, ...]:
        return self.network.entrance, *self.network.blocks, self.network.norm

    def _forward(self, frames: torch.Tensor) -> None:
        self.network(frames)
