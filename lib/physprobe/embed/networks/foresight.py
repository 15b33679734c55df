"""Foresight: a V-JEPA 2's own predictor, and how far off what it expects of the frames to come is.

    S = mean |P(E(x[:c]), later) - LN(E'(x))_later|    over later tokens and features

with context encoder E, which sees the first c frames of a window and no other, predictor P, and
target encoder E', which sees the window; LN norms features without parameters, as in training. The
prediction is not normed. Beside S stand three that foresee nothing:

    copy       LN(E(x[:c])) of the last tubelet that was seen, at every later time
    shuffled   P of the context with its frames in another order
    stranger   P of the context of another film

The predictor is run here by its layers: transformers' own ``forward`` takes mask token 1, of which
official checkpoints have trained none but token 0, and would let the context have seen the future.

References
----------
Garrido et al. 2025, "Intuitive physics understanding emerges from self-supervised pretraining on
natural videos", arXiv:2502.11831: the measure, and its windows.
"""

from collections.abc import Mapping, Sequence
from typing import cast

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from transformers import PreTrainedModel
from transformers.models.vjepa2.modeling_vjepa2 import VJEPA2Encoder, VJEPA2Predictor

from physprobe.embed.networks import cpu
from physprobe.embed.networks.resize import Preprocessing

AT_ONCE = 16
"""Windows per forward pass."""


