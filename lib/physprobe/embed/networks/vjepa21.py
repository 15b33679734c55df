"""V-JEPA 2.1: rotary places in interleaved pairs, scaled to the pretraining grid; four norms.

What sets it apart from V-JEPA 2, whose blocks and names it shares:

    places     element j of an axis turns by omega_(j // 2), not omega_(j mod m/2), and rows and
               columns are y (g - 1) / (h - 1), x (g - 1) / (w - 1) on the grid's g x g patches
    input      a patch embedding of its own for one frame, and a vector for video or image
    output     no last norm: one after each of four blocks, of which the last is the plain output
               and all four together the *hierarchical* one, which the predictor of g and G reads
    predictor  answers for what was masked and for what was seen; that of B and L in the space of a
               wider teacher, so that it can't be compared with features of their own

Written from the paper and its released configurations; names of fields are those of transformers'
pull request 45497.

References
----------
V-JEPA 2.1, arXiv:2603.14482.
"""

from typing import Any, ClassVar

import numpy as np
import torch
from torch import nn
from transformers import VJEPA2Config
from transformers.models.vjepa2.modeling_vjepa2 import (
    VJEPA2Layer,
    VJEPA2PreTrainedModel,
    VJEPA2RopeAttention,
)

from physprobe.embed import _frames
from physprobe.embed.networks.transformer import VideoTransformer

Places = tuple[torch.Tensor, torch.Tensor, torch.Tensor]
"""Time, row and column of tokens, each (clip or 1, 1, token)."""
HIERARCHICAL = {12: (2, 5, 8, 11), 24: (5, 11, 17, 23), 40: (9, 19, 29, 39), 48: (11, 23, 37, 47)}
"""Blocks, from 0, whose output is normed, by how many blocks there are."""
GRID = 16
"""Patches along each side in pretraining: 256 px of 16."""


def places(
    grid: tuple[int, int, int], device: torch.device, scaled_to: int | None = None
) -> Places:
    """Places of all tokens of a window.

    Parameters
    ----------
    grid : (time, y, x)
        Tokens of the window itself, so that it needn't be square.
    device : torch.device
    scaled_to : int, optional
        Patches along a side of the pretraining grid; None: places are not scaled.

    Raises
    ------
    ValueError
        If a side is a single token and places are to be scaled.
    """
    times, height, width = grid
    if scaled_to is not None and min(height, width) < 2:
        raise ValueError(
            f"an input of {height} x {width} tokens has no grid to scale. Hint: a larger input."
        )
    sides = [torch.arange(n, device=device, dtype=torch.float32) for n in (times, height, width)]
    if scaled_to is not None:
        sides[1:] = [side * (scaled_to - 1) / (len(side) - 1) for side in sides[1:]]
    t, y, x = (each.reshape(1, 1, -1) for each in torch.meshgrid(*sides, indexing="ij"))
    return t, y, x


def rotated(values: torch.Tensor, place: torch.Tensor) -> torch.Tensor:
    """Turn neighbouring pairs of values (clip, head, token, m) by a token's place (.., token).

    angle of elements 2k and 2k + 1 = place 10000^(-k / (m / 2))
    """
    half = values.shape[-1] // 2
    omega = 10000 ** (-torch.arange(half, device=values.device, dtype=torch.float32) / half)
    angle = (place[..., None].float() * omega).repeat_interleave(2, dim=-1)
    first, second = values.unflatten(-1, (-1, 2)).unbind(-1)
    turned = torch.stack((-second, first), -1).flatten(-2)
    return values * angle.cos().to(values.dtype) + turned * angle.sin().to(values.dtype)


class Attention(VJEPA2RopeAttention):
    """That of V-JEPA 2, but for its rotary places."""

    def get_position_ids(self, x: torch.Tensor, masks: Any = None) -> Any:
        """Places as they are given."""
        return masks

    def apply_rotary_embeddings(self, qk: torch.Tensor, pos_ids: Any) -> torch.Tensor:
        """Turn each axis's part of every head; the rest stays."""
        parts = qk.split([self.d_dim, self.h_dim, self.w_dim, self._rest], dim=-1)
        turned = [rotated(part, place) for part, place in zip(parts[:3], pos_ids, strict=True)]
        return torch.cat([*turned, parts[3]], dim=-1)

    @property
    def _rest(self) -> int:
        return int(self.attention_head_size - self.d_dim - self.h_dim - self.w_dim)


