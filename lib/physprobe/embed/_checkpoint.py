"""Checkpoint: from a hub id or a local folder to files; what is there is not fetched."""

import hashlib
import json
import re
from collections.abc import Collection, Iterable
from pathlib import Path

from physprobe.core import shipped

HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
PROCESSORS = ("video_preprocessor_config.json", "preprocessor_config.json")


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
    """
    here = shipped.folder(model)
    if here:
        return _whole(here, weights)
    if not HUB_ID.fullmatch(model):
        raise FileNotFoundError(
            f"{model}: no such folder. Hint: give a folder with config.json and *.safetensors,"
            " or a hub id (owner/name)."
        )
    import huggingface_hub

    patterns = [
        "config.json",
        *PROCESSORS,
        *(["*.safetensors", "*.safetensors.index.json"] if weights else []),
    ]
    for cached in (True, False):
        try:
            found = huggingface_hub.snapshot_download(
                model, revision=revision, allow_patterns=patterns, local_files_only=cached
            )
        except (OSError, ValueError) as error:  # offline, refused or absent
            reason = error
            continue
        if not cached or not _missing(Path(found), weights):
            return _whole(Path(found), weights)
    at = f" --revision {revision}" if revision else ""
    raise FileNotFoundError(
        f"{model} at revision {revision or 'main'} is no folder, not (wholly) in the local cache,"
        f" and the hub didn't give it ({type(reason).__name__}). Hint: with a network, run"
        f" `hf download {model}{at}`; or point the entry at a local folder."
    ) from reason


def _missing(found: Path, weights: bool) -> list[str]:
    """Files that are needed but not there."""
    needed = ["config.json"]
    if weights:
        index = found / "model.safetensors.index.json"
        shards = json.loads(index.read_text())["weight_map"].values() if index.exists() else ()
        needed += sorted(set(shards)) or ["model.safetensors"]
    return [name for name in needed if not (found / name).exists()]


def _whole(found: Path, weights: bool) -> Path:
    """Give the folder back if every file that is needed is in it."""
    for name in _missing(found, weights):
        raise FileNotFoundError(
            f"{found}: no {name}. Hint: save the model with save_pretrained;"
            " only safetensors are read."
        )
    return found


def config(found: Path, readable: Collection[str]) -> dict:
    """Architecture of a checkpoint.

    Parameters
    ----------
    found : Path
        Its folder.
    readable : collection of str
        Architectures that will do, as ``model_type`` names them.

    Raises
    ------
    ValueError
        If it is none of those.
    """
    content = json.loads((found / "config.json").read_text())
    if content.get("model_type") not in readable:
        raise ValueError(
            f"{found / 'config.json'}: found model_type {content.get('model_type')!r},"
            f" expected {' or '.join(map(repr, readable))}."
            " Hint: another architecture needs a module beside embed/_vjepa.py."
        )
    return content


def processor(found: Path) -> dict:
    """Read what a checkpoint says of its input, such as ``image_mean`` and ``crop_size``.

    Raises
    ------
    FileNotFoundError
        If it says nothing.
    """
    for name in PROCESSORS:
        if (found / name).exists():
            return json.loads((found / name).read_text())
    raise FileNotFoundError(
        f"{found}: no {PROCESSORS[1]}. Hint: write one with image_mean, image_std and crop_size."
    )


def weights_hash(tensors: Iterable[tuple[str, object]]) -> str:
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
        digests.append(hashlib.sha256(about + b"\n" + memoryview(flat.numpy())).hexdigest())
    return hashlib.sha256("\n".join(sorted(digests)).encode()).hexdigest()


def tensors(found: Path) -> Iterable[tuple[str, object]]:
    """Every tensor of a checkpoint's files, one at a time."""
    from safetensors import safe_open

    for path in sorted(found.glob("*.safetensors")):
        with safe_open(path, framework="pt") as file:
            for name in file.keys():  # noqa: SIM118 - it is a file, not a mapping
                yield name, file.get_tensor(name)
