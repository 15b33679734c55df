"""Weights: a checkpoint's, or random ones of its architecture."""

import logging
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
import transformers
from torch import nn
from transformers import PreTrainedConfig, PreTrainedModel

from physprobe.config.checkpoints import CONFIG
from physprobe.embed.networks import checkpoint
from physprobe.embed.networks.transformer import VideoTransformer
from physprobe.embed.networks.vjepa import VJEPA2
from physprobe.statistics import seeds

Model = TypeVar("Model", bound=PreTrainedModel)
BLOCKS = {
    "num_hidden_layers": re.compile(r"(?!(?:.*\.)?predictor\.)(?:.*\.)?layers?\.(\d+)\."),
    "pred_num_hidden_layers": re.compile(r"(?:.*\.)?predictor\.layer\.(\d+)\."),
}
"""Fields of config.json that count blocks, and names of the tensors in one."""
MOST_BLOCKS = 1000
SCALE = "lambda1"  # of DINOv2's blocks
NORM = re.compile(r"norm|_ln\.")
TABLES = ("position_embedding.weight", "class_embedding", "mask_tokens")  # as tokens elsewhere
LIMITS = {
    "hidden_size": (1, 2**16),
    "num_attention_heads": (1, 2**12),
    "mlp_ratio": (2**-16, 2**10),
    "patch_size": (1, 2**13),
    "image_size": (1, 2**13),
    "crop_size": (1, 2**13),
    "tubelet_size": (1, 2**12),
    "frames_per_clip": (1, 2**12),
    "num_frames": (1, 2**12),
}
"""Fields of config.json that have a size: least and most, so that nothing endless is begun."""


def trained(
    folder: Path,
    config: dict,
    tensors: Mapping[str, torch.Tensor],
    model_class: type[Model],
    heads: tuple[str, ...] = (),
    arguments: Mapping[str, Any] | None = None,
) -> Model:
    """Model of a checkpoint, every tensor of which was there and was used.

    Parameters
    ----------
    folder : Path
        Checkpoint, for messages.
    config : dict
        Content of its ``config.json``.
    tensors : mapping of str to Tensor
        All that its files hold.
    model_class : type
        Class of transformers.
    heads : tuple of str
        How names begin of tensors that may be there, but not used: decoders, classifiers.
    arguments : mapping, optional
        What the class is made with besides its config.

    Raises
    ------
    ValueError
        If tensors are missing, unexpected, or of another shape; the message names them. If the
        config asks for another number of blocks than they are of: before anything is allocated.
    """
    _quiet()
    where = folder / CONFIG
    own = {name: value for name, value in tensors.items() if not name.startswith(heads)}
    _check_blocks(where, config, own)  # first: transformers' configs list their blocks
    settings = _settings(where, config, model_class)
    _check_blocks(where, settings.to_dict(), own)
    made = dict(arguments or {})
    _check_size(where, settings, tensors, model_class, made)
    loaded: Any = model_class.from_pretrained(  # with what it says of it, a pair
        None,
        config=settings,
        state_dict=dict(tensors),
        dtype=torch.float32,
        attn_implementation=_attention(model_class),
        local_files_only=True,
        trust_remote_code=False,
        ignore_mismatched_sizes=True,  # so that they are reported with the others, below
        output_loading_info=True,
        **made,
    )
    model, info = loaded
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


def with_context(
    folder: Path,
    config: dict,
    tensors: Mapping[str, torch.Tensor],
    architecture: type[VideoTransformer] = VJEPA2,
) -> tuple[PreTrainedModel, nn.Module | None]:
    """A V-JEPA 2 with its predictor, and the encoder that this reads if it is another one.

    Parameters
    ----------
    folder, config, tensors
        As for :func:`trained`; what lies beside the model's own tensors is among them.

    Raises
    ------
    ValueError
        As for :func:`trained`, of either.
    """
    start, heads = checkpoint.CONTEXT, (*architecture.HEADS, checkpoint.CONTEXT, checkpoint.BESIDE)
    model = trained(folder, config, tensors, architecture.MODEL, heads)
    own = {name.removeprefix(start): v for name, v in tensors.items() if name.startswith(start)}
    if not own:
        return model, None
    others = {name: value for name, value in tensors.items() if not name.startswith("encoder.")}
    named = {f"encoder.{name}": value for name, value in own.items()}
    second = trained(folder, config, {**others, **named}, architecture.MODEL, heads)
    return model, second.get_submodule("encoder")


def _settings(
    where: Path | str, config: dict, model_class: type[PreTrainedModel]
) -> PreTrainedConfig:
    """Config of transformers, if every field has a value that it can have."""
    try:
        settings = model_class.config_class.from_dict(config)  # type: ignore[union-attr]  # it has
    except Exception as error:  # whatever transformers makes of a wrong value
        raise ValueError(f"{where}: {_line(error)}. Hint: look at that field.") from None
    for name, (least, most) in LIMITS.items():
        value = getattr(settings, name, None)
        if isinstance(value, int | float) and not least <= value <= most:
            raise ValueError(f"{where}: {name} is {value}, expected {least} to {most}.")
    for name in ("in_chans", "num_channels"):
        if getattr(settings, name, 3) != 3:
            raise ValueError(
                f"{where}: {name} is {getattr(settings, name)}, and frames have 3 colours."
                " Hint: only networks of rgb are read."
            )
    return settings


