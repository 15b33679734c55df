"""Checkpoint: from a hub id or a local folder to files; what is there is not fetched."""

import hashlib
import re
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from physprobe.config import checkpoints, shipped
from physprobe.config.checkpoints import CONFIG, IMAGE, NESTED, PROCESSORS, VIDEO
from physprobe.embed import _families
from physprobe.embed.networks import hub
from physprobe.embed.networks.processor import Processor

if TYPE_CHECKING:
    from torch import Tensor

HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
CONTEXT, BESIDE = "context_encoder.", "beside."
"""How names begin of tensors that lie beside a model's own in its files: of the encoder that its
predictor was trained to read, if that is another one; and of what else was trained with it."""
ELSEWHERE = ("quantization_config", "fusion_config", "transformers_weights")
"""Fields of config.json that would make another network of the tensors, or read others."""


def folder(model: str, revision: str | None = None, *, weights: bool = True) -> Path:
    """Folder with a checkpoint's files.

    Parameters
    ----------
    model : str
        Local folder, ``physprobe/{name}`` for one that ships with this package, or hub id such as
        ``facebook/vjepa2-vitl-fpc64-256``.
    revision : str, optional
        Commit, tag or branch on the hub; a local folder has none.
    weights : bool
        Whether its tensors are needed too.

    Returns
    -------
    Path
        A hub checkpoint's folder is named for its commit.

    Raises
    ------
    FileNotFoundError
        If there is no such folder, and the hub has no such model or can't be reached.
    ValueError
        If what ships with the package is not what was shipped, or a local folder has a revision.
    """
    here = shipped.folder(model)
    if here and revision:
        raise ValueError(
            f"{model}: found revision {revision!r}, but it is a folder on this machine, which has"
            " none. Hint: leave revision out."
        )
    if here and model == f"{shipped.OWNER}/{here.name}":
        for fault in shipped.faults(here.name):
            raise ValueError(fault)
    if here:
        return _whole(here, weights)
    if not HUB_ID.fullmatch(model):
        raise FileNotFoundError(
            f"{model}: no such folder. Hint: give a folder with config.json and *.safetensors,"
            " or a hub id (owner/name)."
        )
    found = hub.fetch(
        model,
        revision,
        weights=weights,
        missing=lambda place: [*_missing(place, weights), *_unprepared(place)],
    )
    return _whole(found, weights)


def _missing(found: Path, weights: bool) -> list[str]:
    """Files that are needed but not there."""
    needed = [CONFIG, *(checkpoints.shards(found) if weights else ())]
    return [name for name in needed if not (found / name).exists()]


def _unprepared(found: Path) -> list[str]:
    """The usual file of a processor, if there is none of any name."""
    return [] if any((found / name).exists() for name in PROCESSORS) else [IMAGE]


def _whole(found: Path, weights: bool) -> Path:
    """Give the folder back if config and tensors are in it."""
    for name in _missing(found, weights):
        raise FileNotFoundError(
            f"{found}: no {name}. Hint: save the model with save_pretrained;"
            " only safetensors are read."
        )
    return found


def config(found: Path, readable: Collection[str] = _families.KNOWN) -> dict:
    """Architecture of a checkpoint; of a model of images and text, of the part that sees.

    Parameters
    ----------
    found : Path
        Its folder.
    readable : collection of str
        Architectures that will do, as ``model_type`` names them.

    Raises
    ------
    ValueError
        If it is none of those, or is to be loaded in another way than as it lies there.
    """
    file = found / CONFIG
    content = checkpoints.content(file)
    model_type = content.get("model_type")
    if model_type not in list(readable):
        raise ValueError(
            f"{file}: found model_type {model_type!r}, expected {' or '.join(map(repr, readable))}."
            " Hint: docs/own_encoder.md says how any other network is read."
        )
    for name in ELSEWHERE:
        if content.get(name) is not None:
            raise ValueError(
                f"{file}: found {name}, which isn't known here. Hint: save the model in full"
                " precision with save_pretrained."
            )
    return _seeing(file, content) if model_type in _families.WHOLE else content


