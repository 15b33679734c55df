"""Windows: recipes whose V-JEPA 2 sees windows cut out of endless simulated fields."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, cast

import torch
import transformers
from torch import nn

from physprobe.embed.networks.resize import Preprocessing
from physprobe.train import _tokens, _validation
from physprobe.train._stream import Batch, batch
from physprobe.train._training import Training

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
    """Write a folder that ``VJEPA2Model.from_pretrained`` reads, float16; of the one member."""
    (found,) = tensors.values()
    own = {name.partition(".")[2]: value for name, value in found.items()}
    transformers.utils.logging.disable_progress_bar()
    _validation.finished(spec, own).half().save_pretrained(folder)
    (folder / FILES[-1]).chmod(0o644)
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
