"""Conversion: official checkpoints by the names and files that networks here are read from.

What a dictionary of tensors holds is compared, name by name and shape by shape, with what its own
sizes say that it should; and what is missing, unexpected or of another shape is named as it is
upstream. Sizes that no shape tells (heads, side of the input) are known or asked for.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from physprobe.embed.networks import checkpoint
from physprobe.embed.networks.processor import IMAGENET

if TYPE_CHECKING:
    from torch import Tensor

Tensors = Mapping[str, "Tensor"]
PREFIXES = re.compile(r"(?:^|(?<=\.))(?:module|backbone)\.")
HEADS = {768: 12, 1024: 16, 1280: 16, 1408: 22, 1664: 26}
"""Attention heads of released encoders, by width."""
CROP = {"vjepa2_1": 384, "levjepa": 224}
"""Side of the input [px], where all released ones have the same."""
DROPPED = ("pos_embed", "predictor_pos_embed")
"""Tables that rotary places have made useless."""
SHOWN = 4


@dataclass(frozen=True)
class Converted:
    """A checkpoint as networks here read it."""

    config: dict[str, Any]
    """Content of config.json, but for where it comes from."""
    processor: dict[str, Any]
    tensors: Iterator[tuple[str, "Tensor"]]
    """Each made when it is asked for."""
    notes: list[str] = field(default_factory=list)
    """What of the checkpoint was left out, for people."""


def stripped(tensors: Tensors) -> dict[str, "Tensor"]:
    """Tensors without the names of what a trainer had wrapped around the network."""
    found = {PREFIXES.sub("", name): value for name, value in tensors.items()}
    return {name: value for name, value in found.items() if name not in DROPPED}


def family(encoder: Tensors) -> str:
    """Which network a dictionary is of: ``vjepa2``, ``vjepa2_1`` or ``levjepa``."""
    if any(name.startswith("norms_block.") for name in encoder):
        return "vjepa2_1"
    return "levjepa" if "cls_token" in encoder else "vjepa2"


def vjepa2(
    encoder: Tensors,
    predictor: Tensors | None,
    context: Tensors | None,
    *,
    crop: int,
    frames: int,
    heads: int | None,
) -> Converted:
    """V-JEPA 2 or 2.1.

    Parameters
    ----------
    encoder : mapping of str to Tensor
        That which is to be embedded by, and gives the targets, by its stripped names.
    predictor : mapping of str to Tensor, optional
    context : mapping of str to Tensor, optional
        The encoder that the predictor was trained to read, if it is another one.
    crop, frames : int
        Side of the input [px], and frames seen at once.
    heads : int, optional
        Attention heads of the encoder, where its width doesn't tell.

    Raises
    ------
    ValueError
        If tensors are missing, unexpected or of another shape; the message names them.
    """
    later = family(encoder) == "vjepa2_1"
    width, depth, inner, patch = _sizes(encoder, "encoder")
    config: dict[str, Any] = {
        "architectures": ["VJEPA2Model"], "model_type": "vjepa2", "crop_size": crop,
        "frames_per_clip": frames, "patch_size": patch[1], "tubelet_size": patch[0],
        "in_chans": 3, "hidden_size": width, "num_hidden_layers": depth,
        "num_attention_heads": heads or _heads(width), "mlp_ratio": _ratio(inner, width),
        "qkv_bias": True, "hidden_act": "gelu", "layer_norm_eps": 1e-6,
    }  # fmt: skip
    _check("encoder", encoder, _encoder_shapes(width, depth, inner, patch, later))
    notes = []
    if context is not None:
        _check("context encoder", context, _encoder_shapes(width, depth, inner, patch, later))
    if later:
        from physprobe.embed.networks import vjepa21

        if depth not in vjepa21.HIERARCHICAL:
            known = ", ".join(map(str, vjepa21.HIERARCHICAL))
            raise ValueError(f"encoder: {depth} blocks, and V-JEPA 2.1 has {known}.")
        config |= {
            "use_rope_interleave": True, "interpolate_rope": True, "use_modality_embeddings": True,
            "use_image_patch_embedder": True, "use_context_projection": True,
            "hierarchical_layers": list(vjepa21.HIERARCHICAL[depth]),
            "pretrained_grid_size": vjepa21.GRID, "num_distillation_outputs": 1,
            "teacher_embed_dim": None,
        }  # fmt: skip
    if predictor is None:
        config |= {
            "pred_num_hidden_layers": 0, "pred_hidden_size": config["num_attention_heads"],
            "pred_num_attention_heads": config["num_attention_heads"], "pred_num_mask_tokens": 1,
        }  # fmt: skip
        predictor = _nothing(config, later)
        notes.append("there is no predictor")
    else:
        own, blocks, wide, _ = _sizes(predictor, "predictor")
        tokens = sum(1 for name in predictor if re.fullmatch(r"mask_tokens\.\d+", name))
        answers = _shape(predictor, "predictor_proj.weight", "predictor")[0]
        levels = 4 if later and "predictor_embed.0.weight" in predictor else 1
        config |= {
            "pred_hidden_size": own, "pred_num_hidden_layers": blocks,
            "pred_num_attention_heads": 12 if own % 12 == 0 else config["num_attention_heads"],
            "pred_mlp_ratio": _ratio(wide, own), "pred_num_mask_tokens": 1,
        }  # fmt: skip
        if later:
            teacher = None if levels > 1 or answers == width else answers
            config |= {"num_distillation_outputs": levels, "teacher_embed_dim": teacher}
        _check(
            "predictor", predictor,
            _predictor_shapes(width, own, blocks, wide, tokens, answers, levels, later),
        )  # fmt: skip
        untrained = [
            str(k) for k in range(1, tokens) if not bool(predictor[f"mask_tokens.{k}"].any())
        ]
        if tokens > 1:
            notes.append(
                f"of {tokens} mask tokens the first is kept; {len(untrained)} of the others are 0"
            )
    processor = {
        "crop_size": {"height": crop, "width": crop},
        "size": {"shortest_edge": int(crop * 256 / 224)},
        **IMAGENET, "do_rescale": True, "rescale_factor": 1 / 255, "resample": 2,
    }  # fmt: skip

    def tensors() -> Iterator[tuple[str, "Tensor"]]:
        yield from _renamed(encoder, "encoder.", width)
        yield from _renamed(predictor, "predictor.", config["pred_hidden_size"])
        for name, value in _renamed(context or {}, "", width):
            yield f"{checkpoint.CONTEXT}{name}", value

    return Converted(config, processor, tensors(), notes)


def levjepa(encoder: Tensors, *, crop: int, frames: int, heads: int | None) -> Converted:
    """LeVJEPA, whose names stay as they are.

    Parameters
    ----------
    encoder : mapping of str to Tensor
        By names without ``encoder.``.
    crop, frames, heads
        As for :func:`vjepa2`.

    Raises
    ------
    ValueError
        As for :func:`vjepa2`.
    """
    width, depth, inner, patch = _sizes(encoder, "encoder")
    expected = dict(_encoder_shapes(width, depth, inner, patch, later=False))
    _check("encoder", encoder, {**expected, "cls_token": (1, 1, width)})
    config = {
        "architectures": ["LeVJEPAModel"], "model_type": "levjepa", "img_size": crop,
        "patch_size": patch[1], "num_frames": frames, "tubelet_size": patch[0], "in_chans": 3,
        "embed_dim": width, "depth": depth, "num_heads": heads or _heads(width),
        "mlp_ratio": _ratio(inner, width), "qkv_bias": True, "attn_mode": "block_causal",
        "token_drop_rate": 0.0,
    }  # fmt: skip
    processor = {
        "crop_size": {"height": crop, "width": crop}, "size": {"shortest_edge": crop},
        **IMAGENET, "do_rescale": True, "rescale_factor": 1 / 255, "resample": 2,
    }  # fmt: skip
    named = ((f"encoder.{name}", value) for name, value in sorted(encoder.items()))
    return Converted(config, processor, named)


def _sizes(tensors: Tensors, what: str) -> tuple[int, int, int, tuple[int, int]]:
    """Width, blocks, width of the MLP, and (tubelet, patch), from names and shapes."""
    start = "predictor_blocks" if what == "predictor" else "blocks"
    numbers = [int(m[1]) for n in tensors if (m := re.match(rf"{start}\.(\d+)\.", n))]
    depth = max(numbers, default=-1) + 1
    if not depth:
        raise ValueError(
            f"{what}: found no {start}.0.*, but {_some(sorted(tensors)) or 'nothing'}."
            " Hint: give an official checkpoint, with the key that holds its encoder."
        )
    inner = _shape(tensors, f"{start}.0.mlp.fc1.weight", what)[0]
    if what == "predictor":
        return _shape(tensors, f"{start}.0.norm1.weight", what)[0], depth, inner, (0, 0)
    shape = _shape(tensors, "patch_embed.proj.weight", what)
    if len(shape) != 5 or shape[1] != 3 or shape[3] != shape[4]:
        raise ValueError(
            f"{what}: patch_embed.proj.weight is {shape}, expected (width, 3, tubelet, patch,"
            " patch)."
        )
    return shape[0], depth, inner, (shape[2], shape[3])


def _shape(tensors: Tensors, name: str, what: str) -> tuple[int, ...]:
    if name not in tensors:
        raise ValueError(f"{what}: missing {name}. Hint: give a whole official checkpoint.")
    return tuple(tensors[name].shape)


def _heads(width: int) -> int:
    if width not in HEADS:
        raise ValueError(
            f"no shape tells how many attention heads an encoder of width {width} has. Hint: give"
            " --heads."
        )
    return HEADS[width]


def _ratio(inner: int, width: int) -> float:
    """Ratio that the width, times it and cut to a whole number, gives back."""
    ratio = inner / width
    return ratio if int(width * ratio) == inner else (inner + 0.5) / width


def _block_shapes(start: str, width: int, inner: int) -> dict[str, tuple[int, ...]]:
    return {
        f"{start}norm1.weight": (width,), f"{start}norm1.bias": (width,),
        f"{start}attn.qkv.weight": (3 * width, width), f"{start}attn.qkv.bias": (3 * width,),
        f"{start}attn.proj.weight": (width, width), f"{start}attn.proj.bias": (width,),
        f"{start}norm2.weight": (width,), f"{start}norm2.bias": (width,),
        f"{start}mlp.fc1.weight": (inner, width), f"{start}mlp.fc1.bias": (inner,),
        f"{start}mlp.fc2.weight": (width, inner), f"{start}mlp.fc2.bias": (width,),
    }  # fmt: skip


def _encoder_shapes(
    width: int, depth: int, inner: int, patch: tuple[int, int], later: bool
) -> dict[str, tuple[int, ...]]:
    tubelet, side = patch
    found: dict[str, tuple[int, ...]] = {
        "patch_embed.proj.weight": (width, 3, tubelet, side, side),
        "patch_embed.proj.bias": (width,),
    }
    for number in range(depth):
        found |= _block_shapes(f"blocks.{number}.", width, inner)
    if not later:
        return found | {"norm.weight": (width,), "norm.bias": (width,)}
    found |= {
        "patch_embed_img.proj.weight": (width, 3, 1, side, side),
        "patch_embed_img.proj.bias": (width,),
        "video_mod_embed": (1, 1, width),
        "img_mod_embed": (1, 1, width),
    }
    for number in range(4):
        found |= {f"norms_block.{number}.{part}": (width,) for part in ("weight", "bias")}
    return found


def _predictor_shapes(
    width: int,
    own: int,
    blocks: int,
    inner: int,
    tokens: int,
    answers: int,
    levels: int,
    later: bool,
) -> dict[str, tuple[int, ...]]:
    found: dict[str, tuple[int, ...]] = {
        "predictor_norm.weight": (own,), "predictor_norm.bias": (own,),
        "predictor_proj.weight": (answers, own), "predictor_proj.bias": (answers,),
        **{f"mask_tokens.{number}": (1, 1, own) for number in range(max(1, tokens))},
    }  # fmt: skip
    if levels > 1:
        found |= {
            "predictor_embed.0.weight": (width, levels * width), "predictor_embed.0.bias": (width,),
            "predictor_embed.2.weight": (own, width), "predictor_embed.2.bias": (own,),
            "predictor_proj.weight": (levels * width, own),
            "predictor_proj.bias": (levels * width,),
        }  # fmt: skip
    else:
        found |= {"predictor_embed.weight": (own, width), "predictor_embed.bias": (own,)}
    for number in range(blocks):
        found |= _block_shapes(f"predictor_blocks.{number}.", own, inner)
    if later:
        found |= {
            "predictor_proj_context.weight": found["predictor_proj.weight"],
            "predictor_proj_context.bias": found["predictor_proj.bias"],
            "video_mod_embed": (1, 1, own), "img_mod_embed": (1, 1, own),
        }  # fmt: skip
    elif answers != width:
        found |= {"predictor_proj.weight": (width, own), "predictor_proj.bias": (width,)}
    return found


def _check(what: str, found: Tensors, expected: Mapping[str, tuple[int, ...]]) -> None:
    """Refuse a dictionary that isn't exactly what its sizes say."""
    shapes = {name: tuple(value.shape) for name, value in found.items()}
    wrong = [
        f"{name} is {shapes[name]}, expected {shape}"
        for name, shape in expected.items()
        if name in shapes and shapes[name] != shape
    ]
    problems = [
        f"{word} {_some(names)}"
        for word, names in (
            ("missing", sorted(set(expected) - set(shapes))),
            ("unexpected", sorted(set(shapes) - set(expected))),
            ("of another shape:", wrong),
        )
        if names
    ]
    if problems:
        raise ValueError(
            f"{what}: {'; '.join(problems)}. Hint: give a whole checkpoint of V-JEPA 2, V-JEPA 2.1"
            " or LeVJEPA."
        )