def _seeing(file: Path, content: dict) -> dict:
    """What a config says of the part that sees, with what transformers takes for missing fields."""
    from transformers import CONFIG_MAPPING

    try:
        found = CONFIG_MAPPING[content["model_type"]].from_dict(content).vision_config
    except Exception as error:  # whatever transformers makes of a wrong value
        line = " ".join(str(error).split())
        raise ValueError(f"{file}: {line}. Hint: look at vision_config.") from None
    return found.to_dict() | {"model_type": _families.WHOLE[content["model_type"]]}


def processor(found: Path, model_type: str) -> Processor:
    """Read what a checkpoint says of its input, such as ``image_mean`` and ``crop_size``.

    Of several files the first counts, as in transformers: the part of ``processor_config.json``
    that is nested there, ``video_preprocessor_config.json`` for networks of videos,
    ``preprocessor_config.json``.

    Parameters
    ----------
    found : Path
        Folder of the checkpoint.
    model_type : str
        Its architecture.

    Raises
    ------
    FileNotFoundError
        If it says nothing.
    ValueError
        If a file is broken.
    """
    family = _families.BY_TYPE[model_type]
    usual, key = family.processor, "image_processor" if family.alone else "video_processor"
    if (found / NESTED).exists():
        nested = checkpoints.content(found / NESTED).get(key)
        if isinstance(nested, dict):
            return Processor(f"{found / NESTED}, {key}", nested, usual)
    for name in (IMAGE,) if family.alone else (VIDEO, IMAGE):
        if (found / name).exists():
            return Processor(str(found / name), checkpoints.content(found / name), usual)
    raise FileNotFoundError(
        f"{found}: no {IMAGE}. Hint: write one with image_mean, image_std and crop_size."
    )


def weights_hash(tensors: Iterable[tuple[str, "Tensor"]]) -> str:
    """Hash over names, types, shapes and values of tensors, whatever files they lie in.

    Parameters
    ----------
    tensors : iterable of (str, Tensor)
        In any order; held one at a time.
    """
    import torch

    digests = []
    for name, tensor in tensors:
        about = f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode()
        flat = tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8)
        digests.append(hashlib.sha256(about + b"\n" + flat.numpy().data).hexdigest())
    return hashlib.sha256("\n".join(sorted(digests)).encode()).hexdigest()


def tensors(found: Path, without: tuple[str, ...] = (CONTEXT, BESIDE)) -> dict[str, "Tensor"]:
    """Every tensor of the files that a checkpoint names, in memory; files beside them don't count.

    Parameters
    ----------
    found : Path
        Folder of the checkpoint.
    without : tuple of str
        How names begin of tensors that are left where they are.

    Raises
    ------
    ValueError
        If a file is empty, cut, damaged or a git-lfs pointer, or holds a tensor that another one
        holds too; the message names it.
    """
    from safetensors import SafetensorError, safe_open

    loaded: dict[str, Tensor] = {}
    for path in (found / name for name in checkpoints.shards(found)):
        try:
            with safe_open(path, framework="pt") as file:
                for name in file.keys():  # noqa: SIM118 - it is a file, not a mapping
                    if name in loaded:
                        raise ValueError(
                            f"{path}: found {name}, which another file of the index holds too."
                            " Hint: save the model with save_pretrained."
                        )
                    if name.startswith(without):
                        continue
                    # a copy: what is hashed is what is loaded, whoever writes to the file meanwhile
                    loaded[name] = file.get_tensor(name).clone()
        except (SafetensorError, OSError) as error:
            raise ValueError(_unreadable(path, error)) from None
    return loaded


def _unreadable(path: Path, error: Exception) -> str:
    """What is wrong with a file that holds no tensors."""
    try:
        with path.open("rb") as file:
            start = file.read(64)
    except OSError as reason:
        return f"{path}: can't be read ({reason.strerror})."
    if start.startswith(checkpoints.POINTER):
        return checkpoints.pointer(path)
    if not start:
        return f"{path}: the file is empty. Hint: fetch it again."
    size = path.stat().st_size
    about = " ".join(str(error).split())
    return f"{path}: cut or damaged, {size} bytes ({about}). Hint: fetch it again."
