"""Embed's commands; ``modules`` is for people, no rule runs it."""

from pathlib import Path
from typing import Any

from physprobe.config import checkpoints, shipped
from physprobe.config.installation import packaged
from physprobe.config.stages import STORE, Command, Stage

TRAINED = ("config.json", "model.safetensors", "preprocessor_config.json")


def checkpoint(config: Any, model: str | None, *, weights: bool = True) -> list[str]:
    """Every file that is read of a checkpoint on this machine; none of one on the hub."""
    folder = Path(model or "")
    if folder.parent == Path("results/encoders") and folder.name in config.recipes:
        return [str(folder / name) for name in TRAINED]
    here = shipped.folder(str(folder))
    if folder == Path() or not here:
        return []
    named = packaged if here.is_relative_to(shipped.ENCODERS) else str
    return [named(file) for file in checkpoints.files(here, weights=weights)]


def _inputs(config: Any, asked: Any) -> dict[str, str | list[str]]:
    """Clips, the files that an encoder is read from, and the simulation for what reads that."""
    entry, folder = config.embedding(asked.encoder), f"results/{asked.system}"
    return {
        "clips": f"{folder}/clips.zarr/{STORE}",
        "simulation": [f"{folder}/simulation.zarr/{STORE}"] if entry.SEES_SIMULATION else [],
        "weights": [
            file
            for model, weights in entry.checkpoints.items()
            for file in checkpoint(config, model, weights=weights)
        ],
    }


def _kinds(config: Any, asked: Any) -> list[str]:
    """The kind, and what it finds by name itself."""
    entry, system = config.embedding(asked.encoder), config.systems[asked.system]
    found = entry.finds(system.simulate.kind, system.render.kind)
    return [f"embed.{entry.kind}", *entry.modules, *found]


def _gpus(config: Any, asked: Any) -> int:
    """GPUs that an encoder can use: one if it is a network."""
    return config.embedding(asked.encoder).GPUS


STAGE = Stage(
    {
        "embed": Command(
            entry=lambda config, asked: config.embedding(asked.encoder),
            inputs=_inputs,
            kinds=_kinds,
            params={
                "files": lambda config, asked: config.embedding(asked.encoder).listing(),
                "gpus": _gpus,
                # two threads for a network, one for what mostly reads
                "threads": lambda config, asked: 1 + _gpus(config, asked),
            },
        ),
        "modules": Command("_modules:run"),
        "convert": Command("_convert:run"),  # for people: no rule runs it
    },
    wildcards={"encoder": lambda config: config.embeddings},
)
