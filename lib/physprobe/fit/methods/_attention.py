"""Attention: readouts of a clip's tokens, with attention or without, many of them at once.

    line            y = b + w . mean_t x_t
    one query       a_t = softmax_t(q . x_t / sqrt(d)),    y = b + w . sum_t a_t x_t / sqrt(d)
    deep            self-attention blocks, cross-attention with one query, then a line

Parameters have two leading axes: parts, each with tokens of its own (a layer in a fold), and
members that read the same tokens (settings, labels). A key or value map of the one query would add
nothing: q and w take it up. No position is encoded, so a readout of either sort knows no order of
tokens but what the encoder put into them.

References
----------
Deep: the attentive classifier of V-JEPA 2 (arXiv 2506.09985), whose cross-attention has no map
after its heads; names and shapes are those of ``VJEPA2AttentivePooler`` in transformers.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

Parameters = Mapping[str, Tensor]
"""By name, each (part, member, ...)."""

SPREAD = 0.02  # deviation of the first weights, truncated at twice that
NORM = 1e-6  # of the variance that a LayerNorm divides by


@dataclass(frozen=True)
class Line:
    """One linear layer, on the mean of tokens; where a clip has one token, on that."""

    even: frozenset[str] = frozenset()
    epsilon = 1e-8

    def first(self, features: int, outputs: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """First parameters of a member: a readout of nothing, as the problem is convex."""
        return {"readout": np.zeros((outputs, features + 1))}

    def intercept(self, parameters: Mapping[str, np.ndarray]) -> np.ndarray:
        """What is put out whatever the tokens are (..., output): last in the readout's rows."""
        return parameters["readout"][..., -1]

    def decays(self, name: str) -> slice:
        """Which of a row's numbers are regularised: all but the intercept."""
        return slice(None, -1)

    def numbers(self, tokens: int, features: int, members: int, outputs: int) -> int:
        """Numbers that a clip takes in training."""
        return tokens * features + 2 * members * outputs

    def __call__(self, parameters: Parameters, tokens: Tensor) -> Tensor:
        """Outputs (part, clip, member, output) from tokens (part, clip, token, feature)."""
        weight, intercept = parameters["readout"].split([tokens.shape[3], 1], -1)
        parts, members, outputs, features = weight.shape
        maps = weight.reshape(parts, members * outputs, features).transpose(1, 2)
        found = tokens.mean(2) @ maps + intercept.reshape(parts, 1, members * outputs)
        return found.unflatten(2, (members, outputs))


