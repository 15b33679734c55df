"""Architectures: which network reads which config.json, and what it takes to run it."""

from typing import cast

import torch
from transformers import PreTrainedModel, VJEPA2Model
from transformers.models.vjepa2.modeling_vjepa2 import VJEPA2Encoder

from physprobe.embed.networks import dinov2, videomae, vjepa
from physprobe.embed.networks.foresight import Foresight
from physprobe.embed.networks.network import Network
from physprobe.embed.networks.processor import Processor, declared
from physprobe.embed.networks.resize import Preprocessing
from physprobe.embed.networks.transformer import VideoTransformer

BY_NAME: dict[str, type[VideoTransformer]] = {
    "vjepa2": vjepa.VJEPA2,
    "videomae": videomae.VideoMAE,
    "dinov2": dinov2.DINOv2,
    "dinov2_with_registers": dinov2.WithRegisters,
}
"""By ``model_type`` of config.json."""


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
    context: VJEPA2Encoder | None,
    spec: Network,
    processor: Processor,
    where: str,
    *,
    height: int,
    width: int,
    threads: int,
) -> Foresight:
    """Predictor of a V-JEPA 2, shown clips as its processor says.

    Raises
    ------
    ValueError
        As for :func:`encoder`.
    """
    torch.set_num_threads(threads)
    preprocessing = _prepared(
        vjepa.VJEPA2, model, spec, processor, where, height=height, width=width
    )
    return Foresight(cast("VJEPA2Model", model), context, preprocessing)


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