def _blocks(config: Any, count: int, width: int, heads: int, ratio: float) -> nn.ModuleList:
    found = [VJEPA2Layer(config, 0.0, width, heads, ratio) for _ in range(count)]
    for block in found:
        block.attention = Attention(config, width, heads)
    return nn.ModuleList(found)


class _Patches(nn.Module):
    def __init__(self, config: Any, frames: int):
        super().__init__()
        size = (frames, config.patch_size, config.patch_size)
        self.proj = nn.Conv3d(config.in_chans, config.hidden_size, size, size)


class Embeddings(nn.Module):
    """Patches of a video, or of a single frame, with the vector of which they are."""

    def __init__(self, config: Any):
        super().__init__()
        self.patch_embeddings = _Patches(config, config.tubelet_size)
        self.patch_embeddings_img = _Patches(config, 1)
        self.video_mod_embed = nn.Parameter(torch.zeros(1, 1, config.hidden_size))
        self.img_mod_embed = nn.Parameter(torch.zeros(1, 1, config.hidden_size))

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        """Tokens (clip, token, feature) of frames (clip, frame, rgb, y, x)."""
        alone = frames.shape[1] == 1
        patches = self.patch_embeddings_img if alone else self.patch_embeddings
        mode = self.img_mod_embed if alone else self.video_mod_embed
        tokens = patches.proj(frames.transpose(1, 2)).flatten(2).transpose(1, 2)
        return tokens + mode


