"""Weights of a V-JEPA 2: a checkpoint's, or random ones."""

import logging
from pathlib import Path

import numpy as np
import torch
import transformers
from transformers import VJEPA2Config, VJEPA2Model

from physprobe.core import seeds


def trained(folder: Path) -> VJEPA2Model:
    """Model of a checkpoint, every tensor of which was there and was used.

    Raises
    ------
    ValueError
        If tensors are missing, unexpected, or of another shape; the message names them.
    """
    _quiet()
    model, info = VJEPA2Model.from_pretrained(
        folder,
        dtype=torch.float32,
        attn_implementation="sdpa",
        use_safetensors=True,
        local_files_only=True,
        trust_remote_code=False,
        ignore_mismatched_sizes=True,  # so that they are reported with the others, below
        output_loading_info=True,
    )
    problems = [
        f"{what} {', '.join(names[:3])}{f' and {len(names) - 3} more' if len(names) > 3 else ''}"
        for what, key in (
            ("missing", "missing_keys"),
            ("unexpected", "unexpected_keys"),
            ("of another shape", "mismatched_keys"),
        )
        if (names := sorted(key_[0] if isinstance(key_, tuple) else key_ for key_ in info[key]))
    ]
    if problems or info.get("error_msgs"):
        raise ValueError(
            f"{folder}: the checkpoint's tensors don't fit a V-JEPA 2 of its config.json:"
            f" {'; '.join(problems) or info['error_msgs']}."
            " Hint: save a whole VJEPA2Model (encoder and predictor) with save_pretrained."
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
