"""Weights: a checkpoint's, or random ones of a V-JEPA 2."""

import logging
from pathlib import Path

import numpy as np
import torch
import transformers
from transformers import PreTrainedModel, VJEPA2Config, VJEPA2Model

from physprobe.core import seeds


def trained(
    folder: Path, model_class: type[PreTrainedModel], heads: tuple[str, ...] = ()
) -> PreTrainedModel:
    """Model of a checkpoint, every tensor of which was there and was used.

    Parameters
    ----------
    folder : Path
        Checkpoint.
    model_class : type
        Class of transformers.
    heads : tuple of str
        How names begin of tensors that may be there, but not used: decoders, classifiers.

    Raises
    ------
    ValueError
        If tensors are missing, unexpected, or of another shape; the message names them.
    """
    _quiet()
    model, info = model_class.from_pretrained(
        folder,
        dtype=torch.float32,
        attn_implementation="sdpa",
        use_safetensors=True,
        local_files_only=True,
        trust_remote_code=False,
        ignore_mismatched_sizes=True,  # so that they are reported with the others, below
        output_loading_info=True,
    )
    problems = []
    for what, key in (
        ("missing", "missing_keys"),
        ("unexpected", "unexpected_keys"),
        ("of another shape", "mismatched_keys"),
    ):
        names = sorted(name if isinstance(name, str) else name[0] for name in info[key])
        if key == "unexpected_keys":
            names = [name for name in names if not name.startswith(heads)]
        if names:
            more = f" and {len(names) - 3} more" if len(names) > 3 else ""
            problems.append(f"{what} {', '.join(names[:3])}{more}")
    if problems or info.get("error_msgs"):
        raise ValueError(
            f"{folder}: the checkpoint's tensors don't fit the {model_class.__name__} of its"
            f" config.json: {'; '.join(problems) or info['error_msgs']}."
            f" Hint: save a whole {model_class.__name__} with save_pretrained."
        )
    return model


def random(config: dict, seed: int, init: str) -> VJEPA2Model:
    """Draw a model's weights: the same on every machine, from no one else's random numbers.

    Biases are 0, norms 1. Weights are normal: ``fan_in`` with standard deviation
    1 / sqrt(inputs of the unit), which keeps the size of activations from layer to layer;
    ``fixed`` with ``initializer_range`` (0.02), as transformers does.

    Parameters
    ----------
    config : dict
        Fields of ``VJEPA2Config``.
    seed : int
        Seed; every tensor has its own stream, named for it.
    init : str
        ``fan_in`` or ``fixed``.
    """
    config = VJEPA2Config(**{**config, "pred_num_hidden_layers": 0})
    with torch.device("meta"):
        model = VJEPA2Model._from_config(config, attn_implementation="sdpa")
    model.encoder.to_empty(device="cpu")
    for name, value in model.encoder.state_dict().items():
        if value.ndim == 1:
            value.fill_(float("norm" in name and name.endswith("weight")))
            continue
        std = config.initializer_range if init == "fixed" else value[0].numel() ** -0.5
        draw = seeds.rng("untrained weights", seed, name).standard_normal(value.shape, "float32")
        value.copy_(torch.from_numpy(draw * np.float32(std)))
    return model


def _quiet() -> None:
    """No progress bars, and no table of tensors: what is wrong with them is an error here."""
    transformers.utils.logging.disable_progress_bar()
    logging.getLogger("transformers").setLevel(logging.ERROR)