@dataclass(frozen=True)
class Query:
    """One query, and a line.

    The gradient of a query that attends evenly is small, and mostly noise. Adam would step as far
    along each feature that knows nothing as along the one that tells; with one scale for all
    features (Adam-mini, arXiv 2406.16793) the step keeps the gradient's direction.
    """

    even = frozenset({"query", "readout"})
    epsilon = 1e-5

    def first(self, features: int, outputs: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """First parameters of a member: a query next to the mean, and a readout of nothing."""
        return {
            "query": _truncated(rng, features),
            "readout": np.zeros((outputs, features + 1)),
        }

    def intercept(self, parameters: Mapping[str, np.ndarray]) -> np.ndarray:
        """What is put out whatever the tokens are (..., output): last in the readout's rows."""
        return parameters["readout"][..., -1]

    def decays(self, name: str) -> slice:
        """Which of a row's numbers are regularised: all but the intercept."""
        return slice(None, -1) if name == "readout" else slice(None)

    def numbers(self, tokens: int, features: int, members: int, outputs: int) -> int:
        """Numbers that a clip takes in training."""
        return tokens * (features + 4 * members * (1 + outputs))

    def __call__(self, parameters: Parameters, tokens: Tensor) -> Tensor:
        """Outputs (part, clip, member, output) from tokens (part, clip, token, feature)."""
        parts, clips, count, features = tokens.shape
        weight, intercept = parameters["readout"].split([features, 1], -1)
        members, outputs = weight.shape[1:3]
        rows = tokens.reshape(parts, clips * count, features)
        unit = features**-0.5  # a step is as long for many features as for few
        marks = rows @ (unit * parameters["query"]).transpose(1, 2)
        share = marks.view(parts, clips, count, members).softmax(2)
        read = rows @ (unit * weight).reshape(parts, members * outputs, features).transpose(1, 2)
        read = read.view(parts, clips, count, members, outputs)
        return (share[..., None] * read).sum(2) + intercept[:, None, ..., 0]


@dataclass(frozen=True)
class Deep:
    """Self-attention blocks, cross-attention with one query, and a line."""

    depth: int
    """Blocks, that of the cross-attention included."""
    heads: int
    width: int | None
    """Width that the features are mapped to first; None: that of the features."""

    even: frozenset[str] = frozenset()
    epsilon = 1e-8

    def first(self, features: int, outputs: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """First parameters of a member: truncated normal weights, and biases of zero.

        Raises
        ------
        ValueError
            If the heads don't divide the width.
        """
        width = self.width or features
        if width % self.heads:
            raise ValueError(
                f"{self.heads} heads can't share {width} features."
                " Hint: set width to a multiple of heads; features are mapped to it first."
            )
        found = {}

        def line(name: str, inputs: int, outputs: int) -> None:
            found[f"{name}.weight"] = _truncated(rng, outputs, inputs)
            found[f"{name}.bias"] = np.zeros(outputs)

        if self.width:
            found["width.weight"] = rng.normal(size=(width, features)) * features**-0.5
            found["width.bias"] = np.zeros(width)
        found["query_tokens"] = _truncated(rng, width)
        for block, attention in self._blocks():
            for norm in ("layer_norm1", "layer_norm2"):
                found[f"{block}.{norm}.weight"] = np.ones(width)
                found[f"{block}.{norm}.bias"] = np.zeros(width)
            for name in ("q_proj", "k_proj", "v_proj"):
                line(f"{block}.{attention}.{name}", width, width)
            if attention == "self_attn":
                line(f"{block}.{attention}.out_proj", width, width)
            line(f"{block}.mlp.fc1", width, 4 * width)
            line(f"{block}.mlp.fc2", 4 * width, width)
        line("readout", width, outputs)
        return found

    def intercept(self, parameters: Mapping[str, np.ndarray]) -> np.ndarray:
        """What is put out whatever the tokens are (..., output)."""
        return parameters["readout.bias"]

    def decays(self, name: str) -> slice:
        """Which of a row's numbers are regularised: as published, all of them."""
        return slice(None)

    def numbers(self, tokens: int, features: int, members: int, outputs: int) -> int:
        """Numbers that a clip takes in training."""
        width = self.width or features
        inside = self.depth * (24 * width + 3 * self.heads * tokens)
        return tokens * (features + members * inside)

    def _blocks(self) -> list[tuple[str, str]]:
        """Names of the blocks, and of what attends in each."""
        own = [(f"self_attention_layers.{n}", "self_attn") for n in range(self.depth - 1)]
        return [*own, ("cross_attention_layer", "cross_attn")]

    def __call__(self, parameters: Parameters, tokens: Tensor) -> Tensor:
        """Outputs (part, clip, member, output) from tokens (part, clip, token, feature)."""
        parts, clips, count, features = tokens.shape
        members = parameters["query_tokens"].shape[1]
        # Every member of every part is a readout of its own from here on.
        own = {name: value.flatten(0, 1) for name, value in parameters.items()}
        each = tokens.reshape(parts, 1, clips * count, features)
        each = each.expand(-1, members, -1, -1).reshape(parts * members, clips * count, features)
        hidden = _line(own, "width", each) if self.width else each
        *blocks, (last, attention) = self._blocks()
        for block, inner in blocks:
            normed = _normed(own, f"{block}.layer_norm1", hidden)
            mixed = self._attended(own, f"{block}.{inner}", normed, normed, clips)
            hidden = hidden + _line(own, f"{block}.{inner}.out_proj", mixed)
            hidden = hidden + _mapped(own, block, hidden)
        query = own["query_tokens"][:, None].expand(-1, clips, -1)
        normed = _normed(own, f"{last}.layer_norm1", hidden)
        pooled = query + self._attended(own, f"{last}.{attention}", query, normed, clips)
        pooled = pooled + _mapped(own, last, pooled)
        found = _line(own, "readout", pooled)
        return found.view(parts, members, clips, -1).transpose(1, 2)

    def _attended(
        self, own: Parameters, name: str, asking: Tensor, asked: Tensor, clips: int
    ) -> Tensor:
        """What rows of a clip draw from its rows, head by head: (readout, row, width)."""
        readouts, width = asking.shape[0], asking.shape[2]
        shape = (readouts * clips, -1, self.heads, width // self.heads)
        parts = (("q_proj", asking), ("k_proj", asked), ("v_proj", asked))
        queries, keys, values = (
            _line(own, f"{name}.{map_}", rows).reshape(shape).transpose(1, 2)
            for map_, rows in parts
        )
        mixed = functional.scaled_dot_product_attention(queries, keys, values)
        return mixed.transpose(1, 2).reshape(readouts, -1, width)


def _line(own: Parameters, name: str, rows: Tensor) -> Tensor:
    """Rows (readout, row, feature) under each readout's own linear map."""
    weight, bias = own[f"{name}.weight"], own[f"{name}.bias"]
    return torch.baddbmm(bias[:, None], rows, weight.transpose(1, 2))


def _normed(own: Parameters, name: str, rows: Tensor) -> Tensor:
    """Rows, each of unit deviation, under each readout's own scale and shift."""
    even = functional.layer_norm(rows, rows.shape[-1:], eps=NORM)
    return torch.addcmul(own[f"{name}.bias"][:, None], even, own[f"{name}.weight"][:, None])


def _mapped(own: Parameters, block: str, rows: Tensor) -> Tensor:
    """What a block's two-layer map adds."""
    inside = functional.gelu(
        _line(own, f"{block}.mlp.fc1", _normed(own, f"{block}.layer_norm2", rows))
    )
    return _line(own, f"{block}.mlp.fc2", inside)


def _truncated(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Normal draws, those beyond two deviations drawn anew."""
    found = rng.normal(size=shape)
    while (beyond := np.abs(found) > 2).any():
        found[beyond] = rng.normal(size=beyond.sum())
    return SPREAD * found
