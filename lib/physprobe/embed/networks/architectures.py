"""Architectures: which network reads which config.json, and what it takes to run it."""

import importlib

from transformers import PreTrainedModel

from physprobe.embed import _families
from physprobe.embed.networks.network import Network
from physprobe.embed.networks.processor import Processor, declared
from physprobe.embed.networks.transformer import VideoTransformer


def of(model_type: str) -> type[VideoTransformer]:
    """Encoder of a family, by ``model_type`` of config.json."""
    family = _families.BY_TYPE[model_type]
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
    side = getattr(model.config, architecture.SIDE)
    if not isinstance(side, int):
        raise ValueError(
            f"{where}: found {architecture.SIDE} {side!r}, expected the side of a"
            " square. Hint: only networks of square inputs are read."
        )
    preprocessing = declared(
        processor,
        side,
        spec.preprocess,
        height=height,
        width=width,
        stretches=architecture.STRETCHES,
    )
    return architecture(
        model, spec, preprocessing, frames=frames, threads=threads, provenance=provenance
    )
