"""Families of networks that are read through transformers: one file and one entry here each."""

from typing import NamedTuple


class Family(NamedTuple):
    """What has to be known of a family before anything heavy is loaded."""

    module: str
    """Its file in ``embed/networks``, whose class of the name beside is the encoder."""
    encoder: str
    tubelet: int
    """Frames per token, where config.json has none."""
    processor: str
    """Key of ``networks.processor.CLASSES`` whose defaults count where its file names none."""
    alone: bool = False
    """Whether every frame is seen by itself; its processor is then one of images."""


BY_TYPE = {
    "vjepa2": Family("vjepa", "VJEPA2", 2, "VJEPA2"),
    "videomae": Family("videomae", "VideoMAE", 2, "VideoMAE"),
    "timesformer": Family("timesformer", "TimeSformer", 1, "Timesformer"),
    "vivit": Family("vivit", "ViViT", 2, "Vivit"),
    "xclip_vision_model": Family("xclip", "XCLIP", 1, "VideoMAE"),
    "dinov2": Family("dinov2", "DINOv2", 1, "Bit", alone=True),
    "dinov2_with_registers": Family("dinov2", "WithRegisters", 1, "Bit", alone=True),
    "dinov3_vit": Family("dinov3", "DINOv3", 1, "DINOv3ViT", alone=True),
    "siglip_vision_model": Family("siglip", "SigLIP", 1, "Siglip", alone=True),
    "clip_vision_model": Family("clip", "CLIP", 1, "CLIP", alone=True),
    "vit": Family("vit", "ViT", 1, "ViT", alone=True),
    "deit": Family("vit", "DeiT", 1, "DeiT", alone=True),
}
"""By ``model_type`` of config.json."""
WHOLE = {
    "clip": "clip_vision_model",
    "siglip": "siglip_vision_model",
    "xclip": "xclip_vision_model",
}
"""Models of images and text, of which the part that sees is read: its ``vision_config``."""
KNOWN = (*BY_TYPE, *WHOLE)


def of(model_type: object) -> Family | None:
    """Family of a config.json, of one of a whole model too; None if it is none of those here."""
    name = str(model_type)
    return BY_TYPE.get(WHOLE.get(name, name))


def modules(model_type: object) -> tuple[str, ...]:
    """Files of a family within this package; of all, if it isn't known which it is."""
    one = of(model_type)
    files = sorted({family.module for family in ([one] if one else BY_TYPE.values())})
    return tuple(f"embed.networks.{name}" for name in files)