def _some(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"{', '.join(names[:SHOWN])}{more}"


NAMES = (
    (r"^patch_embed\.proj\.", "embeddings.patch_embeddings.proj."),
    (r"^patch_embed_img\.proj\.", "embeddings.patch_embeddings_img.proj."),
    (r"^(video|img)_mod_embed$", r"embeddings.\1_mod_embed"),
    (r"^(?:predictor_)?blocks\.", "layer."),
    (r"\.attn\.proj\.", ".attention.proj."),
    (r"^norm\.", "layernorm."),
    (r"^predictor_embed\.", "embeddings.predictor_embeddings."),
    (r"^predictor_norm\.", "layernorm."),
    (r"^predictor_proj\.", "proj."),
    (r"^predictor_proj_context\.", "proj_context."),
)
"""Patterns of names upstream, and of those here."""


def _renamed(tensors: Tensors, start: str, width: int) -> Iterator[tuple[str, "Tensor"]]:
    """Tensors by the names that transformers has, queries, keys and values apart."""
    for name, value in sorted(tensors.items()):
        if name.startswith("mask_tokens."):
            if name == "mask_tokens.0":
                yield f"{start}embeddings.mask_tokens", value[None]
            continue
        found = name
        for pattern, instead in NAMES:
            found = re.sub(pattern, instead, found)
        if ".attn.qkv." in found:
            for number, part in enumerate(("query", "key", "value")):
                own = value[number * width : (number + 1) * width]
                yield f"{start}{found.replace('.attn.qkv.', f'.attention.{part}.')}", own
            continue
        yield f"{start}{found}", value


def _nothing(config: Mapping[str, Any], later: bool) -> dict[str, "Tensor"]:
    """Tensors of a predictor without blocks, all 0, where a checkpoint has none."""
    import torch

    width, own = config["hidden_size"], config["pred_hidden_size"]
    shapes = _predictor_shapes(width, own, 0, 0, 1, width, 1, later)
    return {name: torch.zeros(shape) for name, shape in shapes.items()}
