"""Trained encoders, by hub id or local folder: V-JEPA 2."""

import json
from pathlib import Path
from typing import Literal

from pydantic import Field

from physprobe.embed._encoder import Encoder
from physprobe.embed._network import Network


class Spec(Network):
    """A V-JEPA 2 checkpoint in safetensors, on the Hugging Face hub or in a folder."""

    kind: Literal["huggingface"] = "huggingface"
    """Family."""
    model: str = Field(min_length=1)
    """Hub id (owner/name), or folder with config.json, preprocessor_config.json, *.safetensors."""
    revision: str | None = None
    """Commit on the hub; pin it, or results change when the model's owner pushes."""


def tubelet(spec: Spec) -> int | None:
    """Frames per token, if it can be known without touching the hub."""
    config = Path(spec.model) / "config.json"
    return json.loads(config.read_text()).get("tubelet_size", 2) if config.is_file() else None


def load(spec: Spec, *, frames: int, height: int, width: int, threads: int) -> Encoder:
    """Load a checkpoint's encoder.

    The hub is asked only for a checkpoint that is not in the local cache.

    Parameters
    ----------
    spec : Spec
        Checkpoint and how clips are shown to it.
    frames : int
        Frames per clip.
    height, width : int
        Size of a frame [px]; any.
    threads : int
        Threads on a CPU.

    Raises
    ------
    FileNotFoundError
        If the checkpoint can't be had.
    ValueError
        If its tensors are not exactly those of its architecture, or the clips don't fit.

    References
    ----------
    Assran et al., V-JEPA 2, arXiv:2506.09985.
    """
    from physprobe.embed import _checkpoint, _resize, _vjepa, _weights

    folder = _checkpoint.folder(spec.model, spec.revision)
    config, processor = _checkpoint.config(folder), _checkpoint.processor(folder)
    model = _weights.trained(folder)
    local = Path(spec.model).is_dir()
    revision = None if local else folder.name
    return _vjepa.VideoTransformer(
        model,
        spec,
        _resize.declared(processor, model.config.crop_size, spec.preprocess),
        frames=frames,
        threads=threads,
        provenance={
            "label": spec.model if local else f"{spec.model} at {revision[:8]}",
            "hf_repo": spec.model,
            "revision": revision,
            "architecture": config,
            "weights_hash": _checkpoint.weights_hash(_checkpoint.tensors(folder)),
        },
    )
