"""Architectures: which network reads which config.json, and what it takes to run it."""

import importlib
from collections.abc import Mapping

import torch
from torch import nn
from transformers import PreTrainedModel

from physprobe.embed import _families
from physprobe.embed.networks import vjepa, vjepa21
from physprobe.embed.networks.foresight import Foresight, Foresight21
from physprobe.embed.networks.network import Network
from physprobe.embed.networks.processor import Processor, declared
from physprobe.embed.networks.resize import Preprocessing
from physprobe.embed.networks.transformer import VideoTransformer


def of(config: Mapping) -> type[VideoTransformer]:
    """Encoder of the family that a config.json describes."""
    family = _families.of(config)
    assert family is not None, "checked when the config was read"
    return getattr(importlib.import_module(f"{__package__}.{family.module}"), family.encoder)


def encoder(
    architecture: type[VideoTransformer],
    model: PreTrainedModel,
    spec: Network,
    processor: Processor,
    where: str,
    *,
    frames: int,
    height: int,
    width: int,
    threads: int,
    provenance: dict,
) -> VideoTransformer:
    """Encoder of a model, shown clips as its processor says.

    Raises
    ------
    ValueError
        If the network's inputs are not square, or the clips don't fit.
    """
    preprocessing = _prepared(
        architecture, model, spec, processor, where, height=height, width=width
    )
    return architecture(
        model, spec, preprocessing, frames=frames, threads=threads, provenance=provenance
    )


def foresight(
    model: PreTrainedModel,
    context: nn.Module | None,
    spec: Network,
    processor: Processor,
    where: str,
    *,
    height: int,
    width: int,
    threads: int,
) -> Foresight:
    """Predictor of a V-JEPA 2 or 2.1, shown clips as its processor says.

    Raises
    ------
    ValueError
        As for :func:`encoder`.
    """
    torch.set_num_threads(threads)
    later = isinstance(model, vjepa21.Model)
    preprocessing = _prepared(
        vjepa.VJEPA2, model, spec, processor, where, height=height, width=width
    )
    return (Foresight21 if later else Foresight)(model, context, preprocessing)


def _prepared(
    architecture: type[VideoTransformer],
    model: PreTrainedModel,
    spec: Network,
    processor: Processor,
    where: str,
    *,
    height: int,
    width: int,
) -> Preprocessing:
    """From frames to a model's input, as its processor says."""
    side = getattr(model.config, architecture.SIDE)
    if not isinstance(side, int):
        raise ValueError(
            f"{where}: found {architecture.SIDE} {side!r}, expected the side of a"
            " square. Hint: only networks of square inputs are read."
        )
    return declared(
        processor,
        side,
        spec.preprocess,
        height=height,
        width=width,
        stretches=architecture.STRETCHES,
    )
