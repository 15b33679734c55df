"""Windows: recipes whose V-JEPA 2 sees windows cut out of endless simulated fields."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, cast

import torch
import transformers
from safetensors.torch import load_file, save_file
from torch import nn

from physprobe.config import kinds
from physprobe.embed.networks import checkpoint
from physprobe.embed.networks.resize import Preprocessing
from physprobe.train import _tokens, _validation
from physprobe.train._stream import Batch, batch
from physprobe.train._training import Training
from physprobe.train.section import Kind

if TYPE_CHECKING:
    from transformers.models.vjepa2.modeling_vjepa2 import VJEPA2Encoder

__all__ = ["FILES", "WIDE", "batch", "hidden", "judge", "write"]
FILES = ("config.json", "preprocessor_config.json", "model.safetensors")
WIDE = True


def hidden(net: nn.Module, batch: Batch) -> torch.Tensor:
    """Normed hidden states (clip, token, feature) of a batch."""
    return _tokens.encode(cast("VJEPA2Encoder", net), batch.video)


def judge(spec: Training, threads: int) -> "_validation.Scores":
    """Scores of an encoder, by a ridge probe."""
    return _validation.Judge(spec, threads).scores


def write(spec: Training, tensors: Mapping[int, Mapping[str, torch.Tensor]], folder: Path) -> None:
    """Write a folder that ``VJEPA2Model.from_pretrained`` reads, float16; of the one member.

    A predictor of hidden states is the model's own. What else was trained lies in the same file,
    under names that no model has: ``context_encoder``, whose features that predictor was trained
    to read, if it is another one than is judged; and ``beside.{network}``.
    """
    (found,) = tensors.values()
    parts: dict[str, dict[str, torch.Tensor]] = {}
    for name, value in found.items():
        network, _, rest = name.partition(".")
        parts.setdefault(network, {})[rest] = value
    kind: Kind = kinds.load("train", spec.kind)
    judged = parts.pop(kind.KEPT[0])
    predictor = parts.pop("predictor") if kind.FORESEES else None
    transformers.utils.logging.disable_progress_bar()
    _validation.finished(spec, judged, predictor).half().save_pretrained(folder)
    weights = folder / FILES[-1]
    whole = load_file(weights)
    for network, own in parts.items():
        context = kind.FORESEES and network == "encoder"
        start = checkpoint.CONTEXT if context else f"{checkpoint.BESIDE}{network}."
        whole |= {f"{start}{name}": value.half().contiguous() for name, value in own.items()}
    save_file(whole, weights, {"format": "pt"})
    weights.chmod(0o644)
    (folder / FILES[1]).write_text(_processor(spec.crop_size))


def _processor(crop: int) -> str:
    content = {
        "crop_size": {"height": crop, "width": crop},
        "size": {"shortest_edge": crop},
        "image_mean": list(Preprocessing.mean),
        "image_std": list(Preprocessing.std),
        "do_rescale": True,
        "rescale_factor": 1 / 255,
    }
    return json.dumps(content, indent=2) + "\n"
