"""Convert: an official checkpoint into a folder that encoders are read from."""

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from physprobe.config import checkpoints
from physprobe.store import log

if TYPE_CHECKING:
    from torch import Tensor

SHARD = 1_000_000_000
"""Bytes of a file, at most, unless a single tensor is larger: so much is in memory at a time."""
TARGETS = ("target_encoder", "ema_encoder")
"""Keys of the moving average, which evaluations read and targets come from."""
ONLINE = "encoder"
WRAPPED = ("state_dict_ema", "state_dict")


def run(
    file: str = "",
    *,
    out: Path,
    encoder: str = "",
    crop: int | None = None,
    frames: int | None = None,
    heads: int | None = None,
) -> None:
    """Convert a checkpoint of V-JEPA 2, V-JEPA 2.1 or LeVJEPA into a folder of safetensors.

    Parameters
    ----------
    file : str
        The checkpoint as it was published: ``.pt``, ``.pth`` or ``.ckpt``, of which weights alone
        are read, or ``.safetensors``.
    out : Path
        Folder that gets config.json, preprocessor_config.json and the tensors; must be new or
        empty.
    encoder : str
        Key of the encoder; by default the moving average, ``target_encoder`` or ``ema_encoder``, if
        there is one. The online one is kept beside it for the predictor to read.
    crop : int, optional
        Side of the input [px], which no tensor tells: 256 or 384 of V-JEPA 2. By default 384 of
        V-JEPA 2.1 and 224 of LeVJEPA.
    frames : int, optional
        Frames that are seen at once; by default 64 of V-JEPA 2, 16 of LeVJEPA and of V-JEPA 2.1 B
        and L.
    heads : int, optional
        Attention heads, where a width is none of the released ones.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is no such checkpoint, tensors are missing, unexpected or of another shape, or the
        folder is in use.
    """
    from physprobe.embed.networks import conversion

    if not file:
        raise ValueError("convert: found no file. Hint: python -m physprobe convert x.pt --out F")
    path = Path(file)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file. Hint: give the checkpoint itself.")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ValueError(f"{out}: is there already. Hint: name a folder that is new or empty.")
    content = _content(path)
    parts, key = _parts(content, encoder, path)
    kind = conversion.family(parts[key])
    seen = frames or _frames(kind, parts[key])
    side = crop or conversion.CROP.get(kind)
    if side is None:
        raise ValueError(
            f"{path}: no tensor tells the side of the input. Hint: give --crop 256, or 384 for"
            " files whose name ends so."
        )
    try:
        if kind == "levjepa":
            found = conversion.levjepa(parts[key], crop=side, frames=seen, heads=heads)
        else:
            context = parts.get(ONLINE) if key != ONLINE else None
            found = conversion.vjepa2(
                parts[key], parts.get("predictor"), context, crop=side, frames=seen, heads=heads
            )
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    digest = _digest(path)
    origin = {
        "file": path.name, "sha256": digest, "encoder": key, "family": kind,
        "context_encoder": ONLINE if key != ONLINE and ONLINE in parts else None,
    }  # fmt: skip
    work = out.with_name(f".{out.name}.unfinished")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    count, size = _write(found.tensors, work)
    for name, told in (
        (checkpoints.CONFIG, {**found.config, "converted_from": origin}),
        (checkpoints.IMAGE, found.processor),
    ):
        (work / name).write_text(json.dumps(told, indent=2) + "\n")
    if out.exists():
        out.rmdir()
    work.replace(out)
    notes = "".join(f"; {note}" for note in found.notes)
    log.done(
        f"{out}: {kind} by {key}, {count} tensors, {size / 1e6:.1f} MB, of {path.name}"
        f" (sha256 {digest[:16]}){notes}"
    )


def _content(path: Path) -> Mapping[str, Any]:
    """What a file holds, mapped into memory, not read."""
    if path.suffix == ".safetensors":
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            return load_file(path)
        except SafetensorError as error:
            raise ValueError(f"{path}: cut or damaged ({error}). Hint: fetch it again.") from None
    import torch

    try:
        found = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except Exception as error:  # of several layers: pickle, zip, torch
        first = " ".join(str(error).split())[:160]
        raise ValueError(
            f"{path}: weights alone can't be read from it ({type(error).__name__}: {first}). Hint:"
            " fetch it again; what needs code of others to be read is not read."
        ) from None
    if not isinstance(found, Mapping):
        raise ValueError(f"{path}: holds a {type(found).__name__}, expected named tensors.")
    return found


def _parts(
    content: Mapping[str, Any], asked: str, path: Path
) -> tuple[dict[str, dict[str, "Tensor"]], str]:
    """Dictionaries of tensors by key, and the key of the encoder."""
    from physprobe.embed.networks import conversion

    for name in WRAPPED:
        if isinstance(content.get(name), Mapping):
            content = content[name]
            break
    known = {key: value for key, value in content.items() if isinstance(value, Mapping)}
    flat = {n: v for n, v in content.items() if hasattr(v, "shape")}
    if not known and any(name.startswith("encoder.") for name in flat):
        own = {n.removeprefix("encoder."): v for n, v in flat.items() if n.startswith("encoder.")}
        known = {ONLINE: own}
    elif not known:
        known = {ONLINE: flat}
    parts = {
        key: conversion.stripped(value)
        for key, value in known.items()
        if key in (*TARGETS, ONLINE, "predictor", asked)
    }
    key = asked or next((name for name in (*TARGETS, ONLINE) if name in parts), "")
    if key not in parts:
        there = ", ".join(known) or "none"
        raise ValueError(
            f"{path}: found no encoder {key or ONLINE!r}. Hint: its dictionaries are {there}; give"
            " --encoder."
        )
    return parts, key


def _frames(kind: str, encoder: Mapping[str, "Tensor"]) -> int:
    if kind == "vjepa2":
        return 64
    wide = encoder["patch_embed.proj.weight"].shape[0] if kind == "vjepa2_1" else 0
    return 64 if wide > 1024 else 16


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write(tensors: Iterator[tuple[str, "Tensor"]], folder: Path) -> tuple[int, int]:
    """Write tensors into files of some size each, and their index if there are several."""
    from safetensors.torch import save_file

    files: list[list[str]] = []
    held: dict[str, Tensor] = {}
    size = total = 0

    def close() -> None:
        save_file(held, folder / f"part-{len(files):05}", {"format": "pt"})
        files.append([*held])
        held.clear()

    for name, value in tensors:
        own = value.numel() * value.element_size()
        if held and size + own > SHARD:
            close()
            size = 0
        held[name] = value.detach().contiguous().clone()
        size, total = size + own, total + own
    close()
    names = [checkpoints.WEIGHTS]
    if len(files) > 1:
        names = [
            f"model-{number + 1:05}-of-{len(files):05}.safetensors" for number in range(len(files))
        ]
        where = {tensor: name for name, each in zip(names, files, strict=True) for tensor in each}
        content = {"metadata": {"total_size": total}, "weight_map": where}
        (folder / checkpoints.INDEX).write_text(json.dumps(content, indent=2) + "\n")
    for number, name in enumerate(names):
        (folder / f"part-{number:05}").rename(folder / name)
        (folder / name).chmod(0o644)
    return sum(map(len, files)), total
