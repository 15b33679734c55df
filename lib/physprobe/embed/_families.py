"""Families of networks that are read through transformers: one file and one entry here each.

And what config.json says of a checkpoint, as far as it can be known without touching the hub.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from physprobe.config import checkpoints, shipped


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
    causal: tuple[str, str] | None = None
    """Field of config.json, and its value, also where there is none, with which no token sees later
    frames than its own."""

    def ahead(self, config: Mapping) -> bool:
        """Whether a token follows from later frames than its own."""
        return not self.alone and (
            self.causal is None or config.get(self.causal[0], self.causal[1]) != self.causal[1]
        )


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
    "levjepa": Family("levjepa", "LeVJEPA", 1, "VJEPA2", causal=("attn_mode", "block_causal")),
}
"""By ``model_type`` of config.json."""
LATER = Family("vjepa21", "VJEPA21", 2, "VJEPA2")
"""V-JEPA 2.1, which has the name of 2 and ``hierarchical_layers``."""
WHOLE = {
    "clip": "clip_vision_model",
    "siglip": "siglip_vision_model",
    "xclip": "xclip_vision_model",
}
"""Models of images and text, of which the part that sees is read: its ``vision_config``."""
KNOWN = (*BY_TYPE, *WHOLE)


def of(config: Mapping) -> Family | None:
    """Family of a config.json, of one of a whole model too; None if it is none of those here."""
    name = str(config.get("model_type"))
    if name == "vjepa2" and config.get("hierarchical_layers") is not None:
        return LATER
    return BY_TYPE.get(WHOLE.get(name, name))


def modules(config: Mapping) -> tuple[str, ...]:
    """Files of a family within this package; of all, if it isn't known which it is."""
    one = of(config)
    families = [one] if one else [*BY_TYPE.values(), LATER]
    return tuple(f"embed.networks.{name}" for name in sorted({each.module for each in families}))


def declared(model: str) -> dict:
    """What config.json says, if it is in a folder; nothing of a checkpoint on the hub."""
    file = (shipped.folder(model) or Path(model)) / checkpoints.CONFIG
    return checkpoints.content(file) if file.is_file() else {}


def comparable(config: dict) -> bool:
    """Whether what config.json describes has a predictor of features of its own encoder.

    That of V-JEPA 2.1 B and L answers in the space of a wider teacher. Nothing being known, it may.
    """
    kept = config.get("pred_num_hidden_layers", 1) != 0
    own = config.get("teacher_embed_dim") is None
    return config.get("model_type", "vjepa2") == "vjepa2" and kept and own


def tubelet(model: str) -> int | None:
    """Frames per token, if it can be known without touching the hub.

    Raises
    ------
    ValueError
        If config.json says something else than a number of frames.
    """
    config = declared(model)
    family = of(config)
    found = config.get("tubelet_size", family and family.tubelet)
    if isinstance(found, list) and len(found) == 3:  # of a ViViT: frames, height, width
        found = found[0]
    if found is not None and (type(found) is not int or found < 1):
        file = f"{model}/{checkpoints.CONFIG}"
        raise ValueError(f"{file}: found tubelet_size {found!r}, expected a number of frames.")
    return found
