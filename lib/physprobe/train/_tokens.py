"""Tokens: an encoder that may leave tokens out, and a light predictor."""

from collections.abc import Mapping
from typing import cast

import torch
from torch import nn
from transformers import VJEPA2Config, VJEPA2Model
from transformers.models.vjepa2.modeling_vjepa2 import VJEPA2Encoder, VJEPA2Layer

from physprobe.embed.networks import weights
from physprobe.train import _growth
from physprobe.train._patches import patches, take
from physprobe.train._training import Training

__all__ = [
    "Predictor", "blocks", "encode", "encoder", "initialise", "patches", "places", "renamed",
    "take",
]  # fmt: skip
NAMES = {
    "query": "embeddings.mask_tokens",
    "enter": "embeddings.predictor_embeddings",
    "layer": "layer",
    "norm": "layernorm",
    "leave": "proj",
}
"""Parts of a predictor, and what transformers calls them."""


def encoder(spec: Training) -> VJEPA2Encoder:
    """V-JEPA 2 encoder for training windows, with random weights or grown from a smaller one.

    Of its first modules as many as the spec says are frozen.
    """
    sizes = spec.architecture(spec.crop, spec.frames)
    model = cast("VJEPA2Model", weights.random(sizes, spec.seed, "fan_in"))
    if spec.grown_from:
        _growth.grow(model.encoder, model.config, spec.grown_from)
    for module in (model.encoder.embeddings, *model.encoder.layer)[: spec.frozen]:
        module.requires_grad_(False)
    return model.encoder


def encode(
    network: VJEPA2Encoder, video: torch.Tensor, keep: torch.Tensor | None = None
) -> torch.Tensor:
    """Normed hidden states of a video's tokens, or of some of them that see no others.

    Parameters
    ----------
    network : VJEPA2Encoder
    video : Tensor
        (clip, frame, rgb, y, x).
    keep : Tensor, optional
        (clip, kept) indices of the tokens that are kept; places run over time, y, x.

    Returns
    -------
    Tensor
        (clip, token, feature).
    """
    hidden = network.embeddings(video)
    if keep is not None:
        hidden = take(hidden, keep)
    for block in network.layer:
        hidden = block(hidden, keep)[0]
    return network.layernorm(hidden)


class Predictor(nn.Module):
    """Light transformer: from tokens that were seen to what stands at other places.

    Parameters
    ----------
    spec : Training
        Architecture of the encoder.
    outputs : int
        Numbers per place that are predicted.
    layers : int
        Blocks.
    """

    def __init__(self, spec: Training, outputs: int, layers: int):
        super().__init__()
        sizes = spec.architecture(spec.crop, spec.frames)
        config = VJEPA2Config(**sizes | {"attn_implementation": "sdpa"})
        width = spec.hidden_size
        self.query = nn.Parameter(torch.zeros(1, 1, width))
        self.enter = nn.Linear(width, width)
        self.layer = nn.ModuleList(
            VJEPA2Layer(config, 0.0, width, spec.num_attention_heads, spec.mlp_ratio)
            for _ in range(layers)
        )
        self.norm = nn.LayerNorm(width, eps=config.layer_norm_eps)
        self.leave = nn.Linear(width, outputs)
        initialise(self, spec.seed)

    def forward(
        self, seen: torch.Tensor, places: torch.Tensor, wanted: torch.Tensor
    ) -> torch.Tensor:
        """Predict.

        Parameters
        ----------
        seen : Tensor
            (clip, token, feature) hidden states.
        places, wanted : Tensor
            (clip, token) places of what was seen, and of what is asked for.

        Returns
        -------
        Tensor
            (clip, wanted, outputs).
        """
        count = wanted.shape[1]
        queries = self.query.expand(len(seen), count, -1)
        hidden = torch.cat([self.enter(seen), queries.to(seen.dtype)], 1)
        where = torch.cat([places, wanted], 1)
        for block in self.layer:
            hidden = block(hidden, where)[0]
        return self.leave(self.norm(hidden[:, -count:]))


def renamed(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Tensors of a :class:`Predictor` of hidden states by the names of ``VJEPA2Predictor``.

    It is the same function: where tokens stand in the row changes nothing, for each carries its
    place; and of its mask tokens there is the one that was trained.
    """
    found = {}
    for name, value in tensors.items():
        first, _, rest = name.partition(".")
        found[".".join(filter(None, (NAMES[first], rest)))] = value[None] if not rest else value
    return found


def blocks(tensors: Mapping[str, torch.Tensor]) -> int:
    """Blocks of a predictor, of its tensors' names."""
    return len({name.split(".")[1] for name in tensors if name.startswith("layer.")})


def initialise(module: nn.Module, seed: int) -> None:
    """Draw matrices with standard deviation 1 / sqrt(inputs), whatever torch's own state is."""
    maker = torch.Generator().manual_seed(seed)
    for name, value in module.named_parameters():
        with torch.no_grad():
            if value.ndim == 2:
                value.normal_(std=value.shape[1] ** -0.5, generator=maker)
            elif name.endswith("query"):
                value.normal_(std=0.02, generator=maker)
            elif "norm" not in name:
                value.zero_()


def places(grid: tuple[int, int, int], times: range, clips: int) -> torch.Tensor:
    """Places (clip, token) of all tokens at some token times."""
    per_time = grid[1] * grid[2]
    return torch.arange(times.start * per_time, times.stop * per_time).expand(clips, -1)