class Encoder(nn.Module):
    """Blocks, of which some are normed."""

    def __init__(self, config: Any):
        super().__init__()
        self.config = config
        self.embeddings = Embeddings(config)
        self.layer = _blocks(
            config, config.num_hidden_layers, config.hidden_size, config.num_attention_heads,
            config.mlp_ratio,
        )  # fmt: skip
        self.norms_block = nn.ModuleList(
            nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
            for _ in config.hierarchical_layers
        )

    def forward(self, frames: torch.Tensor, hierarchical: bool = False) -> torch.Tensor:
        """Hidden states (clip, token, feature), or four of them side by side.

        Parameters
        ----------
        frames : Tensor
            (clip, frame, rgb, y, x).
        hierarchical : bool
            Whether all normed blocks are given, the last one last.
        """
        config = self.config
        normed = {block: number for number, block in enumerate(config.hierarchical_layers)}
        patch, tubelet = config.patch_size, config.tubelet_size
        times = max(1, frames.shape[1] // tubelet)
        grid = (times, frames.shape[-2] // patch, frames.shape[-1] // patch)
        scale = config.pretrained_grid_size if config.interpolate_rope else None
        where = places(grid, frames.device, scale)
        hidden, found = self.embeddings(frames), []
        for number, block in enumerate(self.layer):
            hidden = block(hidden, where)[0]
            last = number == len(self.layer) - 1
            if number in normed and (hierarchical or last):
                found.append(self.norms_block[normed[number]](hidden))
        return torch.cat(found, -1) if hierarchical else found[-1]


class _Entrance(nn.Module):
    def __init__(self, config: Any):
        super().__init__()
        width, own, levels = config.hidden_size, config.pred_hidden_size, _levels(config)
        self.predictor_embeddings: nn.Module = nn.Linear(width, own)
        if levels > 1:
            self.predictor_embeddings = nn.Sequential(
                nn.Linear(levels * width, width), nn.GELU(), nn.Linear(width, own)
            )
        self.mask_tokens = nn.Parameter(torch.zeros(config.pred_num_mask_tokens, 1, 1, own))
        self.video_mod_embed = nn.Parameter(torch.zeros(1, 1, own))
        self.img_mod_embed = nn.Parameter(torch.zeros(1, 1, own))


def _levels(config: Any) -> int:
    """Normed blocks that the predictor reads, and answers in."""
    return int(config.num_distillation_outputs)


class Predictor(nn.Module):
    """From tokens that were seen to those that weren't, and to what was seen itself."""

    def __init__(self, config: Any):
        super().__init__()
        self.config, width = config, config.pred_hidden_size
        self.embeddings = _Entrance(config)
        self.layer = _blocks(
            config, config.pred_num_hidden_layers, width, config.pred_num_attention_heads,
            config.pred_mlp_ratio,
        )  # fmt: skip
        self.layernorm = nn.LayerNorm(width, eps=config.layer_norm_eps)
        answers = (config.teacher_embed_dim or config.hidden_size) * _levels(config)
        self.proj = nn.Linear(width, answers)
        self.proj_context = nn.Linear(width, answers)

    def forward(
        self, known: torch.Tensor, grid: tuple[int, int, int]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Answers (clip, token, feature) for the tokens after those that are known, and for these.

        Parameters
        ----------
        known : Tensor
            (clip, token, feature): of the first tokens of a window, in order.
        grid : (time, y, x)
            Tokens of the window.
        """
        count, whole = known.shape[1], int(np.prod(grid))
        entering, config = self.embeddings, self.config
        asked = entering.mask_tokens[0].expand(len(known), whole - count, -1)
        hidden = torch.cat([entering.predictor_embeddings(known), asked], 1)
        hidden = hidden + entering.video_mod_embed
        scale = config.pretrained_grid_size if config.interpolate_rope else None
        where = places(grid, known.device, scale)
        for block in self.layer:
            hidden = block(hidden, where)[0]
        hidden = self.layernorm(hidden)
        return self.proj(hidden[:, count:]), self.proj_context(hidden[:, :count])


class Config(VJEPA2Config):
    """Fields of V-JEPA 2's config.json, and those that it lacks."""

    use_rope_interleave: bool = True
    interpolate_rope: bool = True
    use_modality_embeddings: bool = True
    use_image_patch_embedder: bool = True
    use_context_projection: bool = True
    teacher_embed_dim: int | None = None
    num_distillation_outputs: int = 1
    hierarchical_layers: list | tuple | None = None
    pretrained_grid_size: int = GRID


class Model(VJEPA2PreTrainedModel):
    """Encoder and predictor, as a checkpoint has them."""

    config_class = Config
    config: Config

    def __init__(self, config: Config):
        super().__init__(config)
        if not config.hierarchical_layers or config.hierarchical_layers[-1] != (
            config.num_hidden_layers - 1
        ):
            raise ValueError(
                f"hierarchical_layers are {config.hierarchical_layers}, expected four that end with"
                f" block {config.num_hidden_layers - 1}"
            )
        if _levels(config) not in (1, len(config.hierarchical_layers)):
            raise ValueError(
                f"num_distillation_outputs is {_levels(config)}, expected 1 or"
                f" {len(config.hierarchical_layers)}"
            )
        self.encoder, self.predictor = Encoder(config), Predictor(config)
        self.post_init()


class VJEPA21(VideoTransformer):
    """Encoder of a V-JEPA 2.1; its last norm is layer ``final``."""

    MODEL = Model
    network: Encoder
    HEADS = ("pooler.", "classifier.")
    WITHOUT: ClassVar = {"pred_num_hidden_layers": 0}
    SIDE = "crop_size"

    def _windows(self, frames: int) -> list[np.ndarray]:
        """Longer clips are cut into pieces of ``frames_per_clip``, the last of them shorter."""
        if self.spec.causal:
            return super()._windows(frames)
        return _frames.pieces(frames, self.config.frames_per_clip)

    @staticmethod
    def network_of(model: Any) -> nn.Module:
        """The encoder alone."""
        found: nn.Module = model.get_submodule("encoder")
        return found

    def _modules(self) -> tuple[nn.Module, ...]:
        return self.network.embeddings, *self.network.layer, self.network.norms_block[-1]

    def _forward(self, frames: torch.Tensor) -> None:
        self.network(frames)