class Foresight:
    """Of one network, for films of one size: see :class:`physprobe.embed.section.Foresight`.

    Parameters
    ----------
    model : VJEPA2Model
        With a predictor; its encoder gives the targets.
    context : Module or None
        The encoder that the predictor was trained to read; None: the model's own.
    preprocessing : Preprocessing
        Size, crop and normalisation of frames.
    """

    def __init__(
        self, model: PreTrainedModel, context: nn.Module | None, preprocessing: Preprocessing
    ):
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        nn.Module.to(model, self.device, torch.float32).eval().requires_grad_(False)
        self.target = model.get_submodule("encoder")
        self.predictor = model.get_submodule("predictor")
        own = context is None
        self.context = self.target if context is None else context.to(self.device).eval()
        if self.device.type == "cpu":
            for encoder in {id(e): e for e in (self.target, self.context)}.values():
                self._accelerate(encoder)
        self.preprocessing = preprocessing
        self.tubelet, self.longest = model.config.tubelet_size, model.config.frames_per_clip
        self.per_time = (preprocessing.crop // cast("int", model.config.patch_size)) ** 2
        self.context_from = "the target encoder itself" if own else "the online encoder"

    @torch.inference_mode()
    def surprise(
        self,
        film: np.ndarray,
        stranger: np.ndarray,
        starts: np.ndarray,
        window: int,
        contexts: Sequence[int],
        orders: Mapping[int, np.ndarray],
        *,
        causal: bool = False,
    ) -> dict[str, np.ndarray]:
        """How far off every window's expected future is, model by model."""
        frames, other = self._shown(film), self._shown(stranger)
        parts: list[dict[str, np.ndarray]] = []
        for first in range(0, len(starts), AT_ONCE):
            places = starts[first : first + AT_ONCE, None] + np.arange(window)
            shown, strange = frames[places], other[places]
            goal = self._goal(shown, causal)
            each = [
                self._one(shown[:, :seen], strange[:, :seen], orders[seen], goal)
                for seen in contexts
            ]
            parts.append({name: np.stack([one[name] for one in each], 1) for name in each[0]})
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def _shown(self, film: np.ndarray) -> torch.Tensor:
        """Network input (frame, rgb, y, x)."""
        return self.preprocessing(torch.from_numpy(film).to(self.device)).float()

    def _goal(self, shown: torch.Tensor, causal: bool) -> torch.Tensor:
        """Normed targets (window, token, feature); causal ones see no frame after their own."""
        if not causal:
            return self.normed(self.encode(self.target, shown))
        ends = range(self.tubelet, shown.shape[1] + 1, self.tubelet)
        last = [self.encode(self.target, shown[:, :end])[:, -self.per_time :] for end in ends]
        return self.normed(torch.cat(last, 1))

    def _one(
        self, seen: torch.Tensor, strange: torch.Tensor, order: np.ndarray, goal: torch.Tensor
    ) -> dict[str, np.ndarray]:
        """Errors (window,) by model, of one length of context."""
        known = self.encode(self.context, seen)
        count, whole = known.shape[1], goal.shape[1]
        later = goal[:, count:]
        last = self.normed(known[:, -self.per_time :])
        found = {
            "predictor": self.expected(known, whole),
            "copy": last.repeat(1, (whole - count) // self.per_time, 1),
            "shuffled": self.expected(self.encode(self.context, seen[:, order]), whole),
            "stranger": self.expected(self.encode(self.context, strange), whole),
        }
        return {
            name: (expected - later).abs().double().mean((1, 2)).cpu().numpy()
            for name, expected in found.items()
        }

    def _accelerate(self, encoder: nn.Module) -> None:
        cpu.accelerate(cast("VJEPA2Encoder", encoder))

    def encode(self, network: nn.Module, shown: torch.Tensor) -> torch.Tensor:
        """What an encoder makes of the first frames of windows; see :func:`encode`."""
        return encode(cast("VJEPA2Encoder", network), shown)

    def normed(self, hidden: torch.Tensor) -> torch.Tensor:
        """Targets (window, token, feature) as the predictor was trained to give them."""
        return functional.layer_norm(hidden.float(), hidden.shape[-1:])

    def expected(self, known: torch.Tensor, whole: int) -> torch.Tensor:
        """Features (window, token, feature) of the tokens after those that are known.

        Parameters
        ----------
        known : Tensor
            (window, token, feature): of the first tokens of a window, in order.
        whole : int
            Tokens of a window.
        """
        return ahead(cast("VJEPA2Predictor", self.predictor), known, whole)


class Foresight21(Foresight):
    """Of a V-JEPA 2.1 that answers in features of its own: each normed block's by itself."""

    def __init__(
        self, model: PreTrainedModel, context: nn.Module | None, preprocessing: Preprocessing
    ):
        super().__init__(model, context, preprocessing)
        self.levels = int(model.config.num_distillation_outputs)
        self.side = preprocessing.crop // model.config.patch_size

    def _accelerate(self, encoder: nn.Module) -> None:
        pass

    def encode(self, network: nn.Module, shown: torch.Tensor) -> torch.Tensor:
        """Plain or hierarchical output, as the predictor reads it."""
        return cast("torch.Tensor", network(shown, hierarchical=self.levels > 1))

    def normed(self, hidden: torch.Tensor) -> torch.Tensor:
        """Each block's features normed by themselves."""
        each = hidden.float().unflatten(-1, (self.levels, -1))
        return functional.layer_norm(each, each.shape[-1:]).flatten(-2)

    def expected(self, known: torch.Tensor, whole: int) -> torch.Tensor:
        """Features of the tokens after those that are known."""
        grid = (whole // self.per_time, self.side, self.side)
        return cast("torch.Tensor", self.predictor(known, grid)[0])


def encode(network: VJEPA2Encoder, shown: torch.Tensor) -> torch.Tensor:
    """Normed hidden states (clip, token, feature) of frames (clip, frame, rgb, y, x).

    The first frames of a window by themselves are a shorter clip: tubelets don't overlap, and
    places count from 0, so that is what an encoder sees of a window whose other tokens are masked.
    """
    hidden = network.embeddings(shown)
    for block in network.layer:
        hidden = block(hidden, None)[0]
    return network.layernorm(hidden)


def ahead(predictor: VJEPA2Predictor, known: torch.Tensor, whole: int) -> torch.Tensor:
    """What a predictor expects (clip, token, feature) behind the first tokens, by mask token 0."""
    count = known.shape[1]
    entering = predictor.embeddings
    asked = cast("torch.Tensor", entering.mask_tokens)[0].expand(len(known), whole - count, -1)
    hidden = torch.cat([entering.predictor_embeddings(known), asked], 1)
    places = torch.arange(whole, device=known.device).expand(len(known), -1)
    for block in cast("nn.ModuleList", predictor.layer):
        hidden = block(hidden, places)[0]
    return predictor.proj(predictor.layernorm(hidden[:, count:]))
