"""Architectures: which network reads which config.json, and what it takes to run it."""

from transformers import PreTrainedModel

from physprobe.embed.networks import dinov2, videomae, vjepa
from physprobe.embed.networks.network import Network
from physprobe.embed.networks.processor import Processor, declared
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