def _check_blocks(where: Path, config: dict, tensors: Mapping[str, torch.Tensor]) -> None:
    """Number of blocks of config.json, where it has one, and of the tensors."""
    for field, pattern in BLOCKS.items():
        asked = config.get(field)
        matches = [found for name in tensors if (found := pattern.match(name))]
        there = max((int(found[1]) for found in matches), default=-1) + 1
        part = matches[0].string[: matches[0].start(1)] if matches else "layers."
        if isinstance(asked, int) and asked != there:
            raise ValueError(
                f"{where}: {field} is {asked}, but the checkpoint's tensors are of {there}"
                f" ({part}*). Hint: config and tensors have to come from the same model."
            )


def _check_size(
    where: Path,
    settings: PreTrainedConfig,
    tensors: Mapping[str, torch.Tensor],
    model_class: type[PreTrainedModel],
    arguments: dict[str, Any],
) -> None:
    """Refuse a config that asks for far more numbers than the tensors hold, before it gets them."""
    outline = _outline(where, settings, model_class, arguments)
    asked = sum(value.numel() for value in outline.parameters())
    there = sum(value.numel() for value in tensors.values())
    if asked > 4 * there + 1_000_000:
        raise ValueError(
            f"{where}: describes a {model_class.__name__} of {asked:,} parameters, but the"
            f" checkpoint's tensors hold {there:,}. Hint: config and tensors have to come from the"
            " same model."
        )


def _attention(model_class: type[PreTrainedModel]) -> str:
    """How it attends: torch's own product, but of families that have only theirs."""
    return "sdpa" if model_class._supports_sdpa else "eager"


def _outline(
    where: Path | str,
    settings: PreTrainedConfig,
    model_class: type[PreTrainedModel],
    arguments: dict[str, Any],
) -> PreTrainedModel:
    """Model without memory for its parameters."""
    try:
        with torch.device("meta"):
            return _made(settings, model_class, arguments)
    except Exception as error:  # whatever transformers makes of values that don't go together
        raise ValueError(
            f"{where}: no {model_class.__name__} can be made of it: {_line(error)}."
        ) from None


def _made(
    settings: PreTrainedConfig, model_class: type[PreTrainedModel], arguments: dict[str, Any]
) -> PreTrainedModel:
    attention = _attention(model_class)
    return model_class._from_config(settings, attn_implementation=attention, **arguments)


def _line(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__


def random(
    config: dict,
    seed: int,
    init: str,
    where: str = "untrained",
    architecture: type[VideoTransformer] = VJEPA2,
    *,
    whole: bool = False,
) -> PreTrainedModel:
    """Draw a model's weights: the same on every machine, from no one else's random numbers.

    Biases are 0, norms and scales 1. Weights are normal: ``fan_in`` with standard deviation
    1 / sqrt(inputs of the unit), which keeps the size of activations from layer to layer;
    ``fixed`` with ``initializer_range`` (0.02), as transformers does. Tokens and tables of
    positions, which have no inputs, are drawn as ``fixed`` in both.

    Parameters
    ----------
    config : dict
        Fields of config.json.
    seed : int
        Seed; every tensor has its own stream, named for it.
    init : str
        ``fan_in`` or ``fixed``.
    where : str
        What gives the config, for messages.
    architecture : type
        What runs the model; a V-JEPA 2 by default.
    whole : bool
        Whether what no embedding needs is drawn as well: the predictor. The rest is the same.

    Raises
    ------
    ValueError
        If there is no such architecture, or no memory for it.
    """
    blocks = config.get("num_hidden_layers", 1)
    if isinstance(blocks, int) and not 1 <= blocks <= MOST_BLOCKS:
        raise ValueError(
            f"{where}: num_hidden_layers is {blocks}, expected 1 to {MOST_BLOCKS}."
            " Hint: look at that field."
        )
    without = {} if whole else architecture.WITHOUT
    settings = _settings(where, {**config, **without}, architecture.MODEL)
    made = architecture.MODEL, architecture.ARGUMENTS
    outline = architecture.network_of(_outline(where, settings, *made))
    needed = 4 * sum(value.numel() for value in outline.parameters())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if needed > memory:
        raise ValueError(
            f"{where}: describes an encoder of {needed / 1e9:.0f} GB, and this machine has"
            f" {memory / 1e9:.0f} GB of memory. Hint: take fewer or narrower blocks."
        )
    with torch.random.fork_rng():
        model = _made(settings, *made)
    drawn = architecture.network_of(model).state_dict()
    if whole:
        own = {id(value) for value in architecture.network_of(model).parameters()}
        drawn |= {name: value for name, value in model.named_parameters() if id(value) not in own}
    for name, found in drawn.items():
        value = found.detach()
        if value.ndim == 1:
            one = NORM.search(name) and name.endswith("weight")
            if not name.endswith(TABLES):
                value.fill_(float(bool(one) or name.endswith(SCALE)))
                continue
        alone = (value.ndim == 3 and len(value) == 1) or name.endswith(TABLES)
        fixed = init == "fixed" or alone
        std = settings.initializer_range if fixed else value[0].numel() ** -0.5
        draw = seeds.rng("untrained weights", seed, name).standard_normal(value.shape, "float32")
        value.copy_(torch.from_numpy(draw * np.float32(std)))
    return model


def _quiet() -> None:
    """No progress bars, and no table of tensors: what is wrong with them is an error here."""
    transformers.utils.logging.disable_progress_bar()
    logging.getLogger("transformers").setLevel(logging.ERROR)
